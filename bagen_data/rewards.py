"""The training rewards: what an answer earns while a model is trained.

An answer is judged in parts, each 0 .. 1, and a reward is a weighted sum of them:

- `PAPER` [E] pays 1.8 x coverage x tightness where the sample is feasible, and 0.2 for `impossible`
  where it is not. It is 0 for a whole group of answers when none covers, which teaches nothing.
- `DENSE` adds `closeness`, which grows as an interval comes nearer and is seldom 0. It has the
  weight of `impossible`, so an interval that does not cover pays more than `impossible` where a
  sample is feasible with a probability above 1 / (1 + closeness), which is a little above one half.
  With a weight of 1.8 it would pay from a tenth on, and teach never to say `impossible`.
- `PROPER` judges answers to the question for a forecast by proper scores: no answer earns more on
  average than the probabilities and quantiles that are believed. So does any sum of its parts with
  weights above 0, on rows that are drawn as they fall: where feasible rows are repeated, the
  probabilities of repeated rows are taught.

Answers are read by `answers` and judged by the formulas of `scoring`, as everywhere. A forecast is
an interval estimate too, and has all parts; an interval has no `PROPER` ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bagen_data.answer_columns import (
    FEASIBLE,
    INFEASIBLE,
    INVALID,
    AnswerColumns,
    ForecastColumns,
)
from bagen_data.answer_parsing import parse_column
from bagen_data.array_types import Codes, Floats, Mask, every
from bagen_data.errors import InputError
from bagen_data.reward_parts import chance_part, closeness, quantiles_part
from bagen_data.schema import Question
from bagen_data.scoring.interval_formulas import covered, interval_reward, relative_width
from bagen_data.scoring.scores.intervals import RL_IMPOSSIBLE, RL_INTERVAL

INTERVAL_PARTS: Mapping[str, str] = {
    "format": "1 if the answer can be parsed",
    "feasibility": "1 if the class is right: an interval where feasible, `impossible` where not",
    "impossible": "1 for `impossible` where the sample is infeasible",
    "interval": "coverage x tightness where the sample is feasible, 0 without an interval",
    "closeness": "1 - interval score of log(1 + amount) / its greatest there; 0 without an "
    "interval",
}
"""The parts of the reward of any answer."""
FORECAST_PARTS: Mapping[str, str] = {
    "brier": "1 - (finish - feasible)^2; 0 for an answer that cannot be parsed",
    "success_brier": "1 - (success - success of the rollout)^2; 0 likewise",
    "wis": "1 - weighted interval score of log(1 + amount) / its greatest, where the rollout "
    "succeeded, and 1 where it did not; 0 likewise",
}
"""The parts of the reward of forecasts."""
PARTS: Mapping[str, str] = {**INTERVAL_PARTS, **FORECAST_PARTS}
"""The parts of a reward, and what each is; all are 0 .. 1."""
PAPER: Mapping[str, float] = {"interval": RL_INTERVAL, "impossible": RL_IMPOSSIBLE}
"""Weights of the paper's reward [E]."""
DENSE: Mapping[str, float] = {**PAPER, "closeness": RL_IMPOSSIBLE}
"""Weights of the paper's reward with a slope where it is flat."""
PROPER: Mapping[str, float] = {"brier": 0.4, "success_brier": 0.2, "wis": 0.4}
"""Weights of the reward of honest forecasts; they add up to 1."""


