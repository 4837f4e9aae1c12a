"""The features of a config as `dataset_info` of a card has them, without the package datasets."""

from typing import Any

import pyarrow as pa

_DTYPES = {pa.string(): "string", pa.bool_(): "bool", pa.int32(): "int32", pa.float64(): "float64"}


def features_of(schema: pa.Schema) -> list[dict[str, Any]]:
    """Return the features of a table, as `datasets.Features` reads and writes them.

    >>> features_of(pa.schema([("id", pa.string()), ("sizes", pa.list_(pa.float64()))]))
    [{'name': 'id', 'dtype': 'string'}, {'name': 'sizes', 'list': 'float64'}]
    """
    return [_feature(field.name, field.type) for field in schema]


def _feature(name: str, kind: pa.DataType) -> dict[str, Any]:
    if not pa.types.is_list(kind):
        return {"name": name, "dtype": _DTYPES[kind]}
    element = kind.value_type
    if pa.types.is_struct(element):
        return {"name": name, "list": [_feature(field.name, field.type) for field in element]}
    return {"name": name, "list": _DTYPES[element]}
