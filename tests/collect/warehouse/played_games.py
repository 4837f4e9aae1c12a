"""Runs of the Warehouse environment, in one line each."""

import random
from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from collect.warehouse.business import Business
from collect.warehouse.constants import PRODUCTS, RETAILERS, TURNS
from collect.warehouse.demand import Demand
from collect.warehouse.simulator import Simulator
from collect.warehouse.warehouse_environment import WarehouseEnvironment
from sample.actors.warehouse_agents import script

HUB, DOCK, CABLE, ADAPTER, TRAVEL = range(5)
MASS, ELECTRONICS, VALUE, OFFICE, SMALL = range(5)


def answer(*actions: str) -> str:
    return "<answer>\n" + "\n".join(actions) + "\n</answer>"


def flat(units: int = 0) -> Demand:
    """Return orders of so many units a turn of every product at every retailer."""
    return (((units,) * len(PRODUCTS),) * len(RETAILERS),) * TURNS


def business(simulator: Simulator, **state: object) -> Business:
    """The business of a simulator, with some of its state set."""
    for name, value in state.items():
        assert hasattr(simulator.business, name)
        setattr(simulator.business, name, value)
    return simulator.business


def turns_of(simulator: Simulator, turns: int) -> Business:
    for _ in range(turns):
        simulator.pass_turn()
    return simulator.business


_products = st.sampled_from([product.name for product in PRODUCTS])
_retailers = st.sampled_from([retailer.name for retailer in RETAILERS])
_units = st.integers(1, 30_000)
_amounts = st.one_of(st.just("all"), st.integers(1, 250_000).map(str))


def _joined(*parts: object) -> st.SearchStrategy[str]:
    strategies = [part if isinstance(part, st.SearchStrategy) else st.just(part) for part in parts]
    return st.tuples(*strategies).map(lambda words: " ".join(str(word) for word in words))


actions = st.one_of(
    _joined("produce", _products, st.sampled_from(["1x", "2x", "3x"])),
    _joined("ship", _products, _units, st.sampled_from(["ocean", "air"])),
    _joined("deliver", _products, _units, _retailers),
    _joined(st.sampled_from(["draw", "repay", "factor"]), _amounts),
    st.just("wait"),
    st.text(max_size=20),
)
"""Some legal, most not."""


def answers(turns: int = TURNS) -> st.SearchStrategy[Sequence[str]]:
    """A response a turn: orders and shipments that often go through, and garbage."""
    busy = st.lists(actions, max_size=12).map(lambda chosen: answer(*chosen))
    return st.lists(st.one_of(busy, st.text(max_size=40)), min_size=turns, max_size=turns)


def manager(environment: WarehouseEnvironment, policy: str | None, seed: str) -> Callable[[], str]:
    """A scripted manager as a function of nothing: it looks at the state itself."""
    respond = script(policy, environment, random.Random(seed))
    return lambda: respond("")
