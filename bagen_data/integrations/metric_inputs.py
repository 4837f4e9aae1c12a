"""Columns of the metric for `evaluate`: responses and references, checked and as Arrow tables.

Columns of the expected types are checked as a whole. Only others are looked at value by value, to
convert NumPy's scalars or to name the first value that is wrong.
"""

import numbers
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.scoring.input_columns import as_strings

_AMOUNTS = ("budget", "used", "remaining")
_REQUIRED = ("sample_id", "feasible", "resources")
_OPTIONAL = {"total_turns": int, "rollout_success": bool, "instance_id": str}
_COLUMNS = (*_REQUIRED, *_OPTIONAL)
_KINDS = {
    str: "a string",
    bool: "True or False",
    int: "a whole number",
    list: "a list",
    numbers.Real: "a number",
}
_ARROW_TYPES = {
    "sample_id": pa.string(),
    "feasible": pa.bool_(),
    "total_turns": pa.int64(),
    "rollout_success": pa.bool_(),
    "instance_id": pa.string(),
}


@dataclass(frozen=True)
class MetricTables:
    """The answers and rows that a metric scores, in the order in which they were given."""

    samples: pa.Table
    """`sample_id`, `feasible`, `resources`, and each optional column that every row has."""
    predictions: pa.Table
    """`sample_id` and `response`."""


def metric_tables(predictions: Any, references: Any) -> MetricTables:
    """Return responses and the rows of their samples as tables.

    Args:
        predictions: raw responses: a list, an array of NumPy or Arrow, a column of a dataset or of
            a data frame.
        references: rows of the dataset: a list of dicts, a dataset, an Arrow table, or a data frame
            of pandas or Polars.

    Raises:
        ValueError: they are of another kind, of different lengths, or empty; a response is not a
            string; or a row lacks what scoring needs, or has it of another type.
    """
    responses = _responses(predictions)
    if not len(responses):
        raise ValueError("predictions are empty; expected at least one")
    table = _as_arrow(references)
    rows = listed("references", references) if table is None else None
    check_lengths(responses, table if rows is None else rows)
    samples = _from_table(table) if rows is None else _from_rows(rows)
    if samples is None:
        if rows is None:
            rows = listed("references", references)
        samples = _from_rows([reference_row(*each) for each in enumerate(rows)])
        if samples is None:
            raise ValueError("references: a whole number or a string is too large")
    texts = responses if isinstance(responses, pa.ChunkedArray) else _texts(responses)
    return MetricTables(samples, pa.table({"sample_id": samples["sample_id"], "response": texts}))


def listed(name: str, values: Any) -> list[Any]:
    """Return a column as a list.

    Args:
        name: what an error calls it.
        values: anything that can be gone through; the rows of a table or data frame are dicts.

    Raises:
        ValueError: it only looks like a list, as a string does.
    """
    if values is None or isinstance(values, str | dict):
        raise _not_a_list(name, values)
    for method in ("to_dicts", "to_pylist"):  # of Polars and Arrow
        if hasattr(values, method):
            return list(getattr(values, method)())
    if hasattr(values, "to_dict") and hasattr(values, "columns"):  # a data frame of pandas
        return list(values.to_dict("records"))
    return list(values)


def check_lengths(predictions: Any, references: Any) -> None:
    """Raise ValueError unless there are as many responses as references."""
    if len(predictions) != len(references):
        raise ValueError(
            f"{len(predictions)} predictions for {len(references)} references; "
            "expected one for each"
        )


def reference_row(number: int, reference: Any) -> dict[str, Any]:
    """Return a reference with the keys that `evaluate` expects of each, of the right types.

    Args:
        number: its place among the references, for errors.
        reference: a dict.

    Raises:
        ValueError: it lacks what scoring needs, or has it of another type.
    """
    where = f"reference {number}"
    row = {
        "sample_id": _field(where, reference, "sample_id", str),
        "feasible": _field(where, reference, "feasible", bool),
    }
    row["resources"] = []
    for amounts in _field(where, reference, "resources", list):
        resource = {"resource": _field(f"{where}, resources", amounts, "resource", str)}
        for name in _AMOUNTS:
            resource[name] = float(_field(f"{where}, resources", amounts, name, numbers.Real))
        row["resources"].append(resource)
    for name, kind in _OPTIONAL.items():
        is_given = reference.get(name) is not None
        missing = "" if kind is str else None  # `evaluate` encodes no string that is None
        row[name] = _field(where, reference, name, kind) if is_given else missing
    return row


