"""From answers to every score of every group, each with its resamples."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.answer_columns import REASONS, AnswerColumns
from bagen_data.array_types import Codes, Floats, Mask
from bagen_data.scoring.definitions import (
    ALARM_SCORES,
    EARLY_STOP_SCORES,
    PAPER_SCORES,
    PROGRESS_SCORES,
    PROGRESS_SUMS,
    QUANTILE_SCORES,
    SAMPLE_SCORES,
    SCORES,
    SHARED_SCORES,
)
from bagen_data.scoring.formulas import Definition
from bagen_data.scoring.quantiles import quantiles, resampled_quantiles
from bagen_data.scoring.report import Report, Score
from bagen_data.scoring.resampling import Resampling, percentile_interval
from bagen_data.scoring.sample_table import Family, Truth
from bagen_data.scoring.sums import BINS, FamilySums, family_sums

PARTS = tuple(f"{100 * part // BINS}-{100 * (part + 1) // BINS}%" for part in range(BINS))
"""Names of the progress bins."""


@dataclass(frozen=True)
class Measured:
    """A score and its resamples."""

    values: Floats
    """(1 + b,): the value, then that of each resample; NaN where there is none."""
    n: int

    def score(self) -> Score:
        """With its interval."""
        value = float(self.values[0])
        if np.isnan(value):
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
            overall=scores_of(self.overall),
            tasks={name: scores_of(group) for name, group in self.tasks.items()},
            families={name: scores_of(group) for name, group in self.families.items()},
            progress={
                name: {part: scores_of(group) for part, group in parts.items()}
                for name, parts in self.progress.items()
            },
            invalid=self.invalid,
        )


def scores_of(group: Group) -> dict[str, Score]:
    """By name, without those of a comparison."""
    return {name: measured.score() for name, measured in group.items() if name not in SHARED_SCORES}


@dataclass(frozen=True)
class Drawn:
    """One family's sums, over all of its clusters and over those of each resample."""

    sums: Mapping[str, Floats]
    """By name, (1 + b,)."""
    progress: Mapping[str, Floats]
    """By name, (bins, 1 + b)."""
    quantiles: Mapping[str, tuple[Floats, int]]
    """By name, (1 + b,) and n."""
    invalid: Mapping[str, int]
    """By reason."""


def measure(
    truth: Truth,
    answered: Iterable[tuple[Family, AnswerColumns]],
    resampling: Resampling,
    alpha: float,
) -> Measurement:
    """Every score of every group.

    Args:
        truth: the samples, at least one.
        answered: each of their families, with the answers to it, in any order.
        resampling: how intervals are found.
        alpha: intervals are scored as central ones of 1 - alpha.
    """
    found = {family.name: draw(family, answers, resampling, alpha) for family, answers in answered}
    return combined(truth, [found[family.name] for family in truth.families])


def combined(truth: Truth, drawn: Sequence[Drawn]) -> Measurement:
    """Every score of every group, from the sums of each of `truth.families`."""
    return grouped(truth, drawn, family_scores(drawn))


def family_scores(drawn: Sequence[Drawn]) -> list[dict[str, Measured]]:
    """Of each family, the scores whose value for a task is their mean."""
    sums = _stacked([found.sums for found in drawn])
    scores = _measured(SAMPLE_SCORES | ALARM_SCORES | PAPER_SCORES | SHARED_SCORES, sums)
    for own, found in zip(scores, drawn, strict=True):
        for name, (values, n) in found.quantiles.items():
            own[name] = Measured(values, n)
    return scores


def grouped(
    truth: Truth, drawn: Sequence[Drawn], scores: Sequence[Mapping[str, Measured]]
) -> Measurement:
    """The families' scores with those of tasks and overall, and early stop from summed counts."""
    sums = _stacked([found.sums for found in drawn])
    early_stop = _measured(EARLY_STOP_SCORES, sums)
    members = {
        task: [number for number, family in enumerate(truth.families) if family.task == task]
        for task in dict.fromkeys(family.task for family in truth.families)
    }
    tasks = {
        task: _macro([scores[number] for number in own]) | _pooled(sums, own)
        for task, own in members.items()
    }
    everything = range(len(drawn))
    return Measurement(
        overall=_ordered(_macro(list(tasks.values())) | _pooled(sums, everything)),
        tasks={task: _ordered(group) for task, group in tasks.items()},
        families={
            family.name: _ordered({**scores[number], **early_stop[number]})
            for number, family in enumerate(truth.families)
        },
        progress=_progress(truth, drawn, members),
        invalid={
            family.name: found.invalid for family, found in zip(truth.families, drawn, strict=True)
        },
    )


