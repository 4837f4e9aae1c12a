"""A stranger's forecaster is used as it is checked, or refused by one message; it runs nothing."""

import hashlib
import json
import os
import pickle
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import InputError
from bagen_data.forecasters.kept import KeptForecaster, load_forecaster
from bagen_data.forecasters.kept.array_file import array_bytes, read_arrays
from bagen_data.forecasters.kept.forecaster_files import (
    ARRAYS,
    CARD,
    FILES,
    LARGEST,
    RECORD,
    forecaster_files,
    read_forecaster,
)
from tests.bagen_data.forecasters.kept_cases import KINDS, fitted, fitted_on_amounts, probes

HOSTILE: list[Any] = [
    *(None, True, 0, -1, 3, 2**62, 2**63, 10**400, 1e308, 5e-324),
    *(float("nan"), float("inf"), "", "x", "\ud800", "\x1b[31m", "a" * 20_000),
    *([], {}, [[]], [None], "tokens", "aft", {"__reduce__": ["os.system", "id"]}),
]
"""Values that a field of the record is set to."""


def read(files: Mapping[str, bytes]) -> KeptForecaster:
    def content(name: str) -> bytes:
        if name not in files:
            raise FileNotFoundError(name)
        return files[name]

    return read_forecaster(content, "theirs")


def of_json(files: Mapping[str, bytes], record: Any) -> dict[str, bytes]:
    """The files with another record, which names the arrays by their hash."""
    if isinstance(record, dict) and "arrays_sha256" in record:
        record = record | {"arrays_sha256": hashlib.sha256(files[ARRAYS]).hexdigest()}
    return {**files, RECORD: json.dumps(record).encode()}


def of_arrays(files: Mapping[str, bytes], content: bytes) -> dict[str, bytes]:
    """The files with other arrays, which the record names by their hash."""
    return of_json({**files, ARRAYS: content}, json.loads(files[RECORD]))


def used_or_refused(files: Mapping[str, bytes]) -> None:
    """See that a forecaster answers soundly, or is refused by one line."""
    try:
        kept = read(files)
        asked = probes(kept.resources) if kept.task == "chess" else ()
        forecasts = kept.forecast(asked)
    except InputError as error:
        message = str(error)
        assert message.startswith("theirs")
        assert message.isprintable()
        assert len(message) < 600
    else:
        assert [kept.forecast([one])[0] for one in asked[:3]] == forecasts[:3]


