"""Refusals for people: equal reasons are one line, and others are not mixed up with them."""

import pytest

from bagen_data.reading.refusal_lines import refusal_lines

UUIDS = ("0199a2c4-7d8e-7777-aaaa-bbbbccccdddd", "5e8ff9bf-55ba-3508-8819-9efbe1c20b4e")


def test_fifty_equal_refusals_are_one_line_with_the_first_three() -> None:
    refusals = [(f"a.jsonl:{n}", f"turn {n} has no usage; give --tokenizer") for n in range(1, 51)]
    assert refusal_lines(refusals, "swebench-origin-m") == [
        "swebench-origin-m: 50 refused: turn N has no usage (first: a.jsonl:1, a.jsonl:2, "
        "a.jsonl:3); give --tokenizer"
    ]


@pytest.mark.parametrize(
    ("first", "second", "line"),
    [
        ("line 3 is not JSON", "line 14 is not JSON", "line N is not JSON"),
        ("total is 1,024 of 7", "total is -0.5 of 7", "total is N of 7"),
        ("messages[3].role is 'x'", "messages[4].role is 'x'", "messages[N].role is 'x'"),
        ("byte 0 is 0xff", "byte 9 is 0xfe", "byte N is N"),
        ("repeats a.jsonl:1 (i0), as", "repeats b/c.jsonl:2 (i7), as", "repeats ..., as"),
        (f"is of session {UUIDS[0]}, which", f"is of session {UUIDS[1]}, which", "session ..., w"),
        ("has toolu_01AbCdEf twice", "has toolu_02BcDeFg twice", "has ... twice"),
        ("another named r1 stands", "another named r2 stands", "another named ... stands"),
    ],
)
def test_reasons_that_differ_in_a_number_a_file_or_an_id_are_equal(
    first: str, second: str, line: str
) -> None:
    (only,) = refusal_lines([("a.jsonl:1 (r1)", first), ("a.jsonl:2 (r2)", second)])
    assert only.startswith("2 refused: ")
    assert line in only


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("the price of gpt-5 is not known", "the price of gpt-4 is not known"),
        ("usage has a = 1", "usage has b = 1"),
        ("role is 'x'", "role is 'y'"),
        ("total is 4", "total is null"),
    ],
)
def test_reasons_that_differ_in_a_word_are_not_equal(first: str, second: str) -> None:
    refusals = [("a.jsonl:1", first), ("a.jsonl:2", second)]
    assert refusal_lines(refusals) == [
        f"a.jsonl:1: refused: {first}",
        f"a.jsonl:2: refused: {second}",
    ]


def test_advice_that_differs_is_the_most_frequent_one_with_its_place() -> None:
    refusals = [("a", "is odd; expected 3"), ("b", "is odd; expected 4"), ("c", "is odd")]
    assert refusal_lines(refusals) == ["3 refused: is odd (a, b, c); for a: expected 3"]
    refusals.append(("d", "is odd; expected 4"))
    assert refusal_lines(refusals) == ["4 refused: is odd (first: a, b, c); for b: expected 4"]


def test_a_reason_of_the_whole_family_names_the_family() -> None:
    assert refusal_lines([(".", "is empty")], "x") == ["x: refused: is empty"]


def test_all_places_are_named_if_asked_for() -> None:
    refusals = [(str(n), "is empty") for n in range(5)]
    assert refusal_lines(refusals, verb="not used", shown=None) == [
        "5 not used: is empty (0, 1, 2, 3, 4)"
    ]
