"""Score predictions, and compare the predictions of two estimators."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.errors import InputError
from bagen_data.prompt_variants import find_question
from bagen_data.schema import Question
from bagen_data.scoring.all_scores import AVERAGED_SCORES
from bagen_data.scoring.definitions import AnsweredFamily
from bagen_data.scoring.match_predictions import (
    PredictionReader,
    match_predictions,
    reader_in_memory,
)
from bagen_data.scoring.measure import (
    COMPARISON_PLAN,
    DrawnFamily,
    Group,
    Measured,
    draw,
    family_scores,
    grouped,
    measure,
)
from bagen_data.scoring.other_question import pass_argument, refuse_other_question
from bagen_data.scoring.report import Comparison, Difference, Report
from bagen_data.scoring.resampling import Resampling, expanded_p, percentile_interval
from bagen_data.scoring.sample_source import SampleSource
from bagen_data.scoring.sample_table import SampleTable
from bagen_data.scoring.scores.interval_scores import COMPARISON_SCORES

ALPHA = 0.2
"""Intervals are scored as central 80% intervals."""


def score(  # noqa: PLR0913  each is a choice of its own
    samples: Any,
    predictions: Any,
    *,
    reference: Any = None,
    question: Question | None = None,
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
        reference: the rows of the dataset's config `reference`, the same kinds of table; without
            it no skill of a forecast has a value.
        question: what was asked, `interval`, `point` or `forecast`; by default what the samples'
            column `prompt_variant` says, `interval` without that column.
        resamples: number of resamples of instances, for 95% intervals; 0 leaves them out.
        seed: seed of the resampling. The same seed draws the same instances for every estimator.
        alpha: the interval score takes intervals as central ones of 1 - alpha.

    Raises:
        InputError: a table cannot be used, samples and predictions do not match one to one,
            `question` is unknown, or it is not given and all predictions are invalid answers to
            the samples' question while some are valid answers to another one.

    >>> amounts = {"resource": "tokens", "budget": 900.0, "used": 200.0, "remaining": 400.0}
    >>> samples = [{"sample_id": "t/m/r/1", "feasible": True, "resources": [amounts]}]
    >>> answers = [{"sample_id": "t/m/r/1", "response": "<answer>[360, 440]</answer>"}]
    >>> report = score(samples, answers)
    >>> report.overall["reward"].value, report.overall["recall_infeasible"].value
    (0.8, None)
    """
    table = SampleTable.of(samples, reference)
    reader, name = reader_in_memory(predictions), "predictions"
    asked = _asked(question, table)
    matched = match_predictions(table, reader, name, asked)
    report = measure(table, matched, Resampling(resamples, seed), alpha).report()
    if question is None and not report.overall["valid_rate"].value:
        refuse_other_question(table, reader, name, asked, pass_argument)
    return report


def _asked(question: str | None, samples: SampleTable) -> Question:
    """Return the question, or by default the one that the samples themselves ask.

    Raises:
        InputError: there is no such question, or the samples ask several.
    """
    if question is not None:
        return find_question(question)
    if samples.question is None:
        raise InputError("samples: prompt_variant names several questions; pass question=...")
    return samples.question


def compare(  # noqa: PLR0913  as many as `score` and one more
    samples: Any,
    first: Any,
    second: Any,
    *,
    reference: Any = None,
    question: Question | None = None,
    resamples: int = 1000,
    seed: int = 0,
    alpha: float = ALPHA,
) -> Comparison:
    """Compare the answers of two estimators to the same samples, paired by sample.

    Beside the scores of a report there is `interval_score_shared`, the interval score over the
    samples that both answered with an interval: estimators that abstain on different samples are
    compared there. `1 - first / second` of it is the first one's skill against the second.

    A task's or overall difference is taken over the families in which both have a value.

    Args:
        samples: as in `score`.
        first: the predictions of one estimator, as in `score`.
        second: the predictions of the other estimator.
        reference: as in `score`.
        question: as in `score`, the same for both.
        resamples: number of resamples of instances, the same for both.
        seed: seed of the resampling.
        alpha: as in `score`.

    Raises:
        InputError: as `score` does.
    """
    table = SampleTable.of(samples, reference)
    asked = _asked(question, table)
    readers = [
        (name, reader_in_memory(predictions, name), asked)
        for name, predictions in (("first", first), ("second", second))
    ]
    comparison = compare_readers(table, readers, Resampling(resamples, seed), alpha)
    for report, answered in zip((comparison.first, comparison.second), readers, strict=True):
        name, reader, _ = answered
        if question is None and not report.overall["valid_rate"].value:
            refuse_other_question(table, reader, name, asked, pass_argument)
    return comparison


