"""Scripted managers: calibrated, different from each other, and honest about what they see."""

import json
from hashlib import sha256
from statistics import fmean

import pytest

from collect.warehouse.constants import WEEKS
from collect.warehouse.manager_actions import written
from collect.warehouse.warehouse_environment import WarehouseEnvironment
from sample.actors.warehouse_agents import NAMES
from tests.collect.warehouse.played_games import manager

SEEDS = 40
OPENING_CASH = 500_000


def played(policy: str | None, seed: int) -> tuple[list[str], list[dict[str, float]], bool]:
    """Responses, accounts and whether it ended bankrupt."""
    environment = WarehouseEnvironment(str(seed))
    respond = manager(environment, policy, f"{policy or 'mixed'} {seed}")
    responses, accounts = [], []
    done = False
    while not done:
        responses.append(respond())
        observation = environment.step(responses[-1])
        accounts.append(observation.logged["financials"])
        done = observation.done
    return responses, accounts, environment.business.bankrupt


def final_cash(policy: str) -> list[float]:
    return [played(policy, seed)[1][-1]["cash"] for seed in range(SEEDS)]


def test_a_sensible_manager_sells_116k_a_week_and_ends_with_more_cash() -> None:
    """Sales are the mean over all 22 weeks, the empty first ones included."""
    runs = [played("sensible", seed)[1] for seed in range(SEEDS)]
    weekly = fmean(sum(turn["revenue"] for turn in run) / WEEKS for run in runs)
    assert weekly == pytest.approx(116_000, rel=0.1)
    richer = sum(run[-1]["cash"] > OPENING_CASH for run in runs)
    assert richer >= 0.9 * SEEDS


def test_doing_next_to_nothing_loses_money() -> None:
    richer = sum(cash > OPENING_CASH for cash in final_cash("passive"))
    assert richer <= 0.05 * SEEDS


def test_greed_may_end_in_bankruptcy() -> None:
    bankrupt = sum(played("greedy", seed)[2] for seed in range(SEEDS))
    assert 0.1 * SEEDS <= bankrupt <= 0.6 * SEEDS


def test_the_mixture_differs() -> None:
    runs = [played(None, seed)[1] for seed in range(SEEDS)]
    ends = [(run[-1]["cash"], run[-1]["cumulative_cost"]) for run in runs]
    assert len(set(ends)) >= 0.95 * SEEDS
    cash = sorted(end for end, _ in ends)
    assert cash[SEEDS // 10] < OPENING_CASH < cash[SEEDS // 2]


@pytest.mark.parametrize("policy", NAMES)
def test_responses_are_short_and_in_form(policy: str) -> None:
    responses, _, _ = played(policy, 0)
    for response in responses:
        assert response.startswith("<think>")
        assert written(response)
        assert len(response) < 2_000
    assert played(policy, 0)[0] == responses
    assert len(set(responses)) > len(responses) / 2


def test_managers_are_the_same_on_every_machine() -> None:
    said = [played(None, seed)[0] for seed in range(8)]
    assert sha256(json.dumps(said).encode()).hexdigest()[:16] == "59d027427aec8103"
