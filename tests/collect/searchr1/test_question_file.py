"""Question files and corpora: what is read, and how bad ones are refused."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bagen_data.errors import InputError
from collect.searchr1.corpus import Document, read_corpus
from collect.searchr1.question_file import SearchQuestion, read_questions

Write = Callable[[Path, Sequence[Mapping[str, Any]]], Path]


def jsonl(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path = folder / "rows.jsonl"
    path.write_bytes(b"\n".join(map(orjson.dumps, rows)))
    return path


def parquet(folder: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    path = folder / "rows.parquet"
    pq.write_table(pa.Table.from_pylist(list(rows)), path)
    return path


both = pytest.mark.parametrize("write", [jsonl, parquet])


@both
@pytest.mark.parametrize("name", ["answer", "answers", "golden_answers"])
def test_questions(tmp_path: Path, write: Write, name: str) -> None:
    rows = [
        {"id": "q1", "question": " Where\nis it? ", name: ["here", " there "], "level": "easy"},
        {"id": "q2", "question": "And this?", name: ["yes"], "level": "hard"},
    ]
    assert read_questions(write(tmp_path, rows)) == (
        SearchQuestion("q1", "Where is it?", ("here", "there")),
        SearchQuestion("q2", "And this?", ("yes",)),
    )


@both
def test_ids_may_be_numbers_underscored_or_missing(tmp_path: Path, write: Write) -> None:
    [question] = read_questions(write(tmp_path, [{"_id": 7, "question": "Q?", "answer": "a"}]))
    assert question == SearchQuestion("7", "Q?", ("a",))
    rows = [{"question": text, "answer": "a"} for text in ("Q?", "R?", "Q?")]
    first, second = read_questions(write(tmp_path, rows))
    assert first.id != second.id
    assert len(first.id) == 16


@both
@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"answer": "a"}, "question is missing; expected a text"),
        ({"question": " ", "answer": "a"}, "question is ' '; expected a text"),
        ({"question": 5, "answer": "a"}, "question is 5; expected a text"),
        ({"question": "Q?"}, "answer is missing; expected a text that is not empty, or a list"),
        ({"question": "Q?", "answer": ""}, "answer is ''"),
        ({"question": "Q?", "answers": []}, r"answers is \[\]"),
        ({"question": "Q?", "golden_answers": ["a", " "]}, r"golden_answers is \['a', ' '\]"),
        ({"question": "Q?", "answer": 1874}, "answer is 1874; .* correct or remove it"),
        ({"question": "Q?", "answer": "a", "id": 1.5}, "id is 1.5; expected a text or a whole"),
        ({"question": "Q?", "answer": "a", "id": True}, "id is True"),
    ],
)
def test_bad_questions(tmp_path: Path, write: Write, row: dict[str, Any], problem: str) -> None:
    path = write(tmp_path, [row])
    place = "rows.jsonl:1" if write is jsonl else "rows.parquet: row 1"
    with pytest.raises(InputError, match=f"{place}: {problem}"):
        read_questions(path)


@both
def test_an_id_twice(tmp_path: Path, write: Write) -> None:
    rows = [{"id": "1", "question": text, "answer": "a"} for text in ("Q?", "R?")]
    with pytest.raises(InputError, match=r"(:|row )2: is as .*(:|row )1 by its id '1'"):
        read_questions(write(tmp_path, rows))


@both
@pytest.mark.parametrize(
    "row",
    [
        {"title": "Old  Mill", "text": " It stands.\nStill. "},
        {"contents": '"Old Mill"\nIt stands.\nStill.'},
        {"contents": "Old Mill\nIt stands.\nStill."},
    ],
)
def test_corpora(tmp_path: Path, write: Write, row: dict[str, str]) -> None:
    corpus = read_corpus(write(tmp_path, [row | {"id": None}, row | {"id": "7"}]))
    assert len(corpus) == 2
    assert corpus.document(0) == Document("doc_1", "Old Mill", "It stands.\nStill.")
    assert corpus.document(1).id == "7"
    assert list(corpus.searchable()) == ["Old Mill\nIt stands.\nStill."] * 2


def test_a_corpus_of_many_batches(tmp_path: Path) -> None:
    rows = [{"title": f"T{number}", "text": "x"} for number in range(40_000)]
    corpus = read_corpus(parquet(tmp_path, rows))
    assert len(corpus) == len(list(corpus.searchable())) == 40_000
    assert corpus.document(39_999) == Document("doc_40000", "T39999", "x")


@both
@pytest.mark.parametrize(
    ("row", "problem"),
    [
        ({"title": "T"}, "text is missing"),
        ({"text": "x"}, "title is missing"),
        ({"title": "", "text": "x"}, "title is ''"),
        ({"title": "T", "text": 3}, "text is 3"),
        ({"contents": "T"}, "contents has no title or no text"),
        ({"contents": '""\nx'}, "contents has no title or no text"),
        ({"contents": 4}, "contents is 4"),
    ],
)
def test_bad_documents(tmp_path: Path, write: Write, row: dict[str, Any], problem: str) -> None:
    path = write(tmp_path, [row])
    with pytest.raises(InputError, match=f"1: {problem}.*correct or remove it"):
        read_corpus(path)


@pytest.mark.parametrize("read", [read_questions, read_corpus])
@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.jsonl", b"", "a.jsonl: has no rows"),
        ("a.jsonl", b" \n\n", "a.jsonl: has no rows"),
        ("a.jsonl", b"\n{", "a.jsonl:2: is not JSON .*correct or remove it"),
        ("a.jsonl", b"[1]", "a.jsonl:1: is not a JSON object; expected one object a line"),
        ("a.jsonl", b'{"title": "\xff"}', "a.jsonl:1: is not JSON"),
        ("a.jsonl", b'{"title": "a", "title": "b"}', "a.jsonl:1: holds the key 'title' twice"),
        ("a.parquet", b"", "a.parquet: is not readable Parquet"),
        ("a.parquet", b"PAR1 and no more", "a.parquet: is not readable Parquet"),
        ("a.csv", b"question,answer", r"a.csv: expected a .jsonl or .parquet file"),
    ],
)
def test_bad_files(tmp_path: Path, read: Any, name: str, content: bytes, problem: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=problem):
        read(tmp_path / name)


@pytest.mark.parametrize("read", [read_questions, read_corpus])
@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_missing_files_and_folders(tmp_path: Path, read: Any, suffix: str) -> None:
    with pytest.raises(InputError, match=r"cannot be read \(No such file.*\); give a file"):
        read(tmp_path / f"none{suffix}")
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / f"folder{suffix}")


def test_parquet_without_known_columns_or_rows(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"q": ["Q?"], "a": ["a"]}), path)
    with pytest.raises(InputError, match=r"has the columns q, a; expected some of .*question"):
        read_questions(path)
    pq.write_table(pa.table({"question": pa.array([], pa.string())}), path)
    with pytest.raises(InputError, match="has no rows"):
        read_questions(path)
