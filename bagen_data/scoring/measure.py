"""From answers to every score of every group, each with its resamples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bagen_data.answer_columns import REASONS, AnswerColumns
from bagen_data.array_types import Codes, Floats
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
    percentile_interval,
    quantiles,
    resampled_quantiles,
)
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable
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

    def score(self) -> Score:
        """With its interval."""
        if np.isnan(value := float(self.values[0])):
            return Score(None, self.n)
        interval = percentile_interval(self.values[1:])
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
        """With intervals instead of resamples."""
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
    """One family's sums, over all of its clusters and over those of each of b resamples."""

    resources: tuple[str, ...]
    sums: Mapping[Sum, Floats]
    """(1, 1 + b); of a `ResourceSum`, (r, 1 + b)."""
    progress: Mapping[Sum, Floats]
    """(bins, 1 + b)."""
    quantiles: Mapping[str, Measured]
    """By score."""
    invalid: Mapping[str, int]
    """Invalid answers by reason."""


def measure(
    samples: SampleTable,
    matched: Iterable[tuple[FamilyColumns, AnswerColumns]],
    resampling: Resampling,
    alpha: float,
) -> Measurement:
    """Compute every score of every group.

    Args:
        samples: at least one.
        matched: each of their families, with the answers to it, in any order.
        resampling: how rollouts are drawn for intervals.
        alpha: intervals are scored as central ones of 1 - alpha.
    """
    drawn = {
        family.name: draw(AnsweredFamily(family, answers, answers, alpha), resampling, PLAN)
        for family, answers in matched
    }
    ordered = [drawn[family.name] for family in samples.families]
    return grouped(samples, ordered, family_scores(ordered, AVERAGED_SCORES))


def draw(family: AnsweredFamily, resampling: Resampling, plan: SumPlan) -> DrawnFamily:
    """Sum up one family, and resamples of it."""
    samples = family.samples
    cluster_of = resampling.clusters(samples)
    sums = family_sums(family, plan, cluster_of)
    weights = resampling.weights(samples, int(cluster_of.max()) + 1)
    if len(samples.first) < 2:  # nothing to resample
        weights = np.full_like(weights, np.nan)

    def with_resamples(values: Floats) -> Floats:
        """(k, c) to (k, 1 + b)."""
        return np.concatenate([values.sum(axis=1, keepdims=True), values @ weights.T], axis=1)

    totals, by_bin = on_rows(with_resamples, sums.totals, sums.by_bin)
    return DrawnFamily(
        samples.resources,
        totals,
        by_bin,
        _quantiles(sums, weights),
        _reasons(family.answers.reason),
    )


def family_scores(
    drawn: Sequence[DrawnFamily], definitions: Mapping[str, Definition]
) -> list[dict[str, Measured]]:
    """Compute these scores of each family, and its quantiles."""
    scores = _measured(definitions, _stacked(drawn))
    return [own | dict(family.quantiles) for own, family in zip(scores, drawn, strict=True)]


def grouped(
    samples: SampleTable, drawn: Sequence[DrawnFamily], scores: Sequence[Group]
) -> Measurement:
    """Add to the families' averaged scores those of tasks and overall, and the pooled ones."""
    names = [family.name for family in samples.families]
    members = {
        task: [number for number, family in enumerate(samples.families) if family.task == task]
        for task in dict.fromkeys(family.task for family in samples.families)
    }
    tasks = {
        task: _macro([scores[number] for number in own])
        | _pooled([drawn[number] for number in own])
        for task, own in members.items()
    }
    return Measurement(
        overall=_ordered(_macro(list(tasks.values())) | _pooled(drawn)),
        tasks={task: _ordered(group) for task, group in tasks.items()},
        families={
            name: _ordered({**own, **_pooled([family])})
            for name, own, family in zip(names, scores, drawn, strict=True)
        },
        progress=_progress(samples, drawn, members),
        invalid={name: family.invalid for name, family in zip(names, drawn, strict=True)},
    )


def _quantiles(sums: FamilySums, weights: Floats) -> dict[str, Measured]:
    measured = {}
    for errors, (values, cluster) in sums.errors.items():
        shares = {
            name: score.share for name, score in QUANTILE_SCORES.items() if score.errors is errors
        }
        overall = quantiles(values, list(shares.values()))
        resampled = resampled_quantiles(values, cluster, weights, list(shares.values()))
        for name, value, replicates in zip(shares, overall, resampled, strict=True):
            measured[name] = Measured(np.append(value, replicates), len(values))
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


def _measured(definitions: Mapping[str, Definition], sums: Sums) -> list[dict[str, Measured]]:
    """Each family's scores, from sums with a row a family."""
    columns = {
        name: (definition.values(sums), sums[definition.n][:, 0].astype(np.int64))
        for name, definition in definitions.items()
    }
    families = len(next(iter(columns.values()))[1])
    return [
        {name: Measured(values[row], int(n[row])) for name, (values, n) in columns.items()}
        for row in range(families)
    ]


def _macro(groups: Sequence[Group]) -> dict[str, Measured]:
    """The mean over those groups that have a value."""
    means = {}
    for name in groups[0]:
        members = [group[name] for group in groups]
        known = [member.values for member in members if not np.isnan(member.values[0])]
        values = _mean(np.array(known)) if known else members[0].values
        means[name] = Measured(values, sum(member.n for member in members))
    return means


def _mean(values: Floats) -> Floats:
    """(g, 1 + b) to (1 + b,) the mean over groups that all have a value.

    A group that drew nothing in some resample (no feasible rollout, say) has another one of its own
    resamples there: groups are drawn independently of each other. If one has none at all, neither
    has the mean.
    """
    filled = values.copy()
    for own in filled[:, 1:]:
        missing = np.flatnonzero(np.isnan(own))
        known = np.flatnonzero(~np.isnan(own))
        if len(known):
            own[missing] = own[known[np.arange(len(missing)) % len(known)]]
    return filled.sum(axis=0) / len(filled)


def _pooled(drawn: Sequence[DrawnFamily]) -> dict[str, Measured]:
    """The pooled scores of all rollouts of these families together."""
    sums = {each: _total(values) for each, values in _stacked(drawn).items()}
    return _measured(POOLED_SCORES, sums)[0]


def _total(values: Any) -> Any:
    """The sum over families, as one row."""
    if isinstance(values, Mapping):
        return {resources: _total(own) for resources, own in values.items()}
    return values.sum(axis=-2, keepdims=True)


def _progress(
    samples: SampleTable, drawn: Sequence[DrawnFamily], members: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, Group]]:
    """By `overall` or task, then by part of a rollout."""
    if any(family.total_turns is None for family in samples.families):
        return {}
    groups: dict[str, dict[str, Group]] = {name: {} for name in ("overall", *members)}
    for number, part in enumerate(PROGRESS_BINS):
        sums = {
            each: np.array([family.progress[each][number] for family in drawn])
            for each in drawn[0].progress
        }
        scores = _measured(PROGRESS_SCORES, sums)
        tasks = {task: _macro([scores[row] for row in own]) for task, own in members.items()}
        groups["overall"][part] = _macro(list(tasks.values()))
        for task, group in tasks.items():
            groups[task][part] = group
    return groups


def _ordered(group: Group) -> Group:
    return {name: group[name] for name in (*SCORES, *COMPARISON_SCORES) if name in group}


def _reasons(codes: Codes) -> dict[str, int]:
    counts = np.bincount(codes, minlength=len(REASONS))
    return dict(zip(REASONS[1:], counts[1:].tolist(), strict=True))
