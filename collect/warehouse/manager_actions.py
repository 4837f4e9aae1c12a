"""An agent's answer as actions, one a line or separated by `||`.

<answer>
produce 4k_dock 2x
ship 4k_dock 1400 air || deliver 4k_dock 500 electronics
factor all
</answer>
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bagen_data.answers import answer_in
from collect.warehouse import manager_decisions
from collect.warehouse.business import Business
from collect.warehouse.constants import DISCOUNT_PERCENT, PRODUCTS, RETAILERS
from collect.warehouse.manager_decisions import IllegalActionError

Decision = Callable[[Business], None]
Value = TypeVar("Value")

_UNITS = re.compile(r"[0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2}")
_DOLLARS = re.compile(r"\$?([0-9]{1,9}|[0-9]{1,3}(?:,[0-9]{3}){1,2})(?:\.([0-9]{2}))?")
_PRODUCT = {product.name: index for index, product in enumerate(PRODUCTS)}
_RETAILER = {retailer.name: index for index, retailer in enumerate(RETAILERS)}
_MULTIPLE = {f"{multiple}x": multiple for multiple in DISCOUNT_PERCENT}
_BY_AIR = {"ocean": False, "air": True}
_SHOWN = 60
"""The most characters of an action that are quoted back."""


@dataclass(frozen=True)
class Result:
    """The result of an action."""

    action: str
    """Action as it was written, in lower case, with single spaces."""
    problem: str = ""
    """Reason why the action was not executed; empty if it was."""


def execute(response: str, business: Business) -> list[Result]:
    """Execute what is legal in a response, in its order; empty if it has no action at all."""
    return [_result(action, business) for action in written(response)]


def written(response: str) -> list[str]:
    """Return the actions of a response's last answer, legal or not.

    Text before `</think>` is not part of the answer.

    >>> written("<answer>wait</answer></think><answer>Draw  5 || wait</answer>")
    ['draw 5', 'wait']
    >>> written("produce 4k_dock 2x")
    []
    """
    lines = (answer_in(response) or "").replace("||", "\n").split("\n")
    actions = [" ".join(line.lower().split()) for line in lines]
    return [action for action in actions if action]


def _result(action: str, business: Business) -> Result:
    try:
        decision(action)(business)
    except IllegalActionError as error:
        quoted = action if len(action) <= _SHOWN else f"{action[:_SHOWN]}..."
        return Result(quoted, str(error))
    return Result(action)


def decision(action: str) -> Decision:
    """Return the decision that an action names.

    Raises:
        IllegalActionError: it is none of `FORMS`.
    """
    verb, *words = action.split(" ")
    if verb not in _FORMS:
        raise IllegalActionError(f"no such action; there are {', '.join(_FORMS)}")
    form, parse = _FORMS[verb]
    if len(words) != form.count(" "):
        raise IllegalActionError(f"expected: {form}")
    return parse(*words)


def _produce(product: str, multiple: str) -> Decision:
    made = _named(product, _PRODUCT, "product")
    return partial(
        manager_decisions.produce, product=made, multiple=_named(multiple, _MULTIPLE, "multiple")
    )


def _ship(product: str, units: str, way: str) -> Decision:
    goods = _named(product, _PRODUCT, "product")
    by_air = _named(way, _BY_AIR, "way")
    return partial(manager_decisions.ship, product=goods, units=_units(units), by_air=by_air)


def _deliver(product: str, units: str, retailer: str) -> Decision:
    goods = _named(product, _PRODUCT, "product")
    to = _named(retailer, _RETAILER, "retailer")
    return partial(manager_decisions.deliver, product=goods, units=_units(units), retailer=to)


def _draw(amount: str) -> Decision:
    return partial(manager_decisions.draw, cents=_cents(amount))


def _repay(amount: str) -> Decision:
    return partial(manager_decisions.repay, cents=_cents(amount))


def _factor(amount: str) -> Decision:
    return partial(manager_decisions.factor, cents=_cents(amount))


def _wait() -> Decision:
    return lambda _: None


_FORMS: dict[str, tuple[str, Callable[..., Decision]]] = {
    "produce": ("produce PRODUCT 1x|2x|3x", _produce),
    "ship": ("ship PRODUCT UNITS ocean|air", _ship),
    "deliver": ("deliver PRODUCT UNITS RETAILER", _deliver),
    "draw": ("draw DOLLARS|all", _draw),
    "repay": ("repay DOLLARS|all", _repay),
    "factor": ("factor DOLLARS|all", _factor),
    "wait": ("wait", _wait),
}
FORMS = tuple(form for form, _ in _FORMS.values())
"""Forms of the actions, as an agent reads them."""


def _named(name: str, known: dict[str, Value], what: str) -> Value:
    if name not in known:
        raise IllegalActionError(f"no such {what}; expected {', '.join(known)}")
    return known[name]


def _units(word: str) -> int:
    if not _UNITS.fullmatch(word) or not int(word.replace(",", "")):
        raise IllegalActionError("units must be a whole number above 0")
    return int(word.replace(",", ""))


def _cents(word: str) -> int | None:
    """Return an amount of dollars > 0, with or without cents, in cents; None: all."""
    if word == "all":
        return None
    amount = _DOLLARS.fullmatch(word)
    cents = int(amount[1].replace(",", "")) * 100 + int(amount[2] or 0) if amount else 0
    if not cents:
        raise IllegalActionError("dollars must be an amount above 0, or: all")
    return cents
