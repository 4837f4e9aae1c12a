"""Output of the commands that publish: their steps on stderr, and the outcome on stdout."""

from collections.abc import Iterator, Sequence

from bagen_data.console import STDERR, shown, stdout_console
from bagen_data.repositories.publishing import Publication, PublishedRepository, Watch, publish
from bagen_data.wording import numbered

_MOST_LINES = 20
"""Paths that are listed of each kind."""


def publish_with_progress(publication: Publication) -> PublishedRepository:
    """Publish, with a bar and a line on stderr for each step; raises as `publish`."""
    from bagen_data.progress_bar import progress_bar

    with progress_bar() as bar:
        step = bar.add_task("bytes", total=None)
        watch = Watch(
            say=say,
            sending=lambda size: bar.update(step, total=size),
            sent=lambda size: bar.advance(step, size),
        )
        return publish(publication, watch)


def say(text: str) -> None:
    """Print a sentence on stderr, without secrets."""
    from bagen_data.redaction import redact

    STDERR.print(shown(redact(text)))


def print_published(publication: Publication, published: PublishedRepository) -> None:
    """Print on stdout what was sent, deleted and kept, and where it is."""
    console = stdout_console(soft_wrap=True)
    for line in published_lines(publication, published):
        console.print(shown(line))


def published_lines(publication: Publication, published: PublishedRepository) -> Iterator[str]:
    """Yield the lines that say what became of a repository.

    Args:
        publication: what was published.
        published: the outcome.
    """
    counts = ", ".join(
        f"{len(paths):,} {name}"
        for name, paths in (
            ("added", published.added),
            ("changed", published.changed),
            ("deleted", published.deleted),
            ("unchanged", published.unchanged),
        )
    )
    start = f"{publication.repository}: {counts}"
    if publication.dry_run:
        made = "would be created, unless it is private: " if published.is_created else ""
        start = f"{publication.repository}: dry run, nothing was sent: {made}{counts}"
    others = numbered(len(published.foreign), "file")
    yield f"{start}; {others} of others kept" if published.foreign else start
    yield from _listed("added", published.added)
    yield from _listed("changed", published.changed)
    yield from _listed("deleted", published.deleted)
    yield from _listed("kept", published.foreign)
    if published.commit:
        yield f"commit   {published.commit}"
    if publication.tag is not None and published.commit:
        yield f"tag      {publication.tag}"
    yield published.address


def _listed(name: str, paths: Sequence[str]) -> Iterator[str]:
    yield from (f"{name:8} {path}" for path in paths[:_MOST_LINES])
    if len(paths) > _MOST_LINES:
        yield f"{name:8} ... and {len(paths) - _MOST_LINES:,} more"
