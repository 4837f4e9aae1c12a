"""Probes of a dataset, each with the continuations that were played from its turn."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.array_types import Floats, Mask
from bagen_data.continuation_names import ContinuationName
from bagen_data.errors import InputError
from bagen_data.schema import SUM_DECIMALS, Amounts, Budget
from bagen_data.wording import in_a_clone

Row = Mapping[str, Any]
"""A row of `schema.ROLLOUTS`."""


@dataclass(frozen=True)
class ContinuedProbe:
    """A probe and how n continuations went on from it, r resources."""

    sample_id: str
    """The probe's name, `task/rollout_model/rollout_id/k`."""
    instance_id: str
    is_open: bool
    """Whether no budget is exceeded yet."""
    finish: Mask
    """(n,): success within every budget of the probe."""
    success: Mask
    """(n,): success, within the budgets or not."""
    remaining: Floats
    """(r, n): what each continuation went on to spend, in the order of the probe's budgets."""

    @property
    def task(self) -> str:
        """The probe's task."""
        return self.sample_id.partition("/")[0]

    @property
    def family(self) -> str:
        """The probe's `task/rollout_model`."""
        return self.sample_id.rpartition("/")[0].rpartition("/")[0]


@dataclass(frozen=True)
class ContinuedProbes:
    """The probes with recorded continuations."""

    probes: Sequence[ContinuedProbe]
    """Each with two continuations or more, ordered by sample id."""
    single: int
    """Probes with one continuation alone, which are left out."""
    elsewhere: int
    """Continuations from turns at which the dataset has no probe, which are left out."""


@dataclass(frozen=True)
class _Continuation:
    """A row of a dataset of continuations."""

    name: ContinuationName
    row: Row

    @property
    def prefix(self) -> list[Row]:
        """The turns that were recorded."""
        turns: list[Row] = self.row["turns"][: self.name.turn]
        return turns


def continued_probes(
    rollouts: pa.Table, continuations: pa.Table, sample_ids: set[str], where: str, dataset: str
) -> ContinuedProbes:
    """Match continuations with the probes that they begin at.

    A continuation is one of a probe if the dataset has a rollout of the same family and instance
    whose first k turns are the same, in their texts and in what they used.

    Args:
        rollouts: rollouts of the dataset, in the columns of `schema.ROLLOUTS`.
        continuations: a built dataset's, likewise.
        sample_ids: the probes of the dataset.
        where: the continuations' folder, for messages.
        dataset: the dataset's, likewise.

    Raises:
        InputError: a row is not a continuation, its outcome is hidden by a drawn target, or the
            dataset has no rollout that it continues.
    """
    played = list(_read(continuations, where))
    instances = pa.array(sorted({each.name.instance_id for each in played}), pa.string())
    are_continued = pc.is_in(rollouts["instance_id"].cast(pa.string()), instances)
    recorded: dict[tuple[str, ...], list[Row]] = {}
    for row in rollouts.filter(are_continued).to_pylist():
        recorded.setdefault(_identity(row, row["instance_id"]), []).append(row)
    groups: dict[str, tuple[Row, list[_Continuation]]] = {}
    elsewhere = 0
    for each in played:
        source = _source(each, recorded, where, dataset)
        sample_id = f"{'/'.join(_identity(source, source['rollout_id']))}/{each.name.turn}"
        if sample_id in sample_ids:
            groups.setdefault(sample_id, (source, []))[1].append(each)
        else:
            elsewhere += 1
    probes = [
        _probe(sample_id, source, members)
        for sample_id, (source, members) in sorted(groups.items())
        if len(members) > 1
    ]
    return ContinuedProbes(probes, len(groups) - len(probes), elsewhere)


def _identity(row: Row, name: str) -> tuple[str, str, str]:
    return row["task"], row["rollout_model"], name


def _read(continuations: pa.Table, where: str) -> Iterator[_Continuation]:
    """Yield the continuations.

    Raises:
        InputError: a row is none, or its outcome is not known.
    """
    for row in continuations.to_pylist():
        name = ContinuationName.parse(row["instance_id"])
        if name is None:
            raise InputError(
                f"{where}: rollout {row['rollout_id']} of {row['task']} is of instance "
                f"{row['instance_id']}, and is not a continuation; expected a build of nothing "
                f"but rollouts recorded by {in_a_clone('python -m collect --resume-from')}"
            )
        own = Budget(_amounts(row["budget"]), _amounts(row["conditions"]))
        final = _amounts(row["turns"][-1]["state"])
        if not row["rollout_success"] and not own.is_reached_by(final):
            raise InputError(
                f"{where}: continuation {row['instance_id']} misses a target that its build drew, "
                "so that its own outcome is not known; build the continuations with "
                + in_a_clone(f"python -m builders build --budget {row['task']}=1x")
            )
        yield _Continuation(name, row)


def _source(
    continuation: _Continuation,
    recorded: Mapping[tuple[str, ...], Sequence[Row]],
    where: str,
    dataset: str,
) -> Row:
    """Return the recorded rollout that a continuation goes on from.

    Where turns of the recorded rollout were dropped before that turn, those that are left are
    compared.

    Raises:
        InputError: no recorded rollout begins as the continuation does.
    """
    key = _identity(continuation.row, continuation.name.instance_id)
    prefix = continuation.prefix
    for source in recorded.get(key, ()):
        own = source["turns"][: continuation.name.turn]
        if own == prefix[: len(own)]:
            return source
    name = "/".join(key[:2])
    problem = (
        f"has no rollout of it by {name}"
        if key not in recorded
        else f"has none of its rollouts by {name} with the same texts and usage up to that turn"
    )
    raise InputError(
        f"{where}: continues a rollout of instance {key[2]} from turn {continuation.name.turn}, "
        f"and {dataset} {problem}; expected the dataset of the rollouts that were played on, built "
        "with the same options"
    )


def _probe(sample_id: str, source: Row, members: Sequence[_Continuation]) -> ContinuedProbe:
    budget = Budget(_amounts(source["budget"]), _amounts(source["conditions"]))
    names = tuple(budget.limits)
    used = _spent(members[0].prefix, names)
    totals = [_spent(each.row["turns"], names) for each in members]
    success = [
        each.row["rollout_success"]
        and budget.is_reached_by(_amounts(each.row["turns"][-1]["state"]))
        for each in members
    ]
    within = [budget.allows(total) for total in totals]
    remaining = [
        [round(total[name] - used[name], SUM_DECIMALS) for total in totals] for name in names
    ]
    return ContinuedProbe(
        sample_id,
        source["instance_id"],
        budget.allows(used),
        np.array(success) & np.array(within),
        np.array(success),
        np.array(remaining, np.float64),
    )


def _spent(turns: Sequence[Row], names: Sequence[str]) -> Amounts:
    amounts = [_amounts(turn["usage"]) for turn in turns]
    return {name: round(sum(each[name] for each in amounts), SUM_DECIMALS) for name in names}


def _amounts(pairs: Sequence[Row]) -> dict[str, float]:
    return {pair["name"]: pair["value"] for pair in pairs}
