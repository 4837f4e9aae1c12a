"""Answers that were made to earn something, and do not. Each test is named after its cheat."""

import time

import pytest

from bagen_data import parse
from bagen_data.errors import InputError
from bagen_data.scoring import Report, score
from tests.bagen_data.scoring.scoring_cases import predictions, sample


def scored(response: str, *, feasible: bool = True) -> Report:
    row = sample(feasible=feasible, rollout_success=True, total_turns=3)
    return score([row], predictions([row], [response]), question="interval", resamples=0)


def assert_earns_nothing(response: str) -> None:
    """An invalid answer earns as little as none, whether the run could have been done or not."""
    for feasible in (True, False):
        report, nothing = scored(response, feasible=feasible), scored("", feasible=feasible)
        assert {name: each.value for name, each in report.overall.items()} == {
            name: each.value for name, each in nothing.overall.items()
        }
        assert report.overall["valid_rate"].value == 0


def test_answer_inside_think() -> None:
    """A model that lists every answer while thinking and gives none must not be read."""
    assert_earns_nothing("<think><answer>[400, 400]</answer></think> Done.")
    assert_earns_nothing("<answer>[400, 400]</answer></think>")


def test_several_answers() -> None:
    """The last answer alone counts, or a list of guesses would hit by luck."""
    several = "<answer>[400, 400]</answer> <answer>impossible</answer>"
    assert scored(several).overall["hit_rate"].value == 0
    assert_earns_nothing("<answer>[100, 200] [300, 500]</answer>")
    assert_earns_nothing("<answer>impossible, or [400, 400]</answer>")


def test_reversed_interval() -> None:
    """`abs()` of a width would make [500, 300] a covering interval."""
    assert_earns_nothing("<answer>[500, 300]</answer>")


def test_infinite_interval() -> None:
    """The interval that covers everything is worth nothing, and breaks nothing."""
    assert_earns_nothing("<answer>[0, inf]</answer>")
    assert_earns_nothing(f"<answer>[0, {'9' * 400}]</answer>")
    widest = scored(f"<answer>[0, {10**308}]</answer>").overall
    assert widest["coverage"].value == 1
    assert widest["reward"].value == widest["rl_reward"].value == widest["paper_reward"].value == 0
    assert widest["interval_score"].value is not None
    assert widest["interval_score"].value > 700


def test_not_a_number() -> None:
    """Comparisons with NaN are all false, so a missing check would let it through."""
    assert_earns_nothing("<answer>[nan, nan]</answer>")
    assert_earns_nothing("<answer>[NaN, 400]</answer>")


def test_unicode_digits() -> None:
    """Python's `int` and `\\d` take them; an answer is ASCII."""
    assert_earns_nothing("<answer>[\u0664\u0660\u0660, \u0664\u0660\u0660]</answer>")
    assert_earns_nothing("<answer>[\uff14\uff10\uff10, \uff14\uff10\uff10]</answer>")


def test_thousands_separators() -> None:
    """Four numbers are no interval, whatever was meant; nothing is repaired."""
    assert_earns_nothing("<answer>[1,200, 1,500]</answer>")


@pytest.mark.parametrize("number", ["4e2", "+400", "-400", "400 tokens", "0x190", "4_00", "400."])
def test_other_ways_to_write_a_number(number: str) -> None:
    assert_earns_nothing(f"<answer>[{number}, {number}]</answer>")


def test_a_point_instead_of_an_interval() -> None:
    assert_earns_nothing("<answer>400</answer>")
    assert_earns_nothing("<answer>[400]</answer>")


def test_repeated_ids() -> None:
    """Two answers to a sample would be two guesses; the whole file is refused."""
    rows = [sample("t/m/r/1"), sample("t/m/r/2")]
    answers = predictions([rows[0], rows[0], rows[1]], ["<answer>[400, 400]</answer>"] * 3)
    with pytest.raises(InputError, match=r"1 sample predicted more than once:\n  t/m/r/1"):
        score(rows, answers)


def test_leaving_hard_samples_out() -> None:
    rows = [sample("t/m/r/1"), sample("t/m/r/2")]
    with pytest.raises(InputError, match=r"1 sample without a prediction:\n  t/m/r/2"):
        score(rows, predictions(rows[:1], ["<answer>[400, 400]</answer>"]))


def test_answering_samples_of_ones_own() -> None:
    rows = [sample("t/m/r/1")]
    own = [*rows, sample("t/m/r/2")]
    with pytest.raises(InputError, match=r"1 prediction of no sample:\n  t/m/r/2"):
        score(rows, predictions(own, ["<answer>[400, 400]</answer>"] * 2))


def test_always_impossible() -> None:
    """The answer `impossible` finds every failing rollout, and the report shows its cost."""
    rows = [sample(f"t/m/r{n}/1", feasible=n % 2 == 0, total_turns=2) for n in range(8)]
    overall = score(rows, predictions(rows, ["<answer>impossible</answer>"] * 8)).overall
    assert overall["recall_infeasible"].value == 1
    assert overall["recall_feasible"].value == overall["hit_rate"].value == 0
    assert overall["false_abort_rate"].value == overall["success_drop"].value == 0.5
    assert overall["coverage"].value is None


@pytest.mark.parametrize(
    "piece",
    [
        "<answer>",
        "</answer>",
        "<answer></answer>",
        "</think>",
        "[",
        "[1, 2], ",
        "9",
        " ",
        "a:[1, 2],",
    ],
)
def test_hostile_length(piece: str) -> None:
    """Reading takes time in proportion to the text: 8 times as long takes less than 30 times."""

    def seconds(text: str) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            parse(text)
            times.append(time.process_time() - start)
        return min(times)

    short, long = (piece * (size // len(piece)) for size in (1 << 17, 1 << 20))
    for form in ("{}", "<answer>{}</answer>", "<answer>[1{}]</answer>"):
        assert seconds(form.format(long)) < 30 * max(seconds(form.format(short)), 1e-3), form
