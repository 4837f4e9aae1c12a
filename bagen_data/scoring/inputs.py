"""What callers have (Arrow, `datasets`, pandas, Polars, lists of dicts) as Arrow tables."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.array_types import Ints, Mask
from bagen_data.errors import InputError

_ID = r"^(?P<task>[^/]+)/(?P<rollout_model>.+)/(?P<rollout_id>[^/]+)/(?P<completed_turns>[0-9]+)$"


def as_table(data: Any, required: Sequence[str], optional: Sequence[str] = ()) -> pa.Table:
    """The named columns of tabular data, those of `optional` only where there are.

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
        raise InputError("there are none")
    missing = [name for name in required if name not in table.column_names]
    if missing:
        found = ", ".join(table.column_names) or "none"
        raise InputError(f"no column {missing[0]!r}; found columns: {found}")
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


def truths(column: Any, name: str) -> Mask:
    """A column of truth values.

    Raises:
        InputError: it holds something else.
    """
    if not pa.types.is_boolean(column.type):
        raise InputError(f"{name} is a column of {column.type}; expected bool")
    return np.asarray(column.to_numpy())
