"""Simulated studies: how often intervals cover, and how often equal estimators are told apart.

A study is a task of its own: the same instances, run by one rollout model or several, and what an
estimator says of each probe. Numbers of many studies come from `coverage` and `family_wise_error`;
`tests/bagen_data/scoring/test_simulations.py` holds them to their bounds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist

import numpy as np
import pyarrow as pa

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, AnswerColumns, ForecastColumns
from bagen_data.array_types import Floats
from bagen_data.climatology import climatology
from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.definitions import AnsweredFamily, Definition
from bagen_data.scoring.family_sums import SumPlan
from bagen_data.scoring.measure import Group, averaged, draw, family_scores, of_families
from bagen_data.scoring.ranking import parts_of, ranked, student_test
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable

_CHUNK = 25
"""Studies that are simulated at once, which bounds the memory that they take."""
_MOST_TURNS = 8
_WIDTH = 0.4
"""Standard deviation of a forecast of log R."""


@dataclass(frozen=True)
class Setup:
    """The kind of study."""

    instances: int
    """Number of instances; each family has one rollout of each."""
    families: int = 1
    """Number of rollout models."""
    correlation: float = 0.0
    """Correlation between the rollouts of an instance by two models, in all that differs between
    rollouts: outcome, usage, and how an estimator errs."""
    feasible: float = 0.5
    """Share of rollouts that are feasible."""


@dataclass(frozen=True)
class Coverage:
    """The coverage of 95% intervals of one score over many studies."""

    covered: float
    """Share of the intervals that hold the true value."""
    too_low: float
    """Share of the intervals that lie below the true value."""
    too_high: float
    """Share of the intervals that lie above the true value."""
    width: float
    """Mean width of the intervals."""
    truth: float
    """The true value: the score of the sums of all studies."""
    intervals: int
    """Number of studies that have an interval."""


# --- studies ----------------------------------------------------------------------------------


def _of_instances(rng: np.random.Generator, setup: Setup, studies: int) -> Floats:
    """(studies, families, instances) of standard normal values, correlated between families."""
    shape = (studies, setup.families, setup.instances)
    shared = rng.normal(size=(studies, 1, setup.instances))
    own = rng.normal(size=shape)
    values: Floats = setup.correlation**0.5 * shared + (1 - setup.correlation) ** 0.5 * own
    return values


def sample_table(rng: np.random.Generator, setup: Setup, studies: int) -> SampleTable:
    """Return the samples of some studies: tasks `s000`, `s001`, ..., families `m0`, `m1`, ..."""
    threshold = NormalDist().inv_cdf(1 - setup.feasible)
    feasible = _of_instances(rng, setup, studies) > threshold
    success = feasible | (_of_instances(rng, setup, studies) > NormalDist().inv_cdf(0.6))
    total = np.exp(8 + 0.5 * _of_instances(rng, setup, studies))
    budget = total * np.where(feasible, 1.3, 0.75)
    turns = rng.integers(3, _MOST_TURNS + 1, feasible.shape)
    names = [
        f"s{study:03}/m{model}/i{instance:04}"
        for study in range(studies)
        for model in range(setup.families)
        for instance in range(setup.instances)
    ]
    samples = turns.ravel() - 1
    rollout = np.repeat(np.arange(len(names)), samples)
    k = np.arange(len(rollout)) - np.repeat(np.cumsum(samples) - samples, samples) + 1
    used = (total.ravel() / turns.ravel())[rollout] * k
    amounts = pa.StructArray.from_arrays(
        [
            pa.DictionaryArray.from_arrays(np.zeros(len(k), np.int32), pa.array(["tokens"])),
            pa.array(budget.ravel()[rollout]),
            pa.array(used),
            pa.array(np.maximum(total.ravel()[rollout] - used, 0)),
        ],
        ["resource", "budget", "used", "remaining"],
    )
    ids = [f"{names[number]}/{turn}" for number, turn in zip(rollout, k, strict=True)]
    return SampleTable.of(
        pa.table(
            {
                "sample_id": ids,
                "feasible": feasible.ravel()[rollout],
                "rollout_success": success.ravel()[rollout],
                "resources": pa.ListArray.from_arrays(
                    pa.array(np.arange(len(k) + 1), pa.int32()), amounts
                ),
            }
        )
    )


@dataclass(frozen=True)
class _Traits:
    """(studies, families, instances) how an estimator errs about each rollout."""

    outcome: Floats
    usage: Floats

    @classmethod
    def drawn(cls, rng: np.random.Generator, setup: Setup, studies: int) -> "_Traits":
        return cls(_of_instances(rng, setup, studies), _of_instances(rng, setup, studies))

    def and_own(self, own: "_Traits") -> "_Traits":
        """Return the traits of an estimator that errs where others do, and elsewhere too."""
        return _Traits(self.outcome + own.outcome, self.usage + own.usage)

    def of(self, family: FamilyColumns) -> tuple[Floats, Floats]:
        """(m,) each, of one family's rollouts."""
        study, model = int(family.task[1:]), int(family.rollout_model[1:])
        return self.outcome[study, model], self.usage[study, model]


