"""Counts of a rollout that may be something else than single requests."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_lists import refuse_mixture, refuse_sums, refuse_swapped
from bagen_data.usage_objects import BARE
from tests.making import requests

Pairs = list[tuple[int, int]]
turns = st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), min_size=4, max_size=12)


def made(pairs: Pairs, shape: str) -> list[Request]:
    return [Request(read, written, written, shape=shape) for read, written in pairs]


def sums(pairs: Pairs) -> Pairs:
    reads, writes = zip(*pairs, strict=True)
    return list(zip(accumulate(reads), accumulate(writes), strict=True))


@pytest.mark.parametrize("shape", [BARE, "OpenAI chat", "Codex"])
@given(fresh=turns)
def test_sums_of_requests_are_refused(shape: str, fresh: Pairs) -> None:
    with pytest.raises(RolloutError, match="only grow"):
        refuse_sums(made(sums(requests(fresh)), shape))


def test_sums_of_turns_are_refused() -> None:
    with pytest.raises(RolloutError, match="only grow"):
        refuse_sums(made(sums([(30, 50), (12, 60), (18, 40), (9, 70)]), BARE))


@pytest.mark.parametrize("shape", [BARE, "OpenAI chat", "Codex"])
@given(fresh=turns)
def test_requests_that_say_less_at_some_turn_are_no_sums(shape: str, fresh: Pairs) -> None:
    refuse_sums(made(requests([*fresh, (5, 501), (5, 500)]), shape))


def test_turns_of_equal_inputs_are_no_sums() -> None:
    refuse_sums(made([(112, 10), (112, 20), (112, 30), (112, 40)], BARE))


def test_few_requests_that_grow_are_no_sums() -> None:
    refuse_sums(made([(1000, 50), (9000, 80), (30000, 90)], "Anthropic"))


@given(turns)
def test_whole_requests_of_two_kinds_may_stand_together(fresh: Pairs) -> None:
    pairs = requests(fresh)
    refuse_mixture([*made(pairs[:2], BARE), *made(pairs[2:], "Anthropic")])
    refuse_mixture([*made(pairs[:2], "Anthropic"), *made(pairs[2:], BARE)])


def test_single_turns_beside_whole_requests_are_refused() -> None:
    with pytest.raises(RolloutError, match=r"request 2 .*OpenAI chat.*at least 1050"):
        refuse_mixture([*made([(1000, 50)], "OpenAI chat"), *made([(20, 60)], BARE)])


@given(turns)
def test_pairs_of_output_and_input_are_refused(fresh: Pairs) -> None:
    pairs = requests([(read, 100) for read, _ in fresh])
    refuse_swapped(pairs)
    with pytest.raises(RolloutError, match="output and input"):
        refuse_swapped([(written, read) for read, written in pairs])
