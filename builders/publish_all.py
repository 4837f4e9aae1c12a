"""Publish all of the benchmark: dataset, metric, leaderboard, and a repository of submissions.

Other packages publish their own part, each by its command in a process of its own.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from bagen_data.errors import BagenError, InputError
from bagen_data.repositories.publish_command import print_published, publish_with_progress, say
from bagen_data.wording import numbered
from builders.publish_dataset import DatasetPublication, publish_dataset
from builders.published_ids import PublishedIds
from builders.submissions_repository import opening

_REPO = Path(__file__).parents[1]


@dataclass(frozen=True)
class _Step:
    """A repository that is published."""

    name: str
    repository: str
    run: Callable[[], None]


def publish_all(wanted: DatasetPublication, site: Path | None) -> None:
    """Publish each repository in turn, and stop at the first that fails.

    A rerun finds what was published before unchanged, and goes on from there.

    Args:
        wanted: the dataset, and its id; the others are of the same organisation.
        site: the leaderboard's site; without it the leaderboard is left out.

    Raises:
        BagenError: a step failed; the steps that are done are named on stderr before.
    """
    steps = list(_steps(wanted, site))
    for number, step in enumerate(steps, 1):
        say(f"step {number} of {len(steps)}: the {step.name}, {step.repository}")
        try:
            step.run()
        except BagenError:
            done = ", ".join(f"the {each.name}" for each in steps[: number - 1]) or "nothing"
            say(
                f"stopped at step {number} of {len(steps)}, the {step.name}; published so far: "
                f"{done}; a rerun goes on from there"
            )
            raise


def _steps(wanted: DatasetPublication, site: Path | None) -> Iterator[_Step]:
    ids = PublishedIds.beside(wanted.repository)
    flags = [
        *(["--private"] if wanted.private else []),
        *(["--dry-run"] if wanted.dry_run else []),
    ]
    yield _Step("dataset", ids.dataset, lambda: publish_one(wanted))
    metric = ["metrics", "publish", "--to", ids.metric, *flags]
    yield _Step("metric", ids.metric, lambda: _run(metric))
    if site is not None:
        board = ["leaderboard", "publish", str(site.absolute()), "--to", ids.leaderboard, *flags]
        yield _Step("leaderboard", ids.leaderboard, lambda: _run(board))
    yield _Step("submissions", ids.submissions, lambda: _open_submissions(wanted, ids))


def publish_one(wanted: DatasetPublication) -> None:
    """Publish the dataset alone, and print what became of it; raises as `publish_dataset`."""
    dataset = publish_dataset(wanted, publish_with_progress)
    print_published(dataset.publication, dataset.published)
    if dataset.verified:
        files = numbered(dataset.verified, "data file")
        say(f"{wanted.repository}: {files} arrived as they were built")


def _run(command: Sequence[str]) -> None:
    """Run the command of another package, which says itself what is wrong.

    Raises:
        InputError: it failed.
    """
    sys.stdout.flush()
    done = subprocess.run([sys.executable, "-m", *command], cwd=_REPO, check=False)  # noqa: S603
    if done.returncode:
        text = " ".join(["python", "-m", *command])
        raise InputError(f"{text}: failed with exit code {done.returncode}; its message is above")


def _open_submissions(wanted: DatasetPublication, ids: PublishedIds) -> None:
    with TemporaryDirectory(prefix="bagen-submissions-") as folder:
        publication = opening(ids, Path(folder), private=wanted.private, dry_run=wanted.dry_run)
        if publication is None:
            say(f"{ids.submissions}: is there already and stays as it is")
            return
        print_published(publication, publish_with_progress(publication))
