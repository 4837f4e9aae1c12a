"""Big lists are read item by item, and give what a whole read gives."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.reading import family_files
from bagen_data.reading.json_items import list_items, starts_list
from tests.making import dialogue, read, write_json

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def items(data: bytes, chunk: int = 7) -> list[Any]:
    return list(list_items(io.BufferedReader(io.BytesIO(data)), chunk))


@given(st.lists(values, max_size=6), st.integers(1, 40), st.sampled_from([None, 1]))
def test_items_are_those_of_the_whole_list(
    expected: list[Any], chunk: int, indent: int | None
) -> None:
    text = json.dumps(expected, indent=indent, ensure_ascii=False)
    data = text.encode(errors="surrogatepass") if text.isascii() else json.dumps(expected).encode()
    assert items(b"\xef\xbb\xbf " + data + b"\n", chunk) == expected


@pytest.mark.parametrize("data", [b"[1, 2", b"[1 2]", b"[1,]", b"[1] 2", b"[{]", b'["\xff"]', b"["])
def test_what_is_not_a_list_is_refused(data: bytes) -> None:
    with pytest.raises(RolloutError, match="is not"):
        items(data)


def test_other_values_are_not_lists() -> None:
    assert not starts_list(io.BufferedReader(io.BytesIO(b'{"a": []}')))
    assert starts_list(io.BufferedReader(io.BytesIO(b"\xef\xbb\xbf\n [")))


def test_a_big_file_gives_the_same_family(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = tmp_path / "sokoban-origin-m"
    write_json(family / "a.json", [dialogue(name=str(n)) for n in range(9)])
    whole = read(family)
    monkeypatch.setattr(family_files, "BIG", 10)
    by_item = read(family)
    assert by_item.entries == whole.entries
    assert by_item.sources == whole.sources
    (family / "a.json").write_bytes((family / "a.json").read_bytes()[:-30])
    cut = read(family)
    assert len(cut.entries) == 8
    assert "item 8 is not JSON, or cut off" in cut.refused[0].reason
