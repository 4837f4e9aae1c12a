"""Advice without a policy: stop where a budget is exceeded, warn where little is left."""

from typing import TYPE_CHECKING

from bagen_data.live.advice import Advice
from bagen_data.live.status_text import amount_text, chance_text, label
from bagen_data.schema import FINISH_THRESHOLD, Amounts, Forecast

if TYPE_CHECKING:
    from bagen_data.forecasters.kept import AmountForecast

WARN_FROM = 0.8
"""The share of a budget from which on its use is warned of."""


def exceeded(limits: Amounts, used: Amounts) -> Advice | None:
    """Return the advice to stop where a budget is exceeded; None where all last.

    >>> exceeded({"tokens": 900}, {"tokens": 901}).because
    'the budget of tokens is exceeded: 901 of 900 used'
    """
    over = [name for name, limit in limits.items() if used[name] > limit]
    if not over:
        return None
    sums = ", ".join(
        f"{amount_text(name, used[name])} of {amount_text(name, limits[name])}" for name in over
    )
    return Advice("stop", f"the budget of {', '.join(map(label, over))} is exceeded: {sums} used")


def plain_advice(
    limits: Amounts, used: Amounts, forecast: "Forecast | AmountForecast | None"
) -> Advice:
    """Return advice about budgets that are not exceeded.

    Args:
        limits: the budget of each resource.
        used: spent so far, by resource.
        forecast: the forecast after the last turn, if there is one. It makes a warning where an
            interval would say `impossible`, and never stops a run: a policy does.

    >>> plain_advice({"tokens": 900}, {"tokens": 90}, None)
    Advice(action='continue', because='10% of the budget of tokens is used')
    """
    shares = {name: used[name] / limit if limit else 1.0 for name, limit in limits.items()}
    most = max(shares, key=shares.__getitem__)
    spent = f"{shares[most]:.0%} of the budget of {label(most)} is used"
    if shares[most] >= WARN_FROM:
        return Advice("warn", spent)
    if forecast is not None:
        is_known = isinstance(forecast, Forecast)
        chance = forecast.finish if isinstance(forecast, Forecast) else forecast.within_budget
        if chance < FINISH_THRESHOLD:
            what = "to succeed within the budgets" if is_known else "that the budgets last"
            return Advice("warn", f"the chance {what} is {chance_text(chance)}")
    return Advice("continue", spent)
