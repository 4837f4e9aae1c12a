"""Cost of scoring through the metric for `evaluate`, against `bagen_data.scoring.score` itself.

    python benchmarks/evaluate_metric.py                  100,000 made-up responses, half a minute
    python benchmarks/evaluate_metric.py --rows 20000     fewer

lists      `compute` of lists / `score` of the same lists
arrow      `compute` of Arrow tables / `score` of the same tables
dataset    `compute` of a dataset and a column of one / `score` of the same datasets
pandas     `compute` of a data frame and a column of one / `score` of the same data frames
polars     the same of Polars
added      `add_batch` of lists and `compute`, which `evaluate` does by way of a file / `score`

Each time is the best of several runs; responses and samples are those of benchmarks/score.py.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import evaluate
import evaluate.config
import polars as pl
import pyarrow as pa

REPO = Path(__file__).parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.scoring import score  # noqa: E402
from benchmarks.measuring import print_ratio, timed  # noqa: E402
from benchmarks.score import make  # noqa: E402

ROUNDS = 3
BOUNDS = {
    "lists": "at most 1.5",
    "arrow": "at most 2",
    "dataset": "at most 2",
    "pandas": "at most 2",
    "polars": "at most 2",
}


def main() -> None:
    """Print every ratio beside the bound it is held to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=100_000, help="responses [default: 100000]")
    samples, responses = make(parser.parse_args().rows)
    rows = samples.to_pylist()
    plain = pa.Table.from_pylist(rows)
    answers = pa.table({"sample_id": plain["sample_id"], "response": pa.array(responses)})
    with tempfile.TemporaryDirectory() as folder:
        evaluate.config.HF_MODULES_CACHE = f"{folder}/modules"
        metric = evaluate.load(str(REPO / "metrics/bagen"), cache_dir=folder)
        print(f"{len(responses):,} responses; the bounds are for 100,000")
        for name, kind in kinds().items():
            compare(name, metric, kind(plain), kind(answers))
        listed = answers.to_pylist()
        added = timed(lambda: add(metric, responses, rows))
        direct = best(lambda: score(rows, listed, resamples=0))
        print_ratio("added", added / direct, BOUNDS, f"{added:.2f} s against {direct:.3f} s")


def kinds() -> dict[str, Callable[[pa.Table], Any]]:
    """Return what makes each kind of table of an Arrow table."""
    return {
        "lists": pa.Table.to_pylist,
        "arrow": lambda table: table,
        "dataset": datasets.Dataset,
        "pandas": lambda table: table.to_pandas(),
        "polars": pl.from_arrow,
    }


def compare(name: str, metric: evaluate.Metric, samples: Any, answers: Any) -> None:
    """Print the ratio for one kind of table."""
    is_list = isinstance(answers, list)
    responses = [row["response"] for row in answers] if is_list else answers["response"]
    direct = best(lambda: score(samples, answers, resamples=0))
    through = best(lambda: metric.compute(predictions=responses, references=samples))
    print_ratio(name, through / direct, BOUNDS, f"{through:.3f} s against {direct:.3f} s")


def add(metric: evaluate.Metric, responses: list[str], rows: list[dict[str, Any]]) -> None:
    """Score by way of `add_batch`."""
    metric.add_batch(predictions=responses, references=rows)
    metric.compute()


def best(function: Callable[[], Any]) -> float:
    """Return the seconds of the fastest of a few runs."""
    return min(timed(function) for _ in range(ROUNDS))


if __name__ == "__main__":
    main()
