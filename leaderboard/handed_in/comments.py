"""The comment with the verdict on a pull request: written once, and edited when it changes."""

import re
from collections.abc import Sequence

from bagen_data.errors import InputError
from bagen_data.repositories.hub_requests import ask
from bagen_data.wording import numbered
from leaderboard.handed_in.trees import SubmissionsRepository
from leaderboard.reasons import visible

MARKER = "<!-- bagen review -->"
"""The first line of the comment, which marks it as ours."""
_MOST_LINES = 60
_LINE = 500
"""Most characters of a line."""


def comment_of(outcome: str, commit: str, revision: str, lines: Sequence[str]) -> str:
    """Return the text of a comment.

    Args:
        outcome: the outcome in our own words.
        commit: the commit that was judged, in hexadecimal digits.
        revision: the revision of the dataset.
        lines: the details, which may quote the pull request: they are shown unchanged,
            in a block of code.
    """
    return "\n".join(
        [
            MARKER,
            f"**{outcome}**",
            "",
            f"This is about commit `{commit}`, held against the dataset's revision `{revision}`.",
            "",
            *quoted(lines),
            "",
            "A program wrote this, and edits it when the pull request changes. It merges nothing; "
            "a maintainer decides.",
        ]
    )


def quoted(lines: Sequence[str]) -> list[str]:
    r"""Return lines of a stranger as a block of code that they cannot end.

    >>> print("\n".join(quoted(["```", "@everyone <img>"])))
    ````text
    ```
    @everyone <img>
    ````
    """
    shown = [visible(line)[:_LINE] for line in lines[:_MOST_LINES]]
    if len(lines) > _MOST_LINES:
        shown.append(f"... and {numbered(len(lines) - _MOST_LINES, 'more line')}")
    longest = max((len(run) for line in shown for run in re.findall("`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}text", *shown, fence]


def say(repository: SubmissionsRepository, number: int, text: str) -> None:
    """Comment a text on a pull request, or edit our comment there if it says something else.

    Where the Hub's answer to a comment was lost, the comment is not written again. Only comments of
    our user count as ours.

    Raises:
        InputError: the pull request is not open.
        HfHubHTTPError, InputError, StoreError: as `ask`.
    """
    api, name, kind = repository.hub.api, repository.hub.id, repository.hub.kind
    user = repository.user

    def request() -> None:
        from huggingface_hub import DiscussionComment

        details = api.get_discussion_details(name, number, repo_type=kind)
        if details.status not in ("open", "draft"):
            raise InputError(f"it is {details.status}, so nothing was commented")
        own = [
            event
            for event in details.events
            if isinstance(event, DiscussionComment)
            and event.author == user
            and event.content.startswith(MARKER)
            and not event.hidden
        ]
        if not own:
            api.comment_discussion(name, number, comment=text, repo_type=kind)
        for each in own:  # two, where two reviews ran at once
            if each.content.strip() != text.strip():
                api.edit_discussion_comment(name, number, each.id, new_content=text, repo_type=kind)

    ask(request, name)
