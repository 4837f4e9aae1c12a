"""The files of a site as a static Space of the Hub."""

from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.repositories.hub_repository import (
    HubRepository,
    find_token,
    named_refusals,
    quiet_client,
)
from bagen_data.repositories.publishing import Publication, Seen
from bagen_data.repositories.repository_files import changed_file, hash_file
from leaderboard.results import JSON, read_results
from leaderboard.site import MANIFEST

_FIRST_PAGE = "index.html"
_CARD = "README.md"


def site_publication(site: Path, space_id: str) -> Publication:
    """Return the publication of a site: the files that its manifest names, and the manifest.

    Args:
        site: what `python -m leaderboard build` wrote.
        space_id: ORG/NAME.

    Raises:
        InputError: the folder is not a site, or lacks a file of it.
        StoreError: the Hub does not answer.
    """
    results = read_results(site)
    if not site.is_dir():
        raise InputError(f"{site}: is a file; expected the folder of a site")
    inode = site.stat().st_ino
    names = _named_files(site)
    files = {name: site / name for name in (*names, MANIFEST)}
    missing = [name for name, path in files.items() if not path.is_file() or path.is_symlink()]
    missing += [name for name in (_FIRST_PAGE, _CARD, JSON) if name not in files]
    if missing:
        raise InputError(f"{site / missing[0]}: is missing from the site; build it again")
    hashes = {name: hash_file(path).sha256 for name, path in files.items()}
    if site.stat().st_ino != inode:  # another build took its place, so the files may be of both
        raise changed_file(site)
    seen, stale = _look(space_id)
    revision = str(results["dataset"].get("revision") or "")[:12]
    return Publication(
        repository=space_id,
        files=files,
        message=f"Publish the leaderboard of dataset {revision}".removesuffix(" of dataset "),
        is_ours=stale.__contains__,
        kind="space",
        space_sdk="static",
        seen=seen,
        hashes=hashes,
    )


def _named_files(site: Path) -> list[str]:
    """Return the files that a site's manifest names.

    Raises:
        InputError: the manifest is missing, or names a file outside of the site.
    """
    try:
        names = (site / MANIFEST).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"{site / MANIFEST}: cannot be read; expected a site that 'python -m leaderboard "
            "build' wrote"
        ) from error
    for name in names:
        if not _is_plain(name):
            raise InputError(f"{site / MANIFEST}: names {name!a}, which lies outside of the site")
    return names


def _look(space_id: str) -> tuple[Seen, set[str]]:
    """Return the state of a Space, and the files that the manifest of its site names."""
    repository = HubRepository(space_id, "space", find_token())
    with named_refusals(space_id), quiet_client():
        head = repository.head()
        copy = repository.download(MANIFEST, head) if head else None
    try:
        lines = [] if copy is None else copy.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:  # none of ours
        return Seen(head), set()
    return Seen(head), {name for name in lines if _is_plain(name)}


def _is_plain(name: str) -> bool:
    """Return whether a path stays within its folder and is not hidden, as `.gitattributes` is."""
    return bool(name) and not any(part == "" or part.startswith(".") for part in name.split("/"))
