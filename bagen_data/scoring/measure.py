"""Every score of every group of answers, each with its resamples."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from bagen_data.answer_columns import REASONS, AnswerColumns
from bagen_data.array_types import Codes, Floats, Ints, Mask
from bagen_data.scoring.all_scores import (
    AVERAGED_SCORES,
    POOLED_SCORES,
    PROGRESS_SCORES,
    QUANTILE_SCORES,
    SCORES,
)
from bagen_data.scoring.definitions import (
    AnsweredFamily,
    Definition,
    ResourceSum,
    Sum,
    Sums,
)
from bagen_data.scoring.family_sums import (
    PROGRESS_BINS,
    FamilySums,
    SumPlan,
    family_sums,
    on_rows,
)
from bagen_data.scoring.report import Report, Score
from bagen_data.scoring.resampling import (
    Resampling,
    TaskDraws,
    percentile_interval,
    quantiles,
    resampled_quantiles,
)
from bagen_data.scoring.sample_source import SampleSource
from bagen_data.scoring.sample_table import FamilyColumns
from bagen_data.scoring.scores.interval_scores import COMPARISON_SCORES

PLAN = SumPlan.of(SCORES.values(), PROGRESS_SCORES.values())
"""The sums of one estimator's scores."""
COMPARISON_PLAN = SumPlan.of((SCORES | COMPARISON_SCORES).values(), PROGRESS_SCORES.values())
"""The sums of the scores of two estimators that are compared."""


@dataclass(frozen=True)
class Measured:
    """A score and its resamples."""

    values: Floats
    """(1 + b,): the value, then that of each resample; NaN where there is none."""
    n: int
    """The number of samples, or rollouts, that the value is taken over; 0 without a value."""
    contributes: Mask
    """(c,) which clusters of instances the value is taken over: those of all tasks of the group."""

    @property
    def instances(self) -> int:
        """The number of instances that contribute; those that are drawn as one count as one."""
        return int(np.count_nonzero(self.contributes))

    def without_values(self) -> Self:
        """Return the score of nothing."""
        return type(self)(np.full_like(self.values, np.nan), 0, np.zeros_like(self.contributes))

    def score(self) -> Score:
        """Return the score with its interval."""
        if np.isnan(value := float(self.values[0])):
            return Score(None, self.n)
        interval = percentile_interval(self.values[1:], self.instances)
        return Score(value, self.n, *(interval or (None, None)))


Group = Mapping[str, Measured]


@dataclass(frozen=True)
class Measurement:
    """Every score of every group."""

    overall: Group
    tasks: Mapping[str, Group]
    families: Mapping[str, Group]
    progress: Mapping[str, Mapping[str, Group]]
    invalid: Mapping[str, Mapping[str, int]]

    def report(self) -> Report:
        """Return the scores with intervals instead of resamples."""
        return Report(
            overall=_scores(self.overall),
            tasks={name: _scores(group) for name, group in self.tasks.items()},
            families={name: _scores(group) for name, group in self.families.items()},
            progress={
                name: {part: _scores(group) for part, group in parts.items()}
                for name, parts in self.progress.items()
            },
            invalid=self.invalid,
        )


def _scores(group: Group) -> dict[str, Score]:
    return {name: measured.score() for name, measured in group.items()}


@dataclass(frozen=True)
class DrawnFamily:
    """The sums of one family, over all of its clusters and over those of each of b resamples."""

    name: str
    """`task/rollout_model`."""
    task: str
    resources: tuple[str, ...]
    has_progress: bool
    """Whether the total turns of the family's rollouts are known."""
    sums: Mapping[Sum, Floats]
    """(1, 1 + b); of a `ResourceSum`, (r, 1 + b)."""
    progress: Mapping[Sum, Floats]
    """(bins, 1 + b)."""
    contributes: Mapping[Sum, Mask]
    """(c,) for which of the task's clusters a sum is above 0."""
    contributes_to_bin: Mapping[Sum, Mask]
    """(bins, c)."""
    quantiles: Mapping[str, Measured]
    """Values by score."""
    invalid: Mapping[str, int]
    """Invalid answers by reason."""


def measure(
    samples: SampleSource,
    matched: Iterable[tuple[FamilyColumns, AnswerColumns]],
    resampling: Resampling,
    alpha: float,
) -> Measurement:
    """Compute every score of every group.

    Args:
        samples: at least one.
        matched: each of their families, with the answers to it, in any order.
        resampling: how instances are drawn for intervals.
        alpha: intervals are scored as central ones of 1 - alpha.
    """
    draws = resampling.draws_of(samples.instances)
    drawn = {}
    for family, answers in matched:
        answered = AnsweredFamily(family, answers, answers, alpha)
        drawn[family.name] = draw(answered, draws[family.task], PLAN)
        del family, answers, answered  # before the next family is read
    ordered = [drawn[name] for name in samples.family_names]
    return grouped(ordered, family_scores(ordered, AVERAGED_SCORES))


