"""Arrays as the bytes of a safetensors file, and back."""

import math
from collections.abc import Mapping

import numpy as np

from bagen_data.forecasters.kept.packing import Array, PackingError

_KINDS = {
    "F64": np.dtype("<f8"),
    "BOOL": np.dtype(np.bool_),
    "I8": np.dtype("<i1"),
    "I16": np.dtype("<i2"),
    "I32": np.dtype("<i4"),
    "I64": np.dtype("<i8"),
}
"""Kinds of arrays that a forecaster may have, by their names in safetensors."""
_SHOWN = 60


def array_bytes(arrays: Mapping[str, Array]) -> bytes:
    """Return the content of a safetensors file."""
    from safetensors.numpy import save

    content: bytes = save(dict(arrays))
    return content


def read_arrays(content: bytes) -> dict[str, Array]:
    """Return the arrays of a safetensors file, which may come from anybody.

    Raises:
        PackingError: the content is not of such a file, or has arrays of other kinds.
    """
    from safetensors import SafetensorError, deserialize

    try:
        parts = deserialize(content)  # type: ignore[no-untyped-call]
    except (SafetensorError, ValueError, OverflowError) as error:
        raise PackingError(f"is not a safetensors file ({error!s:.{_SHOWN}})") from error
    return {name: _array(name, part["dtype"], part["shape"], part["data"]) for name, part in parts}


def _array(name: str, kind: str, shape: list[int], data: bytes) -> Array:
    shown_name = ascii(name[:_SHOWN])
    if kind not in _KINDS:
        kinds = ", ".join(_KINDS)
        raise PackingError(f"has the array {shown_name} of {kind}; expected one of {kinds}")
    if math.prod(shape) * _KINDS[kind].itemsize != len(data):
        raise PackingError(f"has the array {shown_name} of another size than its shape")
    if kind == "BOOL" and np.frombuffer(data, np.uint8).max(initial=0) > 1:
        raise PackingError(f"has the array {shown_name} with flags that are not 0 or 1")
    try:
        return np.frombuffer(data, _KINDS[kind]).reshape(shape)
    except ValueError as error:  # more dimensions than NumPy has
        raise PackingError(f"has the array {shown_name} of a shape that cannot be") from error
