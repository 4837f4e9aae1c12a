"""Scripted managers of Acme, from passive to greedy: some end rich, some poor, some bankrupt."""

import random
from collections.abc import Callable, Sequence

from collect.agents import Script
from collect.warehouse.business import Business
from collect.warehouse.constants import PRODUCTS, RETAILERS
from collect.warehouse.money import whole_dollars
from collect.warehouse.warehouse_environment import WarehouseEnvironment
from sample.actors.warehouse_manager import Habits, Manager

_Range = tuple[float, float]
_HABITS: dict[str, tuple[_Range, ...]] = {
    "passive": ((0.4, 0.7), (3, 6), (0, 2), (1, 1), (3e5, 4.2e5), (0.9, 1), (0, 0), (0.75, 0.9)),
    "cautious": ((0.6, 0.9), (6, 11), (2, 6), (1, 2), (1e5, 2.5e5), (0.8, 1), (0, 0.3), (0, 0.25)),
    "sensible": ((0.9, 1.1), (12, 16), (3, 6), (3, 3), (6e4, 1.2e5), (0.85, 1), (0.7, 1), (0, 0)),
    "greedy": ((1.4, 3), (14, 30), (10, 40), (2, 3), (0, 4e4), (0, 0.7), (0.8, 1), (0, 0.4)),
}
"""Range of each of `Habits`' fields by policy, in their order; found by trying."""
_SHARES = {"passive": 0.08, "cautious": 0.27, "sensible": 0.35, "greedy": 0.18, "erratic": 0.12}
"""Share of each policy among managers, where none is named."""
NAMES = tuple(_SHARES)


def script(name: str | None, environment: WarehouseEnvironment, rng: random.Random) -> Script:
    """Return a manager of one run, which looks at the state itself and not at the text.

    Args:
        name: one of `NAMES`; drawn by its share if None.
        environment: the run, at its start.
        rng: decides the manager's habits and whims.
    """
    [policy] = [name] if name else rng.choices(NAMES, tuple(_SHARES.values()))
    business = environment.business
    act = (
        _erratic(business, rng)
        if policy == "erratic"
        else Manager(business, _drawn_habits(policy, rng), rng).actions
    )
    return lambda _: _response(business, act())


def _drawn_habits(policy: str, rng: random.Random) -> Habits:
    return Habits(*(low + (high - low) * rng.random() for low, high in _HABITS[policy]))


def _erratic(business: Business, rng: random.Random) -> Callable[[], list[str]]:
    """Act at random, some of it in vain."""
    most = rng.randrange(4, 24)

    def actions() -> list[str]:
        ideas = (_idea(business, rng) for _ in range(rng.randrange(1, most)))
        return [idea for idea in ideas if idea]

    return actions


def _idea(business: Business, rng: random.Random) -> str:
    """Return an action; empty where there is nothing to ship or to deliver."""
    at = rng.randrange(len(PRODUCTS))
    product, finished, stock = PRODUCTS[at].name, business.factory[at], business.warehouse[at]
    kind = rng.random()
    if kind < 0.08:
        return f"produce {product} {rng.choice(('1x', '1x', '2x', '3x'))}"
    if kind < 0.4:
        way = rng.choice(("ocean", "air"))
        return f"ship {product} {rng.randint(1, finished)} {way}" if finished else ""
    if kind < 0.93:
        to = rng.choice(RETAILERS).name
        return f"deliver {product} {rng.randint(1, stock)} {to}" if stock else ""
    return rng.choice(("factor all", "draw 20000", "repay all", "factor 30000"))


def _response(business: Business, actions: Sequence[str]) -> str:
    owed = whole_dollars(sum(business.receivables.values()))
    verbs = [action.partition(" ")[0] for action in actions]
    counts = ", ".join(f"{verbs.count(verb)} to {verb}" for verb in dict.fromkeys(verbs))
    thought = (
        f"Cash stands at {whole_dollars(business.ledger.cash)} and retailers owe {owed}. "
        f"My plan has {counts or 'no action'}."
    )
    lines = "\n".join(actions or ["wait"])
    return f"<think>{thought}</think>\n<answer>\n{lines}\n</answer>"