def response_text(number: int, prediction: Any) -> str:
    """Return a response; characters that no text file can hold are replaced.

    Args:
        number: its place among the predictions, for errors.
        prediction: a string.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(prediction, str):
        raise ValueError(
            f"prediction {number} is {type(prediction).__name__}; expected the raw response as a "
            "string, empty if there was none"
        )
    # A character that no text file can hold is not part of an answer either.
    return prediction.encode("utf-8", "replace").decode("utf-8")


def _field(where: str, row: Any, name: str, kind: Any) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise ValueError(
            f"{where} has no {name!r}; expected a dict with sample_id, feasible and resources, a "
            "list of {resource, budget, used, remaining}"
        )
    value = row[name]
    if hasattr(value, "tolist"):  # of NumPy
        value = value.tolist()
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise ValueError(f"{where}: {name} is {value!r}; expected {_KINDS[kind]}")
    return value


def _not_a_list(name: str, values: Any) -> ValueError:
    return ValueError(f"{name} is {type(values).__name__}; expected a list, one entry a sample")


def _responses(predictions: Any) -> Any:
    """Return responses as an Arrow column of strings if they are one, else as a list."""
    column = predictions
    if hasattr(column, "source") and hasattr(column, "column_name"):  # a column of a dataset
        column = _dataset_column(column)
    arrow = _frame_column(column) if hasattr(column, "to_list") else column
    if isinstance(arrow, pa.Array):
        arrow = pa.chunked_array([arrow])
    if isinstance(arrow, pa.ChunkedArray) and _is_text(arrow.type) and not arrow.null_count:
        return arrow
    if isinstance(column, pa.Array | pa.ChunkedArray):
        return column.to_pylist()
    for method in ("to_list", "tolist"):  # of data frames, and of NumPy
        if hasattr(column, method):
            column = getattr(column, method)()
            if not isinstance(column, list):  # an array without a dimension
                raise _not_a_list("predictions", predictions)
            return column
    return listed("predictions", column)


def _dataset_column(column: Any) -> Any:
    """Return a column of a dataset as Arrow has it; of anything else, as it is."""
    source, name = column.source, column.column_name
    if not (hasattr(source, "select_columns") and hasattr(source, "__len__")):
        return column
    return source.select_columns([name]).with_format("arrow")[:][name]


def _frame_column(column: Any) -> Any:
    """Return a column of a data frame as Arrow has it; None where that cannot hold its values."""
    try:
        return pa.array(column)
    except (TypeError, ValueError):
        return None


def _texts(responses: Sequence[Any]) -> pa.Array:
    if set(map(type, responses)) == {str}:
        try:
            return pa.array(responses, pa.large_string())
        except UnicodeEncodeError:  # surrogates, which each response is searched for below
            pass
    return pa.array([response_text(*each) for each in enumerate(responses)], pa.large_string())


def _as_arrow(references: Any) -> pa.Table | None:
    """Return a table or data frame as Arrow has it; None of rows, or where a column is missing."""
    if isinstance(references, pa.Table | pa.RecordBatch):
        return pa.table(references)
    names = getattr(references, "column_names", getattr(references, "columns", ()))
    is_table = hasattr(references, "__len__") and not isinstance(references, dict)
    if not (is_table and set(_REQUIRED) <= set(names)):
        return None
    known = [name for name in _COLUMNS if name in set(names)]
    if hasattr(references, "with_format"):  # a dataset: rows as they are selected and shuffled
        return references.select_columns(known).with_format("arrow")[:]
    try:
        return pa.table(references[known])
    except (TypeError, ValueError):  # columns of mixed types, which are looked at row by row
        return None


def _from_table(table: pa.Table | None) -> pa.Table | None:
    """Return the columns of a table if all are of the expected types, else None."""
    if table is None or not set(_REQUIRED) <= set(table.column_names):
        return None
    if any(table[name].null_count for name in _REQUIRED) or not _are_amounts(table["resources"]):
        return None
    if not (_is_text(table["sample_id"].type) and pa.types.is_boolean(table["feasible"].type)):
        return None
    columns = {name: table[name] for name in _REQUIRED}
    for name, kind in _OPTIONAL.items():
        if name not in table.column_names or pa.types.is_null(table[name].type):
            continue
        if not _is_of(kind, table[name].type):
            return None
        column = as_strings(table[name])
        is_known = not column.null_count
        if is_known and not (kind is str and pc.any(pc.equal(column, "")).as_py()):
            columns[name] = column
    return pa.table(columns)


def _is_text(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return bool(
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def _is_of(kind: type, column_type: pa.DataType) -> bool:
    if kind is str:
        return _is_text(column_type)
    is_whole = pa.types.is_boolean if kind is bool else pa.types.is_integer
    return bool(is_whole(column_type))


def _are_amounts(column: pa.ChunkedArray) -> bool:
    """Return whether each row has a list of amounts, all of them given."""
    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (is_list and pa.types.is_struct(kind.value_type)):
        return False
    fields = {field.name: field.type for field in kind.value_type}
    if not {"resource", *_AMOUNTS} <= fields.keys() or not _is_text(fields["resource"]):
        return False
    kinds = [fields[name] for name in _AMOUNTS]
    if not all(pa.types.is_floating(each) or pa.types.is_integer(each) for each in kinds):
        return False
    flat = [chunk.flatten() for chunk in column.chunks]
    return not any(
        part.null_count or part.field(name).null_count
        for part in flat
        for name in ("resource", *_AMOUNTS)
    )


def _from_rows(rows: list[Any]) -> pa.Table | None:
    """Return the columns of rows if all values are of the expected types, else None."""
    try:
        columns = {name: [row[name] for row in rows] for name in _REQUIRED}
        amounts = list(chain.from_iterable(columns["resources"]))
        flat = {name: [each[name] for each in amounts] for name in ("resource", *_AMOUNTS)}
    except (TypeError, KeyError, IndexError):
        return None
    numeric = chain.from_iterable(flat[name] for name in _AMOUNTS)
    if not (
        _all_are(rows, dict)
        and _all_are(columns["sample_id"], str)
        and _all_are(columns["feasible"], bool)
        and _all_are(columns["resources"], list)
        and _all_are(amounts, dict)
        and _all_are(flat["resource"], str)
        and _all_are(numeric, float, int)
    ):
        return None
    for name, kind in _OPTIONAL.items():
        values = [row.get(name) for row in rows]
        if not _all_are(values, kind, type(None)):
            return None
        if None not in values and "" not in values:
            columns[name] = values
    try:
        lists = _lists(columns.pop("resources"), flat)
        arrays = {name: pa.array(each, _ARROW_TYPES[name]) for name, each in columns.items()}
    except (pa.ArrowInvalid, OverflowError):  # a number that is too large
        return None
    return pa.table(arrays | {"resources": lists})


def _lists(resources: list[list[Any]], flat: dict[str, list[Any]]) -> pa.Array:
    offsets = np.cumsum([0, *map(len, resources)], dtype=np.int32)
    arrays = [pa.array(flat["resource"], pa.string())]
    arrays += [pa.array(flat[name], pa.float64()) for name in _AMOUNTS]
    records = pa.StructArray.from_arrays(arrays, list(flat))
    return pa.ListArray.from_arrays(pa.array(offsets), records)


def _all_are(values: Iterable[Any], *kinds: type) -> bool:
    """Return whether each value is of exactly one of these types."""
    return set(map(type, values)) <= set(kinds)
