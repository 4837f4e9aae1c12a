"""A table of samples as columns, family by family."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask, every
from bagen_data.errors import InputError
from bagen_data.prompt_variants import question_of
from bagen_data.schema import Question
from bagen_data.scoring.input_columns import (
    AmountColumns,
    Rows,
    as_strings,
    as_table,
    codes,
    id_parts,
    row_of,
    truth_values,
    whole_numbers,
)
from bagen_data.scoring.reference_columns import ReferenceColumns

REQUIRED = ("sample_id", "feasible", "resources")
DERIVED = ("task", "rollout_model", "rollout_id", "completed_turns")
"""Columns that a sample's id names too."""
OPTIONAL = ("total_turns", "rollout_success", "instance_id")
_VARIANT = "prompt_variant"
_MOST_STRING_BYTES = 1 << 31
"""Bytes of text that an Arrow array of the type `string` can hold."""


@dataclass(frozen=True)
class FamilyColumns:
    """The samples of one task by one rollout model: n samples of m rollouts, r resources.

    The rows of a rollout are ordered, short prefix first; rollouts are numbered by id, wherever
    their rows are. So no sum by rollout depends on the order of the table.
    """

    task: str
    rollout_model: str
    resources: tuple[str, ...]
    rows: Rows
    """The places of the family's samples in the table."""
    rollout: Ints
    """(n,) 0 .. m-1, the samples' rollouts, in the order of their ids."""
    first: Ints
    """(m,) the row of each rollout's shortest prefix."""
    instance: Ints
    """(m,) the rank of each rollout's instance among the ids of all instances of the table."""
    completed_turns: Ints
    """(n,) k."""
    total_turns: Ints | None
    """(n,) T, if the table has it."""
    feasible: Mask
    """(n,)."""
    rollout_success: Mask | None
    """(n,), if the table has it."""
    budget: Floats
    """(r, n)."""
    used: Floats
    """(r, n)."""
    remaining: Floats
    """(r, n)."""
    reference: ForecastColumns | None = None
    """(n,) the reference's forecasts, which skills are relative to, if they are given."""

    @property
    def name(self) -> str:
        """`task/rollout_model`."""
        return f"{self.task}/{self.rollout_model}"

    @property
    def is_open(self) -> Mask:
        """(n,) which samples are within every budget so far, a budget used up included."""
        return every(self.used <= self.budget)