@dataclass(frozen=True)
class JudgedAnswers:
    """The worth of n answers, by parts of a reward."""

    parts: Mapping[str, Floats]
    """Worths by part, `PARTS`, (n,) each."""
    verdict: Codes
    """(n,): codes of `answer_columns`."""
    is_feasible: Mask
    """(n,): the samples' labels."""
    is_interval: Mask
    """(n,): feasible samples that were answered with intervals."""
    is_covered: Mask
    """(n,): feasible samples that were answered with intervals that cover every resource."""
    relative_width: Floats
    """(n,): mean over resources of `(high - low) / R`; NaN if not `is_interval` or any R is 0."""
    finish: Floats
    """(n,): the probability to finish that a forecast gives; NaN where it gives none."""
    is_forecast: Mask
    """(n,): answers to the question for a forecast, valid or not."""

    def reward(self, weights: Mapping[str, float]) -> Floats:
        """Return the weighted sum of parts, (n,).

        Raises:
            InputError: a weight names no part or is not finite, or no weight is given.
        """
        check_weights(weights)
        total = np.zeros(len(self.verdict))
        for name, weight in weights.items():
            total += weight * self.parts[name]
        return total

    def rates(self) -> dict[str, float]:
        """Return the means to watch while training; NaN for a mean over nothing.

        `valid_rate` is the share of answers that can be parsed; `impossible_rate` the share of
        `impossible` among answers to other questions than for a forecast, and `mean_finish` the
        mean probability of forecasts; `coverage` and `relative_width` are means over feasible
        samples that were answered with intervals.
        """
        return {
            "valid_rate": _mean(self.verdict != INVALID),
            "impossible_rate": _mean((self.verdict == INFEASIBLE)[~self.is_forecast]),
            "mean_finish": _mean(self.finish[~np.isnan(self.finish)]),
            "coverage": _mean(self.is_covered[self.is_interval]),
            "relative_width": _mean(self.relative_width[~np.isnan(self.relative_width)]),
        }


def judge(
    responses: Sequence[str],
    feasible: Sequence[bool],
    resources: Sequence[Sequence[Mapping[str, Any]]],
    questions: Sequence[Question] | None = None,
    rollout_success: Sequence[bool] | None = None,
) -> JudgedAnswers:
    """Judge answers to samples of any tasks.

    Args:
        responses: (n) raw texts.
        feasible: (n) the column of the dataset.
        resources: (n) for each sample a list of `{resource, budget, used, remaining}`.
        questions: (n) what was asked; for an interval each time if None.
        rollout_success: (n) the column of the dataset, which forecasts are held against.

    Raises:
        ValueError: they differ in length, or forecasts were asked for and `rollout_success` is
            None.

    >>> amounts = [{"resource": "tokens", "budget": 900.0, "used": 100.0, "remaining": 400.0}]
    >>> texts = ["<answer>[360, 440]</answer>", "<answer>impossible</answer>", "400"]
    >>> judged = judge(texts, [True, False, True], [amounts] * 3)
    >>> judged.reward(PAPER).round(2).tolist()
    [1.44, 0.2, 0.0]
    >>> judged.parts["closeness"].round(3).tolist()
    [0.997, 0.0, 0.0]
    >>> text = "<answer>finish=0.5, success=1, tokens=[100, 200, 400, 500, 600]</answer>"
    >>> forecast = judge([text], [True], [amounts], ["forecast"], [True])
    >>> {name: float(forecast.parts[name][0].round(2)) for name in PROPER}
    {'brier': 0.75, 'success_brier': 1.0, 'wis': 0.98}
    """
    questions = ["interval"] * len(responses) if questions is None else questions
    if not len(responses) == len(feasible) == len(resources) == len(questions):
        raise ValueError(
            f"{len(responses)} responses, {len(feasible)} labels, {len(resources)} resources and "
            f"{len(questions)} questions; expected as many of each"
        )
    if rollout_success is None:
        if "forecast" in questions:
            raise ValueError("forecasts cannot be judged: rollout_success is missing")
        rollout_success = feasible
    labels = _Outcomes(np.array(feasible, bool), np.array(rollout_success, bool))
    asked = [
        (question, tuple(amount["resource"] for amount in each))
        for question, each in zip(questions, resources, strict=True)
    ]
    columns = _JudgedColumns(len(responses))
    for question, names in sorted(set(asked)):
        rows = np.array([row for row, each in enumerate(asked) if each == (question, names)])
        answers = parse_column([responses[row] for row in rows], names, question)
        columns.put(rows, answers, _Amounts.of([resources[row] for row in rows]), labels.at(rows))
    return columns.judged(labels.feasible)


