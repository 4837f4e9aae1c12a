"""Plots, as SVG that takes its colours from the page."""

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

import altair as alt
import vl_convert

from leaderboard.columns import HEADLINE
from leaderboard.main_table import EstimatorRow

_INK, _MUTED, _LINE, _ACCENT = "var(--ink)", "var(--muted)", "var(--line)", "var(--accent)"
_SERIES = ("var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)")
_PROGRESS = ("coverage", "optimistic", "conservative", "predicted_feasible_on_infeasible")
_WIDTH, _HEIGHT = 560, 340
_APART = (0.3, 0.04)
"""Of the width and height: a point that is closer to one with a name has none itself."""
_PART_APART = (0.2, 0.08)
"""The same, for parts of a rollout in a panel."""
_WITH_BARS = 100
"""Points; more would hide each other behind their error bars."""
_LEAST = 1e-6
"""US dollars for 1,000 probes from which costs are told apart; one of 1e-300 would squeeze all."""
_LETTERS = 28
_HERE = "https://here.invalid/"
"""Stands for the page's own folder: Vega takes a link without a host for one of its examples."""
DRAWN_BY = (alt.SCHEMA_VERSION, metadata.version("vl-convert-python"))
"""What else decides how a figure looks."""
_VERSION = ".".join(alt.SCHEMA_VERSION.lstrip("v").split(".")[:2])


def cost_figure(rows: Sequence[EstimatorRow], folder: str) -> str | None:
    """Skill against cost, with the Pareto front: nobody is both as cheap and better.

    Args:
        rows: of the main table.
        folder: of the submissions' pages, as seen from the figure's.

    Returns:
        SVG; None if nobody says a cost above 0.
    """
    priced = [row for row in rows if row.cost is not None and _value(row, HEADLINE) is not None]
    if not any(row.cost for row in priced):
        return None
    points = [_point(row, folder) | {"x": row.cost} for row in priced]
    front = pareto([(point["x"], point["y"]) for point in points])
    most = max(point["x"] for point in points)
    least = max(min(point["x"] for point in points if point["x"] > 0), _LEAST)
    places = [math.log1p(point["x"] / least) for point in points]
    first = dict.fromkeys([*front, *range(len(points))])
    _label_estimators(points, places, first)
    scale = alt.Scale(type="symlog", constant=least, domainMin=0, nice=False)
    ticks = [0.0, *_powers(least, most)]
    x = alt.X(
        "x:Q",
        scale=scale,
        title="US dollars for 1,000 probes",
        axis=alt.Axis(values=ticks, labelExpr="format(datum.value, '~g')", labelOverlap="greedy"),
    )
    line = (
        _chart([points[number] for number in front])
        .mark_line(interpolate="step-after", color=_ACCENT, strokeDash=[4, 3])
        .encode(x=x, y=_y(HEADLINE))
    )
    return _svg(line + _marks(points, x))


def decoupling_figure(rows: Sequence[EstimatorRow], score: str, folder: str) -> str | None:
    """The quality of intervals against feasibility; None with fewer than two estimators."""
    complete = [
        row
        for row in rows
        if row.folder and None not in (_value(row, HEADLINE), _value(row, score))
    ]
    if len(complete) < 2:
        return None
    points = [_point(row, folder) | {"x": _value(row, HEADLINE)} for row in complete]
    for point, row in zip(points, complete, strict=True):
        other = row.cell(score)
        point |= {"y": other["value"], "low": other["low"], "high": other["high"]}
    _label_estimators(points, [point["x"] for point in points], range(len(points)))
    x = alt.X("x:Q", scale=alt.Scale(zero=False), title="feasibility: macro_f1")
    return _svg(_marks(points, x, f"intervals: {score}"))


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """The positions of those (cost, skill) that nobody beats, by cost.

    >>> pareto([(1.0, 0.5), (2.0, 0.4), (3.0, 0.9), (3.0, 0.8), (4.0, 0.9)])
    [0, 2]
    """
    order = sorted(range(len(points)), key=lambda place: (points[place][0], -points[place][1]))
    front: list[int] = []
    for place in order:
        if not front or points[place][1] > points[front[-1]][1]:
            front.append(place)
    return front


def _label_estimators(
    points: Sequence[dict[str, Any]], places: Sequence[float], order: Iterable[int]
) -> None:
    heights = [point["y"] for point in points]
    room = (_APART[0] * _reach(places), _APART[1] * _reach(heights))
    _label(points, "name", list(zip(places, heights, strict=True)), room, order)


def _label(
    points: Sequence[dict[str, Any]],
    names: str,
    positions: Sequence[tuple[float, float]],
    room: tuple[float, float],
    order: Iterable[int],
) -> None:
    """Label points with their names as long as there is room, and the others with nothing.

    Args:
        points: of one panel.
        names: the key of a point's name.
        positions: (x, y) of each point.
        room: how far from every label, in x or in y, another may be.
        order: positions in `points`, the ones to be labelled first before others.
    """
    labelled: list[tuple[float, float]] = []
    for number in order:
        x, y = positions[number]
        is_free = all(abs(x - a) > room[0] or abs(y - b) > room[1] for a, b in labelled)
        points[number]["label"] = points[number][names] if is_free else ""
        if is_free:
            labelled.append((x, y))


def _reach(values: Iterable[float]) -> float:
    """From the least to the largest; 1 if they are the same."""
    values = list(values)
    return max(values) - min(values) or 1.0


