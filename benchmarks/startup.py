"""CPU time that commands cost before they work, against that of the imports they need.

    python benchmarks/startup.py              about a minute
    python benchmarks/startup.py --runs 15    with less noise

Each ratio is of medians of user and system time over several runs, taken in turns with its
reference, so that a machine that slows down slows both. `build` is a whole build of the recorded
SWE-bench family where it lies beside the clone, else of the bundled one, against numpy and
pyarrow.parquet alone; `libraries` is the same build against all that it needs of others, with
Typer, Rich and the Pydantic by which Typer reads options; a help text is held against typer and
rich alone.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measuring import BUNDLED, RECORDED, REPO, print_ratio

COLUMNS = ["-c", "import numpy, pyarrow.parquet"]
"""Imports that any build needs."""
LIBRARIES = ["-c", "import numpy, pyarrow.parquet, typer, rich.table, pydantic.type_adapter"]
"""Imports that a command of a build cannot do without: Typer 0.29 reads options by Pydantic."""
SCREEN = ["-c", "import typer, rich"]
"""Imports that any command line needs."""
BOUNDS = {"build": "at most 1.8", "bagen": "at most 1.3"}
HELP_TEXTS = {
    "bagen": ["-m", "bagen_data", "--help"],
    "predict": ["-m", "bagen_data", "predict", "model", "--help"],
    "score": ["-m", "bagen_data", "score", "--help"],
    "builders": ["-m", "builders", "--help"],
    "collect": ["-m", "collect", "--help"],
    "board": ["-m", "leaderboard", "--help"],
}


def cpu_seconds(arguments: list[str]) -> float:
    """Return the user and system time of Python with these arguments, in seconds."""
    with tempfile.TemporaryFile() as messages:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=REPO, stdout=subprocess.DEVNULL, stderr=messages
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            messages.seek(0)
            said = messages.read().decode(errors="replace")
            raise SystemExit(f"python {' '.join(arguments)}: exit {process.returncode}\n{said}")
    return usage.ru_utime + usage.ru_stime


def compare(name: str, arguments: list[str], reference: list[str], runs: int) -> None:
    """Print the ratio of a command to its reference."""
    cpu_seconds(arguments)  # once before, so that files are in memory and compiled
    pairs = [(cpu_seconds(arguments), cpu_seconds(reference)) for _ in range(runs)]
    own, other = (statistics.median(times) for times in zip(*pairs, strict=True))
    print_ratio(name, own / other, BOUNDS, f"{own:.3f} s / {other:.3f} s")


def main() -> None:
    """Print every ratio."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=7, help="processes of each [default: 7]")
    runs = parser.parse_args().runs
    family = RECORDED if RECORDED.is_dir() else BUNDLED
    with tempfile.TemporaryDirectory() as folder:
        out = str(Path(folder) / "out")
        build = ["-m", "builders", "build", "--origin", str(family), "--out", out]
        compare("build", build, COLUMNS, runs)
        compare("libraries", build, LIBRARIES, runs)
    for name, arguments in HELP_TEXTS.items():
        compare(name, arguments, SCREEN, runs)


if __name__ == "__main__":
    main()
