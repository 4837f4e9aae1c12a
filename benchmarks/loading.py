"""Cost of loading a release-size config, in memory against `datasets.load_dataset`, in one run.

    python benchmarks/loading.py                  90 families, 46,000 samples: about a minute
    python benchmarks/loading.py --families 10    fewer

time      `load_dataset` with an empty cache / `load(in_memory=True)`, seconds on a quiet machine
cpu       the same in seconds of the processor, on any machine
memory    bytes that `load(in_memory=True)` holds / bytes that `load_dataset` writes to its cache
peak      the most memory that `load(in_memory=True)` needed beyond its imports / the same bytes
rows      reading every row of the loaded dataset as Python objects, in memory / from the cache
slices    the same a thousand rows at a time
shuffled  the same in the order of a shuffle

The config is a build of the recorded SWE-bench family, or of the bundled one without it, with
copies of its file under other names of models, in each of which every message is another one.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

REPO = Path(__file__).parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.tables import BUILD_RECORD, MANIFEST, ParquetFile, sha256_of, write_jsonl  # noqa: E402
from benchmarks.family_copies import copy_family  # noqa: E402
from benchmarks.measuring import BUNDLED, RECORDED, peak_memory, print_ratio  # noqa: E402

BOUNDS = {
    "time": "at least 5",
    "cpu": "at least 3",
    "memory": "at most 0.15",
    "peak": "at most 0.3",
    "rows": "at most 3",
    "slices": "at most 1.5",
    "shuffled": "at most 1.5",
}
MODEL_COPIES = 97
"""Copies of each rollout in the family that is built, which make it as long as a family gets."""
TEXTS = ["prompt.list.element.role", "prompt.list.element.content"]
DICTIONARIES = [
    *("task", "rollout_model", "rollout_id", "instance_id", "prompt_variant", *TEXTS),
    *(f"resources.list.element.{name}" for name in ("resource", "unit")),
    "conditions.list.element.name",
]


def main() -> None:
    """Print every ratio beside the bound it is held to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--families", type=int, default=90, help="copies [default: 90]")
    parser.add_argument("--only-load", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_load:
        print(json.dumps(measure(*arguments.only_load)))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make(folder, arguments.families)
        cached, held = (loaded(folder, way) for way in ("load_dataset", "in_memory"))
    megabyte = 1_000_000
    print(f"{held['samples']:,} samples; the bounds are for 46,000")
    for name in ("time", "cpu"):
        seconds = f"{cached[name]:.2f} s against {held[name]:.2f} s"
        print_ratio(name, cached[name] / held[name], BOUNDS, seconds)
    for name in ("memory", "peak"):
        detail = f"{held[name] / megabyte:.0f} MB against {cached['cache'] / megabyte:.0f} MB"
        print_ratio(name, held[name] / cached["cache"], BOUNDS, detail)
    for name in ("rows", "slices", "shuffled"):
        seconds = f"{held[name]:.2f} s against {cached[name]:.2f} s"
        print_ratio(name, held[name] / cached[name], BOUNDS, seconds)


def make(folder: Path, families: int) -> None:
    """Write a dataset with one config of so many families."""
    family = RECORDED if RECORDED.is_dir() else BUNDLED
    copies = copy_family(family, folder / "origin" / family.name, MODEL_COPIES)
    build = ["-m", "builders", "build", "--origin", str(copies), "--out", str(folder / "built")]
    subprocess.run([sys.executable, *build], cwd=REPO, check=True, capture_output=True)
    [source] = (folder / "built/data/swebench").glob("test-*.parquet")
    table = pq.read_table(source, read_dictionary=TEXTS)
    data = folder / "dataset/data/swebench"
    data.mkdir(parents=True)
    manifest = []
    for number in range(families):
        path = data / f"test-model{number:03}.parquet"
        write_family(table, path, f"model{number:03}")
        manifest.append(
            {
                "path": path.relative_to(folder / "dataset").as_posix(),
                "bytes": path.stat().st_size,
                "sha256": sha256_of(path),
                "rows": len(table),
                "config": "swebench",
                "split": "test",
            }
        )
    write_jsonl(folder / "dataset" / MANIFEST, manifest)
    record = (folder / "built" / BUILD_RECORD).read_bytes()
    (folder / "dataset" / BUILD_RECORD).write_bytes(record)
    card = "---\nconfigs:\n- config_name: swebench\n  data_files:\n  - split: test\n"
    (folder / "dataset/README.md").write_text(f"{card}    path: data/swebench/*.parquet\n---\n")


def write_family(table: pa.Table, path: Path, model: str) -> None:
    """Write a family's samples as those of another model, with messages of its own."""
    [prompts] = table["prompt"].chunks
    messages = prompts.values
    contents = messages.field("content")
    texts = pc.binary_join_element_wise(contents.dictionary, model, "\n")
    own = pa.StructArray.from_arrays(
        [messages.field("role"), pa.DictionaryArray.from_arrays(contents.indices, texts)],
        fields=[pa.field(field.name, field.type, nullable=False) for field in messages.type],
    )
    element = pa.field("element", own.type, nullable=False)
    kind = pa.list_(element)
    columns = {
        "prompt": pa.ListArray.from_arrays(prompts.offsets, own, type=kind),
        "rollout_model": pa.array([model] * len(table)),
        "sample_id": pc.replace_substring_regex(table["sample_id"], "/[^/]+/", f"/{model}/"),
    }
    for name, column in columns.items():
        place = table.schema.get_field_index(name)
        table = table.set_column(place, pa.field(name, column.type, nullable=False), column)
    with ParquetFile(path, table.schema, dictionary_columns=DICTIONARIES, level=4) as file:
        file.write_row_group(table)


def loaded(folder: Path, way: str) -> dict[str, float]:
    """Return the measures of one way of loading, of a process of its own."""
    home = folder / f"home-{way}"
    command = [sys.executable, __file__, "--only-load", str(folder / "dataset"), way]
    environment = os.environ | {"HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    files = [path for path in home.rglob("*.arrow") if path.is_file()]
    return json.loads(done.stdout) | {"cache": sum(path.stat().st_size for path in files)}


def measure(folder: str, way: str) -> dict[str, float]:
    """Load the dataset in this process, and read all of it in several ways."""
    import datasets
    import datasets.table

    import bagen_data
    import bagen_data.in_memory

    datasets.disable_progress_bars()
    before = peak_memory()
    options = {"in_memory": True} if way == "in_memory" else {}
    start, used = time.perf_counter(), time.process_time()
    dataset = bagen_data.load(folder, "swebench", "test", **options)
    seconds, used = time.perf_counter() - start, time.process_time() - used
    peak = (peak_memory() - before) * 1024
    held = dataset.data.held_bytes if options else 0
    shuffled = dataset.shuffle(seed=0)
    return {
        "samples": len(dataset),
        "time": seconds,
        "cpu": used,
        "peak": peak,
        "memory": held,
        "rows": timed_rows(lambda number: dataset[number], range(0, len(dataset), 10)),
        "slices": timed_rows(
            lambda number: dataset[number : number + 1_000], range(0, len(dataset), 1_000)
        ),
        "shuffled": timed_rows(
            lambda number: shuffled[number : number + 100], range(0, len(dataset) // 10, 100)
        ),
    }


def timed_rows(read: Callable[[int], Any], numbers: range) -> float:
    """Return the seconds that reading at each of these numbers takes."""
    start = time.perf_counter()
    for number in numbers:
        read(number)
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
