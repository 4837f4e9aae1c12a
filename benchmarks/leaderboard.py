"""The growth of the time of building the leaderboard, as ratios, in one run.

python benchmarks/leaderboard.py                          200 made-up submissions of 10,000 probes
python benchmarks/leaderboard.py --submissions 20         fewer

plain        `json.loads` of every line and `bagen_data.scoring.score`, file after file / checking,
             scoring and ranking all of them, without pages
growth       a build of all submissions / one of a quarter of them, both with an empty cache
unchanged    a build that finds everything in the cache / a first one
page         kilobytes of the main page with 500 rows, all with scores and ranks
ranks        the plain comparison of all pairs of 400 estimators by one score / ours
doubled      ranking 2,000 and 5,000 estimators by one score / half of them: 4 is quadratic
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml

REPO = Path(__file__).parent.parent
sys.path.insert(0, str(REPO))  # before this folder, whose `leaderboard` is this file

from bagen_data.array_types import Floats  # noqa: E402
from bagen_data.scoring import score  # noqa: E402
from bagen_data.scoring.ranking import Part, ranked, student_test  # noqa: E402
from bagen_data.scoring.resampling import Resampling  # noqa: E402
from bagen_data.submission_folder import find_folders  # noqa: E402
from bagen_data.tables import sha256_of  # noqa: E402
from benchmarks.measuring import print_ratio, timed  # noqa: E402
from benchmarks.score import make, respond  # noqa: E402
from leaderboard.benchmark_samples import load_benchmark  # noqa: E402
from leaderboard.build_results import check_submissions, results_of  # noqa: E402
from leaderboard.cache import NO_CACHE, Cache  # noqa: E402
from leaderboard.site import write_site  # noqa: E402
from tests.bagen_data.scoring import plain_ranking  # noqa: E402

REVISION = "0" * 40
ROWS = 500
WORKERS = 2
COMPARED = 400
"""Estimators that are ranked plainly, which takes a second or two."""
RANKED = (2_000, 5_000)
ROLLOUTS = 100
BOUNDS = {
    "growth": "at most 4.5",
    "page": "at most 2000",
    "ranks": "at least 20",
    "doubled": "at most 6",
}


def main() -> None:
    """Print every ratio beside the bound it is held to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--submissions", type=int, default=200)
    parser.add_argument("--probes", type=int, default=10_000)
    options = parser.parse_args()
    report_ranks()
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        samples = write_dataset(scratch / "dataset", options.probes)
        folders = [scratch / "all" / f"s{number:03}" for number in range(options.submissions)]
        for number, folder in enumerate(folders):
            write_submission(folder, samples, number)
        print(f"{len(folders)} submissions of {len(samples):,} probes, {WORKERS} workers")
        report(scratch, samples, folders)


