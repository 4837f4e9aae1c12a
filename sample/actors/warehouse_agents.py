"""Scripted managers, from passive to greedy: the responses that play a run without a model."""

import random
from collections.abc import Sequence

from collect.agents import Script
from collect.warehouse.business import Business
from collect.warehouse.constants import PRODUCTS, RETAILERS
from collect.warehouse.warehouse_environment import WarehouseEnvironment
from sample.actors import manager_habits as habits
from sample.actors import manager_thoughts as thoughts
from sample.actors.chance import pick, up_to
from sample.actors.manager_planner import Planner

_SHARES = {"passive": 0.08, "cautious": 0.27, "sensible": 0.35, "greedy": 0.18, "erratic": 0.12}
"""Of the managers, where none is named."""
NAMES = tuple(_SHARES)


def script(name: str | None, environment: WarehouseEnvironment, rng: random.Random) -> Script:
    """A manager of one run, which looks at the state itself and not at the text.

    Args:
        name: one of `NAMES`; drawn by its share if None.
        environment: the run, at its start.
        rng: decides the manager's habits, whims and words.
    """
    policy = name or _drawn_policy(rng)
    business = environment.business
    if policy == "erratic":
        busyness = 4 + 20 * rng.random()
        return lambda _: _erratic(business, busyness, rng)
    planner = Planner(business, habits.drawn(policy, rng), rng)
    return lambda _: _planned(business, planner, rng)


def _drawn_policy(rng: random.Random) -> str:
    point = rng.random()
    for policy, share in _SHARES.items():
        point -= share
        if point < 0:
            return policy
    return "sensible"


def _planned(business: Business, planner: Planner, rng: random.Random) -> str:
    actions = planner.actions()
    return _response(thoughts.planned(business, planner, actions, rng), actions)


def _erratic(business: Business, busyness: float, rng: random.Random) -> str:
    """At most as many actions as the manager is busy, some of them in vain."""
    ideas = [_idea(business, rng) for _ in range(up_to(busyness, rng))]
    actions = [idea for idea in ideas if idea]
    return _response(thoughts.erratic(business, rng), actions)


def _idea(business: Business, rng: random.Random) -> str:
    """An action; empty where there is nothing to ship or to deliver."""
    at = int(rng.random() * len(PRODUCTS))
    product = PRODUCTS[at].name
    finished, stock = business.factory[at], business.warehouse[at]
    kind = rng.random()
    if kind < 0.08:
        return f"produce {product} {pick(('1x', '1x', '2x', '3x'), rng)}"
    if kind < 0.4:
        way = pick(("ocean", "air"), rng)
        return f"ship {product} {up_to(finished, rng)} {way}" if finished else ""
    if kind < 0.93:
        to = pick(RETAILERS, rng).name
        return f"deliver {product} {up_to(stock, rng)} {to}" if stock else ""
    return pick(("factor all", "draw 20000", "repay all", "factor 30000"), rng)


def _response(thought: str, actions: Sequence[str]) -> str:
    lines = "\n".join(actions or ["wait"])
    return f"<think>{thought}</think>\n<answer>\n{lines}\n</answer>"
