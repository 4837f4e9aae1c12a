"""Build a board: score submissions, and write the results and the site."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.progress_bar import progress_bar
from bagen_data.scoring.resampling import Resampling
from leaderboard.benchmark_samples import Benchmark
from leaderboard.board_options import BoardOptions
from leaderboard.build_results import (
    CheckedSubmission,
    check_submissions,
    results_of,
    with_declared_names,
)
from leaderboard.cache import NO_CACHE, Cache, default_folder
from leaderboard.ceilings import read_ceiling
from leaderboard.results import EARLIER_FORMATS, read_results
from leaderboard.site import write_site
from leaderboard.verified import load_key


@dataclass(frozen=True)
class Submissions:
    """The submissions of a board."""

    within: Path
    """The folder that holds the folders of the submissions."""
    folders: Sequence[Path]
    """The path of each submission's folder, inside `within`."""
    refused: Sequence[CheckedSubmission] = ()
    """Submissions that were refused before."""
    files_url: str | None = None
    """The address where readers find the submissions' files; without it the site has copies."""


@dataclass(frozen=True)
class BuiltBoard:
    """A board that was built."""

    results: Mapping[str, Any]
    """The results, as `results.json` has them."""
    withheld: Sequence[str]
    """Files of submissions that the site does not offer, because they changed."""
    is_written: bool = True
    """False if the earlier site was kept, whose submissions were ranked when none is now."""


def build_board(
    submissions: Submissions, benchmark: Benchmark, options: BoardOptions, out: Path
) -> BuiltBoard:
    """Score submissions, and write the results and the site.

    Args:
        submissions: the submissions.
        benchmark: the samples that they answer.
        options: everything else that decides the board.
        out: the site. One that was built earlier is replaced, unless only the earlier one has
            ranked submissions and the options do not allow an empty board.

    Raises:
        InputError: earlier results, the ceiling or the key cannot be used.
        OutputError: the site cannot be written.
        StoreError: the Hub has to be asked which revision a submission names, and does not answer.
    """
    earlier = {path: read_results(path, EARLIER_FORMATS) for path in options.earlier or ()}
    ceiling = None if options.ceiling is None else read_ceiling(options.ceiling, benchmark)
    if options.hidden is not None:
        benchmark = replace(benchmark, hidden=load_key(options.hidden))
    resampling = Resampling(options.resamples, options.seed)
    cache = Cache(options.cache or default_folder()) if options.use_cache else NO_CACHE
    processes = options.workers or os.cpu_count() or 1
    with progress_bar() as bar:
        checks = check_submissions(submissions.folders, benchmark, resampling, cache, processes)
        step = bar.add_task("submissions", total=len(submissions.folders))
        checked = []
        for each in checks:
            checked.append(each)
            bar.advance(step)
    benchmark = with_declared_names(benchmark, checked, earlier.values())
    results = results_of([*checked, *submissions.refused], benchmark, resampling, earlier, ceiling)
    if not results["submissions"] and not options.allow_empty and _has_ranked(out):
        return BuiltBoard(results, (), is_written=False)
    withheld = write_site(results, out, submissions.within, submissions.files_url)
    return BuiltBoard(results, withheld)


def _has_ranked(site: Path) -> bool:
    """Return whether a site that was built earlier has ranked submissions."""
    try:
        return bool(read_results(site, EARLIER_FORMATS)["submissions"])
    except InputError:  # it is not a site, or cannot be read as one
        return False
