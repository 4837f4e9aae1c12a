"""The growth of building, scoring and the leaderboard, as slopes, and the cost of a build.

python benchmarks/scale.py                   copies of the recorded swebench family, if it lies
                                             beside the clone, else of one of its size
python benchmarks/scale.py --rows 50000000   score up to this many predictions
python benchmarks/scale.py --thousand        the memory of a build of a thousand copies too
python benchmarks/scale.py --small           a few of everything, to see that it runs

reading      CPU time of reading 100 copies of the family / `orjson.loads` of the same files
build        CPU time of building them, files to Parquet, with one worker / the same loads
workers      time of building them with two workers / with one, on a quiet machine
memory       peak of a build of 1,000 copies / of 100 copies

Every measure is of a process of its own, the least of some runs. A slope is the difference between
the largest size and the smallest: of CPU seconds in all processes, and of the largest process's
peak. It is printed for a million rows, or for a thousand rollouts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from benchmarks.measuring import BUNDLED, RECORDED, peak_memory, print_ratio  # noqa: E402

BOUNDS = {
    "reading": "at most 2.2",
    "build": "at most 4",
    "workers": "at most 0.58",
    "memory": "at most 1.3",
}
RUNS = 3
MILLION, THOUSAND = 1_000_000, 1_000


@dataclass(frozen=True)
class Measure:
    """The time and memory that a job took, in a process of its own."""

    size: int
    """Rows or rollouts."""
    cpu: float
    """Seconds of this process and of those that it started, without starting Python."""
    wall: float
    """Seconds that passed."""
    peak: int
    """KiB of the largest process."""


@dataclass(frozen=True)
class Sizes:
    """Sizes and repetitions of the measurements."""

    copies: Sequence[int]
    """Copies of the family, ascending; ratios are of the last one."""
    rows: Sequence[int]
    """Predictions, ascending."""
    probes: Sequence[int]
    """Probes of each submission to a leaderboard, ascending."""
    submissions: int
    runs: int


FULL = Sizes((25, 50, 100), (500_000, 1_000_000, 2_000_000), (10_000, 20_000, 40_000), 8, RUNS)
SMALL = Sizes((1, 2), (4_000, 8_000), (400, 800), 1, 1)


def main() -> None:
    """Print every slope, and every ratio beside the bound it is held to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--family", type=Path, default=RECORDED if RECORDED.is_dir() else BUNDLED)
    parser.add_argument("--rows", type=int, help="score this many predictions, and a tenth of them")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--thousand", action="store_true")
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.job:
        print(json.dumps(asdict(_measured(options.job, options.paths))))
        return
    sizes = SMALL if options.small else FULL
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        report_build(options.family, scratch, sizes, thousand=options.thousand)
        report_score(scratch, (options.rows // 10, options.rows) if options.rows else sizes.rows)
        report_board(scratch, sizes)


def report_build(family: Path, scratch: Path, sizes: Sizes, *, thousand: bool) -> None:
    """Print the slopes and ratios of building copies of a family."""
    from benchmarks.family_copies import copy_family

    print(f"family: {family.name}; the bounds are for 100 times {RECORDED.name}")
    folders = [
        copy_family(family, scratch / str(copies) / family.name, copies) for copies in sizes.copies
    ]
    builds = [least("build", [folder.parent], sizes.runs) for folder in folders]
    print_slope("build", builds, THOUSAND, "rollouts")
    largest = folders[-1].parent
    loads = least("loads", [largest], sizes.runs)
    reading = least("reading", [largest], sizes.runs)
    for name, measure in (("reading", reading), ("build", builds[-1])):
        detail = f"{measure.cpu:.2f} s of CPU against {loads.cpu:.2f} s"
        print_ratio(name, measure.cpu / loads.cpu, BOUNDS, detail)
    two = least("build", [largest, 2], sizes.runs)
    detail = f"{two.wall:.2f} s against {builds[-1].wall:.2f} s, of {os.cpu_count()} cores"
    print_ratio("workers", two.wall / builds[-1].wall, BOUNDS, detail)
    if thousand:
        copies = 10 * sizes.copies[-1]
        folder = copy_family(family, scratch / str(copies) / family.name, copies)
        more = least("build", [folder.parent], 1)
        print_slope("build", [builds[-1], more], THOUSAND, "rollouts")
        detail = f"{more.peak / 1024:.0f} MiB against {builds[-1].peak / 1024:.0f} MiB"
        print_ratio("memory", more.peak / builds[-1].peak, BOUNDS, detail)


def report_score(scratch: Path, sizes: Sequence[int]) -> None:
    """Print the slopes of scoring predictions in the samples' order, and in another one."""
    from benchmarks.score_files import write_files

    folders = [scratch / f"score-{rows}" for rows in sizes]
    written = [write_files(folder, rows) for folder, rows in zip(folders, sizes, strict=True)]
    for name, order in (("score", "in_order"), ("mixed", "mixed")):
        measures = [
            least("score", [folder, getattr(files, order), files.samples], 1)
            for folder, files in zip(folders, written, strict=True)
        ]
        print_slope(name, measures, MILLION, "rows")


def report_board(scratch: Path, sizes: Sizes) -> None:
    """Print the slope of building a leaderboard in the rows of its submissions."""
    measures = []
    for probes in sizes.probes:
        folder = scratch / f"board-{probes}"
        folder.mkdir()
        least("write_board", [folder, sizes.submissions, probes], 1)
        measures.append(least("board", [folder], 1))
    print_slope("board", measures, MILLION, "rows")


def print_slope(name: str, measures: Sequence[Measure], per: int, what: str) -> None:
    """Print each size, and how time and memory grow from the smallest to the largest."""
    for each in measures:
        print(f"{name:10} {each.size:>10,} {what}: {each.cpu:8.2f} s, {each.peak / 1024:6.0f} MiB")
    first, last = measures[0], measures[-1]
    grown = (last.size - first.size) / per
    seconds, memory = (last.cpu - first.cpu) / grown, (last.peak - first.peak) / 1024 / grown
    print(
        f"{name:10} {seconds:.2f} s of CPU and {memory:.0f} MiB for {per:,} {what} more", flush=True
    )


def least(job: str, arguments: Sequence[Any], runs: int) -> Measure:
    """Run a job in processes of its own, and return the least of each measure."""
    command = [sys.executable, str(Path(__file__).resolve()), "--job", job, *map(str, arguments)]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # workers would compile all that they import
    measures = []
    for _ in range(runs):
        done = subprocess.run(
            command, stdout=subprocess.PIPE, text=True, check=True, env=environment
        )
        measures.append(Measure(**json.loads(done.stdout.splitlines()[-1])))
    return Measure(
        measures[0].size,
        min(each.cpu for each in measures),
        min(each.wall for each in measures),
        min(each.peak for each in measures),
    )


def _measured(job: str, arguments: Sequence[str]) -> Measure:
    """Prepare a job, and measure it in this process."""
    prepared = JOBS[job](*arguments)
    cpu, wall = _cpu_seconds(), time.perf_counter()
    size = prepared()
    cpu, wall = _cpu_seconds() - cpu, time.perf_counter() - wall
    return Measure(size, cpu, wall, max(peak_memory(), getrusage(RUSAGE_CHILDREN).ru_maxrss))


def _cpu_seconds() -> float:
    """Return the CPU seconds of this process and of those that it started and that ended."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


Prepared = Callable[[], int]
"""A function that does the work of a job and returns its size."""


def _loads(origin: str) -> Prepared:
    """Prepare `orjson.loads` of every file."""
    import orjson

    def work() -> int:
        number = 0
        for path in sorted(Path(origin).rglob("*.json")):
            content = path.read_bytes()
            if content:
                orjson.loads(content)
                number += 1
        return number

    return work


def _reading(origin: str) -> Prepared:
    """Prepare to read a family as a build reads it, and to write nothing."""
    from bagen_data.executors.job_executor import ThisProcess
    from bagen_data.reading.workplace import Workplace
    from builders.build import counting_of
    from builders.build_families import read_families
    from builders.build_record import BuildOptions

    def work() -> int:
        options = BuildOptions(origin=Path(origin), out=Path(os.devnull))
        with tempfile.TemporaryDirectory() as spools:
            workplace = Workplace(ThisProcess(), Path(spools))
            indexes = read_families(
                options, options.families(), counting_of(options), workplace, lambda _: None
            )
            return sum(len(index.entries) for index in indexes)

    return work


def _build(origin: str, workers: str = "1") -> Prepared:
    """Prepare to build a family, files to Parquet."""
    from bagen_data.executors import ExecutorChoice
    from builders.build import build
    from builders.build_record import BuildOptions

    def work() -> int:
        executor = ExecutorChoice(workers=int(workers))
        with tempfile.TemporaryDirectory() as name:
            out = Path(name) / "out"
            built = build(BuildOptions(origin=Path(origin), out=out, executor=executor))
            return sum(len(family.index.entries) for family in built)

    return work


def _score(dataset: str, predictions: str, samples: str) -> Prepared:
    """Prepare to score a file of predictions as `bagen score` does."""
    from bagen_data.prediction_files import prediction_reader
    from bagen_data.sample_files import open_samples
    from bagen_data.scoring.match_predictions import match_predictions
    from bagen_data.scoring.measure import measure
    from bagen_data.scoring.resampling import Resampling
    from bagen_data.scoring.score import ALPHA

    def work() -> int:
        known = open_samples(dataset).samples
        matched = match_predictions(known, prediction_reader(Path(predictions)), predictions)
        measure(known, matched, Resampling(), ALPHA).report()
        return int(samples)

    return work


def _write_board(folder: str, submissions: str, probes: str) -> Prepared:
    """Write a dataset and submissions of a leaderboard."""
    from benchmarks import leaderboard

    def work() -> int:
        samples = leaderboard.write_dataset(Path(folder) / "dataset", int(probes))
        for number in range(int(submissions)):
            leaderboard.write_submission(Path(folder) / "all" / f"s{number:03}", samples, number)
        return len(samples)

    return work


def _board(folder: str) -> Prepared:
    """Prepare to build a leaderboard, pages included, with an empty cache."""
    from bagen_data.submission_folder import find_folders
    from benchmarks import leaderboard
    from leaderboard.cache import NO_CACHE

    def work() -> int:
        scratch = Path(folder)
        folders = find_folders(scratch / "all")
        leaderboard.build(scratch, folders, NO_CACHE, "site")
        files = (scratch / "all").rglob("predictions.jsonl")
        return sum(file.read_bytes().count(b"\n") for file in files)

    return work


JOBS: dict[str, Callable[..., Prepared]] = {
    "loads": _loads,
    "reading": _reading,
    "build": _build,
    "score": _score,
    "write_board": _write_board,
    "board": _board,
}

if __name__ == "__main__":
    main()
