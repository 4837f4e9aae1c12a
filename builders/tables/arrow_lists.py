"""Arrow arrays of lists of structs, from flat columns and row lengths."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from bagen_data.schema import PAIRS, Amounts


def list_array(
    kind: pa.ListType, lengths: Sequence[int] | np.ndarray[Any, Any], columns: Sequence[Any]
) -> pa.ListArray:
    """Rows of `lengths` structs each, whose fields are the flat `columns`."""
    fields = list(kind.value_type)
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for column, field in zip(columns, fields, strict=True)
    ]
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    structs = pa.StructArray.from_arrays(arrays, fields=fields)
    return pa.ListArray.from_arrays(pa.array(offsets), structs, type=kind)


def pairs_array(rows: Sequence[Amounts]) -> pa.ListArray:
    """`[{name, value}]` of each mapping, in its order."""
    names = [name for row in rows for name in row]
    values = [value for row in rows for value in row.values()]
    return list_array(PAIRS, [len(row) for row in rows], (names, values))


def table_of(columns: Mapping[str, Any], schema: pa.Schema) -> pa.Table:
    """A table from columns by name, each an Arrow array already or a sequence of plain values."""
    arrays = [
        column if isinstance(column, pa.Array) else pa.array(column, field.type)
        for field in schema
        for column in (columns[field.name],)
    ]
    return pa.Table.from_arrays(arrays, schema=schema)
