"""The repository that takes submissions: it is opened with a card, and then left to its owners."""

from pathlib import Path

from bagen_data.errors import TemplateError
from bagen_data.prompts import fill
from bagen_data.published import CODE_PAGE
from bagen_data.repositories.hub_repository import (
    HubRepository,
    find_token,
    named_refusals,
    quiet_client,
)
from bagen_data.repositories.publishing import Publication
from bagen_data.tables import CARD
from builders.published_ids import PublishedIds

TEMPLATE = Path(__file__).parent.parent / "submissions_card.md"


def opening(ids: PublishedIds, folder: Path, *, private: bool, dry_run: bool) -> Publication | None:
    """Return what opens the repository of submissions; None where it has a card already.

    Args:
        ids: of all repositories.
        folder: a folder to write the card into.
        private: whether the repository is private, if it is created.
        dry_run: whether nothing is sent.

    Raises:
        InputError: the Hub refuses.
        StoreError: the Hub does not answer.
    """
    repository = HubRepository(ids.submissions, "dataset", find_token())
    with named_refusals(repository.id), quiet_client():
        head = repository.head()
        if head is not None and CARD in repository.files(head):
            return None
    (folder / CARD).write_text(render_submissions_card(ids), encoding="utf-8")
    return Publication(
        repository=repository.id,
        files={CARD: folder / CARD},
        message="Open for submissions",
        private=private,
        dry_run=dry_run,
    )


def render_submissions_card(ids: PublishedIds) -> str:
    """Fill the template of the repository's card.

    Raises:
        TemplateError: the template is missing, or its fields are other ones.
    """
    try:
        template = TEMPLATE.read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"{TEMPLATE}: cannot be read: {error.strerror}") from error
    fields = {
        "code_page": CODE_PAGE,
        "dataset_id": ids.dataset,
        "leaderboard_id": ids.leaderboard,
        "submissions_id": ids.submissions,
    }
    return fill(template, fields, TEMPLATE.name)