@dataclass(frozen=True)
class SampleTable:
    """The samples that answers are held against."""

    sample_id: Any
    """An Arrow array of n strings, in the order of the table."""
    families: tuple[FamilyColumns, ...]
    """Ordered by name."""
    resources: tuple[tuple[str, ...], ...]
    """The distinct lists of resources."""
    resources_of: Ints
    """(n,) each sample's position in `resources`."""
    question: Question | None
    """The question that the column `prompt_variant` names, `interval` without that column; None if
    it names several."""

    def __len__(self) -> int:
        return len(self.resources_of)

    @property
    def family_names(self) -> tuple[str, ...]:
        """Names of all families, in their order."""
        return tuple(family.name for family in self.families)

    @property
    def instances(self) -> dict[str, Ints]:
        """The ranks of each task's instances, ascending, by the task's name."""
        return instances_by_task(self.families)

    @property
    def part_sizes(self) -> tuple[int, ...]:
        """The number of samples: a table in memory is one part."""
        return (len(self),)

    def parts(self) -> Iterator[Self]:
        """Yield the table itself."""
        yield self

    def ids(self) -> Iterator[Any]:
        """Yield the array of all sample ids."""
        yield self.sample_id

    @classmethod
    def of(cls, samples: Any, reference: Any = None, instance_ids: Any = None) -> Self:
        """Read a table of samples, as `load_dataset` gives them.

        Args:
            samples: with columns `sample_id`, `feasible` and `resources`, a list of
                `{resource, budget, used, remaining}`. Without `total_turns` there are no scores by
                progress; without `rollout_success` none of the paper's own; without `instance_id`
                rollouts of one id are of one instance. What else is needed is read off
                `sample_id` where its column is missing.
            reference: the rows of config `reference`: `sample_id`, `finish`, `success` and
                `resources`, a list of `{resource, quantiles}`. Rows of other samples are left
                aside. Without it no score is relative to the reference.
            instance_ids: an Arrow array of the ids that instances are ranked among, ascending;
                those of the table if None. A table that is part of a dataset has fewer.

        Raises:
            InputError: a column is missing or of the wrong type, a sample appears twice, its
                amounts or turns cannot be, its rollout is both feasible and not, both a success and
                not, feasible without success, or of two instances, samples of one family name
                different resources, a prompt variant is unknown, or the reference cannot be used or
                has rows for some samples of a family only.
        """
        try:
            table = as_table(samples, REQUIRED, (*DERIVED, *OPTIONAL, _VARIANT))
        except InputError as error:
            raise InputError(f"samples: {error}") from error
        if not len(table):
            raise InputError("samples: the table is empty; expected one row or more")
        ids = as_strings(_one_array(table["sample_id"]))
        parts = table if set(DERIVED) <= set(table.column_names) else id_parts(ids)
        columns: dict[str, npt.NDArray[Any]] = {
            name: truth_values(table[name], name)
            for name in ("feasible", "rollout_success")
            if name in table.column_names
        }
        columns["completed_turns"] = whole_numbers(parts["completed_turns"], "completed_turns")
        if "total_turns" in table.column_names:
            columns["total_turns"] = whole_numbers(table["total_turns"], "total_turns")
        _check_turns(columns, ids)
        amounts = AmountColumns.of(_one_array(table["resources"]))
        tasks, task_names = codes(parts["task"])
        _check_tasks(task_names.to_pylist())
        models, model_names = codes(parts["rollout_model"])
        rollouts, rollout_names = codes(parts["rollout_id"])
        order = np.argsort(pc.sort_indices(rollout_names).to_numpy())
        columns["instance"] = rollouts = order[rollouts]
        name = "instance_id" if "instance_id" in table.column_names else "rollout_id"
        if instance_ids is not None or name == "instance_id":
            instances, names = codes((table if name == "instance_id" else parts)[name])
            columns["instance"] = _ranks(names, instance_ids)[instances]
        forecasts = None if reference is None else ReferenceColumns.of(reference, ids)
        columns_of = _SampleColumns(ids, columns, rollouts, amounts, forecasts)
        families = [
            columns_of.family(
                task_names[key // len(model_names)], model_names[key % len(model_names)], rows
            )
            for key, rows in _groups(tasks * np.int32(len(model_names)) + models)
        ]
        families.sort(key=lambda family: (family.task, family.rollout_model))
        known = sorted({family.resources for family in families})
        resources_of = np.zeros(len(ids), np.int32)
        for family in families:
            resources_of[family.rows] = known.index(family.resources)
        return cls(ids, tuple(families), tuple(known), resources_of, _question(table))


@dataclass(frozen=True)
class _SampleColumns:
    """The columns of all samples."""

    ids: Any
    columns: dict[str, npt.NDArray[Any]]
    rollout: Ints
    """(n,) ranks of rollout ids, of all families."""
    amounts: AmountColumns
    reference: ReferenceColumns | None

    def family(self, task: Any, rollout_model: Any, rows: Rows) -> FamilyColumns:
        """The samples at `rows`, in their order."""
        rows = self._ordered(rows)
        resources, (budget, used, remaining) = self.amounts.of_rows(rows, self.ids)
        columns = {name: column[rows] for name, column in self.columns.items()}
        ranks = self.rollout[rows]
        starts = _starts(ranks)
        number = np.empty(len(starts), np.int64)
        number[np.argsort(ranks[starts])] = np.arange(len(starts))
        first = np.empty(len(starts), np.int64)
        first[number] = starts
        rollout = np.repeat(number, np.diff(starts, append=len(ranks)))
        feasible, success = columns["feasible"], columns.get("rollout_success")
        self._check_label(rows, "feasible", feasible, feasible[first].take(rollout))
        if success is not None:
            self._check_label(rows, "rollout_success", success, success[first].take(rollout))
            self._check_success(rows, feasible & ~success)
        instance = columns["instance"][first]
        self._check_instance(rows, columns["instance"] != instance.take(rollout))
        return FamilyColumns(
            task=task.as_py(),
            rollout_model=rollout_model.as_py(),
            resources=resources,
            rows=rows,
            rollout=rollout,
            first=first,
            instance=instance,
            completed_turns=columns["completed_turns"],
            total_turns=columns.get("total_turns"),
            feasible=feasible,
            rollout_success=success,
            budget=budget,
            used=used,
            remaining=remaining,
            reference=self.reference.of_rows(rows, self.ids, resources) if self.reference else None,
        )

    def _ordered(self, rows: Rows) -> Rows:
        """The same rows if each rollout's lie together, short prefix first; else such an order."""
        rollout, turns = self.rollout[rows], self.columns["completed_turns"][rows]
        is_new = rollout[1:] != rollout[:-1]
        starts = _starts(rollout)
        lie_together = (np.diff(np.sort(rollout[starts])) > 0).all()  # np.unique is slower
        if lie_together and (is_new | (turns[1:] > turns[:-1])).all():
            return rows
        order = np.lexsort((turns, rollout))
        twice = (np.diff(rollout[order]) == 0) & (np.diff(turns[order]) == 0)
        rows = np.arange(len(self.rollout))[rows][order]
        if twice.any():
            row = int(rows[1:][twice][0])
            raise InputError(f"row {row}: sample {self.ids[row].as_py()!r} appears twice")
        return rows

    def _check_label(self, rows: Rows, name: str, values: Mask, of_rollout: Mask) -> None:
        differs = values != of_rollout
        if differs.any():
            position = int(np.argmax(differs))
            row, sample = row_of(rows, position, self.ids)
            raise InputError(
                f"row {row}: sample {sample!r} has {name}: {values[position]}, and another sample "
                f"of its rollout has {name}: {of_rollout[position]}; a rollout has one label"
            )

    def _check_success(self, rows: Rows, contradicts: Mask) -> None:
        if contradicts.any():
            row, sample = row_of(rows, int(np.argmax(contradicts)), self.ids)
            raise InputError(
                f"row {row}: sample {sample!r} has feasible: True and rollout_success: False; a "
                "feasible rollout succeeded within its budget"
            )

    def _check_instance(self, rows: Rows, differs: Mask) -> None:
        if differs.any():
            row, sample = row_of(rows, int(np.argmax(differs)), self.ids)
            raise InputError(
                f"row {row}: sample {sample!r} has another instance_id than an earlier sample of "
                "its rollout; a rollout is of one instance"
            )


def _ranks(names: Any, among: Any) -> Ints:
    """Return the rank of each of these distinct names among some that hold them all.

    Args:
        names: an Arrow array.
        among: an Arrow array, ascending; the names themselves if None.
    """
    if among is None:
        return np.argsort(pc.sort_indices(names).to_numpy())
    return pc.index_in(names.cast(among.type), value_set=among).to_numpy().astype(np.int64)


def instances_by_task(families: Iterable[FamilyColumns]) -> dict[str, Ints]:
    """Return the ranks of each task's instances, ascending, by the task's name.

    Args:
        families: all families of these tasks, in any order.
    """
    members: dict[str, list[Ints]] = {}
    for family in families:
        members.setdefault(family.task, []).append(family.instance)
    return {task: np.unique(np.concatenate(own)) for task, own in members.items()}


def _question(table: pa.Table) -> Question | None:
    if _VARIANT not in table.column_names:
        return "interval"
    try:
        questions = {question_of(name) for name in codes(table[_VARIANT])[1].to_pylist()}
    except InputError as error:
        raise InputError(f"samples: column {_VARIANT}: {error}") from error
    return questions.pop() if len(questions) == 1 else None


def _starts(values: Ints) -> Ints:
    """Return the places where stretches of equal values begin."""
    return np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1]]))


