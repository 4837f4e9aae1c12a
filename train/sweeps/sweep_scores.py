"""Scores of the rows of a sweep, again from their answers: nothing is trained or generated."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.hub import load_samples
from bagen_data.prompt_variants import VARIANTS, question_of
from bagen_data.repositories.dataset_names import at_revision
from bagen_data.schema import Question
from bagen_data.submission_writer import PREDICTIONS
from bagen_data.tables import read_jsonl
from train.measured_rows import MeasuredAnswers
from train.paper_table import ROW_SCORES
from train.sweeps.sweep_results import RESULTS, RowResult, SweepResults

_METADATA = "metadata.yaml"


def read_answers(results: SweepResults, row: RowResult) -> MeasuredAnswers:
    """Read the samples and the answers of a row.

    Args:
        results: of the sweep.
        row: its `made` names the dataset, config and split, and the only resource, if there is one.

    Raises:
        InputError: the answers or the dataset cannot be read.
    """
    evaluated: Mapping[str, Any] = row.made.get("evaluate", {})
    folder = results.predictions(row.key)
    path = folder / PREDICTIONS
    if not path.is_file():
        raise InputError(
            f"{path}: is missing; remove the line of {row.name!r} from "
            f"{results.out / RESULTS}, and run the sweep again"
        )
    revision = evaluated.get("dataset_revision") or evaluated.get("revision")
    dataset = at_revision(_dataset(evaluated), revision)
    samples = load_samples(
        dataset, evaluated.get("config", "sokoban_train"), evaluated.get("split", "heldout")
    ).table
    asked = evaluated.get("question") or _question(folder)
    return MeasuredAnswers.of(samples, list(read_jsonl(path)), asked, row.made.get("resource"))


def row_scores(answered: MeasuredAnswers) -> dict[str, Any]:
    """Return the scores of the row by name: each one's `value`, `low`, `high` and `n`."""
    measured = answered.measured()
    return {name: measured[name].score().to_dict() for name in ROW_SCORES}


def _dataset(evaluated: Mapping[str, Any]) -> str:
    from bagen_data.published import HUB_ID

    return str(evaluated.get("dataset", HUB_ID))


def _question(folder: Path) -> Question | None:
    """Return the question that a submission answers; None where its metadata do not say."""
    import yaml

    try:
        metadata = yaml.safe_load((folder / _METADATA).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{folder / _METADATA}: cannot be read: {error}") from error
    variant = metadata.get("prompt_variant") if isinstance(metadata, dict) else None
    return question_of(variant) if variant in VARIANTS else None
