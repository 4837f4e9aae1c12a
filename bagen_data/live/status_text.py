"""Budgets in words and numbers, for the next message to an agent.

The idea is that of the Budget Tracker of BATS (Budget-Aware Tool-Use Enables Effective Agent
Scaling, 2025): an agent that sees what it used and what is left of each budget, and how to behave
at that level, spends it better. The words are our own.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from bagen_data.schema import Amounts, Forecast

if TYPE_CHECKING:
    from bagen_data.forecasters.kept import AmountForecast

Level = Literal["plenty", "half", "low", "critical", "used up"]

_LEVELS: tuple[tuple[float, Level], ...] = ((0.6, "plenty"), (0.3, "half"), (0.1, "low"))
"""The least share that is left at each level; below, it is critical, and without any, used up."""
_WHOLE_RUN = frozenset({"tokens", "cost_usd", "turns", "tool_calls", "seconds"})
"""Resources that every step of a run spends, so without them it ends; others are single tools'."""
_LABELS = {"cost_usd": "cost", "tool_calls": "tool calls", "seconds": "time"}
_SCARCE = frozenset({"low", "critical", "used up"})
"""Levels at which an agent has to change what it does."""
_CONDUCT: Mapping[Level, str] = {
    "plenty": "There is room to try more than one way and to check what you find.",
    "half": "Follow the most promising way, and keep enough for a check and the answer.",
    "low": "Finish what is under way, check only what decides the answer, and then answer.",
    "critical": "Stop exploring, and give your best answer in as few steps as possible.",
    "used up": "Give your best answer at once.",
}
_TOOL_CONDUCT: Mapping[Level, str] = {
    **_CONDUCT,
    "low": "Use it only where the answer depends on it.",
    "critical": "Keep it for the one step that decides the answer.",
    "used up": "Go on without it, from what you have.",
}


@dataclass(frozen=True)
class Standing:
    """The amounts and the state of a run that a status text tells."""

    turns: int
    """Completed turns."""
    limits: Amounts
    """The budget of each resource."""
    used: Amounts
    """Spent so far, by resource."""
    at_least: Collection[str]
    """Resources of which more was spent than is known."""
    forecast: "Forecast | AmountForecast | None"
    """The forecast after the last turn, if there is one."""


def level(used: float, limit: float) -> Level:
    """Return a word for what is left of a budget.

    >>> level(30, 100), level(95, 100), level(100, 100)
    ('plenty', 'critical', 'used up')
    """
    if used >= limit:
        return "used up"
    left = (limit - used) / limit
    return next((word for least, word in _LEVELS if left >= least), "critical")


def status_text(standing: Standing) -> str:
    """Return the budgets, the forecast and a line of advice.

    >>> print(status_text(Standing(7, {"tokens": 200_000}, {"tokens": 84_000}, (), None)))
    Budget after 7 turns:
    - tokens: 84,000 of 200,000 used (42%), 116,000 left: half
    Follow the most promising way, and keep enough for a check and the answer.
    """
    turns = f"{standing.turns:,} turn{'' if standing.turns == 1 else 's'}"
    lines = [f"Budget after {turns}:", *(_line(standing, name) for name in standing.limits)]
    if standing.forecast is not None:
        lines.append(_forecast_line(standing.forecast))
    return "\n".join([*lines, _conduct(standing)])


def _line(standing: Standing, name: str) -> str:
    limit, used = standing.limits[name], standing.used[name]
    is_bound = name in standing.at_least
    share = f"{round(100 * used / limit):,}%" if limit else "all"
    left = (
        f"{'at most ' if is_bound else ''}{amount_text(name, limit - used)} left"
        if used <= limit
        else f"{amount_text(name, used - limit)} over"
    )
    return (
        f"- {label(name)}: {'at least ' if is_bound else ''}{amount_text(name, used)} of "
        f"{amount_text(name, limit)} used ({share}), {left}: {level(used, limit)}"
    )


def _conduct(standing: Standing) -> str:
    """Return how to behave, by the scarcest budget of a tool and the scarcest one of the run."""
    limits, used = standing.limits, standing.used
    ascending = sorted(limits, key=lambda name: used[name] / limits[name] if limits[name] else 1.0)
    words = {name: level(used[name], limits[name]) for name in ascending}
    scarce = [name for name in ascending if words[name] in _SCARCE]
    tools = [name for name in scarce if name not in _WHOLE_RUN][-1:]
    whole = [name for name in scarce if name in _WHOLE_RUN][-1:]
    if not scarce:
        return _CONDUCT[words[ascending[-1]]]
    return " ".join(
        f"The budget of {label(name)} is {words[name]}. {rules[words[name]]}"
        for names, rules in ((tools, _TOOL_CONDUCT), (whole, _CONDUCT))
        for name in names
    )


def _forecast_line(forecast: "Forecast | AmountForecast") -> str:
    if isinstance(forecast, Forecast):
        chance = f"the chance to succeed within the budget is {chance_text(forecast.finish)}"
        whose = "A run that succeeds"
    else:
        chance = (
            "the chance that what is still needed fits the budget is "
            f"{chance_text(forecast.within_budget)}"
        )
        whose = "A run like this"
    needs = [
        f"{amount_text(name, low)} to {amount_text(name, high)}{_unit(name)}"
        for name, (low, *_, high) in forecast.quantiles.items()
    ]
    return f"Forecast: {chance}. {whose} probably still needs {' and '.join(needs)}."


def label(resource: str) -> str:
    """Return a resource's name as a reader knows it."""
    return _LABELS.get(resource, resource)


def _unit(resource: str) -> str:
    return "" if resource in ("cost_usd", "seconds") else f" {label(resource)}"


def amount_text(resource: str, amount: float) -> str:
    """Return an amount of a resource in digits that a model reads well.

    >>> amount_text("tokens", 164000.0), amount_text("cost_usd", 0.0421), amount_text("seconds", 75)
    ('164,000', '$0.0421', '75 s')
    """
    if resource == "cost_usd":
        return f"${amount:,.2f}" if amount >= 1 or not amount else f"${amount:.4f}"
    if resource == "seconds":
        return f"{amount:,.0f} s" if amount >= 10 or amount == int(amount) else f"{amount:.1f} s"
    return f"{amount:,.0f}" if amount == int(amount) or amount >= 1_000 else f"{amount:,.2f}"


def chance_text(chance: float) -> str:
    """Return a probability as a percentage that is neither 0 nor 100.

    >>> chance_text(0.004), chance_text(0.65)
    ('below 1%', '65%')
    """
    if chance < 0.01:
        return "below 1%"
    return "above 99%" if chance > 0.99 else f"{chance:.0%}"