def _check_turns(columns: dict[str, npt.NDArray[Any]], ids: Any) -> None:
    completed = columns["completed_turns"]
    total = columns.get("total_turns", completed)
    wrong = (completed < 0) | (completed > total) | (columns.get("total_turns", 1) < 1)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(
            f"row {row}: sample {ids[row].as_py()!r} has {completed[row]} of {total[row]} turns "
            "completed; expected 0 <= completed_turns <= total_turns, and a turn in all"
        )


def _check_tasks(names: list[str]) -> None:
    for name in names:
        if not name or "/" in name or name == "overall":
            raise InputError(f"task {name!r}: expected a name without '/' that is not 'overall'")


def _groups(keys: Ints) -> Iterator[tuple[int, Rows]]:
    """(key, rows) of each distinct key."""
    if not len(keys):
        return
    bounds = [0, *(np.flatnonzero(keys[1:] != keys[:-1]) + 1).tolist(), len(keys)]
    firsts = keys[bounds[:-1]].tolist()
    if len(set(firsts)) == len(firsts):
        for key, start, stop in zip(firsts, bounds[:-1], bounds[1:], strict=True):
            yield key, slice(start, stop)
        return
    order = np.argsort(keys, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        yield int(keys[rows[0]]), rows


def _one_array(column: Any) -> Any:
    if not isinstance(column, pa.ChunkedArray):
        return column
    if column.num_chunks == 1:
        return column.chunk(0)
    if pa.types.is_string(column.type) and column.nbytes >= _MOST_STRING_BYTES:
        column = column.cast(pa.large_string())
    return column.combine_chunks() if column.num_chunks else pa.array([], column.type)