def draw(
    family: Family,
    answers: AnswerColumns,
    resampling: Resampling,
    alpha: float,
    also: Mask | None = None,
) -> Drawn:
    """One family's sums and those of its resamples; `also` as in `family_sums`."""
    cluster_of = resampling.clusters(family)
    sums = family_sums(family, answers, alpha=alpha, cluster_of=cluster_of, also=also)
    weights = resampling.weights(family, int(cluster_of.max()) + 1)
    if len(family.first) < 2:  # nothing to resample
        weights = np.full_like(weights, np.nan)
    by_bin = [sums.by_bin[name][:, part] for name in PROGRESS_SUMS for part in range(BINS)]
    table = np.array([*sums.totals.values(), *by_bin])
    drawn = np.concatenate([table.sum(axis=1, keepdims=True), table @ weights.T], axis=1)
    of_bins = drawn[len(sums.totals) :].reshape(-1, BINS, drawn.shape[1])
    return Drawn(
        dict(zip(sums.totals, drawn[: len(sums.totals)], strict=True)),
        dict(zip(PROGRESS_SUMS, of_bins, strict=True)),
        _quantiles(sums, weights),
        _reasons(answers.reason),
    )


def _quantiles(sums: FamilySums, weights: Floats) -> dict[str, tuple[Floats, int]]:
    found = {}
    for errors, (values, cluster) in sums.errors.items():
        names = [name for name, kind in QUANTILE_SCORES.items() if kind.errors == errors]
        shares = [QUANTILE_SCORES[name].share for name in names]
        resampled = resampled_quantiles(values, cluster, weights, shares)
        for name, value, replicates in zip(
            names, quantiles(values, shares), resampled, strict=True
        ):
            found[name] = (np.append(value, replicates), len(values))
    return found


def _stacked(families: Sequence[Mapping[str, Floats]]) -> dict[str, Floats]:
    """By name, one array with a row a family; 0 where a family does not have it."""
    names = dict.fromkeys(name for sums in families for name in sums)
    nothing = np.zeros_like(next(iter(families[0].values())))
    return {name: np.array([sums.get(name, nothing) for sums in families]) for name in names}


def _measured(
    definitions: Mapping[str, Definition], sums: Mapping[str, Floats]
) -> list[dict[str, Measured]]:
    """Each family's scores, from sums with a row a family."""
    columns = {
        name: (definition.formula(sums), definition.n(sums)[:, 0].astype(np.int64))
        for name, definition in definitions.items()
    }
    families = len(next(iter(sums.values())))
    return [
        {name: Measured(values[row], int(n[row])) for name, (values, n) in columns.items()}
        for row in range(families)
    ]


def _macro(groups: Sequence[Group]) -> dict[str, Measured]:
    """The mean over those groups that have a value."""
    found = {}
    for name in groups[0]:
        members = [group[name] for group in groups]
        known = [member.values for member in members if not np.isnan(member.values[0])]
        values = _mean(np.array(known)) if known else members[0].values
        found[name] = Measured(values, sum(member.n for member in members))
    return found


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
    found: Floats = filled.sum(axis=0) / len(filled)
    return found


def _pooled(sums: Mapping[str, Floats], rows: Iterable[int]) -> dict[str, Measured]:
    """Early stop from the summed counts of these families, and their usage by resource."""
    chosen = list(rows)
    summed = {name: values[chosen].sum(axis=0, keepdims=True) for name, values in sums.items()}
    return _measured(EARLY_STOP_SCORES, summed)[0]


def _progress(
    truth: Truth, drawn: Sequence[Drawn], members: Mapping[str, Sequence[int]]
) -> dict[str, dict[str, Group]]:
    """By `overall` or task, then by part of a rollout."""
    if any(family.total_turns is None for family in truth.families):
        return {}
    sums = _stacked([found.progress for found in drawn])
    found: dict[str, dict[str, Group]] = {name: {} for name in ("overall", *members)}
    for number, part in enumerate(PARTS):
        scores = _measured(
            PROGRESS_SCORES, {name: values[:, number] for name, values in sums.items()}
        )
        tasks = {task: _macro([scores[row] for row in own]) for task, own in members.items()}
        found["overall"][part] = _macro(list(tasks.values()))
        for task, group in tasks.items():
            found[task][part] = group
    return found


def _ordered(group: Group) -> Group:
    return {name: group[name] for name in (*SCORES, *SHARED_SCORES) if name in group}


def _reasons(codes: Codes) -> dict[str, int]:
    counts = np.bincount(codes, minlength=len(REASONS))
    return dict(zip(REASONS[1:], counts[1:].tolist(), strict=True))
