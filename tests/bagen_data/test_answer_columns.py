"""A column of answers is read as `parse` reads each of them."""

import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagen_data.answer_columns import REASONS, VERDICTS, parse_column
from bagen_data.answers import parse
from tests.bagen_data.scoring.scoring_cases import SEVERAL, TOKENS, family
from tests.bagen_data.test_answers import INVALID, VALID

PIECES = st.sampled_from(
    [
        *("<answer>", "</answer>", "<think>", "</think>", "<ANSWER>", "impossible", "Impossible"),
        *("[", "]", ",", ", ", " ", "\n", "0", "12", "1234567", "12345678", "123456789", "."),
        *("0.5", "00", "-", "inf", "time_weeks:", "warehouse_item_weeks:", "cumulative_cost_usd:"),
        *("tokens:", "\u0661", "\u017f", "\x00", "e", "E"),
    ]
)
RESPONSES = st.one_of(
    st.text(max_size=60),
    st.lists(PIECES, max_size=14).map("".join),
    st.lists(PIECES, max_size=8).map(lambda parts: f"<answer>{''.join(parts)}</answer>"),
    st.tuples(st.floats(0, 1e20), st.floats(0, 1e20)).map(
        lambda pair: f"<answer>[{pair[0]:f}, {pair[1]:f}]</answer>"
    ),
)


def assert_read_alike(responses: list[str], resources: tuple[str, ...]) -> None:
    columns = parse_column(responses, resources)
    for row, text in enumerate(responses):
        estimate = parse(text, resources)
        assert VERDICTS[columns.verdict[row]] == estimate.verdict, text
        assert REASONS[columns.reason[row]] == estimate.reason, text
        for position, name in enumerate(resources):
            bounds = columns.low[position, row], columns.high[position, row]
            if estimate.intervals:
                interval = estimate.intervals[name]
                assert bounds == (interval.low, interval.high), text
            else:
                assert np.isnan(bounds).all(), text


@settings(max_examples=500, deadline=None)
@given(st.lists(RESPONSES, min_size=20, max_size=20))
@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
def test_ten_thousand_fuzzed_responses(resources: tuple[str, ...], responses: list[str]) -> None:
    assert_read_alike(responses, resources)


@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
def test_random_responses(resources: tuple[str, ...]) -> None:
    _, responses = family(random.Random(3), resources, 3_000)
    assert_read_alike(responses, resources)


@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
def test_known_answers(resources: tuple[str, ...]) -> None:
    assert_read_alike([text for text, _ in (*VALID, *INVALID)], resources)


def test_an_answer_never_begins_in_the_row_before() -> None:
    assert_read_alike(["<answer>", "[1, 2]</answer>", "<answer>[3, 4]", "</answer>"], TOKENS)
    assert_read_alike(["<answer>impos", "sible</answer>"] * 300, TOKENS)


@pytest.mark.parametrize("length", range(40))
def test_wherever_a_row_lies_in_the_buffer(length: int) -> None:
    texts = ["x" * length, "<answer>[12, 345.5]</answer>", "y" * 5000, "<answer>[1, 2]</answer>"]
    assert_read_alike(texts, TOKENS)
    for start in range(4):
        part = pa.array(texts).slice(start)
        assert list(parse_column(part, TOKENS).verdict) == list(
            parse_column(texts[start:], TOKENS).verdict
        )


@pytest.mark.parametrize(
    "number",
    [
        *("0", "00000000", "99999999", "100000000", "12345678.1234567", "90071992.54740993"),
        *("0.1", "0.3", "1.15", "2.675", "123.00000001", "99999999.99999999", "0.000000001"),
    ],
)
def test_numbers_are_those_of_float(number: str) -> None:
    columns = parse_column([f"<answer>[0, {number}]</answer>"] * 3, TOKENS)
    assert columns.high[0].tolist() == [float(number)] * 3


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int32(), pa.string())]
)
def test_kinds_of_arrays(kind: pa.DataType) -> None:
    texts = ["<answer>[1, 2]</answer>", "", "<answer>impossible</answer>\n"]
    column = pa.chunked_array([pa.array(texts), pa.array([], pa.string()), pa.array(texts)])
    assert parse_column(column.cast(kind), TOKENS).verdict.tolist() == [2, 0, 1, 2, 0, 1]


def test_nothing() -> None:
    assert len(parse_column([], TOKENS)) == 0


def test_a_missing_response_is_no_invalid_answer() -> None:
    with pytest.raises(ValueError, match="1 of 2 responses are missing"):
        parse_column(["<answer>[1, 2]</answer>", None], TOKENS)


@pytest.mark.parametrize("resources", [(), "tokens"])
def test_resources_are_a_list_of_names(resources: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="expected a list"):
        parse_column([], resources)
