"""Words and numbers about a watched run, for a screen or for lines of text."""

from collections.abc import Mapping, Sequence

from bagen_data.live.status_text import amount_text
from bagen_data.live.watching.run_states import TurnState

_BLOCKS = "▁▂▃▄▅▆▇█"
_ASCII_BLOCKS = "_.-=+*#@"


def range_text(low: float, high: float) -> str:
    """Return two amounts in three digits.

    >>> range_text(62_311, 1_204_000), range_text(0.5, 12)
    ('62.3k .. 1.2M', '0.5 .. 12')
    """
    return f"{short_text(low)} .. {short_text(high)}"


def short_text(amount: float) -> str:
    """Return an amount in three digits."""
    for size, mark in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if amount >= size * 0.9995:
            return f"{float(f'{amount / size:.3g}'):g}{mark}"
    return f"{float(f'{amount:.3g}'):g}"


def chance_text(chance: float | None) -> str:
    """Return a probability in per cent; a dash where it is not known.

    >>> chance_text(0.714), chance_text(0.0004), chance_text(None)
    ('71%', '<1%', '-')
    """
    if chance is None:
        return "-"
    if 0 < chance < 0.01:
        return "<1%"
    if 0.99 < chance < 1:
        return ">99%"
    return f"{100 * chance:.0f}%"


def chance_of(state: TurnState) -> float | None:
    """Return the probability that a forecast is followed by; None without a forecast."""
    forecast = state.forecast
    if forecast is None:
        return None
    if forecast.finish is None:
        return forecast.within_budget
    return forecast.finish


def knows_success(state: TurnState) -> bool:
    """Return whether a forecast tells success from failure; True without a forecast."""
    return state.forecast is None or state.forecast.finish is not None


def sparkline(chances: Sequence[float | None], width: int, is_plain: bool) -> str:
    """Return the history of a probability, a character a turn, the last ones.

    >>> sparkline([0.1, None, 0.9], 5, is_plain=False)
    '▁ █'
    """
    blocks = _ASCII_BLOCKS if is_plain else _BLOCKS
    return "".join(
        " " if chance is None else blocks[min(int(chance * len(blocks)), len(blocks) - 1)]
        for chance in chances[-width:]
    )


def bar(
    used: float, limit: float, interval: tuple[float, float, float] | None, width: int
) -> list[str]:
    """Return the parts of a bar by their meaning, a word a cell.

    The bar reaches from 0 to the budget, or as far as the amounts do. Its cells are `used`,
    `over` (used beyond the budget), `likely` (within the 10-90% interval of the total), `median`,
    `budget` (its end, where the bar is longer) and `free`.

    Args:
        used: the amount so far.
        limit: the budget.
        interval: the 10%, 50% and 90% quantiles of the total; None without a forecast.
        width: cells.
    """
    most = max(limit, used, interval[2] if interval else 0) or 1
    step = most / width
    cells = []
    for cell in range(width):
        start, end = cell * step, (cell + 1) * step
        if used > start and (used >= end or used - start >= step / 2):
            cells.append("over" if start >= limit else "used")
        elif interval and start <= interval[1] < end:
            cells.append("median")
        elif interval and interval[0] < end and interval[2] > start:
            cells.append("likely")
        else:
            cells.append("free")
    at = int(limit / step)
    if at < width and cells[at] in ("free", "likely"):
        cells[at] = "budget"
    return cells


def totals(state: TurnState, resource: str) -> tuple[float, float, float] | None:
    """Return the 10%, 50% and 90% quantiles of what a run will have used in the end."""
    if state.forecast is None or resource not in state.forecast.quantiles:
        return None
    low, _, middle, _, high = state.forecast.quantiles[resource]
    used = state.used[resource]
    return used + low, used + middle, used + high


def least_text(state: TurnState, resource: str) -> str:
    """Return `at least ` where more was used of a resource than is known; else nothing."""
    return "at least " if resource in state.at_least else ""


def ends_text(state: TurnState, interval: tuple[float, float, float]) -> str:
    """Return the interval of a total in words."""
    low, middle, high = interval
    whose = "a success" if knows_success(state) else "the run"
    return f"{whose} ends at {range_text(low, high)} (10-90%), median {short_text(middle)}"


def turn_line(state: TurnState, budgets: Mapping[str, float]) -> str:
    """Return what is said after a turn in one line."""
    parts = [f"turn {state.turn}"]
    for name, used in state.used.items():
        text = f"{name} {least_text(state, name)}{amount_text(name, used)}"
        if name in budgets:
            text += f" of {amount_text(name, budgets[name])}"
        interval = totals(state, name)
        if interval is not None:
            text += f" ({ends_text(state, interval)})"
        parts.append(text)
    if state.forecast is not None:
        word = "P(finish)" if knows_success(state) else "P(within budget)"
        parts.append(f"{word} {chance_text(chance_of(state))}")
    parts.append(f"{state.advice.action}: {state.advice.because}")
    return "; ".join(parts)
