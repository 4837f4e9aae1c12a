"""Costs, tool calls and seconds of turns; or the rollout is refused."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError, WrongUsageError
from bagen_data.logs.prices import ModelPrice, PriceTable, parse_prices, price_date
from bagen_data.logs.resource_readers import reader_of, shares
from bagen_data.logs.rollout_log import Log, LoggedTurn
from bagen_data.logs.turn_readers import Accounts, Counting, kept_turns
from bagen_data.usage import Request
from bagen_data.usage_objects import BARE

DAY = "2026-11-01"
OURS = PriceTable({"m": ModelPrice(2, 10, 0.5, 3)}, DAY)


def request(read: int, written: int, **more: Any) -> Request:
    return Request(read, written, written, shape="OpenAI chat", **more)


def turn(number: int, *requests: Request, **more: Any) -> LoggedTurn:
    made = LoggedTurn(number, f"look {number}", f"go {number}", requests)
    return made._replace(**more)


def log(*turns: LoggedTurn, model: str = "m") -> Log:
    return Log(turns, success=True, model=model)


def accounts(
    resource: str, logged: Log, prices: PriceTable = OURS, counting: Counting | None = None
) -> Accounts:
    reader = reader_of(resource, prices, "")
    return reader.read(logged, kept_turns(logged, None), counting or Counting())


def amounts(resource: str, logged: Log, prices: PriceTable = OURS) -> list[float]:
    return [turn.usage[resource] for turn in accounts(resource, logged, prices).turns]


def test_costs_that_the_log_states_are_taken() -> None:
    stated = log(
        turn(1, request(10, 5, cost_usd=0.25), request(9, 1, cost_usd=0.5)),
        turn(2, request(20, 5), amounts={"cost_usd": 0.125}),
        turn(3),
    )
    assert amounts("cost_usd", stated) == [0.75, 0.125, 0]
    assert accounts("cost_usd", stated).source == "stated costs"


def test_a_rollout_with_some_costs_stated_is_priced_one_way() -> None:
    mixed = log(turn(1, request(10_000, 5_000, cost_usd=7.0)), turn(2, request(20_000, 1_000)))
    assert amounts("cost_usd", mixed) == [0.07, 0.05]
    assert accounts("cost_usd", mixed).source == "prices of m by --price"


def test_a_cost_of_0_beside_tokens_is_unknown() -> None:
    free = log(turn(1, request(10_000, 5_000, cost_usd=0.0)))
    assert amounts("cost_usd", free) == [0.07]
    with pytest.raises(RolloutError, match=r"turn 1 states no cost_usd, .* give --price 'x=IN"):
        amounts("cost_usd", replace(free, model="x"))
    nothing = PriceTable({"m": ModelPrice(0, 0, 0, 0)})
    assert amounts("cost_usd", free, nothing) == [0]


def test_caches_have_prices_of_their_own() -> None:
    cached = log(
        turn(1, request(1_000_000, 100_000, cached_tokens=600_000, cache_write_tokens=100_000))
    )
    assert amounts("cost_usd", cached) == [0.3 * 2 + 0.6 * 0.5 + 0.1 * 3 + 0.1 * 10]


def test_the_library_prices_what_nobody_states() -> None:
    pytest.importorskip("genai_prices")
    usage = request(1_000_000, 100_000, cached_tokens=400_000)
    for model in ("gpt-5", "openai/gpt-5"):
        own = log(turn(1, usage), model=model)
        (cost,) = amounts("cost_usd", own, PriceTable(date=DAY))
        assert cost == 0.6 * 1.25 + 0.4 * 0.125 + 0.1 * 10
        assert f"{model} by genai-prices (openai/gpt-5)" in accounts("cost_usd", own).source
    ours = PriceTable({"gpt-5": ModelPrice(1, 0, 1, 1)}, DAY)
    assert amounts("cost_usd", log(turn(1, usage), model="gpt-5"), ours) == [1]


def test_a_subagents_model_has_its_own_price() -> None:
    prices = PriceTable({"m": ModelPrice(2, 10, 2, 2), "small": ModelPrice(1, 1, 1, 1)})
    both = log(turn(1, request(10_000, 0, model="small", context="agent 1"), request(10_000, 100)))
    assert amounts("cost_usd", both, prices) == [0.01 + 0.021]


@pytest.mark.parametrize(
    ("logged", "problem"),
    [
        (log(turn(1, request(9, 5)), model=""), "names no model, .* --rollout-model"),
        (log(turn(1, requests=None)), "turn 1 has no usage"),
        (log(turn(1, request(0, 5))), "turn 1 states 0 input and 5 output tokens"),
        (log(turn(1, amounts={"cost_usd": "free"})), 'turn 1: cost_usd is "free"'),
        (log(turn(1, amounts={"cost_usd": -1})), "turn 1: cost_usd is -1"),
    ],
)
def test_a_cost_that_is_not_known_is_refused(logged: Log, problem: str) -> None:
    with pytest.raises(RolloutError, match=problem):
        amounts("cost_usd", logged)


def test_counts_without_the_history_have_no_price() -> None:
    bare = log(*(turn(n, replace(request(30, 5), shape=BARE)) for n in (1, 2)))
    assert accounts("cost_usd", bare).fits == {"turn"}
    with pytest.raises(RolloutError, match="leave the replayed history out"):
        accounts("cost_usd", bare, counting=Counting("turn"))
    assert accounts("cost_usd", bare, counting=Counting("request")).turns


def test_a_skipped_turn_was_paid_for_by_the_next_one() -> None:
    empty = turn(2, request(100_000, 0, cost_usd=0.25), assistant="", seconds=2.0)
    recorded = log(
        turn(1, request(9, 1, cost_usd=0.5), seconds=1.0),
        empty,
        turn(3, request(9, 1, cost_usd=0.125), seconds=4.0),
    )
    assert amounts("cost_usd", recorded) == [0.5, 0.375]
    assert amounts("seconds", recorded) == [1.0, 6.0]


def test_tool_calls_and_seconds_are_known_or_refused() -> None:
    known = log(turn(1, tool_calls=2, seconds=0.1234), turn(2, amounts={"tool_calls": 0}))
    assert amounts("tool_calls", known) == [2, 0]
    with pytest.raises(RolloutError, match=r"turn 2 has no seconds: .* leave seconds out"):
        amounts("seconds", known)
    with pytest.raises(RolloutError, match=r"turn 1 has no tool_calls"):
        amounts("tool_calls", log(turn(1)))
    with pytest.raises(RolloutError, match=r"turn 1: seconds is -3"):
        amounts("seconds", log(turn(1, seconds=-3.0)))


@given(st.lists(st.floats(0, 1e3), max_size=30), st.sampled_from([3, 6]))
def test_shares_add_up_to_what_was_spent(spent: list[float], digits: int) -> None:
    rounded = shares(spent, digits)
    for count in range(len(spent) + 1):
        assert sum(rounded[:count]) == pytest.approx(sum(spent[:count]), abs=0.51 * 10**-digits)
    assert all(amount == round(amount, digits) >= 0 for amount in rounded)


@pytest.mark.parametrize(
    ("text", "price"),
    [
        ("m=1,2", ModelPrice(1, 2, 1, 1)),
        ("m=1,2,0.1", ModelPrice(1, 2, 0.1, 1)),
        ("org/m=x=1,2,0.1,3", ModelPrice(1, 2, 0.1, 3)),
    ],
)
def test_a_price_is_read(text: str, price: ModelPrice) -> None:
    assert parse_prices([text]) == {text.rpartition("=")[0]: price}


@pytest.mark.parametrize("text", ["m", "m=1", "=1,2", "m=1,2,3,4,5", "m=1,-2", "m=1,nan", "m=a,b"])
def test_a_price_of_another_form_is_wrong_usage(text: str) -> None:
    with pytest.raises(WrongUsageError, match="expected MODEL=IN,OUT"):
        parse_prices([text])
    with pytest.raises(WrongUsageError, match="m has a price already"):
        parse_prices(["m=1,2", "m=1,3"])


def test_a_day_is_a_day() -> None:
    assert price_date(None).count("-") == 2
    for text in ("yesterday", "2026-13-01"):
        with pytest.raises(WrongUsageError, match="expected a day such as"):
            price_date(text)