def _answers(rng: np.random.Generator, family: FamilyColumns, traits: _Traits) -> AnswerColumns:
    """Return forecasts of a family's samples, which are interval estimates too."""
    outcome, usage = (trait[family.rollout] for trait in traits.of(family))
    n = len(outcome)
    doubt = np.where(family.feasible, -1.2, 1.2) + outcome + rng.logistic(size=n)
    finish = 1 / (1 + np.exp(doubt))
    middle = np.log1p(family.remaining) + 0.25 * (usage + rng.normal(size=n))
    steps = np.array([NormalDist().inv_cdf(level) for level in QUANTILE_LEVELS])
    quantiles = np.expm1(np.maximum(middle[:, np.newaxis] + _WIDTH * steps[:, np.newaxis], 0))
    is_feasible = finish >= 0.5
    return AnswerColumns(
        np.where(is_feasible, FEASIBLE, INFEASIBLE).astype(np.uint8),
        np.zeros(n, np.uint8),
        np.where(is_feasible, quantiles[:, 0], np.nan),
        np.where(is_feasible, quantiles[:, -1], np.nan),
        ForecastColumns(finish, finish + 0.4 * (1 - finish), quantiles),
    )


# --- scores -----------------------------------------------------------------------------------


def _definitions(scores: Sequence[str]) -> dict[str, Definition]:
    """Return scores of the benchmark by name."""
    chosen = {name: SCORES[name] for name in scores}
    return {name: score for name, score in chosen.items() if isinstance(score, Definition)}


@cache
def _plan(scores: tuple[str, ...]) -> SumPlan:
    return SumPlan.of(_definitions(scores).values(), [])


# --- what comes of them -----------------------------------------------------------------------


@dataclass(frozen=True)
class _Studied:
    """The scores of a study."""

    groups: Sequence[Group]
    """The scores by estimator."""
    families: Sequence[FamilyColumns]
    sums: Sequence[Mapping[str, Sequence[Floats]]]
    """The sums of each score's formula over all families by estimator and score, (1, 1)."""


def _studies(
    setup: Setup, scores: Sequence[str], estimators: int, number: int, resampling: Resampling
) -> Iterator[_Studied]:
    """Simulate studies of some estimators that are alike."""
    rng = np.random.default_rng([setup.instances, setup.families, int(100 * setup.correlation)])
    definitions, plan = _definitions(scores), _plan(tuple(scores))
    for start in range(0, number, _CHUNK):
        studies = min(_CHUNK, number - start)
        table = sample_table(rng, setup, studies)
        shared = _Traits.drawn(rng, setup, studies)
        traits = [shared.and_own(_Traits.drawn(rng, setup, studies)) for _ in range(estimators)]
        seeded = replace(resampling, seed=resampling.seed + start)
        draws = seeded.draws(table.families)
        for task, of_task in draws.items():
            families = [
                replace(family, reference=climatology(family))
                for family in table.families
                if family.task == task
            ]
            groups, sums = [], []
            for estimator in traits:
                drawn = []
                for family in families:
                    answers = _answers(rng, family, estimator)
                    answered = AnsweredFamily(family, answers, answers, 0.2)
                    drawn.append(draw(answered, of_task, plan))
                groups.append(averaged(family_scores(drawn, definitions), of_families))
                sums.append(
                    {
                        name: [sum(own.sums[each][:, :1] for own in drawn) for each in score.sums]
                        for name, score in definitions.items()
                    }
                )
            yield _Studied(groups, families, sums)


def coverage(
    setup: Setup, scores: Sequence[str], studies: int = 1000, resamples: int = 1000
) -> dict[str, Coverage]:
    """Return how often 95% intervals cover, by score.

    Args:
        setup: the studies.
        scores: names in `SCORES`, none of them a quantile.
        studies: number of studies; the standard error of a share of 0.95 is 0.007 with 1,000.
        resamples: number of resamples of each.
    """
    ends: dict[str, list[tuple[float, float]]] = {name: [] for name in scores}
    sums: dict[str, list[Sequence[Floats]]] = {name: [] for name in scores}
    for study in _studies(setup, scores, 1, studies, Resampling(resamples)):
        for name in scores:
            score = study.groups[0][name].score()
            sums[name].append(study.sums[0][name])
            if score.low is not None and score.high is not None:
                ends[name].append((score.low, score.high))
    coverages = {}
    for name, definition in _definitions(scores).items():
        totals = [sum(values) for values in zip(*sums[name], strict=True)]
        truth = float(definition.formula(*totals)[0, 0])
        low, high = np.array(ends[name]).reshape(-1, 2).T
        coverages[name] = Coverage(
            covered=float(np.mean((low <= truth) & (truth <= high))),
            too_low=float(np.mean(high < truth)),
            too_high=float(np.mean(low > truth)),
            width=float(np.mean(high - low)),
            truth=truth,
            intervals=len(low),
        )
    return coverages


def family_wise_error(
    setup: Setup,
    scores: Sequence[str],
    estimators: int = 6,
    studies: int = 300,
    resamples: int = 300,
) -> dict[str, float]:
    """Return the share of studies in which any two of equal estimators are told apart, by score.

    Args:
        setup: the studies.
        scores: names in `RANKED`.
        estimators: number of estimators, all equally good.
        studies: number of studies; the standard error of a share of 0.05 is 0.013 with 300.
        resamples: number of resamples of each.
    """
    errors = dict.fromkeys(scores, 0)
    resampling = Resampling(resamples)
    for study in _studies(setup, scores, estimators, studies, resampling):
        for name in scores:
            values = np.array([group[name].values for group in study.groups])
            test = student_test(parts_of(study.families, name, resampling))
            ranks = ranked(values, name, test, np.zeros(len(values), np.int64))
            errors[name] += bool(ranks.better.any())
    return {name: count / studies for name, count in errors.items()}
