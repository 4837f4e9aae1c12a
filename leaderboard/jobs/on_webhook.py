"""Run a command of the leaderboard for an event that a webhook of the Hub delivers.

    python -m leaderboard.jobs.on_webhook review --repo ORG/bagen-submissions
    python -m leaderboard.jobs.on_webhook update --repo ORG/bagen-submissions --to ORG/LEADERBOARD

A Job that a webhook starts finds the event in the environment as WEBHOOK_PAYLOAD, as JSON.
'review' runs for each pull request that has a new commit, with its number as '--pr'; 'update' runs
where the branch main has one. Any other event runs nothing. The options are handed on as they are.

Strangers cause events, and write texts that come with them. Only the numbers of pull requests are
taken from an event; the command, the repository and the token are the Job's.

Exit codes: that of the first command that fails; 0 where nothing runs, 2 for wrong usage.
"""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

_MAIN = "refs/heads/main"
_MOST_PULL_REQUESTS = 10
"""Pull requests of one event that are reviewed; a schedule reviews the others."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the commands that an event asks for; return the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] not in (["review"], ["update"]) or "--repo" not in words[:-1]:
        sys.stderr.write(
            "expected 'review' or 'update', and '--repo ORG/NAME', the repository that the "
            "webhook watches\n"
        )
        return 2
    repository = words[words.index("--repo") + 1]
    payload = read_payload(os.environ.get("WEBHOOK_PAYLOAD", ""))
    commands = commands_of(words, payload, repository)
    if not commands:
        sys.stdout.write(f"{repository}: the event asks for no {words[0]}\n")
    codes = [
        subprocess.run([sys.executable, "-m", "leaderboard", *command], check=False).returncode  # noqa: S603
        for command in commands
    ]
    return next((code for code in codes if code), 0)


def read_payload(text: str) -> dict[str, Any]:
    """Return the event of a webhook; an empty one where the text does not hold one."""
    try:
        payload = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return payload if isinstance(payload, dict) else {}


def commands_of(
    arguments: Sequence[str], payload: dict[str, Any], repository: str
) -> list[list[str]]:
    """Return the commands that an event asks for.

    Args:
        arguments: 'review' or 'update', and its options.
        payload: the event, as the Hub's documentation of webhooks has it.
        repository: id of the dataset repository that the webhook watches.

    Returns:
        For 'review' one command for each pull request, for 'update' one or none; none for an
        event of another repository.
    """
    repo = _part(payload, "repo")
    if (repo.get("type"), repo.get("name")) != ("dataset", repository):
        return []
    moved = _moved_refs(payload)
    if arguments[0] == "update":
        return [list(arguments)] if _MAIN in moved else []
    matches = (re.fullmatch(r"refs/pr/([1-9][0-9]{0,8})", ref) for ref in moved)
    numbers = sorted({int(match[1]) for match in matches if match})
    chosen = numbers[:_MOST_PULL_REQUESTS]
    return [[*arguments, "--pr", str(number)] for number in chosen]


def _moved_refs(payload: dict[str, Any]) -> list[str]:
    """Return the names of branches, tags and pull requests with a new commit."""
    refs = payload.get("updatedRefs")
    return [
        each["ref"]
        for each in (refs if isinstance(refs, list) else ())
        if isinstance(each, dict) and isinstance(each.get("ref"), str) and each.get("newSha")
    ]


def _part(payload: dict[str, Any], name: str) -> dict[str, Any]:
    part = payload.get(name)
    return part if isinstance(part, dict) else {}


if __name__ == "__main__":
    sys.exit(main())
