"""Scores of a perfect forecaster: by family, by task, and overall, with intervals."""

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from bagen_data.array_types import Floats, Mask
from bagen_data.ceiling.continued_probes import ContinuedProbe
from bagen_data.ceiling.perfect_forecasts import (
    Estimated,
    Judgements,
    expected_wis,
    perfect_brier,
    perfect_judgements,
    perfect_wis,
)
from bagen_data.scoring.measure import Group, Measured, averaged, of_families, of_tasks
from bagen_data.scoring.resampling import Resampling
from bagen_data.versions import BENCHMARK_VERSION

WAYS = ("in_sample", "value", "leave_one_out")
"""The ways to estimate a score, as `perfect_forecasts` has them."""

FEWEST_SUCCESSES = 3
"""Continuations that must succeed for a probe to count for `wis`. With two of them, the value is
too bad by 29% in expectation (normal values), with three by 5%, and with four by 2%."""


@dataclass(frozen=True)
class ReferenceForecast:
    """The reference's forecast of a probe."""

    finish: float
    quantiles: Floats
    """(r, 5) of R."""


References = Mapping[str, ReferenceForecast]
"""Reference forecasts by sample id; a family without a reference has none."""
Sums = Mapping[str, Floats]
"""Sums over probes, by name, (b,): one number a resample."""
Three = tuple[Floats, Floats, Floats]
"""A score in each of `WAYS`, (b,); NaN without a probe to take it over."""


@dataclass(frozen=True)
class CeilingScore:
    """A score of a perfect forecaster."""

    value: float | None
    """Corrected for the number of continuations; None without a probe to take it over."""
    n: int
    """Number of probes that the score is taken over."""
    instances: int
    """Number of instances of these probes: a task's families share theirs, tasks do not."""
    low: float | None = None
    """Lower bound of the 95% interval; None with fewer than ten instances."""
    high: float | None = None
    in_sample: float | None = None
    """Score of forecasts that have seen the outcome: better than the truth, in expectation."""
    leave_one_out: float | None = None
    """Score of forecasts of the other continuations: worse than the truth, in expectation."""


