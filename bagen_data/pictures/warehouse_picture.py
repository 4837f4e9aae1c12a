"""The cash, stock and orders of a Warehouse rollout over its weeks."""

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
_ASKED, _ACCENT, _PALE = "#b83a08", "#2f6db3", "#b9c7d8"
_PRODUCTS = ("#2f6db3", "#c8553d", "#4f8f5b", "#b98a4e", "#7a5ea8", "#5d9aa6")


def rollout_chart(rollout: Mapping[str, Any], turn: int) -> Any:
    """Return a panel each of cash, stock and, where the messages list them, orders.

    A line through all panels, with a label, is where the question is asked.

    Args:
        rollout: a row of the config `rollouts`.
        turn: the k of the probe: so many turns are before the question.
    """
    steps = list(_steps(rollout["turns"]))
    scale = alt.Scale(domain=[-1, steps[-1]["week"] + 1], nice=False)
    week = alt.X("week:Q", title="week", scale=scale, axis=alt.Axis(grid=False, tickMinStep=2))
    asked = f"asked after turn {turn}" if turn else "asked before turn 1"
    place = steps[turn - 1]["week"] if turn else 0.0
    is_left = place <= steps[-1]["week"] / 2
    probe = _chart([{"week": place}]).encode(x=week)
    line = probe.mark_rule(color=_ASKED, strokeDash=[2, 3], strokeWidth=2)
    label = probe.mark_text(
        align="left" if is_left else "right",
        dx=5 if is_left else -5,
        color=_ASKED,
        fontWeight="bold",
    ).encode(y=alt.value(-7), text=alt.value(f"here: {asked}"))
    target = amounts_by_name(rollout["conditions"]).get("target_cash_usd")
    panels = [
        _cash([*_opening(rollout["turns"]), *steps], week, target) + label + line,
        _stock(steps) + line,
    ]
    orders = list(_orders(rollout["turns"], steps))
    if orders:
        panels.append(_ordered(orders) + line)
    titled = (panel.properties(width=_WIDTH, height=_HEIGHT) for panel in panels)
    name = f"{rollout['rollout_model']}, {rollout['instance_id']}"
    subtitle = [
        f"The question is {asked}, at the dotted line; what is right of it comes after.",
        "Stock is the mean of a turn, and orders are drawn at the turn that made them.",
    ]
    title = alt.TitleParams(name, subtitle=subtitle, anchor="start", offset=14)
    return alt.vconcat(
        *titled, title=title, description=f"Warehouse, {name}: its weeks; {asked}"
    ).resolve_scale(x="shared", color="independent")


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
    """Yield the cash before the first turn, where the first message prints it."""
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
    """Yield (product, units, day on which they are done) for each order of a state."""
    block = _PRODUCTION.search(text)
    for product, listed in _LINE.findall(block[1] if block else ""):
        for units, day in _ORDER.findall(listed):
            yield product, int(units), int(day)


def _chart(values: Sequence[Mapping[str, Any]]) -> Any:
    return alt.Chart(alt.Data(values=list(values)))  # type: ignore[no-untyped-call]
