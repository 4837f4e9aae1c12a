"""Counts of a rollout that may be something else than single requests."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_lists import refuse_mixture, refuse_sums
from bagen_data.usage_objects import BARE, CODEX
from tests.making import requests

Pairs = list[tuple[int, int]]
turns = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=4, max_size=12)


def made(pairs: Pairs, shape: str) -> list[Request]:
    return [Request(read, written, written, shape=shape) for read, written in pairs]


def sums(pairs: Pairs) -> Pairs:
    reads, writes = zip(*pairs, strict=True)
    return list(zip(accumulate(reads), accumulate(writes), strict=True))


@given(fresh=turns)
def test_sums_of_a_codex_session_are_refused(fresh: Pairs) -> None:
    with pytest.raises(RolloutError, match="a session's sums"):
        refuse_sums(made(sums(requests(fresh)), CODEX))


@given(fresh=turns)
def test_requests_of_codex_that_say_less_at_some_turn_are_not_sums(fresh: Pairs) -> None:
    refuse_sums(made(requests([*fresh, (5, 501), (5, 500)]), CODEX))


@pytest.mark.parametrize("shape", [BARE, "OpenAI chat"])
@given(fresh=turns)
def test_other_counts_may_grow_as_they_like(shape: str, fresh: Pairs) -> None:
    refuse_sums(made(sums(requests(fresh)), shape))


@given(turns)
def test_whole_requests_of_two_kinds_may_stand_together(fresh: Pairs) -> None:
    pairs = requests(fresh)
    refuse_mixture([*made(pairs[:2], BARE), *made(pairs[2:], "Anthropic")])
    refuse_mixture([*made(pairs[:2], "Anthropic"), *made(pairs[2:], BARE)])


def test_single_turns_beside_whole_requests_are_refused() -> None:
    with pytest.raises(RolloutError, match=r"request 2 .*OpenAI chat.*at least 1050"):
        refuse_mixture([*made([(1000, 50)], "OpenAI chat"), *made([(20, 60)], BARE)])
