"""The states of a run depend on its turns as they stand, in whatever steps they arrived."""

from hypothesis import given
from hypothesis import strategies as st

from bagen_data.live.tracker import BudgetTracker
from bagen_data.live.watching.run_states import RunStates
from bagen_data.schema import Turn


def new_tracker() -> BudgetTracker:
    return BudgetTracker({"tokens": 60})


def states() -> RunStates:
    return RunStates(["tokens"], new_tracker)


def turns_of(amounts: list[int]) -> tuple[Turn, ...]:
    return tuple(Turn("", "", {"tokens": amount}, {}) for amount in amounts)


RUNS = st.lists(st.sampled_from([10, 20, 25]), max_size=4).map(turns_of)


@given(st.lists(RUNS, min_size=1, max_size=4))
def test_what_is_said_is_that_of_the_last_reading(readings: list[tuple[Turn, ...]]) -> None:
    grown, fresh = states(), states()
    for turns in readings:
        grown.take(turns)
    fresh.take(readings[-1])
    assert grown.states == fresh.states


def test_a_last_turn_that_vanishes_and_returns_is_counted_once() -> None:
    run, turns = states(), turns_of([10, 20, 25])
    assert [run.take(turns), run.take(turns[:2]), run.take(turns)] == [0, 2, 2]
    assert [each.advice.action for each in run.states] == ["continue", "continue", "warn"]