def parts_of(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every part of a JSON value; of long lists, those of the first parts."""
    children = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value[:4])
        if isinstance(value, list)
        else ()
    )
    own = [path] if path else []
    return [*own, *(each for key, child in children for each in parts_of(child, (*path, key)))]


@given(data=st.data())
def test_any_record_is_used_or_refused(data: st.DataObject) -> None:
    made = data.draw(st.sampled_from([fitted, fitted_on_amounts]))
    files = forecaster_files(made(data.draw(st.sampled_from(KINDS))))
    record = json.loads(files[RECORD])
    path = data.draw(st.sampled_from(parts_of(record)))
    parent = record
    for key in path[:-1]:
        parent = parent[key]
    if data.draw(st.booleans()):
        del parent[path[-1]]
    else:
        parent[path[-1]] = data.draw(st.sampled_from(HOSTILE))
    used_or_refused(of_json(files, record))


NUMBERS = (-1, 0, 1, 5, 2**31, 2**62, -(2**63))
REALS = (np.nan, np.inf, -np.inf, 0.0, -0.0, 1e308, -1e99, 1e99, 5e-324, 700.0)


def changed(array: Any, data: st.DataObject) -> Any:
    """An array with another value, shape or kind."""
    how = data.draw(st.sampled_from(["value", "value", "cut", "twice", "column", "kind", "back"]))
    if how == "value" and array.size:
        values = REALS if array.dtype.kind == "f" else NUMBERS
        wide = array.astype({"f": np.float64, "i": np.int64, "b": np.int8}[array.dtype.kind])
        place = data.draw(st.integers(0, array.size - 1))
        value = data.draw(st.sampled_from(values))
        wide.reshape(-1)[place] = value if wide.dtype.itemsize > 1 else value % 2
        return wide.astype(np.bool_) if array.dtype.kind == "b" else wide
    if how == "cut":
        return array[: data.draw(st.integers(0, len(array)))]
    if how == "kind":
        kind = data.draw(st.sampled_from([np.float32, np.float64, np.int64, np.bool_, np.uint8]))
        return np.zeros(array.shape, kind)
    return {"twice": np.concatenate([array, array]), "column": array.reshape(-1, 1)}.get(
        how, array[::-1]
    )


@given(data=st.data())
def test_any_arrays_are_used_or_refused(data: st.DataObject) -> None:
    made = data.draw(st.sampled_from([fitted, fitted_on_amounts]))
    files = forecaster_files(made(data.draw(st.sampled_from(KINDS))))
    arrays = read_arrays(files[ARRAYS])
    name = data.draw(st.sampled_from(sorted(arrays)))
    how = data.draw(st.sampled_from(["changed", "changed", "changed", "missing", "renamed"]))
    array = arrays.pop(name)
    if how != "missing":
        own = np.ascontiguousarray(changed(array, data))
        arrays["other" if how == "renamed" else name] = own
    used_or_refused(of_arrays(files, array_bytes(arrays)))


@given(data=st.data())
def test_any_bytes_are_used_or_refused(data: st.DataObject) -> None:
    files = forecaster_files(fitted(data.draw(st.sampled_from(KINDS))))
    name = data.draw(st.sampled_from([RECORD, ARRAYS]))
    content = bytearray(files[name])
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, min(len(content), data.draw(st.sampled_from([9, 4000])))))
        stop = start + data.draw(st.integers(0, 9))
        content[start:stop] = data.draw(st.binary(max_size=9))
    if name == ARRAYS:
        used_or_refused(of_arrays(files, bytes(content)))
    else:
        used_or_refused({**files, RECORD: bytes(content)})


def header(text: str, data: bytes = b"", size: int | None = None) -> bytes:
    """A safetensors file with this header."""
    whole = text.encode()
    return struct.pack("<Q", len(whole) if size is None else size) + whole + data


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x80\x04" + b"x" * 20,
        pickle.dumps({"a": 1}),
        header("{}", size=2**63),
        header("{}", size=10**9),
        header("[" * 100_000),
        header('{"a":' * 50_000),
        header('{"a":{"dtype":"F64","shape":[4611686018427387904,4],"data_offsets":[0,0]}}'),
        header('{"a":{"dtype":"F64","shape":[0,4611686018427387904,8],"data_offsets":[0,0]}}'),
        header('{"a":{"dtype":"F64","shape":[1],"data_offsets":[0,800000000000]}}', b"x" * 8),
        header('{"a":{"dtype":"F64","shape":[1],"data_offsets":[8,0]}}', b"x" * 8),
        header('{"a":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}', b"x" * 8),
        header('{"a":{"dtype":"BOOL","shape":[8],"data_offsets":[0,8]}}', b"\x02" * 8),
        header('{"a":{"dtype":"F64","shape":%s,"data_offsets":[0,8]}}' % ([1] * 99), b"x" * 8),
        header('{"a":{"dtype":"F64","shape":[-1],"data_offsets":[0,8]}}', b"x" * 8),
    ],
)
def test_what_is_not_a_file_of_arrays_is_refused(content: bytes) -> None:
    files = of_arrays(forecaster_files(fitted("climatology")), content)
    with pytest.raises(InputError, match=r"^theirs(/forecaster\.safetensors|: its model): "):
        read(files)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b"[]", "is not an object"),
        (b"[" * 200_000, "is nested too deeply"),
        (b'{"a":' * 200_000, "is nested too deeply"),
        (b'{"format": 1, "format": 1}', "holds the key"),
        (b'{"format": 1%s}' % (b"0" * 9_999), "is not JSON"),
        (
            b'{"format": 2, "package_version": "9.1"}',
            r"is of format 2, written by bagen-data '9\.1'",
        ),
        (b'{"format": true}', "is of format True"),
        (b'{"format": 1}', "has no object 'model'"),
        (b'{"format": 1, "model": {"names": []}}', "has no object 'model'"),
        (b'{"format": 1, "model": {}}', "kind is missing"),
    ],
)
def test_what_is_not_a_record_is_refused(content: bytes, problem: str) -> None:
    files = {**forecaster_files(fitted("climatology")), RECORD: content}
    with pytest.raises(InputError, match=rf"^theirs/forecaster\.json: .*{problem}"):
        read(files)


def record_with(name: str, value: Any) -> dict[str, bytes]:
    files = forecaster_files(fitted("forest"))
    return of_json(files, json.loads(files[RECORD]) | {name: value})


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("kind", "os", "is of kind 'os', and bagen-data .* knows conformal, climatology, aft, fo"),
        ("kind", "aft", "its model: the value has an unknown field|is missing"),
        ("kind", "../forest", "is of kind"),
        ("knows_success", False, "says that knows_success is False"),
        ("features", ["tokens_used"], "does not make so, in another order; .*version '0"),
        ("features", ["mood"], "does not make so, such as 'mood'; it was written by version '0"),
        ("budgets", {"tokens": -1}, "has budgets that are not one from 0 on"),
        ("resources", [], "has 0 resources; expected 1 to 32"),
        ("resources", [{"name": "finish", "unit": ""}], "has the resource 'finish'"),
        ("skill", {"a": [[[[[[[[[[[[[[1]]]]]]]]]]]]]]}, "is nested too deeply"),
        ("extra", 1, "has an unknown field 'extra'"),
    ],
)
def test_a_record_of_something_else_is_refused(name: str, value: Any, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read(record_with(name, value))


def test_arrays_of_another_forecaster_are_refused() -> None:
    files = forecaster_files(fitted("forest"))
    other = forecaster_files(fitted("aft"))[ARRAYS]
    with pytest.raises(InputError, match=rf"theirs/{ARRAYS}: is not the file that {RECORD} names"):
        read({**files, ARRAYS: other})


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(name: str, tmp_path: Path) -> None:
    fitted("climatology").save(tmp_path / "kept")
    (tmp_path / "kept" / name).unlink()
    if name == CARD:
        assert load_forecaster(tmp_path / "kept").card == ""
    else:
        with pytest.raises(
            InputError, match=rf"kept: has no {name}; expected a forecaster that 'b"
        ):
            load_forecaster(tmp_path / "kept")


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_folder(path: Path) -> None:
    path.mkdir()


def a_device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_circle(path: Path) -> None:
    path.symlink_to(path)


def a_large_file(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(LARGEST[path.name] + 1)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("put", [a_pipe, a_folder, a_device, a_circle, a_large_file])
def test_what_is_not_a_file_is_refused(
    name: str, put: Callable[[Path], None], tmp_path: Path
) -> None:
    fitted("climatology").save(tmp_path / "kept")
    (tmp_path / "kept" / name).unlink()
    put(tmp_path / "kept" / name)
    with pytest.raises(InputError, match=rf"kept/{name}: cannot be read: "):
        load_forecaster(tmp_path / "kept")
