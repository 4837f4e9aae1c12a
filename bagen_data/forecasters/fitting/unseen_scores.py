"""Scores of a forecaster on instances that it has not seen, with 95% intervals.

Every formula is the benchmark's own (`bagen_data.scoring`), and intervals resample instances. Skill
is relative to climatology, as a dataset's config `reference` has it: what the family's other
instances came to at the same turn.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.answers import render
from bagen_data.climatology import climatology
from bagen_data.forecasters import Forecaster, Learn
from bagen_data.forecasters.climatology import fit as fit_climatology
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.predictions import answered, cross_validated
from bagen_data.schema import Estimate
from bagen_data.scoring.curves import curves_by_task
from bagen_data.scoring.match_predictions import match_predictions, reader_in_memory
from bagen_data.scoring.measure import measure
from bagen_data.scoring.report import Score
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable
from bagen_data.scoring.score import ALPHA

SCORES = (
    *("brier", "brier_skill", "log_score", "wis", "wis_skill"),
    *("coverage_80", "coverage_50"),
)
"""The names of the scores of a forecaster, in the order of tables."""

_Reference = Callable[[FamilyColumns, Sequence[Example]], ForecastColumns | None]
"""Returns the reference's forecasts of a family's columns and its examples in the same order."""


@dataclass(frozen=True)
class UnseenScores:
    """The scores of forecasts about instances that the forecaster had not seen."""

    how: str
    """Sentence that says how the instances were kept from the forecaster."""
    scores: Mapping[str, Score]
    """Scores by name, those of `SCORES`; the mean over families where there are several."""
    reliability: Sequence[Mapping[str, float | int | None]]
    """Tenths of the probability to finish: `low`, `high`, `n` probes, and the mean probability
    `said` and the share that `happened`, None without a probe."""
    quantiles: Sequence[Mapping[str, float | int | None]]
    """Levels of the quantiles: `level`, `n` amounts, and the share at or `below` the quantile."""
    probes: int
    rollouts: int
    instances: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, lists and dicts, as JSON takes them."""
        return {
            "how": self.how,
            "probes": self.probes,
            "rollouts": self.rollouts,
            "instances": self.instances,
            "scores": {name: score.to_dict() for name, score in self.scores.items()},
            "reliability": [dict(each) for each in self.reliability],
            "quantiles": [dict(each) for each in self.quantiles],
        }


def cross_fitted_scores(
    forecaster: Forecaster, learn: Learn, examples: Sequence[Example], seed: int
) -> UnseenScores:
    """Score forecasts of each part of the instances, learned from the other parts.

    Of one family these are the scores of `bagen predict baseline NAME --cross-validate`.

    Args:
        forecaster: says into how many parts instances are divided.
        learn: function that learns to answer with forecasts.
        examples: examples of one task, and two instances or more.
        seed: seed of the parts and of learning.

    Raises:
        InputError: all examples are of one instance.
    """
    answers = cross_validated(learn, examples, seed, forecaster.folds)
    how = (
        f"cross-fitted: the instances were divided into {number_of_parts(forecaster, examples)} "
        "parts, and each part was forecast by what learned from the other parts"
    )
    return _scored(how, answers, examples, lambda family, _: climatology(family))


def number_of_parts(forecaster: Forecaster, examples: Sequence[Example]) -> int:
    """Return into how many parts the instances of examples are divided, as `cross_validated`."""
    instances = len({each.instance_id for each in examples})
    return min(forecaster.folds or instances, instances)


def heldout_scores(
    learn: Learn, known: Sequence[Example], asked: Sequence[Example], seed: int
) -> UnseenScores:
    """Score forecasts of instances that nothing was learned from.

    The reference has learned from the same examples: those of the asked rollout's own family.

    Args:
        learn: function that learns to answer with forecasts.
        known: examples of one task; one or more.
        asked: examples of the same task and of other instances; one or more.
        seed: seed of learning.
    """

    def reference(_: FamilyColumns, own: Sequence[Example]) -> ForecastColumns | None:
        family = [each for each in known if each.family == own[0].family]
        if not family:
            return None
        columns = AskedColumns.of([each.probe for each in own])
        return fit_climatology(family, seed).foretell(columns)

    how = "held out: nothing was learned from these instances"
    return _scored(how, answered(learn, known, asked, seed), asked, reference)


def _scored(
    how: str,
    answers: Mapping[str, Estimate],
    asked: Sequence[Example],
    reference: _Reference,
) -> UnseenScores:
    table = _with_reference(SampleTable.of([_row(each) for each in asked]), asked, reference)
    rows = [
        {"sample_id": each.sample_id, "response": render(answers[each.sample_id], "forecast")}
        for each in asked
    ]
    matched = list(match_predictions(table, reader_in_memory(rows), "forecasts", "forecast"))
    report = measure(table, matched, Resampling(), ALPHA).report()
    curves = curves_by_task(matched)[asked[0].task]
    bins = curves["finish"]
    return UnseenScores(
        how,
        {name: report.tasks[asked[0].task][name] for name in SCORES},
        [
            {"low": number / len(bins), "high": (number + 1) / len(bins), **each}
            for number, each in enumerate(bins)
        ],
        curves["quantiles"],
        len(asked),
        len({each.rollout for each in asked}),
        len({each.instance_id for each in asked}),
    )


def _with_reference(
    table: SampleTable, asked: Sequence[Example], reference: _Reference
) -> SampleTable:
    families = []
    for family in table.families:
        rows = np.arange(len(asked))[family.rows].tolist()
        own = reference(family, [asked[row] for row in rows])
        families.append(replace(family, reference=own))
    return replace(table, families=tuple(families))


def _row(example: Example) -> dict[str, Any]:
    """Return an example as a row of samples."""
    probe, target = example.probe, example.target
    task, _, model = example.family.partition("/")
    return {
        "sample_id": example.sample_id,
        "task": task,
        "rollout_model": model,
        "rollout_id": example.rollout.removeprefix(f"{example.family}/"),
        "instance_id": example.instance_id,
        "completed_turns": len(probe.turns),
        "total_turns": example.total_turns,
        "feasible": target.feasible,
        "rollout_success": example.success,
        "resources": [
            {
                "resource": name,
                "budget": float(limit),
                "used": float(probe.used[name]),
                "remaining": float(target.remaining[name]),
            }
            for name, limit in probe.budget.limits.items()
        ],
    }
