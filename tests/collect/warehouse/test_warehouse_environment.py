"""Texts that an agent reads and a log that the build reads."""

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from bagen_data.tasks.warehouse import _PRINTED
from collect.environment import Environment
from collect.warehouse.business import Business, Delivery, Order
from collect.warehouse.demand import demand_of
from collect.warehouse.ledger import COST_PARTS
from collect.warehouse.simulator import Simulator
from collect.warehouse.state_report import report
from collect.warehouse.warehouse_environment import RULES, WarehouseEnvironment
from collect.warehouse.warehouse_game import Warehouse
from sample.actors.warehouse_agents import NAMES
from tests.collect.warehouse.played_games import HUB, MASS, answer, manager
from tests.making import read, write_json

OPENING = (
    answer("produce usb_c_cable 3x", "produce usb_c_hub 2x", "produce 4k_dock 1x"),
    answer("produce display_adapter 2x", "produce travel_dock 1x"),
    answer("ship usb_c_cable 21600 air", "ship 4k_dock 1 air", "draw 40000"),
    answer("deliver usb_c_cable 5000 mass", "deliver usb_c_cable 6900 small", "factor all"),
    answer("ship usb_c_hub 7200 air", "ship display_adapter 6400 ocean", "factor 20000"),
    "nonsense",
)


def texts(seed: int, responses: tuple[str, ...] = OPENING) -> list[str]:
    environment = WarehouseEnvironment(str(seed))
    return [environment.start(), *(environment.step(response).text for response in responses)]


def test_the_same_seed_and_actions_give_the_same_states() -> None:
    assert texts(7) == texts(7)
    assert texts(7)[0] == texts(8)[0]
    assert texts(7)[1] != texts(8)[1]


def test_every_rollout_of_every_seed_is_an_instance_of_its_own() -> None:
    game = Warehouse()
    made = [game.environment(seed, number).instance_id for seed in (0, 1) for number in (0, 1, 10)]
    assert len(set(made)) == 6
    assert game.environment(1, 10).instance_id == made[-1]


def test_states_are_the_same_on_every_machine_and_version() -> None:
    """A change here changes recorded instances: only a change of the rules may do so."""
    digest = hashlib.sha256("\n".join(texts(7)).encode()).hexdigest()
    assert digest[:16] == "1d9099dcc0f8adac"


def recorded(seed: int, policy: str | None) -> dict[str, Any]:
    """A run as a record in the dialogues layout."""
    environment = WarehouseEnvironment(str(seed))
    respond = manager(environment, policy, f"{policy or 'mixed'} {seed}")
    turns, shown, done = [], environment.start(), False
    while not done:
        response = respond()
        observation = environment.step(response)
        turns.append({"user_prompt": shown, "raw_response": response, **observation.logged})
        shown, done = observation.text, observation.done
    return {"turns": turns, **environment.outcome()}


def test_the_build_reads_runs(tmp_path: Path) -> None:
    records = [recorded(seed, policy) for seed, policy in enumerate(NAMES)]
    write_json(tmp_path / "warehouse-origin-m" / "runs.json", records)
    index = read(tmp_path / "warehouse-origin-m")
    assert not index.refused
    for record, rollout in zip(records, index.rollouts, strict=True):
        last = record["turns"][-1]["financials"]
        spent = sum(turn.usage["cumulative_cost_usd"] for turn in rollout.turns)
        held = sum(turn.usage["warehouse_item_weeks"] for turn in rollout.turns)
        assert spent == round(last["cumulative_cost"])
        assert held == round(last["cumulative_inventory_weeks"])
        assert rollout.turns[-1].state == {"cash_usd": round(record["final_state"]["cash"])}
        assert rollout.success is not record["bankrupt"]


def test_the_room_left_in_a_centre_is_without_what_is_on_the_way() -> None:
    business = Business(day=14, deliveries=[Delivery(MASS, HUB, 300, 17)])
    business.centres[MASS][HUB] = 1_000
    business.orders = [Order(HUB, 10, 0, day, 500_00) for day in (15, 28, 29)]
    text = report(business)
    assert re.search(r"^room left +23700 +18000 +14000", text, re.MULTILINE)
    assert re.search(r"^usb_c_hub +1000\+300 ", text, re.MULTILINE)
    assert "Payables (balances of production): $1,500.00; due by d28 $1,000, d42 $500\n" in text


def test_nothing_shows_the_demand_to_come() -> None:
    demand = demand_of(3)
    future = tuple(demand_of(4)[turn] if turn > 1 else demand[turn] for turn in range(11))
    shown, after = [], []
    for asked in (demand, future):
        environment = WarehouseEnvironment("3")
        environment._simulator = Simulator(asked)
        respond = manager(environment, "sensible", "x")
        said = [environment.start()]
        for _ in range(2):
            response = respond()
            said += [response, environment.step(response).text]
        shown.append([*said, respond()])
        after.append(environment.step("").text)
    assert shown[0] == shown[1]
    assert after[0] != after[1]


