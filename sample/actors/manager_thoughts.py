"""What scripted managers say before they answer: short, of the state, and seldom the same."""

import random
from collections.abc import Sequence

from collect.warehouse.business import Business
from collect.warehouse.constants import PRODUCTS, TURN_DAYS
from collect.warehouse.money import whole_dollars
from sample.actors.chance import pick
from sample.actors.manager_planner import Planner

_WHIMS = (
    "I follow my nose this time.",
    "Something has to move, so let me move something.",
    "Hard to say what sells; I try a bit of everything.",
    "The last plan did not convince me, so here is another.",
    "No strong view on demand, I spread my bets.",
)
_PLANS = ("So this turn:", "I will do this:", "The plan:", "That leads to these steps:")
_WAITS = (
    "Nothing needs doing, I wait.",
    "I hold on to the cash and wait.",
    "Stock and orders suffice for now; wait.",
)
_VERBS = ("produce", "ship", "deliver", "factor", "repay")
_SPOKEN_CHANCE = 0.85


def planned(
    business: Business, planner: Planner, actions: Sequence[str], rng: random.Random
) -> str:
    """Of money, of what runs out first, and of the plan; any of them may stay unsaid."""
    least = min(range(len(PRODUCTS)), key=planner.cover)
    said = (
        _of_money(business, rng),
        f"{PRODUCTS[least].name} has the least cover: {planner.cover(least):.1f} weeks on order "
        f"and in stock at about {planner.weekly(least):.0f} units a week.",
        _of_actions(actions, rng),
    )
    return " ".join(thought for thought in said if rng.random() < _SPOKEN_CHANCE)


def erratic(business: Business, rng: random.Random) -> str:
    """Of money, and a whim."""
    return f"{_of_money(business, rng)} {pick(_WHIMS, rng)}"


def _of_money(business: Business, rng: random.Random) -> str:
    ledger = business.ledger
    owed = whole_dollars(sum(business.receivables.values()))
    cash = whole_dollars(ledger.cash)
    turn = business.day // TURN_DAYS + 1
    return pick(
        (
            f"Turn {turn}: {cash} in cash, {whole_dollars(ledger.credit_left)} of credit left.",
            f"Cash stands at {cash}, and retailers owe {owed}.",
            f"{cash} to work with; sales were {whole_dollars(business.turn.revenue_cents)}.",
            f"It is day {business.day} and cash is {cash}.",
        ),
        rng,
    )


def _of_actions(actions: Sequence[str], rng: random.Random) -> str:
    if not actions:
        return pick(_WAITS, rng)
    counts = {verb: sum(action.startswith(verb) for action in actions) for verb in _VERBS}
    told = ", ".join(f"{count} to {verb}" for verb, count in counts.items() if count)
    return f"{pick(_PLANS, rng)} {told}."
