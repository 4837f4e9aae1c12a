"""The columns that callers give: tables of any kind, and the amounts of samples' resources."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.answers import check_resource_name
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.errors import InputError

Rows = slice | Ints
"""Consecutive rows as a slice, so that taking them copies nothing; others as (n,) positions."""

_AMOUNTS = ("budget", "used", "remaining")
_MOST = 1e150
"""The largest amount, so that sums of them are finite."""
_ID = r"^(?P<task>[^/]+)/(?P<rollout_model>.+)/(?P<rollout_id>[^/]+)/(?P<completed_turns>[0-9]+)$"


def as_table(data: Any, required: Sequence[str], optional: Sequence[str] = ()) -> pa.Table:
    """Return the named columns of tabular data; of `optional` those that there are.

    Args:
        data: an Arrow table, a `datasets.Dataset`, a pandas or Polars data frame, a dict of
            columns, or a list of dicts.
        required: columns that must be there.
        optional: columns that may be.

    Raises:
        InputError: `data` is nothing tabular, a required column is missing, or a value is null.
    """
    if hasattr(data, "with_format"):  # datasets: the rows as they are selected and shuffled
        names = [name for name in (*required, *optional) if name in data.column_names]
        table = data.select_columns(names).with_format("arrow")[:]
    elif isinstance(data, pa.Table):
        table = data
    else:
        table = _converted(data)
    if not table.column_names:
        raise InputError("the table is empty; expected one row or more")
    missing = [name for name in required if name not in table.column_names]
    if missing:
        present = ", ".join(table.column_names) or "none"
        raise InputError(f"no column {missing[0]!r}; found columns: {present}")
    table = table.select([name for name in (*required, *optional) if name in table.column_names])
    for name in table.column_names:
        if table[name].null_count:
            row = pc.index(pc.is_null(table[name]), True).as_py()
            raise InputError(f"row {row}: {name} is missing (null)")
    return table


def _converted(data: Any) -> pa.Table:
    try:
        if isinstance(data, Sequence) and not isinstance(data, str):
            rows = list(data)
            names = {name: None for row in rows for name in row}
            return pa.table({name: [row.get(name) for row in rows] for name in names})
        return pa.table(data)
    except (TypeError, ValueError, AttributeError) as error:
        raise InputError(f"cannot be read as a table: {error}") from error


def id_parts(sample_ids: Any) -> pa.Table:
    """`task`, `rollout_model`, `rollout_id` and `completed_turns` as sample ids name them.

    Raises:
        InputError: an id does not have the form `task/rollout_model/rollout_id/k`.
    """
    parts = pc.extract_regex(sample_ids, _ID)
    if parts.null_count:
        row = pc.index(pc.is_null(parts), True).as_py()
        raise InputError(
            f"row {row}: sample_id is {sample_ids[row].as_py()!r}; "
            "expected task/rollout_model/rollout_id/k"
        )
    columns = {
        name: pc.struct_field(parts, name) for name in ("task", "rollout_model", "rollout_id")
    }
    try:
        turns = pc.cast(pc.struct_field(parts, "completed_turns"), pa.int64())
    except pa.ArrowInvalid as error:
        raise InputError(f"sample_id: a number of turns cannot be: {error}") from error
    return pa.table(columns | {"completed_turns": turns})


def codes(column: Any) -> tuple[Ints, Any]:
    """(n,) positions in a list of distinct strings, and that list as an Arrow array."""
    if isinstance(column, pa.ChunkedArray):
        if pa.types.is_dictionary(column.type):
            column = column.unify_dictionaries()
        column = column.combine_chunks()
        if isinstance(column, pa.ChunkedArray):  # of no chunk
            column = pa.array([], column.type)
    if not pa.types.is_dictionary(column.type):
        column = as_strings(column).dictionary_encode()
    return column.indices.to_numpy().astype(np.int32, copy=False), as_strings(column.dictionary)


def as_strings(column: Any) -> Any:
    """A column of text without views or dictionaries; of anything else, as it is."""
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string_view(kind):
        return column.cast(pa.large_string())
    return column.cast(kind) if pa.types.is_dictionary(column.type) else column


def whole_numbers(column: Any, name: str) -> npt.NDArray[np.int64]:
    """A column of integers of any size.

    Raises:
        InputError: it holds something else.
    """
    if not pa.types.is_integer(column.type):
        raise InputError(f"{name} is a column of {column.type}; expected whole numbers")
    return np.asarray(column.to_numpy()).astype(np.int64)


def truth_values(column: Any, name: str) -> Mask:
    """A column of truth values.

    Raises:
        InputError: it holds something else.
    """
    if not pa.types.is_boolean(column.type):
        raise InputError(f"{name} is a column of {column.type}; expected bool")
    return np.asarray(column.to_numpy())


@dataclass(frozen=True)
class AmountColumns:
    """The column `resources`, flat: a sample's amounts lie at `starts[i]` .. `starts[i + 1]`."""

    starts: Ints
    names: Ints
    known: tuple[str, ...]
    values: tuple[Floats, ...]

    @classmethod
    def of(cls, lists: Any) -> Self:
        """Read an Arrow array of lists of `{resource, budget, used, remaining}`."""
        if not pa.types.is_list(lists.type) and not pa.types.is_large_list(lists.type):
            raise InputError(f"resources is a column of {lists.type}; expected lists of dicts")
        flat = lists.flatten()
        if not len(flat):
            raise InputError("resources is empty for every sample; expected one amount or more")
        fields = {field.name for field in flat.type} if pa.types.is_struct(flat.type) else set()
        missing = [name for name in ("resource", *_AMOUNTS) if name not in fields]
        if missing:
            raise InputError(f"resources has no field {missing[0]!r}")
        offsets = lists.offsets.to_numpy()
        for name in ("resource", *_AMOUNTS):
            if flat.field(name).null_count or flat.null_count:
                raise InputError(f"resources: a {name} is missing (null)")
        names, known = codes(flat.field("resource"))
        for name in known.to_pylist():
            check_resource_name(name)
        kinds = {name: flat.field(name).type for name in _AMOUNTS}
        for name, kind in kinds.items():
            if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
                raise InputError(f"resources: {name} is of type {kind}; expected numbers")
        values = [pc.cast(flat.field(name), pa.float64()) for name in _AMOUNTS]
        return cls(
            offsets - offsets[0],
            names,
            tuple(known.to_pylist()),
            tuple(value.to_numpy(zero_copy_only=False) for value in values),
        )

    def of_rows(self, rows: Rows, ids: Any) -> tuple[tuple[str, ...], list[Floats]]:
        """The resources of one family's rows, and (r, n) of each amount."""
        starts, stops = self.starts[:-1][rows], self.starts[1:][rows]
        width = int(stops[0] - starts[0])
        self._check(rows, ids, stops - starts == width if width else np.zeros(len(starts), bool))
        places: Rows
        if isinstance(rows, slice):
            places = slice(int(starts[0]), int(stops[-1]))
        else:
            places = (starts[:, np.newaxis] + np.arange(width)).ravel()
        names = self.names[places].reshape(-1, width)
        self._check(rows, ids, (names == names[0]).all(axis=1))
        if len(set(names[0].tolist())) < width:
            row, sample = row_of(rows, 0, ids)
            raise InputError(f"row {row}: sample {sample!r} names a resource twice")
        values = [value[places] for value in self.values]
        for name, value in zip(_AMOUNTS, values, strict=True):
            if not (value.min() >= 0 and value.max() <= _MOST):
                wrong = ~((value >= 0) & (value <= _MOST))
                row, sample = row_of(rows, int(np.argmax(wrong)) // width, ids)
                raise InputError(
                    f"row {row}: sample {sample!r} has a {name} of {value[np.argmax(wrong)]}; "
                    f"expected a number from 0 to {_MOST:g}"
                )
        shaped = [np.ascontiguousarray(value.reshape(-1, width).T) for value in values]
        return tuple(self.known[code] for code in names[0]), shaped

    def _check(self, rows: Rows, ids: Any, is_like_first: Mask) -> None:
        if not is_like_first.all():
            row, sample = row_of(rows, int(np.argmin(is_like_first)), ids)
            raise InputError(
                f"row {row}: sample {sample!r} names other resources than the first one of its "
                "family, or none; expected the same in the same order"
            )


def row_of(rows: Rows, position: int, ids: Any) -> tuple[int, str]:
    """The row in the table, and its sample's id, of one of these rows."""
    row = rows.start + position if isinstance(rows, slice) else int(rows[position])
    return row, ids[row].as_py()