@pytest.mark.parametrize(("cents", "printed"), [(1_234_50, 1234.5), (-5, -0.05), (0, 0.0)])
def test_the_build_reads_cash_and_day_from_the_text(cents: int, printed: float) -> None:
    business = Business(day=28)
    business.ledger.cash = cents
    cash = _PRINTED["cash"].search(report(business))
    day = _PRINTED["day"].search(report(business))
    assert cash is not None
    assert day is not None
    assert float((cash[1] + cash[2]).replace(",", "")) == printed
    assert day[2] == "28"


@pytest.mark.parametrize("policy", NAMES)
def test_texts_stay_small(policy: str) -> None:
    for seed in range(4):
        environment = WarehouseEnvironment(str(seed))
        respond = manager(environment, policy, f"{seed}")
        done = False
        while not done:
            observation = environment.step(respond())
            done = observation.done
            assert len(observation.text) <= 2_600
            _, tables = observation.text.split("Stock in", 1)
            assert max(len(line) for line in tables.split("\n")) <= 110


def test_the_system_message_is_one_for_all_and_narrow() -> None:
    assert WarehouseEnvironment("1").system == WarehouseEnvironment("2").system
    assert max(len(line) for line in WarehouseEnvironment.system.split("\n")) <= 110
    assert "{" not in WarehouseEnvironment.system


@pytest.mark.parametrize(
    "rule",
    [
        "22 weeks: 11 turns of 14 days",
        "at 0/8/15% discount",
        "30% is paid at once",
        "ocean 32 days, air 6 days",
        "holds 50,000 units",
        "pay you 30 days after the sale",
        "factory $0.01, warehouse $0.02, waiting at the port $0.10",
        "$9,000 a week",
        "10% of the price for each unit of unfilled demand",
        "$0.25 a day for each unit above 95%",
        "$200,000 at 0.8% interest a turn",
        "for 95% of their amount",
        "less than $25,000 in cash at the end of a turn you pay $50,000",
        "less than -$100,000",
        "draw enough yourself before the turn",
        "On day 154",
        "below 800 tokens",
        "4k_dock (4K dock) 1400 $32.50 45 $110.00 $2.20 $11.00 700",
        "small (small accounts) 7000 110% 10% 4 $0.60",
    ],
)
def test_the_system_message_states_the_rules(rule: str) -> None:
    assert rule in " ".join(WarehouseEnvironment.system.split())


def test_a_run_ends_after_11_turns() -> None:
    environment: Environment = WarehouseEnvironment("0")
    observations = [environment.step(answer("wait")) for _ in range(RULES.turns)]
    assert [observation.done for observation in observations] == [False] * 10 + [True]
    assert observations[-1].success
    assert "The 22 weeks are over" in observations[-1].text
    assert environment.outcome() == {
        "initial_state": _state(0, 500_000.0),
        "final_state": _state(154, 302_000.0),
        "success": True,
        "bankrupt": False,
    }
    with pytest.raises(ValueError, match="the run is over on day 154"):
        environment.step("")


def _state(day: int, cash: float) -> dict[str, float]:
    return {
        "day": day,
        "cash": cash,
        "credit_drawn": 0.0,
        "receivables": 0.0,
        "warehouse_units": 0,
    }


def test_bankruptcy_ends_the_run() -> None:
    environment = WarehouseEnvironment("0")
    names = ("usb_c_hub", "4k_dock", "usb_c_cable", "display_adapter", "travel_dock")
    observations = []
    while not observations or not observations[-1].done:
        observations.append(environment.step(answer(*(f"produce {name} 3x" for name in names))))
    assert len(observations) < RULES.turns
    assert not any(observation.success for observation in observations)
    assert "Acme is bankrupt. The run is over." in observations[-1].text
    assert "penalty: cash was below $25,000 at its end" in observations[-1].text
    assert "STALLED since" in observations[-1].text
    assert environment.outcome()["bankrupt"] is True
    assert environment.outcome()["success"] is False


def test_the_accounts_of_a_turn() -> None:
    accounts = WarehouseEnvironment("0").step(answer("draw 10000")).logged["financials"]
    assert accounts["cash"] == 500_000 + 10_000 - 18_000 - 80
    assert accounts["cumulative_cost"] == 18_080
    assert accounts["cumulative_inventory_weeks"] == 0
    assert accounts["reward"] == -18_000
    assert {f"{part}_cost" for part in COST_PARTS} < set(accounts)
    assert len(COST_PARTS) == 8
