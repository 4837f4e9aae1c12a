"""The cost of a build in time, bytes and memory, as ratios against plain references, in one run.

python benchmarks/build.py                     the recorded swebench family, if it lies beside
                                               the clone, else one of its size that is made up
python benchmarks/build.py --family FOLDER     another swebench benchmark family

time         a build, files to Parquet and in process / `json.loads` of the same files
bytes        the samples' Parquet / its turns' text, once, under zstd level 19
smaller      one JSON line a sample, messages written out / the samples' Parquet
doubling     bytes of rollouts of 2T turns / of T turns, the worst of T = 25 .. 200
memory       peak of a build of the family ten times, under other ids / of it once
"""

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

REPO = Path(__file__).parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.dataset_configs import is_benchmark  # noqa: E402
from benchmarks.family_copies import copy_family  # noqa: E402
from benchmarks.measuring import (  # noqa: E402
    BUNDLED,
    RECORDED,
    peak_memory,
    print_ratio,
    timed,
)
from builders.build import build  # noqa: E402
from builders.build_record import BuildOptions  # noqa: E402

ROUNDS = 20
BOUNDS = {
    "time": "at most 4",
    "bytes": "at most 1.5",
    "smaller": "at least 60",
    "doubling": "at most 2.3",
    "memory": "at most 1.5",
}


def main() -> None:
    """Print every ratio beside the bound it is held to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--family", type=Path, default=RECORDED if RECORDED.is_dir() else BUNDLED)
    parser.add_argument("--only-build", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_build:
        _build(arguments.family, arguments.only_build)
        print(peak_memory())
        return
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        family = arguments.family
        print(f"family: {family.name}; the bounds are for {RECORDED.name}")
        _report_time(family, scratch / "out")
        _report_bytes(scratch / "out")
        _report_doubling(scratch)
        _report_memory(family, scratch)


def _report_time(family: Path, out: Path) -> None:
    paths = sorted(path for path in family.rglob("*") if path.suffix in (".json", ".jsonl"))

    def reference() -> None:
        for path in paths:
            for text in _values(path):
                json.loads(text)

    fresh = (out.with_name(f"out{number}") for number in itertools.count())
    ours, plain = _interleaved(lambda: _build(family, next(fresh)), reference)
    _build(family, out)
    print_ratio("time", ours / plain, BOUNDS, f"{ours * 1e3:.1f} ms against {plain * 1e3:.1f} ms")


def _values(path: Path) -> list[bytes]:
    data = path.read_bytes()
    values = data.splitlines() if path.suffix == ".jsonl" else [data]
    return [value for value in values if value.strip()]


def _interleaved(first: Callable[[], None], second: Callable[[], None]) -> tuple[float, float]:
    """Return the best seconds of each, run in turns so that both meet the same machine."""
    seconds: tuple[list[float], list[float]] = ([], [])
    first()
    second()
    for _ in range(ROUNDS):
        for function, times in zip((first, second), seconds, strict=True):
            times.append(timed(function))
    return min(seconds[0]), min(seconds[1])


def _report_bytes(out: Path) -> None:
    [samples] = [path for path in out.glob("data/*/*.parquet") if is_benchmark(path.parent.name)]
    [rollouts] = out.glob("data/rollouts/*.parquet")
    size = samples.stat().st_size
    text = "".join(
        turn["user"] + turn["assistant"]
        for rollout in pq.read_table(rollouts).to_pylist()
        for turn in rollout["turns"]
    )
    packed = len(pa.Codec("zstd", compression_level=19).compress(text.encode()))
    print_ratio("bytes", size / packed, BOUNDS, f"{size:,} against {packed:,}")
    lines = sum(len(json.dumps(row).encode()) + 1 for row in pq.read_table(samples).to_pylist())
    print_ratio("smaller", lines / size, BOUNDS, f"{lines:,} against {size:,}")


def _report_doubling(scratch: Path) -> None:
    sizes = [_synthetic_size(scratch, turns) for turns in (25, 50, 100, 200, 400)]
    ratios = [after / before for before, after in pairwise(sizes)]
    listed = ", ".join(f"{size:,}" for size in sizes)
    print_ratio("doubling", max(ratios), BOUNDS, f"{listed} bytes")


def _synthetic_size(scratch: Path, turns: int) -> int:
    """Return the bytes of the samples of ten rollouts of so many turns of random words."""
    rng = random.Random(0)
    words = [
        "".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=rng.randint(2, 9)))
        for _ in range(2_000)
    ]
    origin = scratch / f"doubling-{turns}" / "sokoban-origin-m"
    origin.mkdir(parents=True)
    with (origin / "rollouts.jsonl").open("w", encoding="utf-8") as file:
        for _ in range(10):
            texts = [" ".join(rng.choices(words, k=60)) for _ in range(2 * turns)]
            roles = ["user", "assistant"] * turns
            messages = [{"role": r, "content": t} for r, t in zip(roles, texts, strict=True)]
            counts = [[170 * k + rng.randint(80, 90), 80] for k in range(turns)]
            record = {"messages": messages, "per_turn_api_tokens": counts}
            file.write(json.dumps(record | {"metadata": {"success": True}}) + "\n")
    out = scratch / f"doubled-{turns}"
    _build(origin, out)
    return (out / "data/sokoban/test-m.parquet").stat().st_size


def _report_memory(family: Path, scratch: Path) -> None:
    tenfold = copy_family(family, scratch / "tenfold" / family.name, 10)
    once = _peak_memory(family, scratch / "once")
    ten = _peak_memory(tenfold, scratch / "ten")
    print_ratio("memory", ten / once, BOUNDS, f"{ten / 1024:.0f} MiB against {once / 1024:.0f} MiB")


def _peak_memory(family: Path, out: Path) -> int:
    """Return the peak in KiB of a process that builds and does nothing else."""
    command = [sys.executable, __file__, "--family", str(family), "--only-build", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return int(done.stdout)


def _build(family: Path, out: Path) -> None:
    build(BuildOptions(origin=family, out=out))


if __name__ == "__main__":
    main()
