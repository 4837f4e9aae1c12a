"""Write a submission: `predictions.jsonl` and `metadata.yaml` in one folder."""

import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bagen_data.errors import InputError, OutputError
from bagen_data.prediction_files import SUFFIXES
from bagen_data.submissions import METADATA, Metadata, Prediction, problems, read_metadata
from bagen_data.tables import to_json
from bagen_data.versions import BENCHMARK_VERSION

PREDICTIONS = "predictions.jsonl"
DATASET_PAGE = "https://huggingface.co/datasets/MLL-Lab/BAGEN"
"""The link of predictions that have no page of their own."""


def check_out(out: Path, estimator: str) -> None:
    """Refuse to write over what is not ours to replace.

    Raises:
        OutputError: `out` is no folder, or holds predictions of another estimator.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is not a folder; give another --out")
    others = [path.name for suffix in SUFFIXES for path in sorted(out.glob(f"*{suffix}"))]
    if not others:
        return
    try:
        known = read_metadata(out / METADATA).estimator
    except InputError:
        known = "an unknown estimator"
    if others != [PREDICTIONS] or known != estimator:
        raise OutputError(
            f"{out}: holds predictions of {known} ({', '.join(others)}), not of {estimator}; "
            "nothing was touched; give another --out"
        )


def new_metadata(revision: str | None, **values: Any) -> Metadata:
    """Return the metadata of predictions that this version of the benchmark made today.

    Args:
        revision: the revision of the dataset; None if it has none.
        values: keys of `Metadata`. Left out, they are a forecaster's: no provider, no prompt, no
            weights; a link that is None leads to the dataset.

    Raises:
        InputError: a value cannot be, or a key is missing; a line names each.
    """
    usual = {
        "provider": "none",
        "prompt_variant": "none",
        "constrained": False,
        "dataset_revision": revision or "unknown",
        "date": datetime.now(tz=UTC).date(),
        "weights": "none",
        "benchmark_version": BENCHMARK_VERSION,
    }
    link = values.get("link") or DATASET_PAGE
    try:
        return Metadata.model_validate({**usual, **values, "link": link}, strict=False)
    except ValidationError as error:
        raise InputError("\n".join(problems(error))) from error


def write_submission(
    out: Path,
    metadata: Metadata,
    predictions: Iterable[Mapping[str, Any]],
    name: str = PREDICTIONS,
) -> Path:
    """Write both files, each whole or not at all; returns that of the predictions.

    Args:
        out: the folder, made if there is none.
        metadata: of the predictions.
        predictions: rows of `submissions.Prediction`.
        name: of the file of predictions, which ends in `.jsonl`.

    Raises:
        OutputError: the folder cannot be written.
    """
    rows = (Prediction.model_validate(row).model_dump(exclude_none=True) for row in predictions)
    lines = "".join(to_json(row) + "\n" for row in rows)
    content = metadata.model_dump(mode="json", exclude_none=True)
    _replace(out / METADATA, yaml.safe_dump(content, sort_keys=False, allow_unicode=True))
    _replace(out / name, lines)
    return out / name


def _replace(path: Path, text: str) -> None:
    staging = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            staging.write_text(text, encoding="utf-8")
            staging.replace(path)
        finally:
            staging.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
