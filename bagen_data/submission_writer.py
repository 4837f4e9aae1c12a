"""Write a submission: `predictions.jsonl` and `metadata.yaml` in one folder."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bagen_data.errors import InputError, OutputError
from bagen_data.field_problems import problems
from bagen_data.forecasters import BaselineQuestion
from bagen_data.held_folder import HeldFolder, held_folder
from bagen_data.prediction_files import SUFFIXES
from bagen_data.replaced_set import replaced_set
from bagen_data.submissions import METADATA, Metadata, Prediction, read_metadata
from bagen_data.tables import to_json
from bagen_data.versions import BENCHMARK_VERSION

PREDICTIONS = "predictions.jsonl"
DATASET_PAGE = "https://huggingface.co/datasets/MLL-Lab/BAGEN"
"""The link of predictions that have no page of their own."""


BASELINE_VARIANTS: Mapping[BaselineQuestion, str] = {
    "interval": "none",
    "forecast": "forecast_no_think",
}
"""The `prompt_variant` of a baseline's metadata, by the question it answered; it read no prompt."""


@contextmanager
def submission_folder(out: Path, estimator: str) -> Iterator[HeldFolder]:
    """Hold a folder for the predictions of one estimator, from before they are made.

    Raises:
        OutputError: another process writes to `out`, it is not a folder, it cannot be written, or
            it holds predictions or metadata of another estimator.
    """
    with held_folder(out) as held:
        check_out(out, estimator)
        yield held


def check_out(out: Path, estimator: str) -> None:
    """Refuse to write over what is not ours to replace.

    Raises:
        OutputError: `out` holds predictions or metadata of another estimator.
    """
    others = [path.name for suffix in SUFFIXES for path in sorted(out.glob(f"*{suffix}"))]
    if not others and not os.path.lexists(out / METADATA):
        return
    try:
        known = read_metadata(out / METADATA).estimator
    except InputError:
        known = "an unknown estimator"
    if others not in ([], [PREDICTIONS]) or known != estimator:
        kind, names = ("predictions", ", ".join(others)) if others else ("metadata", METADATA)
        raise OutputError(
            f"{out}: holds {kind} of {known} ({names}), not of {estimator}; "
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
    held: HeldFolder,
    metadata: Metadata,
    predictions: Mapping[str, Iterable[Mapping[str, Any]]],
    more: Mapping[str, str] | None = None,
) -> None:
    """Write all files of a submission together, or none of them: see `replaced_set`.

    Args:
        held: the folder, made if it is absent.
        metadata: of the predictions.
        predictions: rows of `submissions.Prediction`, by the name of their file, which ends in
            `.jsonl`.
        more: texts of other files that belong to these predictions, by name.

    Raises:
        OutputError: the folder cannot be written.
    """
    texts = {METADATA: metadata_text(metadata), **(more or {})}
    try:
        with replaced_set(held) as staging:
            for name, text in texts.items():
                (staging / name).write_text(text, encoding="utf-8")
            for name, rows in predictions.items():
                with (staging / name).open("w", encoding="utf-8") as file:
                    file.writelines(prediction_lines(rows))
    except OSError as error:
        raise OutputError(f"{held.path}: cannot be written: {error.strerror or error}") from error


def metadata_text(metadata: Metadata) -> str:
    """Return the content of `metadata.yaml`."""
    content = metadata.model_dump(mode="json", exclude_none=True)
    return yaml.safe_dump(content, sort_keys=False, allow_unicode=True)


def prediction_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of `predictions.jsonl`."""
    for row in rows:
        yield to_json(Prediction.model_validate(row).model_dump(exclude_none=True)) + "\n"