@dataclass(frozen=True)
class Ceiling:
    """The scores of a perfect forecaster."""

    overall: Mapping[str, CeilingScore]
    """Means over tasks, by score."""
    tasks: Mapping[str, Mapping[str, CeilingScore]]
    """Means over a task's families, by task."""
    families: Mapping[str, Mapping[str, CeilingScore]]
    """Scores of families, by `task/rollout_model`."""
    benchmark_version: str = field(default=BENCHMARK_VERSION)

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and numbers, as JSON takes them."""
        return asdict(self)


@dataclass(frozen=True)
class _Definition:
    """A score, as a formula of sums over probes."""

    formula: Callable[[Sums], Three]
    weight: str
    """The sum of what the score is taken over."""


def _mean(name: str, weight: str) -> _Definition:
    def formula(sums: Sums) -> Three:
        first, second, third = (sums[f"{name}.{way}"] / sums[weight] for way in WAYS)
        return first, second, third

    return _Definition(formula, weight)


def _skill(name: str, weight: str) -> _Definition:
    def formula(sums: Sums) -> Three:
        reference = sums[f"{name}.reference"]
        first, second, third = (1 - sums[f"{name}.{way}"] / reference for way in WAYS)
        return first, second, third

    return _Definition(formula, weight)


def _of_judgements(score: Callable[[Judgements], Any]) -> _Definition:
    """Return a score of shares, whose value is the mean of the one too good and the one too bad."""

    def formula(sums: Sums) -> Three:
        names = Judgements.__dataclass_fields__
        good, bad = (
            score(Judgements(*(sums[f"{name}.{way}"] for name in names)))  # type: ignore[arg-type]
            for way in (WAYS[0], WAYS[2])
        )
        return good, (good + bad) / 2, bad

    return _Definition(formula, "open")


def _macro_f1(shares: Judgements) -> Any:
    wrong = shares.false_feasible + shares.false_infeasible
    parts = [
        np.where(hits + wrong > 0, 2 * hits / (2 * hits + wrong), 0.0)
        for hits in (shares.true_feasible, shares.true_infeasible)
    ]
    return np.where(_all(shares) > 0, (parts[0] + parts[1]) / 2, np.nan)


def _accuracy(shares: Judgements) -> Any:
    return (shares.true_feasible + shares.true_infeasible) / _all(shares)


def _all(shares: Judgements) -> Any:
    return (
        shares.true_feasible
        + shares.false_feasible
        + shares.true_infeasible
        + shares.false_infeasible
    )


DEFINITIONS: Mapping[str, _Definition] = {
    "brier_skill": _skill("brier", "open"),
    "wis_skill": _skill("wis", "succeeded"),
    "macro_f1_open": _of_judgements(_macro_f1),
    "accuracy_open": _of_judgements(_accuracy),
    "brier": _mean("brier", "open"),
    "success_brier": _mean("success_brier", "all"),
    "wis": _mean("wis", "succeeded"),
}
"""The scores that have a ceiling, by the names of `bagen score`."""


def ceiling(
    probes: Sequence[ContinuedProbe],
    references: References,
    resampling: Resampling = Resampling(),  # noqa: B008  frozen
) -> Ceiling:
    """Return the scores of a perfect forecaster.

    Instances are drawn within a task, the same ones for all of its families.

    Args:
        probes: each with two continuations or more.
        references: what skills are relative to; without one for all probes of a family there is
            no skill.
        resampling: resamples that uncertainty is measured by.
    """
    families: dict[str, _Group] = {}
    tasks: dict[str, _Group] = {}
    for task in sorted({probe.task for probe in probes}):
        own = [probe for probe in probes if probe.task == task]
        draws = _Draws.of(task, own, resampling)
        names = sorted({probe.family for probe in own})
        of_task = {
            name: draws.scores([each for each in own if each.family == name], references)
            for name in names
        }
        families |= of_task
        tasks[task] = _averaged(list(of_task.values()), of_families)
    overall = _averaged(list(tasks.values()), of_tasks)
    return Ceiling(
        _scores(overall),
        {name: _scores(each) for name, each in tasks.items()},
        {name: _scores(each) for name, each in families.items()},
    )


_Group = Mapping[str, Group]
"""The scores of a group of probes and their resamples, in each of `WAYS`."""


def _averaged(groups: Sequence[_Group], joined: Callable[[Sequence[Mask]], Mask]) -> _Group:
    """Return the mean of each score over families of one task, or over tasks, as `score` does."""
    return {way: averaged([group[way] for group in groups], joined) for way in WAYS}


def _scores(group: _Group) -> dict[str, CeilingScore]:
    """Return each score with its interval."""
    return {name: _score(*(group[way][name] for way in WAYS)) for name in DEFINITIONS}


def _score(in_sample: Measured, value: Measured, leave_one_out: Measured) -> CeilingScore:
    score, instances = value.score(), value.instances
    if score.value is None:
        return CeilingScore(None, score.n, instances)
    others = (_number(each.values[0]) for each in (in_sample, leave_one_out))
    return CeilingScore(score.value, score.n, instances, score.low, score.high, *others)


@dataclass(frozen=True)
class _Draws:
    """Numbers of times that each resample draws each instance of a task."""

    instances: Sequence[str]
    weights: Floats
    """(1 + b, i); the first row draws each instance once."""

    @classmethod
    def of(cls, task: str, probes: Sequence[ContinuedProbe], resampling: Resampling) -> "_Draws":
        """Draw the instances of a task."""
        instances = sorted({probe.instance_id for probe in probes})
        rng = np.random.default_rng([resampling.seed, zlib.crc32(task.encode())])
        number = len(instances)
        drawn = rng.multinomial(number, [1 / number] * number, resampling.resamples)
        return cls(instances, np.vstack([np.ones(number), drawn]))

    def scores(self, probes: Sequence[ContinuedProbe], references: References) -> _Group:
        """Return the scores of a family's probes."""
        of_probe = [_sums(probe, references.get(probe.sample_id)) for probe in probes]
        place = np.array([self.instances.index(probe.instance_id) for probe in probes])
        sums = {}
        for name in of_probe[0]:
            of_instance = np.bincount(place, [each[name] for each in of_probe], len(self.instances))
            sums[name] = self.weights @ of_instance
        if len(np.unique(place)) < 2:  # nothing to resample
            sums = {name: _without_resamples(each) for name, each in sums.items()}
        group: dict[str, dict[str, Measured]] = {way: {} for way in WAYS}
        for name, definition in DEFINITIONS.items():
            has_weight = np.array([each[definition.weight] > 0 for each in of_probe])
            contributes = np.zeros(len(self.instances), bool)
            contributes[place[has_weight]] = True
            with np.errstate(all="ignore"):
                three = definition.formula(sums)
            for way, values in zip(WAYS, three, strict=True):
                measured = Measured(values, int(np.count_nonzero(has_weight)), contributes)
                is_known = not np.isnan(values[0])
                group[way][name] = measured if is_known else measured.without_values()
        return group


def _without_resamples(values: Floats) -> Floats:
    """Return a sum alone, with NaN for its resamples."""
    return np.append(values[:1], np.full(len(values) - 1, np.nan))


def _sums(probe: ContinuedProbe, reference: ReferenceForecast | None) -> dict[str, float]:
    """Return what a probe adds to each sum."""
    is_open = float(probe.is_open)
    sums = {"open": is_open, "all": 1.0}
    sums |= _weighted("brier", perfect_brier(probe.finish), is_open)
    sums |= _weighted("success_brier", perfect_brier(probe.success), 1.0)
    for way, judgements in zip((WAYS[0], WAYS[2]), perfect_judgements(probe.finish), strict=True):
        sums |= {f"{name}.{way}": is_open * share for name, share in vars(judgements).items()}
    remaining = probe.remaining[:, probe.success]
    is_scored = remaining.shape[1] >= FEWEST_SUCCESSES
    share = float(probe.success.mean()) if is_scored else 0.0
    sums["succeeded"] = share
    wis = perfect_wis(remaining) if is_scored else Estimated(0.0, 0.0, 0.0)
    sums |= _weighted("wis", wis, share)
    sums |= {"brier.reference": np.nan, "wis.reference": np.nan}
    if reference is not None:
        brier = float(((reference.finish - probe.finish) ** 2).mean())
        sums["brier.reference"] = is_open * brier
        sums["wis.reference"] = 0.0
        if is_scored:
            sums["wis.reference"] = share * expected_wis(reference.quantiles, remaining)
    return sums


def _weighted(name: str, estimated: Estimated, weight: float) -> dict[str, float]:
    return {f"{name}.{way}": weight * float(getattr(estimated, way)) for way in WAYS}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