def progress_figure(groups: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Scores by part of a rollout, a panel a task."""
    scores = _PROGRESS
    values = [
        {"group": group, "part": part, "score": name, **part_scores[name]}
        for group, parts in groups.items()
        for part, part_scores in parts.items()
        for name in scores
        if part_scores[name]["value"] is not None
    ]
    if not values:
        return None
    base = _chart(values).encode(
        x=alt.X("part:O", title=None, axis=alt.Axis(labelAngle=0, labelFontSize=9)),
        color=alt.Color(
            "score:N",
            sort=list(scores),
            scale=alt.Scale(domain=list(scores), range=list(_SERIES[: len(scores)])),
            legend=alt.Legend(orient="top", title=None, labelLimit=300),
        ),
        xOffset=alt.XOffset("score:N", sort=list(scores)),
    )
    y = alt.Y("value:Q", scale=alt.Scale(domain=[0, 1]), title=None)
    bars = base.mark_rule(opacity=0.5, aria=False).encode(y=alt.Y("low:Q", title=None), y2="high:Q")
    dots = base.mark_point(filled=True, size=40).encode(y=y)
    return _svg(_panels(bars + dots, groups))


def width_figure(groups: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Coverage against width, a point a part of a rollout and a panel a task."""
    values = [
        {
            "group": group,
            "order": number,
            "part": part,
            "width": scores["relative_width"]["value"],
            "coverage": scores["coverage"]["value"],
        }
        for group, parts in groups.items()
        for number, (part, scores) in enumerate(parts.items())
        if None not in (scores["relative_width"]["value"], scores["coverage"]["value"])
    ]
    if not values:
        return None
    room = (_PART_APART[0] * _reach(value["width"] for value in values), _PART_APART[1])
    for group in groups:
        points = [value for value in values if value["group"] == group]
        ends_first = [*range(len(points))[:1], *range(len(points))[:0:-1]]
        positions = [(point["width"], point["coverage"]) for point in points]
        _label(points, "part", positions, room, ends_first)
    base = _chart(values).encode(
        x=alt.X("width:Q", title="mean (high - low) / remaining"),
        y=alt.Y("coverage:Q", scale=alt.Scale(domain=[0, 1]), title="coverage"),
    )
    chart = (
        base.mark_line(color=_LINE, aria=False).encode(order="order:Q")
        + base.mark_point(filled=True, color=_ACCENT, size=40)
        + base.mark_text(dy=-9, color=_MUTED, fontSize=10, aria=False).encode(text="label:N")
    )
    return _svg(_panels(chart, groups))


def _chart(values: Sequence[Mapping[str, Any]]) -> alt.Chart:
    return alt.Chart(alt.Data(values=list(values)))  # type: ignore[no-untyped-call]


def _panels(chart: alt.LayerChart, groups: Mapping[str, Any]) -> Any:
    return (
        chart.properties(width=250, height=160)
        .facet(
            facet=alt.Facet("group:N", sort=list(groups), title=None),
            columns=3,
        )
        .resolve_axis(x="independent", y="independent")
    )


def _marks(points: Sequence[Mapping[str, Any]], x: alt.X, y_title: str = HEADLINE) -> Any:
    base = _chart(points).encode(x=x)
    y = _y(y_title)
    bars = base.mark_rule(color=_MUTED, opacity=0.6, aria=False).encode(
        y=alt.Y("low:Q", title=y_title), y2="high:Q"
    )
    dots = base.mark_point(filled=True, size=70, opacity=1, color=_ACCENT).encode(
        y=y, href="url:N", description="about:N"
    )
    names = (
        _chart([point for point in points if point["label"]])
        .mark_text(align="left", dx=7, dy=-5, color=_INK, fontSize=11, aria=False)
        .encode(x=x, y=y, text="label:N")
    )
    layers = bars + dots + names if len(points) <= _WITH_BARS else dots + names
    return layers.properties(width=_WIDTH, height=_HEIGHT)


def _y(title: str) -> alt.Y:
    return alt.Y("y:Q", scale=alt.Scale(zero=False), title=title)


def _point(row: EstimatorRow, folder: str) -> dict[str, Any]:
    score = row.cell(HEADLINE)
    name = row.name if len(row.name) <= _LETTERS else f"{row.name[:_LETTERS]}..."
    return {
        "name": name,
        "y": score["value"],
        "low": score["low"],
        "high": score["high"],
        "url": f"{_HERE}{folder}/{row.folder}.html",
        "about": f"{name}: {score['value']:.2f}",
    }


def _value(row: EstimatorRow, score: str) -> float | None:
    value: float | None = row.cell(score)["value"]
    return value


def _powers(least: float, most: float) -> list[float]:
    """Of ten, from about the least to the most."""
    if most <= 0:
        return []
    first, last = math.floor(math.log10(least)), math.floor(math.log10(most))
    return [float(f"1e{power}") for power in range(first, last + 1)]


def _svg(chart: Any) -> str:
    chart = chart.configure(background="transparent", font="inherit").configure_view(stroke=None)
    chart = chart.configure_axis(
        labelColor=_MUTED,
        titleColor=_INK,
        titleFontWeight="normal",
        gridColor=_LINE,
        domainColor=_LINE,
        tickColor=_LINE,
        labelFontSize=11,
        titleFontSize=12,
    ).configure_legend(labelColor=_INK, labelFontSize=11)
    chart = chart.configure_header(labelColor=_INK, labelFontWeight="bold", labelFontSize=12)
    specification = chart.to_dict(validate=False)
    svg: str = vl_convert.vegalite_to_svg(specification, vl_version=_VERSION)
    return svg.replace(f'xlink:href="{_HERE}', 'href="')
