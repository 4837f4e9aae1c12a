"""Answers to the questions `point` and `forecast`: what is one, and what is not."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.answers import check_resource_name, grammar, parse, render
from bagen_data.errors import InputError
from bagen_data.prompt_variants import VARIANTS, Variant, question_of
from bagen_data.schema import WAREHOUSE, Estimate, Forecast, Interval, Question

NAMES = [resource.name for resource in WAREHOUSE]
GOOD = "finish=0.65, success=0.80, tokens=[850, 1100, 1400, 1900, 2600]"


def answer(content: str) -> str:
    return f"<answer>{content}</answer>"


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        "tokens = [850,1100,1400 , 1900,2600],success=0.80 ,\nfinish= 0.650",
        "finish=00.65, success=0.8, tokens=[850.0, 1100, 1400, 1900, 2600]",
    ],
)
def test_a_forecast_is_read_in_any_order_and_spacing(content: str) -> None:
    forecast = Forecast(0.65, 0.8, {"tokens": (850, 1100, 1400, 1900, 2600)})
    estimate = parse(answer(content), question="forecast")
    assert estimate == Estimate("feasible", {"tokens": Interval(850, 2600)}, forecast=forecast)


@pytest.mark.parametrize(
    ("finish", "verdict"), [("0.5", "feasible"), ("0.4999999", "infeasible"), ("0", "infeasible")]
)
def test_a_forecast_that_rather_fails_says_impossible(finish: str, verdict: str) -> None:
    estimate = parse(answer(GOOD.replace("0.65", finish)), question="forecast")
    assert estimate.verdict == verdict
    assert bool(estimate.intervals) == (verdict == "feasible")
    assert estimate.forecast is not None
    assert estimate.forecast.finish == float(finish)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("impossible", "malformed"),
        ("[850, 2600]", "malformed"),
        ("1400", "scalar"),
        ("tokens: 1400", "scalar"),
        ("", "malformed"),
        (f"{GOOD},", "malformed"),
        (GOOD.replace(", success", " success"), "malformed"),
        (GOOD.replace("=", ":"), "malformed"),
        (GOOD.replace("finish", "Finish"), "malformed"),
        (GOOD.replace("success=0.80, ", ""), "malformed"),
        (GOOD.replace(", 2600", ""), "malformed"),
        (GOOD.replace("2600", "2600, 3000"), "malformed"),
        (GOOD.replace("[850, 1100, 1400, 1900, 2600]", "1400"), "malformed"),
        (GOOD.replace("0.65", "[1, 2, 3, 4, 5]"), "malformed"),
        (GOOD.replace("0.65", "65%"), "malformed"),
        (GOOD.replace("0.65", "-0.65"), "malformed"),
        (GOOD.replace("0.65", ".65"), "malformed"),
        (GOOD.replace("0.65", "6.5e-1"), "malformed"),
        (f"{GOOD}, finish=0.65", "malformed"),
        (f"{GOOD}, cost_usd=[1, 2, 3, 4, 5]", "unknown_resource"),
        (f"{GOOD}, chance=0.5", "unknown_resource"),
        ("finish=0.65, success=0.8", "missing_resource"),
        (GOOD.replace("0.65", "nan"), "not_finite"),
        (GOOD.replace("0.80", "1" + "0" * 400), "not_finite"),
        (GOOD.replace("2600", "inf"), "not_finite"),
        (GOOD.replace("0.65", "0.81"), "incoherent"),
        (GOOD.replace("0.80", "1.01"), "incoherent"),
        (GOOD.replace("0.65", "65").replace("0.80", "80"), "incoherent"),
        (GOOD.replace("1400", "1000"), "unordered"),
        (GOOD.replace("1400", "1000").replace("0.80", "0.1"), "incoherent"),
    ],
)
def test_what_is_not_a_forecast_has_one_reason(content: str, reason: str) -> None:
    assert parse(answer(content), question="forecast") == Estimate("invalid", {}, reason)


def test_a_forecast_of_several_resources_names_them_all() -> None:
    amounts = ", ".join(f"{name}=[1, 2, 3, 4, {9 + n}]" for n, name in enumerate(NAMES))
    text = answer(f"finish=1, success=1, {amounts}")
    estimate = parse(text, NAMES, "forecast")
    assert [interval.high for interval in estimate.intervals.values()] == [9, 10, 11]
    assert parse(text, NAMES[:2], "forecast").reason == "unknown_resource"
    assert parse(text, [*NAMES, "tokens"], "forecast").reason == "missing_resource"


@pytest.mark.parametrize(
    ("content", "resources", "expected"),
    [
        ("3200", ["tokens"], {"tokens": 3200}),
        ("0.5", ["cost_usd"], {"cost_usd": 0.5}),
        ("b:3, a : 4.5", ["a", "b"], {"a": 4.5, "b": 3}),
    ],
)
def test_a_point_is_an_interval_without_width(
    content: str, resources: list[str], expected: dict[str, float]
) -> None:
    estimate = parse(answer(content), resources, "point")
    assert estimate.intervals == {name: Interval(each, each) for name, each in expected.items()}


@pytest.mark.parametrize(
    ("content", "resources", "reason"),
    [
        ("[1, 2]", ["tokens"], "malformed"),
        ("[12]", ["tokens"], "malformed"),
        ("tokens:12", ["tokens"], "malformed"),
        ("12 tokens", ["tokens"], "malformed"),
        ("1,200", ["tokens"], "malformed"),
        ("inf", ["tokens"], "not_finite"),
        ("12", ["a", "b"], "missing_resource"),
        ("a:12", ["a", "b"], "missing_resource"),
        ("a:12, b:[1, 2]", ["a", "b"], "malformed"),
        ("a:12, c:1", ["a", "b"], "unknown_resource"),
        ("a:12, b:nan", ["a", "b"], "not_finite"),
        (GOOD, ["tokens"], "malformed"),
    ],
)
def test_what_is_not_a_point_has_one_reason(
    content: str, resources: list[str], reason: str
) -> None:
    assert parse(answer(content), resources, "point") == Estimate("invalid", {}, reason)


@pytest.mark.parametrize("question", ["interval", "point"])
def test_a_forecast_is_no_answer_to_another_question(question: Question) -> None:
    assert parse(answer(GOOD), question=question).reason == "malformed"


amounts = st.one_of(st.integers(0, 2**53 - 1), st.floats(0, 1e300))
probabilities = st.tuples(st.floats(0, 1), st.floats(0, 1)).map(sorted)
quantiles = st.lists(amounts, min_size=5, max_size=5).map(lambda each: tuple(sorted(each)))


@given(probabilities, st.lists(quantiles, min_size=1, max_size=3))
def test_forecasts_render_and_parse_are_inverses(
    chances: list[float], several: list[tuple[float, ...]]
) -> None:
    forecast = Forecast(*chances, dict(zip(NAMES, several, strict=False)))
    estimate = forecast.estimate()
    text = render(estimate, "forecast")
    assert parse(text, list(forecast.quantiles), "forecast") == estimate


@given(st.lists(amounts, min_size=1, max_size=3))
def test_points_render_and_parse_are_inverses(several: list[float]) -> None:
    points = {name: Interval(each, each) for name, each in zip(NAMES, several, strict=False)}
    estimate = Estimate("feasible", points)
    assert parse(render(estimate, "point"), list(points), "point") == estimate


def test_only_what_answers_the_question_is_rendered() -> None:
    wide = Estimate("feasible", {"tokens": Interval(1, 2)})
    with pytest.raises(ValueError, match="not a single number"):
        render(wide, "point")
    with pytest.raises(ValueError, match="not of a forecast"):
        render(wide, "forecast")
    with pytest.raises(ValueError, match="unordered"):
        render(Estimate("invalid", {}, "unordered"), "forecast")


@given(
    st.data(),
    st.sampled_from([["tokens"], NAMES]),
    st.sampled_from([each for each in VARIANTS if question_of(each) != "interval"]),
)
def test_whatever_a_grammar_lets_through_is_read(
    data: st.DataObject, resources: list[str], variant: Variant
) -> None:
    text = data.draw(st.from_regex(grammar(resources, variant), fullmatch=True))
    assert parse(text, resources, question_of(variant)).reason in ("", "incoherent", "unordered")


@pytest.mark.parametrize("resources", [["tokens"], NAMES])
def test_a_grammar_lets_rendered_answers_through(resources: list[str]) -> None:
    forecast = Forecast(0.25, 1, dict.fromkeys(resources, (0, 1.5, 2, 3, 123_456_789)))
    pattern = grammar(resources, "forecast_no_think")
    assert re.fullmatch(pattern, render(forecast.estimate(), "forecast"))
    point = Estimate("feasible", dict.fromkeys(resources, Interval(7.5, 7.5)))
    assert re.fullmatch(grammar(resources, "point_no_think"), render(point, "point"))


@pytest.mark.parametrize(
    ("finish", "success", "amounts"),
    [
        (0.5, 0.4, (1, 2, 3, 4, 5)),
        (-0.1, 0.4, (1, 2, 3, 4, 5)),
        (0.5, 1.1, (1, 2, 3, 4, 5)),
        (float("nan"), 1, (1, 2, 3, 4, 5)),
        (0.5, 0.5, (1, 2, 3, 4)),
        (0.5, 0.5, (1, 2, 3, 5, 4)),
        (0.5, 0.5, (-1, 2, 3, 4, 5)),
        (0.5, 0.5, (1, 2, 3, 4, float("inf"))),
    ],
)
def test_what_cannot_be_a_forecast_is_refused(
    finish: float, success: float, amounts: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match="expected"):
        Forecast(finish, success, {"tokens": amounts})


@pytest.mark.parametrize("name", ["finish", "success"])
def test_a_resource_is_not_called_as_a_probability_is(name: str) -> None:
    with pytest.raises(InputError, match="labels of a forecast"):
        check_resource_name(name)
