"""Results: `results.json`, of which the site is made, and `results.parquet`, a row a score.

In the table, `benchmark_version` and `dataset_revision` are those a submission was made for, and
`scored_on_version` and `scored_on_revision` those its scores are of. They differ for what is apart
because it was made for others and yet fits this dataset's samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from bagen_data.errors import InputError
from bagen_data.replaced_folder import bring_back
from bagen_data.tables import to_json
from bagen_data.unique_keys import parse_json

JSON, PARQUET = "results.json", "results.parquet"
FORMAT = 2
EARLIER_FORMATS = (1, FORMAT)
"""The formats of results with submissions that can be shown apart."""
OVERALL = "overall"
"""The name of the group of all tasks."""
_NEEDED = ("benchmark_version", "scorer", "dataset", "resampling", "submissions")
"""Keys that results must have to be exported, or shown apart."""
_ANEW = "build the site again with 'python -m leaderboard build'"
_ROWS = 50_000
"""Rows of `results.parquet` that are held at a time."""
_SCHEMA = pa.schema(
    [
        ("submission", pa.string()),
        ("estimator", pa.string()),
        ("standing", pa.string()),
        ("level", pa.string()),
        ("group", pa.string()),
        ("score", pa.string()),
        ("value", pa.float64()),
        ("n", pa.int64()),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("rank_first", pa.int64()),
        ("rank_last", pa.int64()),
        ("benchmark_version", pa.string()),
        ("scorer_version", pa.string()),
        ("dataset_revision", pa.string()),
        ("scored_on_version", pa.string()),
        ("scored_on_revision", pa.string()),
        ("files_sha256", pa.string()),
    ]
)


def write_results(results: Mapping[str, Any], folder: Path) -> None:
    """Write both files, a part at a time: of thousands of submissions the whole is large."""
    with (folder / JSON).open("w", encoding="utf-8") as file:
        file.writelines(_json_parts(results))
    rows = _rows(results)
    with pq.ParquetWriter(folder / PARQUET, _SCHEMA, compression="zstd") as writer:
        while part := list(islice(rows, _ROWS)):
            writer.write_table(pa.Table.from_pylist(part, _SCHEMA))


def _json_parts(results: Mapping[str, Any]) -> Iterator[str]:
    """Yield the text that `to_json` gives in parts: a list's items one by one."""
    opening = "{"
    for name, value in results.items():
        yield f"{opening}{to_json(name)}: "
        if isinstance(value, list):
            for number, item in enumerate(value):
                yield f"{', ' if number else '['}{to_json(item)}"
            yield "]" if value else "[]"
        else:
            yield to_json(value)
        opening = ", "
    yield "}\n"


def read_results(path: Path, formats: Sequence[int] = (FORMAT,)) -> dict[str, Any]:
    """Read `results.json`, or that of a site.

    Args:
        path: the file, or a folder that holds it.
        formats: the formats that are taken.

    Raises:
        InputError: the file is missing, is something else or of another format, or lacks a key;
            the message says which.
    """
    bring_back(path)
    file = path / JSON if path.is_dir() else path
    try:
        results = parse_json(file.read_bytes())
    except (OSError, ValueError) as error:
        raise InputError(
            f"{file}: cannot be read: {error}; expected what 'python -m leaderboard build' wrote"
        ) from error
    if not isinstance(results, dict):
        kind = type(results).__name__
        raise InputError(f"{file}: expected an object of results, found a {kind}; {_ANEW}")
    if results.get("format") not in formats:
        stated = f"format {results['format']!r:.80}" if "format" in results else "no format"
        expected = " or ".join(map(str, formats))
        raise InputError(f"{file}: expected results of format {expected}, found {stated}; {_ANEW}")
    missing = [name for name in _NEEDED if name not in results]
    if missing:
        raise InputError(f"{file}: lacks {', '.join(missing)}; {_ANEW}")
    return results


def has_model(metadata: Mapping[str, Any]) -> bool:
    """Return whether a model made the predictions, not a rule: any of three keys may deny it."""
    return "none" not in (metadata.get(name) for name in ("provider", "model_id", "weights"))


def scores_of(submission: Mapping[str, Any], group: str) -> Mapping[str, Any] | None:
    """Return a submission's scores of a task or `overall`; None if it has none there."""
    scores: Mapping[str, Mapping[str, Any] | None] = submission["scores"]
    return scores[OVERALL] if group == OVERALL else (scores["tasks"] or {}).get(group)


def _rows(results: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the rows of `results.parquet`."""
    for standing in ("submissions", "apart"):
        for submission in results[standing]:
            version, revision = _scored_on(submission, results)
            about = {
                "submission": submission["folder"],
                "estimator": submission["metadata"]["estimator"],
                "standing": "ranked" if standing == "submissions" else "apart",
                "benchmark_version": submission["benchmark_version"],
                "scorer_version": submission.get("scorer_version", results["scorer"]["version"]),
                "dataset_revision": submission["dataset_revision"],
                "scored_on_version": version,
                "scored_on_revision": revision,
                "files_sha256": " ".join(file["sha256"] for file in submission["files"]),
            }
            for level, group, scores in _groups(submission["scores"]):
                ranks = submission.get("ranks", {}).get(group, {})
                for name, score in scores.items():
                    rank = ranks.get(name, {})
                    ranked = {"rank_first": rank.get("first"), "rank_last": rank.get("last")}
                    where = {"level": level, "group": group, "score": name}
                    yield {**about, **where, **score, **ranked}


def _scored_on(submission: Mapping[str, Any], results: Mapping[str, Any]) -> tuple[str, str]:
    """Return BAGEN's version and the dataset's revision that a submission's scores are of."""
    if submission.get("earlier"):  # scored by another build, which ranked it, so they were its own
        return submission["benchmark_version"], submission["dataset_revision"]
    return results["benchmark_version"], results["dataset"]["revision"]


def _groups(scores: Mapping[str, Any] | None) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    if scores is None:
        return
    if scores[OVERALL] is not None:
        yield OVERALL, OVERALL, scores[OVERALL]
    for task, group in scores["tasks"].items():
        yield "task", task, group
    for family, group in scores["families"].items():
        yield "family", family, group
