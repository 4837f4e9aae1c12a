"""Fresh usage from request counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.usage import CONVENTIONS, Request, fitting_conventions, fresh_usage, visible_share
from tests.making import requests

sizes = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=1, max_size=20)


@given(sizes)
def test_request_counts_give_back_what_was_fresh(fresh: list[tuple[int, int]]) -> None:
    logged = [Request(read, written, written) for read, written in requests(fresh)]
    assert "request" in fitting_conventions(logged)
    assert fresh_usage(logged, "request") == fresh


def test_reasoning_is_spent_once_and_never_replayed() -> None:
    logged = [Request(100, 80, 20), Request(150, 10, 10)]
    assert fresh_usage(logged, "request") == [(100, 80), (30, 10)]


def test_a_history_that_was_cut_costs_nothing() -> None:
    assert fresh_usage([Request(100, 50, 50), Request(90, 10, 10)], "request")[1] == (0, 10)


def test_turn_counts_stay_as_they_are() -> None:
    logged = [Request(100, 50, 50), Request(90, 10, 10)]
    assert fitting_conventions(logged) == {"turn"}
    assert fresh_usage(logged, "turn") == [(100, 50), (90, 10)]


def test_mixed_counts_fit_neither_convention() -> None:
    logged = [Request(n, 10, 10) for n in (100, 120, 140, 100, 120)]
    assert fitting_conventions(logged) == frozenset()


def test_one_request_fits_both() -> None:
    assert fitting_conventions([Request(100, 10, 10)]) == CONVENTIONS


@given(sizes, sizes)
def test_each_context_replays_its_own_history(
    main: list[tuple[int, int]], side: list[tuple[int, int]]
) -> None:
    """A subagent's requests may stand anywhere between those of the conversation it works for."""
    logged = [
        *(Request(read, out, out, context="main") for read, out in requests(main)[:1]),
        *(Request(read, out, out, context="side") for read, out in requests(side)),
        *(Request(read, out, out, context="main") for read, out in requests(main)[1:]),
    ]
    assert fresh_usage(logged, "request") == [*main[:1], *side, *main[1:]]


def test_a_context_that_begins_anew_fits_whole_requests() -> None:
    sizes = [(100, ""), (150, ""), (40, "summary"), (70, "summary"), (20, "judge")]
    logged = [Request(read, 10, 10, context=context) for read, context in sizes]
    assert fitting_conventions(logged) == {"request"}


@pytest.mark.parametrize(
    ("raw", "parsed", "expected"), [("", "a", 90), ("a b c", "c", 30), ("a", "a b", 90)]
)
def test_visible_share(raw: str, parsed: str, expected: int) -> None:
    assert visible_share(raw, parsed, 90) == expected


@pytest.mark.parametrize("counts", [(-1, 5, 5), (1, 5, 6), (1, 5, -1)])
def test_impossible_counts_are_refused(counts: tuple[int, int, int]) -> None:
    with pytest.raises(RolloutError, match="expected"):
        Request(*counts)