def report(scratch: Path, samples: pa.Table, folders: Sequence[Path]) -> None:
    """Build a quarter, everything, and everything again."""
    cache = Cache(scratch / "cache")
    few = timed(lambda: build(scratch, folders[: len(folders) // 4], NO_CACHE, "few"))
    first = timed(lambda: build(scratch, folders, cache, "first"))
    again = timed(lambda: build(scratch, folders, cache, "again"))
    assert same(scratch / "first", scratch / "again")  # noqa: S101
    ranking = timed(lambda: results(scratch, folders, NO_CACHE))
    plain = timed(lambda: score_plainly(samples, folders))
    print_ratio("plain", plain / ranking, BOUNDS, f"{plain:.1f} s against {ranking:.1f} s")
    print_ratio("growth", first / few, BOUNDS, f"{first:.1f} s against {few:.1f} s")
    print_ratio("unchanged", again / first, BOUNDS, f"{again:.1f} s against {first:.1f} s")
    many = [folders[number % len(folders)] for number in range(ROWS)]
    size = page_size(scratch, many, cache)
    print_ratio("page", size / 1000, BOUNDS, f"{ROWS} rows")


def report_ranks() -> None:
    """Rank estimators by one score, plainly and as the leaderboard does."""
    parts = [Part(ROLLOUTS // 4, 0.25)] * 4
    values = resampled_scores(COMPARED)
    rank(values, parts)  # once, so that SciPy is loaded
    plain = timed(lambda: plain_ranking.behind(values, parts))
    ours = timed(lambda: rank(values, parts))
    detail = f"{COMPARED}: {plain:.2f} s against {ours:.3f} s"
    print_ratio("ranks", plain / ours, BOUNDS, detail)
    for estimators in RANKED:
        many = resampled_scores(estimators)
        half, whole = (timed(lambda: rank(each, parts)) for each in (many[::2], many))  # noqa: B023
        detail = f"{estimators:,}: {whole:.2f} s against {half:.2f} s"
        print_ratio("doubled", whole / half, BOUNDS, detail)


def rank(values: Floats, parts: Sequence[Part]) -> None:
    """Rank as the leaderboard does, all of one kind."""
    ranked(values, "macro_f1", student_test(parts), np.zeros(len(values), np.int64))


def resampled_scores(estimators: int) -> Floats:
    """Return the shares of rollouts that estimators of all skills get right, (s, 1 + b)."""
    rng = np.random.default_rng(0)
    hardness = 0.7 * rng.normal(size=ROLLOUTS)
    skill = 2 * rng.random((estimators, 1)) - 0.5
    is_right = rng.normal(size=(estimators, ROLLOUTS)) + hardness < skill
    drawn = rng.multinomial(ROLLOUTS, np.full(ROLLOUTS, 1 / ROLLOUTS), Resampling().resamples)
    return is_right @ np.vstack([np.ones(ROLLOUTS), drawn]).T / ROLLOUTS


def build(scratch: Path, folders: Sequence[Path], cache: Cache, out: str) -> None:
    """Build the leaderboard as `python -m leaderboard build` does."""
    scored = results(scratch, folders, cache)
    write_site(scored, scratch / out, scratch / "all", "https://example.org")


def results(scratch: Path, folders: Sequence[Path], cache: Cache) -> dict[str, Any]:
    """Return the results of a build, which is all of it but the pages."""
    benchmark, resampling = load_benchmark(str(scratch / "dataset")), Resampling()
    checked = list(check_submissions(folders, benchmark, resampling, cache, WORKERS))
    scored = results_of(checked, benchmark, resampling)
    assert len(scored["submissions"]) == len(folders)  # noqa: S101
    return scored


def page_size(scratch: Path, folders: Sequence[Path], cache: Cache) -> int:
    """Return the bytes of the main page with these rows."""
    for number, folder in enumerate(folders):
        target = scratch / "many" / f"a-submission-of-somebody-{number:03}"
        target.mkdir(parents=True)
        for file in folder.iterdir():
            (target / file.name).hardlink_to(file)
    build(scratch, find_folders(scratch / "many"), cache, "wide")
    return (scratch / "wide" / "index.html").stat().st_size


def score_plainly(samples: pa.Table, folders: Sequence[Path]) -> None:
    """Score submissions as one would without the leaderboard."""
    for folder in folders:
        lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
        score(samples, [json.loads(line) for line in lines])


def write_dataset(folder: Path, probes: int) -> pa.Table:
    """Write a folder that loads as a built dataset does."""
    samples, _ = make(probes)
    samples = samples.append_column("instance_id", samples["rollout_id"])
    folder.mkdir()
    file = folder / "samples.parquet"
    pq.write_table(samples, file)
    row = {"path": file.name, "sha256": sha256_of(file), "config": "default", "split": "test"}
    (folder / "manifest.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "build.json").write_text(json.dumps({"revision": REVISION}))
    return samples


def write_submission(folder: Path, samples: pa.Table, seed: int) -> None:
    """Write answers with an error of their own."""
    rng = random.Random(seed)
    skill = rng.random()
    folder.mkdir(parents=True)
    with (folder / "predictions.jsonl").open("w", encoding="utf-8") as file:
        for sample in samples.select(["sample_id", "feasible", "resources"]).to_pylist():
            names = [part["resource"] for part in sample["resources"]]
            left = [int(part["remaining"]) for part in sample["resources"]]
            response = respond(rng, names, left)
            if not sample["feasible"] and rng.random() < skill:
                response = "<answer>impossible</answer>"
            usage = {"input_tokens": 3000, "cached_tokens": 2000, "output_tokens": len(response)}
            line = {"sample_id": sample["sample_id"], "response": response, "usage": usage}
            file.write(json.dumps(line | {"cost_usd": 0.001 * (seed + 1)}) + "\n")
    metadata = {
        "estimator": f"Estimator of somebody, number {seed}",
        "provider": "somebody",
        "model_id": f"somebody/model-{seed}",
        "decoding": {"temperature": 0},
        "prompt_variant": "interval_think",
        "trained_on": "none",
        "constrained": False,
        "dataset_revision": REVISION,
        "date": "2026-11-21",
        "link": "https://example.org/somebody",
        "weights": "open",
    }
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata), encoding="utf-8")


def same(first: Path, second: Path) -> bool:
    """Return whether two sites hold the same bytes."""
    names = [path.relative_to(first) for path in first.rglob("*") if path.is_file()]
    return all((first / name).read_bytes() == (second / name).read_bytes() for name in names)


if __name__ == "__main__":
    main()