def draw(family: AnsweredFamily, draws: TaskDraws, plan: SumPlan) -> DrawnFamily:
    """Sum up one family, and the draws of its task.

    Of a family of a single instance there is nothing to resample: it has NaN.
    """
    samples = family.samples
    # A family need not have rollouts of every instance of its task.
    present, cluster_of = np.unique(draws.clusters_of(samples.instance), return_inverse=True)
    sums = family_sums(family, plan, cluster_of)
    weights = draws.weights
    if len(present) < draws.clusters:
        weights = weights[:, present]
    if len(present) < 2:
        weights = np.full_like(weights, np.nan)

    def with_resamples(values: Floats) -> Floats:
        """(k, c) to (k, 1 + b)."""
        return np.concatenate([values.sum(axis=1, keepdims=True), values @ weights.T], axis=1)

    def contributes(values: Floats) -> Mask:
        """(k, present) to (k, c)."""
        mask = np.zeros((len(values), draws.clusters), bool)
        mask[:, present] = values > 0
        return mask

    totals, by_bin = on_rows(with_resamples, sums.totals, sums.by_bin)
    to_totals, to_bins = on_rows(contributes, sums.totals, sums.by_bin)
    drawn = DrawnFamily(
        samples.name,
        samples.task,
        samples.resources,
        samples.total_turns is not None,
        totals,
        by_bin,
        {each: np.logical_or.reduce(mask) for each, mask in to_totals.items()},
        to_bins,
        _quantiles(sums, weights, present, draws.clusters),
        _reasons(family.answers.reason),
    )
    family.forget_computed()
    return drawn


def family_scores(
    drawn: Sequence[DrawnFamily], definitions: Mapping[str, Definition]
) -> list[dict[str, Measured]]:
    """Compute these scores of each family, and its quantiles."""
    contributes = [family.contributes for family in drawn]
    scores = _measured(definitions, _stacked(drawn), contributes)
    return [own | dict(family.quantiles) for own, family in zip(scores, drawn, strict=True)]


def grouped(drawn: Sequence[DrawnFamily], scores: Sequence[Group]) -> Measurement:
    """Add to the families' averaged scores those of tasks and overall, and the pooled ones."""
    names = [family.name for family in drawn]
    members = {
        task: [number for number, family in enumerate(drawn) if family.task == task]
        for task in dict.fromkeys(family.task for family in drawn)
    }
    tasks = {
        task: averaged([scores[number] for number in own], of_families)
        | _pooled([drawn[number] for number in own])
        for task, own in members.items()
    }
    return Measurement(
        overall=_ordered(averaged(list(tasks.values()), of_tasks) | _pooled(drawn)),
        tasks={task: _ordered(group) for task, group in tasks.items()},
        families={
            name: _ordered({**own, **_pooled([family])})
            for name, own, family in zip(names, scores, drawn, strict=True)
        },
        progress=_progress(drawn, members),
        invalid={name: family.invalid for name, family in zip(names, drawn, strict=True)},
    )


def _quantiles(
    sums: FamilySums, weights: Floats, present: Ints, clusters: int
) -> dict[str, Measured]:
    measured = {}
    for errors, (values, cluster) in sums.errors.items():
        contributes = np.zeros(clusters, bool)
        contributes[present[cluster]] = True
        shares = {
            name: score.share for name, score in QUANTILE_SCORES.items() if score.errors is errors
        }
        overall = quantiles(values, list(shares.values()))
        resampled = resampled_quantiles(values, cluster, weights, list(shares.values()))
        for name, value, replicates in zip(shares, overall, resampled, strict=True):
            measured[name] = Measured(np.append(value, replicates), len(values), contributes)
    return measured


def _stacked(drawn: Sequence[DrawnFamily]) -> dict[Sum, Any]:
    """Each sum with a row a family, as formulas take it."""
    stacked: dict[Sum, Any] = {}
    for each in drawn[0].sums:
        if isinstance(each, ResourceSum):
            stacked[each] = {
                resources: np.stack([_of(family, each, resources) for family in drawn], axis=1)
                for resources in dict.fromkeys(family.resources for family in drawn)
            }
        else:
            stacked[each] = np.concatenate([family.sums[each] for family in drawn])
    return stacked


def _of(family: DrawnFamily, each: ResourceSum, resources: tuple[str, ...]) -> Floats:
    """(r, 1 + b) a family's sum for these resources; 0 if it has others."""
    values = family.sums[each]
    return values if family.resources == resources else np.zeros((len(resources), values.shape[1]))


