"""Files of predictions: three formats that say the same, and what is refused."""

import gzip
import json
import tracemalloc
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bagen_data.errors import InputError
from bagen_data.prediction_files import SCHEMA, find_predictions, prediction_reader
from tests.making import write_lines

USAGE = {"input_tokens": 1200, "cached_tokens": 0, "output_tokens": 40}
ROWS: list[dict[str, Any]] = [
    {"sample_id": "t/m/r/1", "response": "<answer>[1, 2]</answer>"},
    {"sample_id": "t/m/r/2", "response": "", "usage": USAGE},
    {"sample_id": "t/é/r/1", "response": '<think>"é" \\ 😀\n</think>', "cost_usd": 0.25},
    {"sample_id": "t/m/s/1", "response": "2026-11-21", "usage": USAGE, "cost_usd": 0},
]
ROW = ROWS[0]
TEXT = "".join(json.dumps(row) + "\n" for row in ROWS)
MB = 1 << 20


def whole(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows, with a null where a row leaves a key out."""
    return [{"usage": None, "cost_usd": None} | row for row in rows]


def read(path: Path) -> list[dict[str, Any]]:
    batches = list(prediction_reader(path)())
    assert all(batch.schema.equals(SCHEMA) for batch in batches)
    return [row for batch in batches for row in batch.to_pylist()]


def read_text(folder: Path, text: str | bytes) -> list[dict[str, Any]]:
    path = folder / "predictions.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read(path)


def read_table(folder: Path, table: pa.Table) -> list[dict[str, Any]]:
    pq.write_table(table, folder / "predictions.parquet")
    return read(folder / "predictions.parquet")


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["jsonl", "jsonl.gz", "parquet"])
def test_every_format_says_the_same(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"predictions.{suffix}"
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(whole(ROWS), SCHEMA), path)
    else:
        path.write_bytes(gzip.compress(TEXT.encode()) if suffix.endswith("gz") else TEXT.encode())
    assert read(path) == whole(ROWS)


def test_a_reader_begins_anew_each_time(tmp_path: Path) -> None:
    reader = prediction_reader(write_lines(tmp_path / "a.jsonl", ROWS))
    first, second = ([batch.to_pylist() for batch in reader()] for _ in range(2))
    assert first == second


@pytest.mark.parametrize(
    "text",
    [
        TEXT[:-1],
        TEXT.replace("\n", "\r\n"),
        TEXT.replace("\n", "\n\n") + " \t \n\n",
        "\n\n" + TEXT,
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS),
        "".join(json.dumps(dict(reversed(row.items()))) + "\n" for row in ROWS),
        "".join(json.dumps(row, separators=(" ,  ", " :\t")) + "\n" for row in ROWS),
        "".join(json.dumps(row) + "\n" for row in whole(ROWS)),
        TEXT.replace('"response"', '"respons\\u0065"'),
    ],
    ids=[
        *("no last line end", "CRLF", "blank lines", "blank lines first", "UTF-8"),
        *("keys in another order", "blanks", "nulls", "an escaped key"),
    ],
)
def test_what_json_lines_may_look_like(text: str, tmp_path: Path) -> None:
    assert read_text(tmp_path, text) == whole(ROWS)


@pytest.mark.parametrize("text", ["", "\n", " \n\r\n\n"])
def test_a_file_without_rows_has_no_predictions(text: str, tmp_path: Path) -> None:
    assert read_text(tmp_path, text) == []


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    responses=st.lists(st.text(max_size=40), min_size=1, max_size=5),
    is_ascii=st.booleans(),
    is_gzip=st.booleans(),
)
def test_any_text_comes_back(
    tmp_path: Path, responses: list[str], is_ascii: bool, is_gzip: bool
) -> None:
    rows = [{"sample_id": f"t/m/r/{k}", "response": text} for k, text in enumerate(responses)]
    data = "".join(json.dumps(row, ensure_ascii=is_ascii) + "\n" for row in rows).encode()
    path = tmp_path / ("a.jsonl.gz" if is_gzip else "a.jsonl")
    path.write_bytes(gzip.compress(data) if is_gzip else data)
    assert read(path) == whole(rows)


@pytest.mark.parametrize(
    "cost", ["0", "1", "0.5", "1e-3", "1E2", "0.1234567890123456789", "1000000"]
)
def test_every_number_of_json_up_to_a_million_is_a_cost(cost: str, tmp_path: Path) -> None:
    text = f'{{"sample_id": "a", "response": "", "cost_usd": {cost}}}\n'
    assert read_text(tmp_path, text)[0]["cost_usd"] == float(cost)


@pytest.mark.parametrize("cost", ["1000000.1", "1e308", "12345678901234567890"])
def test_a_cost_whose_sum_might_be_infinite_is_refused(cost: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at most 1,000,000"):
        read_text(tmp_path, f'{{"sample_id": "a", "response": "", "cost_usd": {cost}}}\n')


def test_a_file_that_unpacks_to_more_than_its_reader_takes_is_refused(tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.jsonl.gz"
    bomb.write_bytes(gzip.compress(b"\n" * (8 << 20)))
    assert bomb.stat().st_size < 1 << 14
    assert list(prediction_reader(bomb)()) == []
    with pytest.raises(InputError, match="holds more than 1,048,577 bytes, unpacked"):
        list(prediction_reader(bomb, (1 << 20) + 1)())


BAD_LINES = {
    "two objects": (
        '{"sample_id": "a", "response": ""} {"sample_id": "b", "response": ""}',
        "JSON",
    ),
    "more tokens than can be": (
        '{"sample_id": "a", "response": "", '
        '"usage": {"input_tokens": 9223372036854775808, "cached_tokens": 0, "output_tokens": 1}}',
        "expected at most",
    ),
    "more cached than there are": (
        '{"sample_id": "a", "response": "", '
        '"usage": {"input_tokens": 1, "cached_tokens": 2, "output_tokens": 1}}',
        "cached_tokens is more",
    ),
    "no JSON": ("hello", "JSON"),
    "half a line": ('{"sample_id": "a", "resp', "JSON"),
    "single quotes": ("{'sample_id': 'a', 'response': ''}", "JSON"),
    "a comma at the end": ('{"sample_id": "a", "response": ""},', "JSON"),
    "a comment": ('{"sample_id": "a", "response": ""} // x', "JSON"),
    "a raw control character": ('{"sample_id": "a", "response": "\x00"}', "JSON"),
    "an unknown escape": ('{"sample_id": "a", "response": "\\x41"}', "JSON"),
    "half a surrogate pair": ('{"sample_id": "a", "response": "\\ud83d"}', "UTF-8"),
    "the other half": ('{"sample_id": "a", "response": "\\ude00"}', "UTF-8"),
    "halves the wrong way round": ('{"sample_id": "a", "response": "\\ude00\\ud83d"}', "UTF-8"),
    "a surrogate as a key": ('{"sample_id": "a", "response": "", "\\ud83d": 1}', "UTF-8"),
    "brackets without end": ("[" * 100_000, "JSON"),
    "a key twice": ('{"sample_id": "a", "response": "x", "response": "y"}', "twice"),
    "the same twice": ('{"sample_id": "a", "response": "x", "response": "x"}', "twice"),
    "null first": ('{"sample_id": "a", "response": null, "response": "x"}', "twice"),
    "an escaped key twice": ('{"sample_id":"a", "response":"x", "respons\\u0065":"y"}', "twice"),
    "a key twice within usage": (
        '{"sample_id": "a", "response": "", "usage": {"input_tokens": 1, "input_tokens": 2, '
        '"cached_tokens": 0, "output_tokens": 1}}',
        "twice",
    ),
    "a list": ('["a", ""]', "found"),
    "a number": ("5", "found 5"),
    "null": ("null", "found nothing"),
    "no response": ('{"sample_id": "a"}', "response: is missing"),
    "no id": ('{"response": ""}', "sample_id: is missing"),
    "nothing": ("{}", "is missing"),
    "a null response": ('{"sample_id": "a", "response": null}', "response: found nothing"),
    "a number as response": ('{"sample_id": "a", "response": 5}', "response: found 5"),
    "an object as response": ('{"sample_id": "a", "response": {}}', "response: found {}"),
    "a number as id": ('{"sample_id": 5, "response": ""}', "sample_id: found 5"),
    "an empty id": ('{"sample_id": "", "response": ""}', "sample_id: found ''"),
    "an unknown key": ('{"sample_id": "a", "response": "", "note": "x"}', "note: unknown key"),
    "an unknown null": ('{"sample_id": "a", "response": "", "note": null}', "note: unknown key"),
    "another case": ('{"sample_id": "a", "Response": ""}', "Response: unknown key"),
    **{
        f"a cost of {cost}": (
            f'{{"sample_id": "a", "response": "", "cost_usd": {cost}}}',
            "cost_usd: found",
        )
        for cost in ("NaN", "Infinity", "-Infinity", "1e999", "-0.5", '"1"', "true", "[1]")
    },
    **{
        f"usage {usage}": (
            f'{{"sample_id": "a", "response": "", "usage": {usage}}}',
            "usage",
        )
        for usage in (
            *("5", "[1, 0, 1]", '"1200"', "{}", '{"input_tokens": 1, "output_tokens": 1}'),
            '{"input_tokens": -1, "cached_tokens": 0, "output_tokens": 1}',
            '{"input_tokens": 1.5, "cached_tokens": 0, "output_tokens": 1}',
            '{"input_tokens": null, "cached_tokens": 0, "output_tokens": 1}',
            '{"input_tokens": "1", "cached_tokens": 0, "output_tokens": 1}',
            '{"input_tokens": true, "cached_tokens": 0, "output_tokens": 1}',
            '{"input_tokens": 1, "cached_tokens": 0, "output_tokens": 1, "reasoning_tokens": 1}',
        )
    },
}


@pytest.mark.parametrize("case", BAD_LINES)
def test_a_line_that_is_no_prediction_is_named(case: str, tmp_path: Path) -> None:
    line, expected = BAD_LINES[case]
    path = tmp_path / "a.jsonl"
    path.write_text(f"{json.dumps(ROW)}\n\n{line}\n{json.dumps(ROW)}\n", encoding="utf-8")
    message = refusal(path)
    assert message.startswith(f"{path}:3: ")
    assert expected in message


@pytest.mark.parametrize("junk", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"])
def test_bytes_that_are_not_utf8_are_named(junk: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(
        TEXT.encode() + b'{"sample_id": "a", "response": "%b"}\n' % junk + TEXT.encode()
    )
    assert refusal(path).startswith(f"{path}:{len(ROWS) + 1}: not one JSON object in UTF-8")


def test_utf16_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(TEXT.encode("utf-16"))
    assert "UTF-8" in refusal(path)


def test_everything_wrong_with_a_line_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"sample_id": 5, "cost_usd": -1, "note": 1}\n', encoding="utf-8")
    lines = refusal(path).splitlines()
    assert all(line.startswith(f"{path}:1: ") for line in lines)
    assert [line.split(": ")[1] for line in lines] == ["sample_id", "response", "cost_usd", "note"]


@pytest.mark.parametrize("size", [9 * MB, 20 * MB])
def test_a_line_may_be_longer_than_what_is_read_at_once(size: int, tmp_path: Path) -> None:
    rows = [ROWS[1], ROW | {"response": "x" * size + "<answer>[1, 2]</answer>"}, *ROWS[2:]]
    assert read(write_lines(tmp_path / "a.jsonl", rows)) == whole(rows)


def test_no_row_is_lost_or_read_twice_around_a_long_line(tmp_path: Path) -> None:
    sizes = [3, 3, 3, 3, 20, 3, 3, 3, 20, 1]
    rows = [
        {"sample_id": f"t/m/r/{k}", "response": f"{k}" * (size * MB)}
        for k, size in enumerate(sizes)
    ]
    assert read(write_lines(tmp_path / "a.jsonl", rows)) == whole(rows)


def test_a_bad_line_late_in_a_long_file_is_named(tmp_path: Path) -> None:
    rows = [ROW | {"response": "x" * MB} for _ in range(20)]
    path = write_lines(tmp_path / "a.jsonl", [*rows, ROW | {"cost_usd": -1}, *rows])
    batches = iter(prediction_reader(path)())
    assert 0 < len(next(batches)) <= len(rows)
    with pytest.raises(InputError) as caught:
        list(batches)
    assert str(caught.value).startswith(f"{path}:21: cost_usd")


def test_a_long_file_comes_in_batches(tmp_path: Path) -> None:
    rows = [ROW | {"response": "x" * MB} for _ in range(40)]
    batches = list(prediction_reader(write_lines(tmp_path / "a.jsonl", rows))())
    assert max(batch.nbytes for batch in batches) < 20 * MB
    assert sum(map(len, batches)) == len(rows)


@pytest.mark.parametrize(
    "data",
    [
        gzip.compress(TEXT.encode())[:-20],
        gzip.compress(TEXT.encode())[:-4],
        gzip.compress(TEXT.encode())[:-8] + bytes(8),
        gzip.compress(TEXT.encode()) + b"more",
        TEXT.encode(),
        b"\x1f\x8b",
    ],
    ids=["cut off", "cut off at the end", "a wrong checksum", "more after it", "plain", "a header"],
)
def test_a_broken_gzip_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(data)
    assert refusal(path).startswith(f"{path}: cannot be read: ")


def test_a_gzip_that_is_cut_off_late_is_refused(tmp_path: Path) -> None:
    rows = [{"sample_id": f"{k}" * 50, "response": "x" * MB} for k in range(20)]
    data = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(data[: len(data) // 2])
    assert "cannot be read" in refusal(tmp_path / "a.jsonl.gz")


def test_a_gzip_may_have_several_members(tmp_path: Path) -> None:
    lines = [line.encode() for line in TEXT.splitlines(keepends=True)]
    (tmp_path / "a.jsonl.gz").write_bytes(b"".join(map(gzip.compress, lines)))
    assert read(tmp_path / "a.jsonl.gz") == whole(ROWS)


def test_a_bad_line_of_a_gzip_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(gzip.compress(TEXT.encode() + b"{"))
    assert refusal(path).startswith(f"{path}:{len(ROWS) + 1}: ")


COUNT = len(ROWS)
IDS = pa.array([row["sample_id"] for row in ROWS])
TEXTS = pa.array([row["response"] for row in ROWS])


def table(**columns: Any) -> pa.Table:
    return pa.table({"sample_id": IDS, "response": TEXTS} | columns)


def usage(*amounts: Any, kind: pa.DataType | None = None) -> pa.Array:
    """The same usage in every row."""
    names = ("input_tokens", "cached_tokens", "output_tokens")
    fields = [pa.array([amount] * COUNT, kind or pa.int64()) for amount in amounts]
    return pa.StructArray.from_arrays(fields, names[: len(fields)])


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.string_view()], ids=["plain", "large", "view"]
)
def test_parquet_has_any_kind_of_strings(kind: pa.DataType, tmp_path: Path) -> None:
    made = pa.table({"sample_id": IDS.cast(kind), "response": TEXTS.cast(kind)})
    assert read_table(tmp_path, made) == whole(
        [{"sample_id": row["sample_id"], "response": row["response"]} for row in ROWS]
    )


def test_parquet_has_dictionaries(tmp_path: Path) -> None:
    made = pa.table({"sample_id": IDS, "response": pa.array(["x"] * COUNT).dictionary_encode()})
    assert [row["response"] for row in read_table(tmp_path, made)] == ["x"] * COUNT


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        ({"usage": usage(1, 0, 2)}, {"input_tokens": 1, "cached_tokens": 0, "output_tokens": 2}),
        (
            {"usage": usage(1, 0, 2, kind=pa.int32())},
            {"input_tokens": 1, "cached_tokens": 0, "output_tokens": 2},
        ),
        (
            {"usage": pa.array([{"output_tokens": 2, "input_tokens": 1, "cached_tokens": 0}] * 4)},
            {"input_tokens": 1, "cached_tokens": 0, "output_tokens": 2},
        ),
        ({"usage": pa.nulls(COUNT, usage(1, 0, 2).type)}, None),
        ({"cost_usd": pa.array([0.5] * COUNT)}, 0.5),
        ({"cost_usd": pa.array([0.5] * COUNT, pa.float32())}, 0.5),
        ({"cost_usd": pa.array([2] * COUNT)}, 2.0),
        ({"cost_usd": pa.array([None] * COUNT, pa.float64())}, None),
    ],
    ids=[
        *("usage", "small integers", "fields in another order", "no usage", "cost", "a float32"),
        *("a whole cost", "no cost"),
    ],
)
def test_parquet_has_any_kind_of_numbers(
    columns: dict[str, Any], expected: Any, tmp_path: Path
) -> None:
    (name,) = columns
    assert [row[name] for row in read_table(tmp_path, table(**columns))] == [expected] * COUNT


def test_parquet_has_columns_in_any_order(tmp_path: Path) -> None:
    made = table(cost_usd=pa.array([0.5] * COUNT)).select(["cost_usd", "response", "sample_id"])
    assert read_table(tmp_path, made)[0] == whole([ROW | {"cost_usd": 0.5}])[0]


def test_parquet_without_rows_has_no_predictions(tmp_path: Path) -> None:
    assert read_table(tmp_path, table().slice(0, 0)) == []


BAD_TABLES: dict[str, tuple[pa.Table, str]] = {
    "no response": (pa.table({"sample_id": IDS}), "expected sample_id and response"),
    "no id": (pa.table({"response": TEXTS}), "expected sample_id and response"),
    "no columns": (pa.table({}), "expected sample_id and response"),
    "a column more": (table(note=TEXTS), "note"),
    "an index of pandas": (table(__index_level_0__=IDS), "__index_level_0__"),
    "another case": (pa.table({"Sample_id": IDS, "response": TEXTS}), "Sample_id"),
    "a column twice": (
        pa.Table.from_arrays([IDS, TEXTS, TEXTS], ["sample_id", "response", "response"]),
        "response, response",
    ),
    "a null response": (
        pa.table({"sample_id": IDS, "response": [*TEXTS.to_pylist()[1:], None]}),
        "response",
    ),
    "a null id": (
        pa.table({"sample_id": [*IDS.to_pylist()[1:], None], "response": TEXTS}),
        "sample_id",
    ),
    "an empty id": (
        pa.table({"sample_id": [*IDS.to_pylist()[1:], ""], "response": TEXTS}),
        "sample_id",
    ),
    "lists of responses": (pa.table({"sample_id": IDS, "response": [["x"]] * COUNT}), "response"),
    "no text": (
        pa.table({"sample_id": IDS, "response": pa.array([b"\xff"] * COUNT, pa.binary())}),
        "response",
    ),
    "a negative cost": (table(cost_usd=pa.array([1.0, 1.0, 1.0, -1.0])), "cost_usd"),
    "no cost at all": (table(cost_usd=pa.array([1.0, 1.0, 1.0, float("nan")])), "cost_usd"),
    "an infinite cost": (table(cost_usd=pa.array([1.0, 1.0, 1.0, float("inf")])), "cost_usd"),
    "a date as cost": (table(cost_usd=pa.array([0] * COUNT, pa.timestamp("s"))), "cost_usd"),
    "words as cost": (table(cost_usd=pa.array(["cheap"] * COUNT)), "cost_usd"),
    "partial usage": (table(usage=usage(1, 0)), "usage"),
    "a null in usage": (table(usage=usage(1, None, 2)), "usage"),
    "negative usage": (table(usage=usage(1, 0, -2)), "usage"),
    "half a token": (table(usage=usage(1.5, 0.0, 2.0, kind=pa.float64())), "usage"),
    "more tokens than there are": (
        table(usage=usage(2**63, 0, 1, kind=pa.uint64())),
        "not in range",
    ),
    "a number as usage": (table(usage=pa.array([5] * COUNT)), "usage"),
    "a list as usage": (table(usage=pa.array([[1, 0, 2]] * COUNT)), "usage"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_parquet_that_holds_no_predictions_is_refused(case: str, tmp_path: Path) -> None:
    made, expected = BAD_TABLES[case]
    path = tmp_path / "a.parquet"
    pq.write_table(made, path)
    message = refusal(path)
    assert message.startswith(f"{path}: ")
    assert expected in message


@pytest.mark.parametrize("data", [b"", b"PAR1", TEXT.encode()])
def test_what_is_no_parquet_is_refused(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(data)
    assert refusal(path).startswith(f"{path}: not a Parquet file")


def test_a_parquet_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(table(), path)
    path.write_bytes(path.read_bytes()[:-10])
    assert refusal(path).startswith(f"{path}: not a Parquet file")


@pytest.mark.parametrize("name", ["predictions.jsonl", "mine.jsonl.gz", "mine.parquet"])
def test_a_folder_means_the_file_in_it(name: str, tmp_path: Path) -> None:
    for other in (name, "metadata.yaml", "README.md"):
        (tmp_path / other).touch()
    assert find_predictions(tmp_path) == find_predictions(tmp_path / name) == tmp_path / name


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), "predictions are missing; expected a file predictions.jsonl"),
        (("metadata.yaml", "predictions.csv"), "predictions are missing"),
        (("a.jsonl", "a.jsonl.gz"), "holds several prediction files: a.jsonl, a.jsonl.gz; name"),
        (("b.parquet", "a.jsonl"), "holds several prediction files: a.jsonl, b.parquet; name"),
    ],
)
def test_a_folder_with_none_or_several_is_refused(
    names: Sequence[str], expected: str, tmp_path: Path
) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(InputError) as caught:
        find_predictions(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path}: {expected}")


@pytest.mark.parametrize("name", ["nothing.jsonl", "no/such/folder"])
def test_a_file_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        prediction_reader(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path / name}: ")


@pytest.mark.parametrize("name", ["a.json", "a.csv", "jsonl", "a.jsonl.zst", "a.parquet.gz"])
def test_another_kind_of_file_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(TEXT, encoding="utf-8")
    with pytest.raises(InputError, match=r"\.jsonl, \.jsonl\.gz, \.parquet"):
        find_predictions(tmp_path / name)


@pytest.mark.parametrize("line", ["null", "null{", "[]", "\ufeff{}", "1"])
def test_an_odd_first_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(f'{line}\n{{"sample_id": "a", "response": ""}}\n', encoding="utf-8")
    assert refusal(path).startswith(f"{path}:1: ")


def test_a_good_file_may_hold_a_very_long_line(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    rows = [
        {"sample_id": str(number), "response": "x" * (5_000_000 if number == 700 else 2_000)}
        for number in range(2_000)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    read_rows = [
        (row["sample_id"], len(row["response"]))
        for batch in prediction_reader(path)()
        for row in batch.to_pylist()
    ]
    assert read_rows == [(row["sample_id"], len(row["response"])) for row in rows]
    with path.open("a", encoding="utf-8") as file:
        file.write('{"sample_id": "a", "response": "", "x": 1}\n')
    assert refusal(path).startswith(f"{path}:2001: x: unknown key")


@pytest.mark.parametrize(
    ("name", "column"),
    [
        ("response", pa.array([1, 2])),
        ("response", pa.array([True, False])),
        ("response", pa.array([b"a", b"b"])),
        ("cost_usd", pa.array(["1", "2"])),
        ("cost_usd", pa.array([True, False])),
        (
            "usage",
            pa.array([{"input_tokens": "1", "cached_tokens": "0", "output_tokens": "1"}] * 2),
        ),
        ("usage", pa.array([{"input_tokens": 1, "cached_tokens": 0}] * 2)),
        (
            "usage",
            pa.array(
                [{"input_tokens": 1, "cached_tokens": 0, "output_tokens": 1, "reasoning": 0}] * 2
            ),
        ),
    ],
)
def test_parquet_is_as_strict_as_json(name: str, column: pa.Array, tmp_path: Path) -> None:
    columns = {"sample_id": pa.array(["a", "b"]), "response": pa.array(["", ""])}
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table(columns | {name: column}), path)
    assert refusal(path).startswith(f"{path}: {name} is of type")


def test_parquet_that_was_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    ids = [f"{number:09}" for number in range(5_000)]
    pq.write_table(pa.table({"sample_id": ids, "response": ids}), path)
    data = bytearray(path.read_bytes())
    data[200:500] = bytes(300)
    path.write_bytes(bytes(data))
    assert str(path) in refusal(path)


def test_a_folder_with_the_name_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").mkdir()
    with pytest.raises(InputError, match="predictions are missing"):
        find_predictions(tmp_path)
    with pytest.raises(InputError, match="cannot be read"):
        find_predictions(tmp_path / ("x" * 5_000))


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path) -> None:
    """Zipped it is small; read whole it would take its size several times."""
    file = tmp_path / "predictions.jsonl.gz"
    with gzip.open(file, "wb", 1) as opened:
        opened.write(b'{"sample_id": "a", "response": ""}\n')
        for _ in range(200):
            opened.write(b"a" * (1 << 20))
    tracemalloc.start()
    with pytest.raises(InputError, match=r"predictions.jsonl.gz:2: is longer than 67,108,864"):
        list(prediction_reader(file)())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 100 << 20
