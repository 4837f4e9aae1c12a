"""CPU time that `bagen score` takes for a file of predictions, in whole processes.

    python benchmarks/score_command.py                  200,000 made-up lines of JSON
    python benchmarks/score_command.py --rows 100000    fewer

seconds    user and system time of the command, with every score and 1,000 resamples, above that of
           the same command for 400 lines, which is what it takes to start
json       `json.loads` of every line, in a process of its own / the same seconds
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.measuring import REPO, print_ratio
from benchmarks.score import make

BOUNDS = {"seconds": "at most 1.2"}
FEW = 400
ROUNDS = 5
LOADS = "import json, sys; [json.loads(line) for line in open(sys.argv[1], 'rb')]"


def main() -> None:
    """Print both measures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=200_000)
    rows = parser.parse_args().rows
    samples, responses = make(rows)
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name) / str(number) for number in (rows, FEW)]
        for folder in folders:
            write(folder, samples.slice(0, int(folder.name)), responses[: int(folder.name)])
        whole, start = (
            min(cpu_seconds(["-m", "bagen_data", *score_of(folder)]) for _ in range(ROUNDS))
            for folder in folders
        )
        file = str(folders[0] / "predictions.jsonl")
        loads, nothing = (
            min(cpu_seconds(["-c", LOADS, path]) for _ in range(ROUNDS))
            for path in (file, os.devnull)
        )
    ours = whole - start
    print_ratio("seconds", ours, BOUNDS, f"{whole:.2f} s less {start:.2f} s to start")
    print_ratio("json", (loads - nothing) / ours, BOUNDS, f"{loads - nothing:.2f} s")


def score_of(folder: Path) -> list[str]:
    """Return the arguments that score what lies in a folder."""
    return ["score", str(folder / "predictions.jsonl"), "--dataset", str(folder)]


def write(folder: Path, samples: pa.Table, responses: list[str]) -> None:
    """Write a dataset, as far as scoring reads it, and predictions of it."""
    folder.mkdir()
    ids = samples["sample_id"].to_pylist()
    samples = samples.append_column("instance_id", samples["rollout_id"])
    pq.write_table(samples, folder / "test.parquet")
    manifest = {"path": "test.parquet", "config": "made-up", "split": "test"}
    (folder / "manifest.jsonl").write_text(json.dumps(manifest) + "\n", encoding="utf-8")
    (folder / "build.json").write_text('{"revision": "made-up"}', encoding="utf-8")
    with (folder / "predictions.jsonl").open("w", encoding="utf-8") as file:
        for sample_id, response in zip(ids, responses, strict=True):
            file.write(json.dumps({"sample_id": sample_id, "response": response}) + "\n")


def cpu_seconds(arguments: list[str]) -> float:
    """Return the user and system time of Python with these arguments, in seconds."""
    with subprocess.Popen([sys.executable, *arguments], cwd=REPO, stdout=subprocess.DEVNULL) as own:
        _, status, usage = os.wait4(own.pid, 0)
        own.returncode = os.waitstatus_to_exitcode(status)
    if own.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit status {own.returncode}")
    return usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
