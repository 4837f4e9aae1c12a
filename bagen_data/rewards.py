"""The training rewards: what an answer earns while a model is trained.

An answer is judged in parts, each 0 .. 1, and a reward is a weighted sum of them. The paper's
[E] is `PAPER`: 1.8 x coverage x tightness where the sample is feasible, 0.2 for `impossible` where
it is not. It is 0 for a whole group of answers when none covers, which teaches nothing; `DENSE`
puts `closeness` in the place of coverage x tightness: it grows as an interval comes nearer.

Answers are read by `answers` and judged by the formulas of `scoring`, as everywhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, INVALID, AnswerColumns
from bagen_data.answer_parsing import parse_column
from bagen_data.array_types import Codes, Floats, Mask, every
from bagen_data.errors import InputError
from bagen_data.scoring.interval_formulas import (
    covered,
    interval_reward,
    interval_score,
    mean_over_resources,
    relative_width,
)
from bagen_data.scoring.score import ALPHA
from bagen_data.scoring.scores.intervals import RL_IMPOSSIBLE, RL_INTERVAL

PARTS: Mapping[str, str] = {
    "format": "1 if the answer can be parsed",
    "feasibility": "1 if the class is right: an interval where feasible, `impossible` where not",
    "impossible": "1 for `impossible` where the sample is infeasible",
    "interval": "coverage x tightness where the sample is feasible, 0 without an interval",
    "closeness": "1 - interval score of log(1 + amount) / WORST there, at least 0; 0 without one",
}
"""What a reward can be made of, and what each part is; all are 0 .. 1."""
PAPER: Mapping[str, float] = {"interval": RL_INTERVAL, "impossible": RL_IMPOSSIBLE}
"""Weights of the paper's reward [E]."""
DENSE: Mapping[str, float] = {"closeness": RL_INTERVAL, "impossible": RL_IMPOSSIBLE}
"""Weights of the one that is seldom 0."""
WORST = 10.0
"""The interval score from which on an interval earns nothing: a point that is wrong by a factor of
e, or an interval that spans a factor of e^10."""


@dataclass(frozen=True)
class JudgedAnswers:
    """What n answers are worth."""

    parts: Mapping[str, Floats]
    """Each of `PARTS`, (n,)."""
    verdict: Codes
    """(n,): codes of `answer_columns`."""
    is_interval: Mask
    """(n,): feasible samples that were answered with intervals."""
    is_covered: Mask
    """(n,): and cover every resource."""
    relative_width: Floats
    """(n,): mean over resources of `(high - low) / R`; NaN elsewhere, and where any R is 0."""

    def reward(self, weights: Mapping[str, float]) -> Floats:
        """The weighted sum of parts, (n,).

        Raises:
            InputError: a weight is of no part, is not finite, or there is none.
        """
        check_weights(weights)
        total = np.zeros(len(self.verdict))
        for name, weight in weights.items():
            total += weight * self.parts[name]
        return total

    def rates(self) -> dict[str, float]:
        """What to watch while training; NaN where there is nothing to take a mean of.

        `valid_rate` and `impossible_rate` are shares of all answers; `coverage` and
        `relative_width` are means over feasible samples that were answered with intervals.
        """
        known = self.relative_width[~np.isnan(self.relative_width)]
        return {
            "valid_rate": _mean(self.verdict != INVALID),
            "impossible_rate": _mean(self.verdict == INFEASIBLE),
            "coverage": _mean(self.is_covered[self.is_interval]),
            "relative_width": _mean(known),
        }


def judge(
    responses: Sequence[str],
    feasible: Sequence[bool],
    resources: Sequence[Sequence[Mapping[str, Any]]],
) -> JudgedAnswers:
    """Judge answers to samples of any tasks.

    Args:
        responses: (n) raw texts.
        feasible: (n) the column of the dataset.
        resources: (n) likewise: for each sample a list of `{resource, remaining, ...}`.

    Raises:
        ValueError: the three differ in length.

    >>> amounts = [{"resource": "tokens", "remaining": 400.0}]
    >>> texts = ["<answer>[360, 440]</answer>", "<answer>impossible</answer>", "400"]
    >>> judged = judge(texts, [True, False, True], [amounts] * 3)
    >>> judged.reward(PAPER).round(2).tolist()
    [1.44, 0.2, 0.0]
    >>> judged.parts["closeness"].round(2).tolist()
    [0.98, 0.0, 0.0]
    """
    if not len(responses) == len(feasible) == len(resources):
        raise ValueError(
            f"{len(responses)} responses, {len(feasible)} labels and {len(resources)} resources; "
            "expected as many of each"
        )
    is_feasible = np.array(feasible, bool)
    names = [tuple(amount["resource"] for amount in each) for each in resources]
    columns = _JudgedColumns(len(responses))
    for own in sorted(set(names)):
        rows = np.array([row for row, each in enumerate(names) if each == own])
        answers = parse_column([responses[row] for row in rows], own)
        remaining = np.array([[part["remaining"] for part in resources[row]] for row in rows]).T
        columns.put(rows, answers, remaining.astype(float), is_feasible[rows])
    return columns.judged(is_feasible)


def check_weights(weights: Mapping[str, float]) -> None:
    """Whether a reward can be made of these.

    Raises:
        InputError: a weight is of no part, is not finite, or there is none.
    """
    unknown = sorted(weights.keys() - PARTS.keys())
    if unknown or not weights:
        listed = ", ".join(unknown) or "none"
        raise InputError(f"reward of {listed}; expected weights of: {', '.join(PARTS)}")
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float):
            raise InputError(f"reward: the weight of {name} is {weight!r}; expected a number")
        if not np.isfinite(weight):
            raise InputError(f"reward: the weight of {name} is {weight}; expected a finite number")


class _JudgedColumns:
    """What is known of n answers, filled in by groups of rows that name the same resources."""

    def __init__(self, rows: int) -> None:
        self.verdict: Codes = np.zeros(rows, np.uint8)
        self.is_covered = np.zeros(rows, bool)
        self.interval, self.closeness = np.zeros(rows), np.zeros(rows)
        self.width = np.full(rows, np.nan)

    def put(self, rows: Any, answers: AnswerColumns, remaining: Floats, is_feasible: Mask) -> None:
        low, high = answers.low, answers.high
        is_interval = is_feasible & (answers.verdict == FEASIBLE)
        self.verdict[rows] = answers.verdict
        self.is_covered[rows] = is_interval & every(covered(low, high, remaining))
        for column, values in (
            (self.interval, interval_reward(low, high, remaining)),
            (self.closeness, _closeness(low, high, remaining)),
        ):
            column[rows] = np.where(is_interval, values, 0.0)
        self.width[rows] = np.where(is_interval, relative_width(low, high, remaining), np.nan)

    def judged(self, is_feasible: Mask) -> JudgedAnswers:
        is_interval = is_feasible & (self.verdict == FEASIBLE)
        is_stop = ~is_feasible & (self.verdict == INFEASIBLE)
        parts = {
            "format": (self.verdict != INVALID).astype(float),
            "feasibility": (is_interval | is_stop).astype(float),
            "impossible": is_stop.astype(float),
            "interval": self.interval,
            "closeness": self.closeness,
        }
        return JudgedAnswers(parts, self.verdict, is_interval, self.is_covered, self.width)


def _closeness(low: Floats, high: Floats, remaining: Floats) -> Floats:
    """`max(0, 1 - score / WORST)`, mean over resources, (n,)."""
    score = interval_score(np.log1p(low), np.log1p(high), np.log1p(remaining), ALPHA)
    return mean_over_resources(np.maximum(0.0, 1.0 - score / WORST))


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
