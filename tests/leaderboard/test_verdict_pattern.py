"""The pattern of verdicts takes for a verdict what the parser of answers does."""

import random
import re
import time

import pytest

from bagen_data.answers import parse
from leaderboard.exports.verdict_pattern import verdict_pattern

THREE = ["time_weeks", "warehouse_item_weeks", "cumulative_cost_usd"]
FORMS = (["tokens"], THREE, ["tokens", "cost_usd"])
CONTENTS = (
    "[600, 900.5]",
    "[ 0,0 ]",
    "[000, 00.00]",
    "[007, 7]",
    "[7, 007.0]",
    "[0.5, 0.50]",
    "[0.50, 0.5]",
    "[0.51, 0.5]",
    "[99, 100]",
    "[100, 99]",
    "[12.9, 12]",
    "[12, 12.9]",
    "[xx]",
    "[1,2,3]",
    "[1 2]",
    "[-1, 2]",
    "[+1, 2]",
    "[1e3, 2e3]",
    "[1., 2]",
    "[.5, 2]",
    "[1,200, 1,500]",
    "[inf, inf]",
    "[1, inf]",
    "[nan, 2]",
    "[5]",
    "5",
    "tokens:[1, 2]",
    "impossible",
    "Impossible\n",
    "imposſible",
    "impossible.",
    "[١, ٢]",
    "[1, 2] tokens",
    "[[1, 2]]",
    "",
    "time_weeks:[1, 2], warehouse_item_weeks:[3, 4], cumulative_cost_usd:[5, 6]",
    "cumulative_cost_usd : [5,6] ,time_weeks:[1,2],warehouse_item_weeks:[3,4]",
    "time_weeks:[2, 1], warehouse_item_weeks:[3, 4], cumulative_cost_usd:[5, 6]",
    "time_weeks:[1, 2], warehouse_item_weeks:[3, 4], cumulative_cost_usd:[6, 5]",
    "time_weeks:[1, 2], time_weeks:[1, 2], cumulative_cost_usd:[5, 6]",
    "time_weeks:[1, 2], cumulative_cost_usd:[5, 6]",
    "Time_weeks:[1, 2], warehouse_item_weeks:[3, 4], cumulative_cost_usd:[5, 6]",
    "time_weeks:[1, 2], warehouse_item_weeks:[3, 4], cumulative_cost_usd:[5, 6],",
    "cost_usd:[0.25, 1], tokens:[10, 20]",
)
TEXTS = (
    "<answer>{}</answer>",
    "<ANSWER>\n{}\t</Answer> and so on",
    "<think><answer>[1, 2]</answer></think> <answer>{}</answer>",
    "<think>a</think><think><answer>impossible</answer></think><answer>{}</answer>",
    "<answer>{}</answer></think>",
    "<answer>impossible</answer> no: <answer>{}</answer>",
    "<answer>{}</answer> no: <answer>impossible</answer>",
    "<answer>{}</answer> no: <answer>[3, 4]</answer>",
    "<answer>{}</answer> or <answer>",
    "<answer>{}</answer></answer>",
    "<answer><answer>{}</answer>",
    "<answer>x</answer>{}</answer>",
    "{}",
    "<anſwer>{}</anſwer>",
    "<answer>{}</answer><think>",
    "<answer>{}",
    "{}</answer>",
    "<answer >{}</answer>",
)


def verdict(pattern: re.Pattern[str], text: str) -> str:
    """The verdict that Inspect's scorer `pattern` would take the answer for."""
    match = pattern.search(text)
    groups = [] if match is None else [group.lower() for group in match.groups() if group]
    return "feasible" if "[" in groups else "infeasible" if "impossible" in groups else "invalid"


@pytest.mark.parametrize("resources", FORMS)
def test_it_judges_as_the_parser_does(resources: list[str]) -> None:
    pattern = re.compile(verdict_pattern([resources]), re.IGNORECASE)
    for content in CONTENTS:
        for text in TEXTS:
            shown = text.format(content)
            assert verdict(pattern, shown) == parse(shown, resources).verdict, shown


def number(rng: random.Random) -> str:
    digits = rng.choice(["", "0", "00"]) + str(rng.choice([0, 1, 9, 10, 99, rng.randrange(10**6)]))
    decimals = "".join(rng.choice("0019") for _ in range(rng.randrange(4)))
    return f"{digits}.{decimals}" if decimals else digits


def test_intervals_are_in_order_as_the_parser_says() -> None:
    rng = random.Random(0)
    patterns = {
        tuple(names): re.compile(verdict_pattern([names]), re.IGNORECASE) for names in FORMS
    }
    seen = set()
    for _ in range(20_000):
        names, pattern = rng.choice(list(patterns.items()))
        amounts = {}
        for name in names:
            low = number(rng)
            amounts[name] = f"[{low}, {rng.choice([number(rng), number(rng), low, low + '1'])}]"
        content = ", ".join(
            amounts[name] if len(names) == 1 else f"{name}:{amounts[name]}"
            for name in rng.sample(names, len(names))
        )
        text = f"<answer>{content}</answer>"
        expected = parse(text, names).verdict
        seen.add((names, expected))
        assert verdict(pattern, text) == expected, text
    assert len(seen) == 2 * len(FORMS)


def test_a_pattern_of_several_forms_takes_each() -> None:
    pattern = re.compile(verdict_pattern(FORMS), re.IGNORECASE)
    assert verdict(pattern, "<answer>[1, 2]</answer>") == "feasible"
    assert verdict(pattern, "<answer>cost_usd:[1, 2], tokens:[3, 3]</answer>") == "feasible"
    assert verdict(pattern, "<answer>cost_usd:[1, 2], time_weeks:[3, 3]</answer>") == "invalid"


@pytest.mark.parametrize(
    "text",
    [
        "<answer>" * 50_000,
        "</answer>" * 50_000,
        "<answer>[1, 2]</answer>" * 20_000 + "x",
        "</think>" * 50_000,
        "<think><answer>" * 30_000,
        f"<answer>[{'0' * 400_000}, 1]</answer>",
        f"<answer>[{'1' * 400_000}, 1]</answer>",
        f"<answer>[1.{'1' * 400_000}, 1]</answer>",
        f"<answer>[1{' ' * 400_000}, 1</answer>",
        "<answer>" + "time_weeks:[1, 2], " * 20_000 + "</answer>",
        "<answer>" + "time_weeks " * 40_000 + "</answer>",
    ],
)
def test_time_grows_with_the_length_of_the_text(text: str) -> None:
    pattern = re.compile(verdict_pattern(FORMS), re.IGNORECASE)
    before = time.process_time()
    pattern.search(text)
    assert time.process_time() - before < 3
