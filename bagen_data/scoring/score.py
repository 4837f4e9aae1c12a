"""Score answers."""

from typing import Any

import pyarrow as pa

from bagen_data.errors import InputError
from bagen_data.scoring.inputs import as_strings, as_table
from bagen_data.scoring.match_predictions import Reader, read_answers
from bagen_data.scoring.measure import measure
from bagen_data.scoring.report import Report
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import Truth

ALPHA = 0.2
"""Intervals are scored as central 80% intervals."""


def score(
    samples: Any,
    predictions: Any,
    *,
    resamples: int = 1000,
    seed: int = 0,
    alpha: float = ALPHA,
) -> Report:
    """Score answers to samples.

    Args:
        samples: rows of the dataset: an Arrow table, a `datasets.Dataset`, a pandas or Polars data
            frame, or a list of dicts, with at least `sample_id`, `feasible` and `resources`.
        predictions: the same kinds, with `sample_id` and `response` (the raw text), one for each
            sample in any order.
        resamples: of rollouts, for 95% intervals; 0 leaves them out.
        seed: of the resampling. The same seed draws the same rollouts for every estimator.
        alpha: the interval score takes intervals as central ones of 1 - alpha.

    Raises:
        InputError: a table cannot be used, or samples and predictions do not match one to one.

    >>> amounts = {"resource": "tokens", "budget": 900.0, "used": 200.0, "remaining": 400.0}
    >>> samples = [{"sample_id": "t/m/r/1", "feasible": True, "resources": [amounts]}]
    >>> answers = [{"sample_id": "t/m/r/1", "response": "<answer>[360, 440]</answer>"}]
    >>> report = score(samples, answers)
    >>> report.overall["reward"].value, report.overall["recall_infeasible"].value
    (0.8, None)
    """
    truth = Truth.of(samples)
    answered = read_answers(truth, reader_of(predictions), "predictions")
    return measure(truth, answered, Resampling(resamples, seed), alpha).report()


def reader_of(predictions: Any, name: str = "predictions") -> Reader:
    """Predictions that are in memory, as `read_answers` wants them.

    Args:
        predictions: as in `score`.
        name: what an error calls them.

    Raises:
        InputError: they have no columns of strings `sample_id` and `response`, or a null in them.
    """
    try:
        table = as_table(predictions, ("sample_id", "response"))
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
    table = pa.table({name: as_strings(table[name]) for name in table.column_names})
    for field in table.schema:
        if not (pa.types.is_string(field.type) or pa.types.is_large_string(field.type)):
            raise InputError(f"{name}: {field.name} is of type {field.type}; expected strings")
    return table.to_batches
