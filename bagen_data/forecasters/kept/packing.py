"""Nested frozen dataclasses as a JSON value and arrays, and back, without running code of a file.

The classes say what a file may hold: a field that is missing, is too many, or is of another kind is
refused by name. Numbers are finite, texts are printable, and arrays lie beside the JSON value under
the names of their fields, joined by points.

>>> from dataclasses import dataclass
>>> from bagen_data.array_types import Floats
>>> @dataclass(frozen=True)
... class Line:
...     start: float
...     slopes: Floats
>>> packed = pack(Line(1.0, np.array([2.0, 3.0])))
>>> packed.value, packed.arrays["slopes"].tolist()
({'start': 1.0}, [2.0, 3.0])
>>> unpack(Line, packed).slopes.tolist()
[2.0, 3.0]
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
MOST_CHARACTERS = 10_000
"""Characters of a text."""
MOST_DEPTH = 12
"""Levels of an object whose fields are not given by a class."""
_LARGEST = float(np.finfo(np.float64).max)
_SHOWN = 60
"""Characters of a value that a message shows."""
_INTEGERS = (np.int8, np.int16, np.int32, np.int64)
_KINDS: dict[Any, str] = {np.float64: "f8", np.bool_: "b1", np.signedinteger: "i"}
"""Kinds of arrays that a type hint takes, by the hint's scalar."""
_KIND_NAMES = {"f8": "float64", "b1": "bool", "i": "whole numbers"}

_Model = TypeVar("_Model")


class PackingError(ValueError):
    """Something that is not what its class says; the message names the field."""


@dataclass(frozen=True)
class Packed:
    """A dataclass that was taken apart."""

    value: dict[str, Any]
    """The part of the dataclass that JSON holds."""
    arrays: Mapping[str, Array]
    """Arrays by the path of their field."""


def pack(model: Any) -> Packed:
    """Take a dataclass apart.

    Raises:
        PackingError: a value is not of the kind that its field says.
        TypeError: a field is of a kind that cannot be kept.
    """
    arrays: dict[str, Array] = {}
    return Packed(_packed(type(model), model, "", arrays), arrays)


def unpack(kind: type[_Model], packed: Packed) -> _Model:
    """Put a dataclass together.

    Args:
        kind: the class.
        packed: a JSON value, from anybody, and arrays of whatever kinds and shapes.

    Raises:
        PackingError: the parts are not those of the class, or the class refuses them.
        TypeError: a field is of a kind that cannot be kept.
    """
    left = dict(packed.arrays)
    model: _Model = _unpacked(kind, packed.value, "", left)
    if left:
        raise PackingError(f"has an array {next(iter(left))!a:.{_SHOWN}} that belongs to no field")
    return model


def _packed(hint: Any, value: Any, path: str, arrays: dict[str, Array]) -> Any:
    """Return what JSON holds of a value, and put its arrays under their paths."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is np.ndarray:
        arrays[path] = _smallest(value)
        return None
    if origin in {Union, UnionType}:
        return None if value is None else _packed(_of_optional(arguments), value, path, arrays)
    if origin is tuple:
        return [
            _packed(arguments[0], each, f"{path}.{number}", arrays)
            for number, each in enumerate(value)
        ]
    if isinstance(hint, type) and is_dataclass(hint):
        parts = {
            name: _packed(own, getattr(value, name), _joined(path, name), arrays)
            for name, own in _hints(hint).items()
        }
        return {name: parts[name] for name in _stated(hint)}
    if origin is not None and issubclass(origin, Mapping):
        value = dict(value)
    return _plain(hint, value, path)


def _unpacked(hint: Any, value: Any, path: str, arrays: dict[str, Array]) -> Any:
    """Return a value of this kind."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is np.ndarray:
        return _array(hint, path, arrays)
    if origin in {Union, UnionType}:
        return None if value is None else _unpacked(_of_optional(arguments), value, path, arrays)
    if origin is tuple:
        if not isinstance(value, list):
            raise _unlike(path, value, "a list")
        return tuple(
            _unpacked(arguments[0], each, f"{path}.{number}", arrays)
            for number, each in enumerate(value)
        )
    if isinstance(hint, type) and is_dataclass(hint):
        return _object(hint, value, path, arrays)
    return _plain(hint, value, path)


def _object(kind: type, value: Any, path: str, arrays: dict[str, Array]) -> Any:
    stated = _stated(kind)
    if not isinstance(value, dict):
        raise _unlike(path, value, "an object")
    missing = [name for name in stated if name not in value]
    if missing:
        raise PackingError(f"{_joined(path, missing[0])} is missing")
    unknown = [name for name in value if name not in stated]
    if unknown:
        raise PackingError(f"{path or 'the value'} has an unknown field {unknown[0]!a:.{_SHOWN}}")
    parts = {
        name: _unpacked(own, value.get(name), _joined(path, name), arrays)
        for name, own in _hints(kind).items()
    }
    try:
        return kind(**parts)
    except PackingError:
        raise
    except ValueError as error:
        raise PackingError(f"{path or kind.__name__} {error}") from error


