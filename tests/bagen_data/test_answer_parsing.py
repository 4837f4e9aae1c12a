"""A column of answers is read as `parse` reads each of them."""

import itertools
import random

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagen_data.answer_columns import REASONS, VERDICTS, AnswerColumns
from bagen_data.answer_parsing import parse_column
from bagen_data.answers import parse
from bagen_data.number_texts import plain
from bagen_data.schema import Estimate, Question
from tests.bagen_data.scoring import slow_forecasts
from tests.bagen_data.scoring.scoring_cases import SEVERAL, TOKENS, family
from tests.bagen_data.test_answers import INVALID, VALID

PIECES = st.sampled_from(
    [
        *("<answer>", "</answer>", "<think>", "</think>", "<ANSWER>", "impossible", "Impossible"),
        *("[", "]", ",", ", ", " ", "\n", "0", "12", "1234567", "12345678", "123456789", "."),
        *("0.5", "00", "-", "inf", "time_weeks:", "warehouse_item_weeks:", "cumulative_cost_usd:"),
        *("tokens:", "\u0661", "\u017f", "\x00", "e", "E", "finish=", "success=", "tokens=", "="),
        *("finish=0.5, success=0.75, ", "tokens=[1, 2, 3, 4, 5]", "[1, 2, 3, 4, 5]", "1.5"),
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


def assert_read_alike(
    responses: list[str], resources: tuple[str, ...], question: Question = "interval"
) -> None:
    columns = parse_column(responses, resources, question)
    for row, text in enumerate(responses):
        estimate = parse(text, resources, question)
        assert_forecasts_alike(columns, row, estimate, resources)
        assert VERDICTS[columns.verdict[row]] == estimate.verdict, text
        assert REASONS[columns.reason[row]] == estimate.reason, text
        for position, name in enumerate(resources):
            bounds = columns.low[position, row], columns.high[position, row]
            if estimate.intervals:
                interval = estimate.intervals[name]
                assert bounds == (interval.low, interval.high), text
            else:
                assert np.isnan(bounds).all(), text


def assert_forecasts_alike(
    columns: AnswerColumns, row: int, estimate: Estimate, resources: tuple[str, ...]
) -> None:
    if columns.forecasts is None:
        assert estimate.forecast is None
        return
    forecast = columns.forecasts.at(slice(row, row + 1))
    if estimate.forecast is None:
        numbers = np.concatenate([forecast.finish, forecast.success, forecast.quantiles.ravel()])
        assert np.isnan(numbers).all()
        return
    assert forecast.finish.tolist() == [estimate.forecast.finish]
    assert forecast.success.tolist() == [estimate.forecast.success]
    expected = [list(estimate.forecast.quantiles[name]) for name in resources]
    assert forecast.quantiles[:, :, 0].tolist() == expected


def forecasts(rng: random.Random, resources: tuple[str, ...], number: int) -> list[str]:
    """Answers to the question `forecast`: mostly plain, some with an order or a space changed."""
    texts = []
    for _ in range(number):
        finish, success = sorted(rng.choices([0, 0.25, 0.5, 0.75, 1, 1.5, rng.random()], k=2))
        if rng.random() < 0.1:
            finish, success = success, finish
        parts = [f"finish={finish}", f"success={success}"]
        for name in resources:
            amounts = [rng.choice([rng.randint(0, 3_000), rng.random() * 9]) for _ in range(5)]
            if rng.random() < 0.9:
                amounts.sort()
            parts.append(f"{name}=[{', '.join(map(plain, amounts))}]")
        if rng.random() < 0.1:
            rng.shuffle(parts)
        comma = rng.choice([", ", ",", " ,  ", ", ", ", "])
        texts.append(f"<think>So.</think> <answer>{comma.join(parts)}</answer>{rng.choice(' !')}")
    return texts


def points(rng: random.Random, resources: tuple[str, ...], number: int) -> list[str]:
    """Answers to the question `point`."""
    texts = []
    for _ in range(number):
        amounts = {name: rng.choice(["7", "12.5", "inf", "123456789", "0"]) for name in resources}
        labelled = rng.choice([", ", ","]).join(f"{name}:{text}" for name, text in amounts.items())
        bare = next(iter(amounts.values()))
        content = rng.choice([bare if len(resources) == 1 else labelled, "impossible", "[1, 2]"])
        texts.append(f"Well. <answer>{content}</answer>")
    return texts


@settings(max_examples=200)
@given(st.lists(RESPONSES, min_size=20, max_size=20))
def test_fuzzed_answers_to_the_other_questions(responses: list[str]) -> None:
    questions: tuple[Question, ...] = ("point", "forecast")
    for resources, question in itertools.product((TOKENS, SEVERAL), questions):
        assert_read_alike(responses, resources, question)


@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
def test_random_answers_to_the_other_questions(resources: tuple[str, ...]) -> None:
    rng = random.Random(5)
    for question, texts in (
        ("forecast", forecasts(rng, resources, 2_000)),
        ("point", points(rng, resources, 2_000)),
    ):
        assert_read_alike(texts, resources, question)
        for text in texts:
            assert_slow_agrees(text, resources, question)


def assert_slow_agrees(text: str, resources: tuple[str, ...], question: Question) -> None:
    estimate = parse(text, resources, question)
    if question == "point":
        verdict, reason, numbers = slow_forecasts.read_point(text, resources)
        assert (estimate.verdict, estimate.reason) == (verdict, reason), text
        assert {name: each.low for name, each in estimate.intervals.items()} == numbers
        return
    reason, forecast = slow_forecasts.read_forecast(text, resources)
    assert estimate.reason == reason, text
    if forecast is None or estimate.forecast is None:
        assert forecast is None
        assert estimate.forecast is None
        return
    finish, success, quantiles = forecast
    assert (estimate.forecast.finish, estimate.forecast.success) == (finish, success)
    assert {name: list(each) for name, each in estimate.forecast.quantiles.items()} == quantiles


@settings(max_examples=300)
@given(RESPONSES)
@pytest.mark.parametrize("question", ["point", "forecast"])
@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
def test_the_slow_reading_of_the_other_questions_agrees(
    resources: tuple[str, ...], question: Question, text: str
) -> None:
    assert_slow_agrees(text, resources, question)


def test_rows_of_forecasts_can_be_taken_and_put() -> None:
    texts = forecasts(random.Random(0), SEVERAL, 40)
    columns = parse_column(texts, SEVERAL, "forecast")
    copied = AnswerColumns.unwritten(40, 4, "forecast")
    rows = np.arange(40)[::-1].copy()
    copied.put(rows, columns.at(rows))
    assert columns.forecasts is not None
    assert copied.forecasts is not None
    taken = copied.forecasts.of_resources(3)
    np.testing.assert_array_equal(taken.quantiles, columns.forecasts.quantiles)
    np.testing.assert_array_equal(taken.finish, columns.forecasts.finish)


@settings(max_examples=500)
@given(st.lists(RESPONSES, min_size=20, max_size=20))
def test_ten_thousand_fuzzed_responses(responses: list[str]) -> None:
    for resources in (TOKENS, SEVERAL):
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
