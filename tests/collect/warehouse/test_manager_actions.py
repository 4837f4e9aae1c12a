"""Answers as text: what is read, what is refused, and that all legal actions are executed."""

import pytest

from collect.warehouse.business import Business
from collect.warehouse.manager_actions import execute, written
from collect.warehouse.warehouse_environment import WarehouseEnvironment
from tests.collect.warehouse.played_games import answer


@pytest.mark.parametrize(
    ("response", "actions"),
    [
        ("", []),
        ("wait", []),
        ("<answer></answer>", []),
        ("<answer>wait", []),
        ("<answer> wait </answer>", ["wait"]),
        ("<answer>wait || draw 5\n\n  Repay   ALL ||</answer>", ["wait", "draw 5", "repay all"]),
        ("<answer>draw 1</answer> or rather <answer>draw 2</answer>", ["draw 2"]),
        ("<answer>a <answer>draw 1</answer>", ["draw 1"]),
        ("<think><answer>draw 1</answer></think> hm", []),
        ("<think>a</think><answer>draw 1</answer></think><answer>draw 2</answer>", ["draw 2"]),
        ("<answer>draw 1\r\ndraw 2</answer>", ["draw 1", "draw 2"]),
    ],
)
def test_the_last_answer_counts(response: str, actions: list[str]) -> None:
    assert written(response) == actions


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        ("produce 4k_dock 2x", ""),
        ("draw 1,000", ""),
        ("draw $1,000.50", ""),
        ("wait", ""),
        ("wait now", "expected: wait"),
        ("order 4k_dock 2x", "no such action"),
        ("produce 4k_dock", "expected: produce PRODUCT 1x|2x|3x"),
        ("produce 8k_dock 2x", "no such product; expected usb_c_hub"),
        ("produce 4k_dock 4x", "no such multiple; expected 1x, 2x, 3x"),
        ("produce 4k_dock 2", "no such multiple"),
        ("ship 4k_dock 10 rail", "no such way; expected ocean, air"),
        ("ship 4k_dock 0 air", "units must be a whole number above 0"),
        ("ship 4k_dock -5 air", "units must be"),
        ("ship 4k_dock 1.5 air", "units must be"),
        ("ship 4k_dock ٣ air", "units must be"),
        ("ship 4k_dock 1,00 air", "units must be"),
        (f"ship 4k_dock {'9' * 5000} air", "units must be"),
        ("ship 4k_dock 999999999 air", "only 0 4k_dock"),
        ("deliver 4k_dock 10 nowhere", "no such retailer; expected mass"),
        ("draw 0", "dollars must be an amount above 0, or: all"),
        ("draw 1.5", "dollars must be"),
        ("draw much", "dollars must be"),
        ("draw 999,999,999", "only $200,000.00 of credit is left"),
    ],
)
def test_each_action_or_why_not(action: str, problem: str) -> None:
    [result] = execute(answer(action), Business())
    assert result.problem.startswith(problem)
    assert bool(result.problem) == bool(problem)
    assert len(result.action) <= 63


def test_legal_actions_are_executed_beside_illegal_ones() -> None:
    environment = WarehouseEnvironment("0")
    observation = environment.step(answer("draw 5000", "fly", "produce 4k_dock 1x", "repay 1000"))
    assert observation.actions == ("draw 5000", "produce 4k_dock 1x", "repay 1000")
    assert (
        "Of your answer, 1 of 4 actions were not executed:\n- fly: no such action"
        in observation.text
    )
    assert environment.business.ledger.debt == 4_000_00


@pytest.mark.parametrize(
    ("response", "message"),
    [
        ("Let me think.", "Your answer had no action in <answer>...</answer>: the turn passed"),
        (answer("fly"), "Nothing in your answer was legal: the turn passed without an action.\n"),
        (answer(*["fly"] * 9), "- fly: no such action; there are produce, ship, deliver"),
        (answer(*["fly"] * 9), "\n- and 4 more\n"),
    ],
)
def test_an_answer_without_a_legal_action_costs_the_turn(response: str, message: str) -> None:
    observation = WarehouseEnvironment("0").step(response)
    assert observation.actions == ()
    assert message in observation.text
    assert observation.text.startswith("Day: 14\n")


def test_a_legal_answer_is_not_commented() -> None:
    assert "not executed" not in WarehouseEnvironment("0").step(answer("wait")).text