def _array(hint: Any, path: str, arrays: dict[str, Array]) -> Array:
    kind = _KINDS[_scalar(hint)]
    array = arrays.pop(path, None)
    if array is None:
        raise PackingError(f"the array {path} is missing")
    is_kind = array.dtype.kind == "i" if kind == "i" else array.dtype.str[1:] == kind
    if not is_kind:
        raise PackingError(f"the array {path} is of {array.dtype}; expected {_KIND_NAMES[kind]}")
    return array.astype(np.int64) if kind == "i" else array


def _plain(hint: Any, value: Any, path: str) -> Any:
    """Return a number, text, flag, or object of such; floats may be written as whole numbers."""
    origin = get_origin(hint)
    if origin is not None and issubclass(origin, Mapping):
        return _mapping(get_args(hint)[1], value, path)
    if hint not in _EXPECTED:
        raise TypeError(f"{path}: a field of {hint} cannot be kept")
    if not _IS_PLAIN[hint](value):
        raise _unlike(path, value, _EXPECTED[hint])
    return hint(value)


def _mapping(inside: Any, value: Any, path: str) -> dict[str, Any]:
    """Return an object with values of one kind, or of whatever JSON has."""
    if not isinstance(value, dict):
        raise _unlike(path, value, "an object")
    for name in value:
        _plain(str, name, path)
    if inside is not Any:
        return {name: _plain(inside, each, _joined(path, name)) for name, each in value.items()}
    _check_json(value, path)
    return value


_IS_PLAIN: Mapping[Any, Callable[[Any], bool]] = {
    bool: lambda value: isinstance(value, bool),
    int: lambda value: type(value) is int and abs(value) < 1 << 63,
    float: lambda value: type(value) in {int, float} and abs(value) <= _LARGEST,
    str: lambda value: (
        isinstance(value, str) and len(value) <= MOST_CHARACTERS and value.isprintable()
    ),
}
"""Tests whether a value is of a kind, by kind."""
_EXPECTED = {
    bool: "true or false",
    int: "a whole number",
    float: "a finite number",
    str: f"a text of at most {MOST_CHARACTERS:,} printable characters",
}


def _check_json(value: Any, path: str, depth: int = 0) -> None:
    """Refuse JSON that is nested too deeply, or has numbers or texts that are not plain."""
    if depth > MOST_DEPTH:
        raise PackingError(f"{path:.{_SHOWN}} is nested too deeply")
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for name, each in items:
            _plain(str, str(name), path)
            _check_json(each, _joined(path, str(name)), depth + 1)
    elif isinstance(value, str):
        _plain(str, value, path)
    elif isinstance(value, float) and not math.isfinite(value):
        raise _unlike(path, value, "a finite number")
    elif value is not None and not isinstance(value, bool | int | float):
        raise TypeError(f"{path}: {type(value).__name__} is not JSON")


def _smallest(array: Array) -> Array:
    """Return whole numbers in as few bytes as hold them, and other arrays as they are."""
    if array.dtype.kind != "i":
        return np.ascontiguousarray(array)
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for kind in _INTEGERS:
        limits = np.iinfo(kind)
        if limits.min <= low and high <= limits.max:
            return np.ascontiguousarray(array.astype(kind))
    raise AssertionError("64 bits hold every array of whole numbers")


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Return the kinds of a dataclass's fields by name."""
    hints = get_type_hints(kind)
    return {each.name: hints[each.name] for each in fields(kind)}


def _stated(kind: type) -> list[str]:
    """Return the fields of a dataclass that JSON holds: all that are not arrays."""
    return [name for name, own in _hints(kind).items() if get_origin(own) is not np.ndarray]


def _of_optional(arguments: tuple[Any, ...]) -> Any:
    """Return the kind that a field has where it is not None."""
    (kind,) = (each for each in arguments if each is not NoneType)
    return kind


def _scalar(hint: Any) -> Any:
    """Return the scalar of an array's hint, such as `numpy.float64`."""
    scalar = get_args(get_args(hint)[1])[0]
    return get_origin(scalar) or scalar


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _unlike(path: str, value: Any, expected: str) -> PackingError:
    shown = ascii(value) if isinstance(value, str | int | float | None) else type(value).__name__
    if len(shown) > _SHOWN:
        shown = f"{shown[:_SHOWN]}..."
    return PackingError(f"{path or 'the value'} is {shown}; expected {expected}")