def compare_readers(
    samples: SampleSource,
    readers: Sequence[tuple[str, PredictionReader, Question]],
    resampling: Resampling,
    alpha: float,
) -> Comparison:
    """Compare two estimators as `compare` does, from readers of their predictions.

    Args:
        samples: the samples.
        readers: the two readers, each with what an error calls its predictions before it, and the
            question that these answer after it.
        resampling: how instances are drawn for intervals.
        alpha: as in `score`.
    """
    draws = resampling.draws_of(samples.instances)
    drawn: list[dict[str, DrawnFamily]] = [{}, {}]
    matched = (
        match_predictions(samples, reader, name, question) for name, reader, question in readers
    )
    for (family, one), (_, other) in zip(*matched, strict=True):
        for estimator, answers in zip(drawn, ((one, other), (other, one)), strict=True):
            answered = AnsweredFamily(family, *answers, alpha)
            estimator[family.name] = draw(answered, draws[family.task], COMPARISON_PLAN)
        del family, one, other, answers, answered  # before the next family is read
    ordered = [[estimator[name] for name in samples.family_names] for estimator in drawn]
    first, second = (
        grouped(families, family_scores(families, AVERAGED_SCORES)).report() for families in ordered
    )
    compared = AVERAGED_SCORES | COMPARISON_SCORES
    scores = _where_both(*(family_scores(families, compared) for families in ordered))
    own, others = (grouped(*each) for each in zip(ordered, scores, strict=True))
    return Comparison(
        first=first,
        second=second,
        overall=_differences(own.overall, others.overall),
        tasks={name: _differences(group, others.tasks[name]) for name, group in own.tasks.items()},
        families={
            name: _differences(group, others.families[name]) for name, group in own.families.items()
        },
        resamples=resampling.resamples,
    )


def _where_both(
    first: Sequence[Group], second: Sequence[Group]
) -> tuple[list[dict[str, Measured]], list[dict[str, Measured]]]:
    """The families' scores without the values that only one of the two has.

    Or a mean over families would compare one estimator on all of them with another on some.
    """
    kept: tuple[list[dict[str, Measured]], list[dict[str, Measured]]] = ([], [])
    for one, other in zip(first, second, strict=True):
        gone = {name for name in one if np.isnan(one[name].values[0] + other[name].values[0])}
        for group, own in zip(kept, (one, other), strict=True):
            group.append(
                {
                    name: each.without_values() if name in gone else each
                    for name, each in own.items()
                }
            )
    return kept


def _differences(first: Group, second: Group) -> dict[str, Difference]:
    return {name: _difference(measured, second[name]) for name, measured in first.items()}


def _difference(first: Measured, second: Measured) -> Difference:
    values = first.values - second.values
    difference = _known(values[0])
    instances = min(first.instances, second.instances)
    interval = None if difference is None else percentile_interval(values[1:], instances)
    low, high = interval or (None, None)
    return Difference(
        _known(first.values[0]),
        _known(second.values[0]),
        difference,
        low,
        high,
        None if interval is None else p_value(values[1:], instances),
        first.n,
        second.n,
    )


def p_value(differences: Floats, instances: int) -> float:
    """Return the two-sided p of no difference, as the expanded interval has it.

    Args:
        differences: (b,) resampled ones; those of NaN are left out.
        instances: number of instances that contribute, at least 2.

    >>> round(p_value(np.array([1.0, 2.0, 3.0, -1.0]), instances=100_000), 2)
    0.8
    """
    known = differences[~np.isnan(differences)]
    tail = min(np.count_nonzero(known <= 0), np.count_nonzero(known >= 0))
    return expanded_p((tail + 1) / (len(known) + 1), instances)


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