def check_weights(weights: Mapping[str, float]) -> None:
    """Check that a reward can be made of these weights.

    Raises:
        InputError: a weight names no part or is not finite, or no weight is given.
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


@dataclass(frozen=True)
class _Outcomes:
    """The outcomes of the rollouts of n samples."""

    feasible: Mask
    """(n,): samples that are feasible."""
    success: Mask
    """(n,): rollouts that succeed, within the budget or not."""

    def at(self, rows: Any) -> "_Outcomes":
        return _Outcomes(self.feasible[rows], self.success[rows])


@dataclass(frozen=True)
class _Amounts:
    """The amounts of n samples of r resources, (r, n) each."""

    budget: Floats
    used: Floats
    remaining: Floats

    @classmethod
    def of(cls, resources: Sequence[Sequence[Mapping[str, Any]]]) -> "_Amounts":
        return cls(*(_amounts(resources, name) for name in ("budget", "used", "remaining")))


class _JudgedColumns:
    """Columns about n answers, filled in by groups of rows of one question and resources."""

    def __init__(self, rows: int) -> None:
        self.verdict: Codes = np.zeros(rows, np.uint8)
        self.is_covered, self.is_forecast = np.zeros((2, rows), bool)
        self.width, self.finish = np.full((2, rows), np.nan)
        self.parts = {name: np.zeros(rows) for name in PARTS}

    def put(self, rows: Any, answers: AnswerColumns, amounts: _Amounts, labels: _Outcomes) -> None:
        low, high, remaining = answers.low, answers.high, amounts.remaining
        is_interval = labels.feasible & (answers.verdict == FEASIBLE)
        is_stop = ~labels.feasible & (answers.verdict == INFEASIBLE)
        near = closeness(low, high, remaining, amounts.budget - amounts.used)
        parts = {
            "format": answers.verdict != INVALID,
            "feasibility": is_interval | is_stop,
            "impossible": is_stop,
            "interval": np.where(is_interval, interval_reward(low, high, remaining), 0.0),
            "closeness": np.where(is_interval, near, 0.0),
        }
        if answers.forecasts is not None:
            self.is_forecast[rows] = True
            self.finish[rows] = answers.forecasts.finish
            is_valid = answers.verdict != INVALID
            for name, part in _forecast_parts(answers.forecasts, amounts, labels).items():
                parts[name] = np.where(is_valid, part, 0.0)
        for name, part in parts.items():
            self.parts[name][rows] = part
        self.verdict[rows] = answers.verdict
        self.is_covered[rows] = is_interval & every(covered(low, high, remaining))
        self.width[rows] = np.where(is_interval, relative_width(low, high, remaining), np.nan)

    def judged(self, is_feasible: Mask) -> JudgedAnswers:
        is_interval = is_feasible & (self.verdict == FEASIBLE)
        return JudgedAnswers(
            self.parts,
            self.verdict,
            is_feasible,
            is_interval,
            self.is_covered,
            self.width,
            self.finish,
            self.is_forecast,
        )


def _forecast_parts(
    forecasts: ForecastColumns, amounts: _Amounts, labels: _Outcomes
) -> dict[str, Floats]:
    """Return `FORECAST_PARTS`, (n,) each; NaN where an answer is invalid."""
    spent = quantiles_part(forecasts, amounts.remaining, amounts.budget)
    return {
        "brier": chance_part(forecasts.finish, labels.feasible),
        "success_brier": chance_part(forecasts.success, labels.success),
        "wis": np.where(labels.success, spent, 1.0),
    }


def _amounts(resources: Sequence[Sequence[Mapping[str, Any]]], name: str) -> Floats:
    return np.array([[part[name] for part in each] for each in resources], np.float64).T


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
