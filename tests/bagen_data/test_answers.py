"""The answer grammar, and the cheats it stops."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bagen_data.answers import grammar, parse, render
from bagen_data.number_texts import plain
from bagen_data.schema import WAREHOUSE as RESOURCES
from bagen_data.schema import Estimate, Interval

WAREHOUSE = "time_weeks:[1, 2], warehouse_item_weeks:[3, 4.5], cumulative_cost_usd:[0, 6]"

VALID = [
    ("<answer>[1200, 1500]</answer>", (1200, 1500)),
    ("<answer>[0.5,0.5]</answer>", (0.5, 0.5)),
    ("<ANSWER>\n [ 007 ,\t8.0 ]\n</Answer> trailing words", (7, 8)),
    ("<think>I say <answer>impossible</answer></think><answer>[1, 2]</answer>", (1, 2)),
    ("no tag opened </think> <answer>[1, 2]</answer>", (1, 2)),
    ("<answer>[9, 9]</answer> or rather <answer>[1, 2]</answer>", (1, 2)),
    ("<answer>[1, 2]</answer> <answer>", (1, 2)),
    ("<answer>[1, 2]</answer></answer>", (1, 2)),
    ("<answer><answer>[1, 2]</answer>", (1, 2)),
    (f"<answer>[0, {10**300}]</answer>", (0, 1e300)),
]

INVALID = [
    ("", "no_answer"),
    ("[1, 2]", "no_answer"),
    ("<answer>[1, 2]", "no_answer"),
    ("</answer>[1, 2]<answer>", "no_answer"),
    ("<think><answer>[1, 2]</answer></think> so that is it", "no_answer"),
    ("<answer>[1, 2]</answer></think>", "no_answer"),
    ("<answer></answer>", "malformed"),
    ("<answer>[1,200, 1,500]</answer>", "malformed"),
    ("<answer>[-1, 5]</answer>", "malformed"),
    ("<answer>[+1, 5]</answer>", "malformed"),
    ("<answer>[1e3, 2e3]</answer>", "malformed"),
    ("<answer>[1, 5] tokens</answer>", "malformed"),
    ("<answer>(1, 5)</answer>", "malformed"),
    ("<answer>[.5, 5.]</answer>", "malformed"),
    ("<answer>[\u0661, \u0665]</answer>", "malformed"),  # Arabic-Indic digits
    ("<answer>[\uff11, \uff15]</answer>", "malformed"),  # full-width digits
    ("<answer>[1,\u00a05]</answer>", "malformed"),
    ("<answer>not impossible</answer>", "malformed"),
    ("<answer>tokens:[1, 2]</answer>", "unknown_resource"),
    ("<answer>1200</answer>", "scalar"),
    ("<answer>[1200]</answer>", "scalar"),
    ("<answer>[1500, 1200]</answer>", "reversed"),
    ("<answer>[nan, nan]</answer>", "not_finite"),
    (f"<answer>{WAREHOUSE.replace('[1, 2]', '[1, Inf]')}</answer>", "not_finite"),
    ("<an\u017fwer>[1, 2]</an\u017fwer>", "no_answer"),  # a long s
    ("<answer>[0, inf]</answer>", "not_finite"),
    (f"<answer>[0, {'9' * 400}]</answer>", "not_finite"),
    ("<answer>time_weeks:[1, 2]</answer>", "missing_resource"),
    (f"<answer>{WAREHOUSE}, cash:[1, 2]</answer>", "unknown_resource"),
    (f"<answer>{WAREHOUSE}, time_weeks:[1, 2]</answer>", "malformed"),
    (f"<answer>{WAREHOUSE},</answer>", "malformed"),
    (f"<answer>{WAREHOUSE.replace('[1, 2]', '[2, 1]')}</answer>", "reversed"),
]


@pytest.mark.parametrize(("text", "bounds"), VALID)
def test_valid(text: str, bounds: tuple[float, float]) -> None:
    assert parse(text) == Estimate("feasible", {"tokens": Interval(*bounds)})


@pytest.mark.parametrize(("text", "reason"), INVALID)
def test_invalid(text: str, reason: str) -> None:
    assert parse(text).reason == reason


@pytest.mark.parametrize("word", ["impossible", "IMPOSSIBLE", " Impossible\n"])
def test_impossible_in_any_case(word: str) -> None:
    assert parse(f"<answer>{word}</answer>") == Estimate("infeasible")


def test_labels_in_any_order() -> None:
    other = "cumulative_cost_usd:[0, 6], time_weeks:[1, 2] , warehouse_item_weeks : [3, 4.5]"
    assert parse(f"<answer>{WAREHOUSE}</answer>") == parse(f"<answer>{other}</answer>")
    assert parse(f"<answer>{other}</answer>").intervals["warehouse_item_weeks"].high == 4.5


def test_named_resources() -> None:
    assert parse("<answer>[1, 2]</answer>", ("usd",)).intervals == {"usd": Interval(1, 2)}
    assert parse("<answer>[1, 2]</answer>", ("a", "b")).reason == "missing_resource"
    assert parse("<answer>b:[1, 2], a:[3, 4]</answer>", ("a", "b")).intervals["a"].low == 3
    assert parse("<answer>a:[1, 2]</answer>", ("a",)).reason == "malformed"
    for wrong in ((), "tokens"):
        with pytest.raises(ValueError, match="expected a list of at least one name"):
            parse("<answer>[1, 2]</answer>", wrong)


amounts = st.one_of(
    st.integers(0, 2**53 - 1), st.floats(0, 1e300, allow_nan=False, allow_subnormal=True)
)
intervals = st.tuples(amounts, amounts).map(lambda pair: Interval(*sorted(pair)))


@given(intervals)
@example(Interval(1e-7, 1e22))
def test_render_and_parse_are_inverses(interval: Interval) -> None:
    estimate = Estimate("feasible", {"tokens": interval})
    assert parse(render(estimate)) == estimate


@given(st.tuples(intervals, intervals, intervals))
def test_render_and_parse_are_inverses_for_warehouse(three: tuple[Interval, ...]) -> None:
    estimate = Estimate(
        "feasible", dict(zip([resource.name for resource in RESOURCES], three, strict=True))
    )
    assert parse(render(estimate)) == estimate


def test_an_invalid_estimate_has_nothing_to_render() -> None:
    with pytest.raises(ValueError, match="no_answer"):
        render(parse(""))


pieces = st.sampled_from(
    [
        "<answer>",
        "</answer>",
        "<think>",
        "</think>",
        "[1, 2]",
        "impossible",
        ",",
        "9" * 5,
        " ",
        "\0",
    ]
)


@given(st.lists(st.one_of(pieces, st.text(max_size=5))).map("".join))
def test_no_text_crashes_the_parser(text: str) -> None:
    assert parse(text).verdict in ("feasible", "infeasible", "invalid")


@pytest.mark.parametrize(
    "unit", ["<answer>", "</answer>", "<answer></answer>", "</think>", "[", "a:", " ", "1", "1,"]
)
def test_hostile_megabytes_are_parsed_in_linear_time(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))
    assert parse(text).verdict == "invalid"
    assert parse(f"<answer>{text}</answer>").verdict == "invalid"


@pytest.mark.parametrize(
    ("amount", "text"), [(0.0, "0"), (1e21, "1" + "0" * 21), (0.1, "0.1"), (1.5e-7, "0.00000015")]
)
def test_plain(amount: float, text: str) -> None:
    assert plain(amount) == text


NAMES = [resource.name for resource in RESOURCES]


@given(
    st.data(), st.sampled_from([["tokens"], NAMES]), st.sampled_from(["interval_think", "no_think"])
)
def test_whatever_the_grammar_lets_through_is_an_answer(
    data: st.DataObject, resources: list[str], variant: str
) -> None:
    text = data.draw(st.from_regex(grammar(resources, variant), fullmatch=True))
    assert parse(text, resources).reason in ("", "reversed")
    assert text.startswith("<think>") == (variant == "interval_think")


@pytest.mark.parametrize("resources", [["tokens"], NAMES])
def test_the_grammar_lets_every_rendered_answer_through(resources: list[str]) -> None:
    pattern = re.compile(grammar(resources, "interval_no_think"))
    intervals = dict.fromkeys(resources, Interval(0, 123_456_789.25))
    for estimate in (Estimate("infeasible"), Estimate("feasible", intervals)):
        assert pattern.fullmatch(render(estimate))
    assert not pattern.fullmatch("<answer>[1]</answer>")
