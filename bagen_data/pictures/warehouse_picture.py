"""Cash, stock and orders of a Warehouse rollout over its weeks."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt

from bagen_data.pictures import amounts_by_name

_CASH = re.compile(r"^Cash: (-?\$[\d,]+(?:\.\d+)?)$", re.MULTILINE)
_PRODUCTION = re.compile(r"^In production \(done on\):(.*(?:\n  .+)*)", re.MULTILINE)
_LINE = re.compile(r"^  ([\w-]+): (.+)$", re.MULTILINE)
_ORDER = re.compile(r"(\d+) d(\d+)")
_WIDTH, _HEIGHT = 520, 130
_INK, _ACCENT, _PALE = "#4a4e57", "#2f6db3", "#b9c7d8"
_PRODUCTS = ("#2f6db3", "#c8553d", "#4f8f5b", "#b98a4e", "#7a5ea8", "#5d9aa6")


def rollout_chart(rollout: Mapping[str, Any], turn: int) -> Any:
    """A panel each of cash, stock and, where the messages list them, orders; a line at the probe.

    Args:
        rollout: a row of the config `rollouts`.
        turn: the k of the probe.
    """
    steps = list(_steps(rollout["turns"]))
    scale = alt.Scale(domain=[-1, steps[-1]["week"] + 1], nice=False)
    week = alt.X("week:Q", title="week", scale=scale, axis=alt.Axis(grid=False, tickMinStep=2))
    probe = _chart([step for step in steps if step["turn"] == turn]).encode(x=week)
    probe = probe.mark_rule(color=_INK, strokeDash=[2, 3])
    panels = [
        _cash(
            [*_opening(rollout["turns"]), *steps],
            week,
            amounts_by_name(rollout["conditions"]).get("target_cash_usd"),
        )
        + probe,
        _stock(steps) + probe,
    ]
    orders = list(_orders(rollout["turns"], steps))
    if orders:
        panels.append(_ordered(orders) + probe)
    titled = (panel.properties(width=_WIDTH, height=_HEIGHT) for panel in panels)
    name = f"{rollout['rollout_model']}, {rollout['instance_id']}"
    return alt.vconcat(*titled, title=f"{name}: the probe is after turn {turn}").resolve_scale(
        x="shared", color="independent"
    )


def _steps(turns: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, float]]:
    """Yield the number of each turn, the weeks over after it, cash then, and its mean stock."""
    weeks = 0.0
    for number, turn in enumerate(turns, 1):
        usage, state = amounts_by_name(turn["usage"]), amounts_by_name(turn["state"])
        passed = usage["time_weeks"]
        weeks += passed
        yield {
            "turn": number,
            "began": weeks - passed,
            "week": weeks,
            "cash": state["cash_usd"],
            "stock": usage["warehouse_item_weeks"] / passed if passed else 0.0,
        }


def _opening(turns: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, float]]:
    """Cash before the first turn, where the first message prints it."""
    match = _CASH.search(turns[0]["user"])
    if match:
        yield {"week": 0.0, "cash": float(match[1].replace(",", "").replace("$", ""))}


def _cash(steps: Sequence[Mapping[str, float]], week: alt.X, target: float | None) -> Any:
    axis = alt.Axis(format="$~s")
    line = _chart(steps).mark_line(point=True, color=_ACCENT)
    chart = line.encode(x=week, y=alt.Y("cash:Q", title="cash", axis=axis))
    if target is None:
        return alt.layer(chart)
    goal = [{"cash": target, "text": f"target ${target:,.0f}", "week": steps[-1]["week"] / 2}]
    rule = _chart(goal).mark_rule(color="#c8553d", strokeDash=[5, 3]).encode(y="cash:Q")
    text = _chart(goal).mark_text(dy=9, color="#c8553d")
    return chart + rule + text.encode(x=week, y="cash:Q", text="text:N")


def _stock(steps: Sequence[Mapping[str, float]]) -> Any:
    y = alt.Y("stock:Q", title="units in stock", axis=alt.Axis(format="~s"))
    return (
        _chart(steps).mark_rect(color=_PALE).encode(x="began:Q", x2="week:Q", y=y, y2=alt.datum(0))
    )


def _ordered(orders: Sequence[Mapping[str, Any]]) -> Any:
    products = sorted({order["product"] for order in orders})
    scale = alt.Scale(domain=products, range=list(_PRODUCTS[: len(products)]))
    legend = alt.Legend(orient="bottom", title=None)
    return (
        _chart(orders)
        .mark_bar(size=14)
        .encode(
            x=alt.X("week:Q", title="week"),
            y=alt.Y("units:Q", title="units ordered", axis=alt.Axis(format="~s")),
            color=alt.Color("product:N", scale=scale, legend=legend),
        )
    )


def _orders(
    turns: Sequence[Mapping[str, Any]], steps: Sequence[Mapping[str, float]]
) -> Iterator[dict[str, Any]]:
    """Yield what is in production after a turn and not before it, for all turns but the last."""
    states = [Counter(_in_production(turn["user"])) for turn in turns]
    for (before, after), step in zip(pairwise(states), steps, strict=False):
        for (product, units, _day), count in (after - before).items():
            yield {"product": product, "units": units * count, "week": step["began"]}


def _in_production(text: str) -> Iterator[tuple[str, int, int]]:
    """(product, units, day on which they are done) of each order of a state."""
    block = _PRODUCTION.search(text)
    for product, listed in _LINE.findall(block[1] if block else ""):
        for units, day in _ORDER.findall(listed):
            yield product, int(units), int(day)


def _chart(values: Sequence[Mapping[str, Any]]) -> Any:
    return alt.Chart(alt.Data(values=list(values)))  # type: ignore[no-untyped-call]