def _measured(
    definitions: Mapping[str, Definition], sums: Sums, contributes: Sequence[Mapping[Sum, Mask]]
) -> list[dict[str, Measured]]:
    """Each family's scores, from sums with a row a family, and from which clusters have them.

    A score without a value (of samples that leave nothing to divide by, say) is taken over nothing.
    """
    columns = {
        name: (definition.values(sums), sums[definition.n][:, 0].astype(np.int64))
        for name, definition in definitions.items()
    }
    return [
        {
            name: _known_or_nothing(
                Measured(values[row], int(n[row]), _contributing(definitions[name], own))
            )
            for name, (values, n) in columns.items()
        }
        for row, own in enumerate(contributes)
    ]


def _contributing(definition: Definition, contributes: Mapping[Sum, Mask]) -> Mask:
    """Return which clusters a score is taken over; of several classes, those of the smallest."""
    counted = definition.classes or (definition.n,)
    return min((contributes[each] for each in counted), key=np.count_nonzero)


def _known_or_nothing(measured: Measured) -> Measured:
    return measured.without_values() if np.isnan(measured.values[0]) else measured


def of_families(contributes: Sequence[Mask]) -> Mask:
    """Return which clusters of a task contribute to any of its families."""
    return np.logical_or.reduce(contributes)


def of_tasks(contributes: Sequence[Mask]) -> Mask:
    """Return which clusters contribute, of all tasks in a row: tasks draw their own."""
    return np.concatenate(contributes)


def averaged(
    groups: Sequence[Group], joined: Callable[[Sequence[Mask]], Mask]
) -> dict[str, Measured]:
    """Return the mean of each score over those groups that have a value, as its n and instances.

    Args:
        groups: families of one task, or tasks.
        joined: `of_families` or `of_tasks`.
    """
    means = {}
    for name in groups[0]:
        members = [group[name] for group in groups]
        known = [member for member in members if not np.isnan(member.values[0])] or members
        values = _mean(np.array([member.values for member in known]))
        contributes = joined([member.contributes for member in known])
        means[name] = Measured(values, sum(member.n for member in known), contributes)
    return means


def _mean(values: Floats) -> Floats:
    """(g, 1 + b) to (1 + b,) the mean over groups that all have a value.

    A resample in which a group drew nothing (no feasible rollout, say) has the mean over the other
    groups, as the score itself is the mean over those that have it. In simulations of ten families
    with two or three feasible rollouts each, intervals of `hit_rate` then cover 94%; with another
    resample of the group's own in its place it is 75%, without such resamples 65%. If a group has
    no value in any resample, neither has the mean.
    """
    is_known = ~np.isnan(values)
    mean = np.full(values.shape[1], np.nan)
    if is_known[:, 1:].any(axis=1).all():
        known = np.where(is_known, values, 0.0).sum(axis=0)
        np.divide(known, is_known.sum(axis=0), out=mean, where=is_known.any(axis=0))
    mean[:1] = values[:, :1].mean(axis=0)
    return mean


def _pooled(drawn: Sequence[DrawnFamily]) -> dict[str, Measured]:
    """The pooled scores of all rollouts of these families together."""
    sums = {each: _total(values) for each, values in _stacked(drawn).items()}
    members: dict[str, list[Mapping[Sum, Mask]]] = {}
    for family in drawn:
        members.setdefault(family.task, []).append(family.contributes)
    counts = {score.n for score in POOLED_SCORES.values()}
    contributes = {
        each: of_tasks([of_families([of[each] for of in own]) for own in members.values()])
        for each in counts
    }
    return _measured(POOLED_SCORES, sums, [contributes])[0]


def _total(values: Any) -> Any:
    """The sum over families, as one row."""
    if isinstance(values, Mapping):
        return {resources: _total(own) for resources, own in values.items()}
    return values.sum(axis=-2, keepdims=True)


def _progress(
    drawn: Sequence[DrawnFamily], members: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, Group]]:
    """Scores by `overall` or task, then by part of a rollout."""
    if not all(family.has_progress for family in drawn):
        return {}
    groups: dict[str, dict[str, Group]] = {name: {} for name in ("overall", *members)}
    for number, part in enumerate(PROGRESS_BINS):
        sums = {
            each: np.array([family.progress[each][number] for family in drawn])
            for each in drawn[0].progress
        }
        contributes = [
            {each: of_bins[number] for each, of_bins in family.contributes_to_bin.items()}
            for family in drawn
        ]
        scores = _measured(PROGRESS_SCORES, sums, contributes)
        tasks = {
            task: averaged([scores[row] for row in own], of_families)
            for task, own in members.items()
        }
        groups["overall"][part] = averaged(list(tasks.values()), of_tasks)
        for task, group in tasks.items():
            groups[task][part] = group
    return groups


def _ordered(group: Group) -> Group:
    return {name: group[name] for name in (*SCORES, *COMPARISON_SCORES) if name in group}


def _reasons(codes: Codes) -> dict[str, int]:
    counts = np.bincount(codes, minlength=len(REASONS))
    return dict(zip(REASONS[1:], counts[1:].tolist(), strict=True))
