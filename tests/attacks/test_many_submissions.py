"""Somebody hands in thousands of submissions, so that a board is never done or eats the memory.

Every two submissions are compared, and 800 of them took a minute to rank. Two cores have ten
minutes for 5,000 submissions of 100 probes; as others may be using them, processor time is held
against that. Empty folders are cheap to make: 10,000 of them, the most that a board takes, are only
refused.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.attacks.tallies import Tally
from tests.leaderboard.made_boards import write_board, write_dataset
from tests.making import REPO

CORES = 2
MINUTES = 10
HANGS = 3600
"""Seconds after which a build is killed, however busy the machine is."""
GIB = 1 << 20
"""KiB, in which the system counts the memory of processes."""


def build(folder: Path, tally: Tally, code: int = 0) -> Path:
    """Build a board with an empty cache, and count what goes wrong; it must exit with this code."""
    command = [sys.executable, "-m", "leaderboard", "build", "--workers", CORES]
    command += ["--submissions", folder / "in", "--dataset", folder / "dataset"]
    command += ["--out", folder / "site", "--cache", folder / "cache"]
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    try:
        done = subprocess.run(
            list(map(str, command)),
            cwd=REPO,
            capture_output=True,
            text=True,
            timeout=HANGS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        tally.hung += 1
        raise
    took, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    tally.crashed += done.returncode != code
    tally.hung += processor > CORES * MINUTES * 60
    tally.wrong += after.ru_maxrss > 4 * GIB
    tally.worst = (
        f"{took:.0f} s, {processor:.0f} s of processors, {after.ru_maxrss / GIB:.1f} GiB at most"
    )
    return folder / "site" / "results.json"


@pytest.mark.attack("a board of thousands")
def test_thousands_of_submissions(tmp_path: Path, tally: Tally) -> None:
    number = tally.size(24, 5_000)
    write_board(tmp_path, number)
    tally.tried = number
    results = json.loads(build(tmp_path, tally).read_bytes())
    ranks = [entry["ranks"]["overall"]["macro_f1_open"] for entry in results["submissions"]]
    tally.wrong += len(ranks) != number
    better, worse = (sum(map(sum, (rank[way] for rank in ranks))) for way in ("better", "worse"))
    tally.wrong += not 0 < better == worse


@pytest.mark.attack("a board of empty folders")
def test_thousands_of_empty_folders(tmp_path: Path, tally: Tally) -> None:
    number = tally.size(60, 10_000)
    write_dataset(tmp_path / "dataset")
    for name in range(number):
        (tmp_path / "in" / f"empty{name}").mkdir(parents=True)
    tally.tried = number
    results = json.loads(build(tmp_path, tally, code=1).read_bytes())  # nothing is ranked
    tally.wrong += len(results["refused"]) != number
