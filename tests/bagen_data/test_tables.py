"""JSON lines on disk."""

from pathlib import Path

import pytest

from bagen_data.errors import InputError
from bagen_data.tables import read_jsonl, write_jsonl


def test_json_lines_round_trip_and_name_a_bad_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    write_jsonl(path, [{"a": "ä\u2028"}, {"a": 2}])
    assert read_jsonl(path) == [{"a": "ä\u2028"}, {"a": 2}]
    path.write_bytes(b'{"a": 1}\n{"a": \n')
    with pytest.raises(InputError, match=r"rows\.jsonl:2"):
        read_jsonl(path)


def test_a_line_that_holds_a_key_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n{"a": 1, "a": 2}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"a\.jsonl:2: .*holds the key 'a' twice"):
        read_jsonl(path)
