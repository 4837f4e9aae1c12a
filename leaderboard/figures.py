"""Plots of many estimators, as SVG that takes its colours from the page.

They are written in Vega-Lite: building them with Altair's classes takes longer than drawing them.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import vl_convert

from leaderboard.decoupling import JUDGING
from leaderboard.figure_labels import label, reach
from leaderboard.formatting import dollars
from leaderboard.main_table import EstimatorRow
from leaderboard.side_by_side import Room, side_by_side

_Spec = dict[str, Any]
"""A chart, or a part of one, in Vega-Lite."""

_INK, _MUTED, _LINE, _ACCENT = "var(--ink)", "var(--muted)", "var(--line)", "var(--accent)"
_SIZE = {"width": 840, "height": 340}
_DOT = 12
"""Pixels from one dot to the next where two would hide each other."""
_APART = (0.3, 0.04)
"""Shares of the width and height: a point that is closer to one with a name has none itself."""
_AROUND = 0.1
"""Room on each side of the only place along an axis."""
_WITH_BARS = 100
"""The most points that are drawn with error bars; more would hide each other behind them."""
_LEAST = 1e-6
"""Least cost of the axis, in US dollars for 1,000 probes; one of 1e-300 would squeeze all."""
_NAME_CHARACTERS = 28
_HERE = "https://here.invalid/"
"""Stands for the page's own folder: Vega takes a link without a host for one of its examples."""
_SYMBOL = re.compile(
    r'(<path aria-label="([^"]*)" role="graphics-symbol" aria-roledescription="point"[^>]*)/>'
)
"""A dot of Vega's SVG, whose label no browser shows where a mouse points at it."""
_VERSION = vl_convert.get_vegalite_versions()[-1]
_CONFIG: _Spec = {
    "background": "transparent",
    "font": "inherit",
    "view": {"continuousWidth": 300, "continuousHeight": 300, "stroke": None},
    "axis": {
        "labelColor": _MUTED,
        "titleColor": _INK,
        "titleFontWeight": "normal",
        "gridColor": _LINE,
        "domainColor": _LINE,
        "tickColor": _LINE,
        "labelFontSize": 11,
        "titleFontSize": 12,
    },
}


def cost_figure(rows: Sequence[EstimatorRow], score: str, folder: str) -> str | None:
    """Draw skill against cost, with the Pareto front of estimators that no cheaper one beats.

    Args:
        rows: the rows of a ranking's table.
        score: the name of the score on the y axis.
        folder: the folder of the submissions' pages, relative to the figure's page.

    Returns:
        SVG; None if no row has a cost above 0.
    """
    priced = [row for row in rows if row.cost is not None and _value(row, score) is not None]
    if not any(row.cost for row in priced):
        return None
    points = [
        _point(row, score, folder, f" at {dollars(row.cost)} for 1,000 probes") | {"x": row.cost}
        for row in priced
    ]
    front = pareto([(point["x"], point["y"]) for point in points])
    most = max(point["x"] for point in points)
    least = max(min(point["x"] for point in points if point["x"] > 0), _LEAST)
    true_places = [math.log1p(point["x"] / least) for point in points]
    first = [*dict.fromkeys([*front, *range(len(points))])]
    places = _drawn_apart(points, true_places, (0.0, max(true_places)), first)
    for point, place, true in zip(points, places, true_places, strict=True):
        point["drawn"] = point["x"] if place == true else least * math.expm1(place)
    _label_estimators(points, places, first)
    x = _number(
        "x",
        "US dollars for 1,000 probes",
        scale={"type": "symlog", "constant": least, "domainMin": 0, "nice": False},
        axis={
            "values": [0.0, *_powers(least, most)],
            "labelExpr": "format(datum.value, '~g')",
            "labelOverlap": "greedy",
        },
    )
    line = _layer(
        {"type": "line", "interpolate": "step-after", "color": _ACCENT, "strokeDash": [4, 3]},
        {"x": x, "y": _height(score)},
        [points[number] for number in front],
    )
    return _svg({"layer": [line, _marks(points, x | {"field": "drawn"}, score)], **_SIZE})


def decoupling_figure(rows: Sequence[EstimatorRow], score: str, folder: str) -> str | None:
    """Draw the quality of intervals against feasibility; None with fewer than two estimators."""
    complete = [
        row for row in rows if row.folder and None not in (_value(row, JUDGING), _value(row, score))
    ]
    if len(complete) < 2:
        return None
    points = [
        _point(row, score, folder, f", {JUDGING} {_value(row, JUDGING):.2f}") for row in complete
    ]
    judged = [row.cell(JUDGING)["value"] for row in complete]
    ends = min(judged), max(judged)
    scale: _Spec = {"zero": False}
    if ends[0] == ends[1]:  # dots need room to stand side by side
        ends = ends[0] - _AROUND, ends[1] + _AROUND
        scale["domain"] = list(ends)
    order = range(len(points))
    places = _drawn_apart(points, judged, ends, order)
    for point, place in zip(points, places, strict=True):
        point["drawn"] = place
    _label_estimators(points, places, order)
    x = _number("drawn", f"feasibility: {JUDGING}", scale=scale)
    return _svg(_marks(points, x, f"intervals: {score}") | _SIZE)


def pareto(points: Sequence[tuple[float, float]]) -> list[int]:
    """Return the positions of the points (cost, skill) that no other point beats, by cost.

    >>> pareto([(1.0, 0.5), (2.0, 0.4), (3.0, 0.9), (3.0, 0.8), (4.0, 0.9)])
    [0, 2]
    """
    order = sorted(range(len(points)), key=lambda place: (points[place][0], -points[place][1]))
    front: list[int] = []
    for place in order:
        if not front or points[place][1] > points[front[-1]][1]:
            front.append(place)
    return front


def _drawn_apart(
    points: Sequence[Mapping[str, Any]],
    places: Sequence[float],
    ends: tuple[float, float],
    order: Iterable[int],
) -> list[float]:
    """Return places along the x axis at which no dot hides another, as far as there is room.

    Args:
        points: the points.
        places: the true place of each point along the axis.
        ends: the ends of the axis.
        order: positions in `points`; a point keeps its place unless an earlier one has it.
    """
    heights = [point["y"] for point in points]
    shown = [point[name] for point in points for name in ("y", "low", "high")]
    dots = (
        _DOT * (ends[1] - ends[0] or 1.0) / _SIZE["width"],
        _DOT * reach(value for value in shown if value is not None) / _SIZE["height"],
    )
    return side_by_side(list(zip(places, heights, strict=True)), Room(*dots, *ends), order)


def _label_estimators(
    points: Sequence[dict[str, Any]], places: Sequence[float], order: Iterable[int]
) -> None:
    heights = [point["y"] for point in points]
    room = (_APART[0] * reach(places), _APART[1] * reach(heights))
    label(points, "name", list(zip(places, heights, strict=True)), room, order)


def _marks(points: Sequence[Mapping[str, Any]], x: _Spec, y_title: str) -> _Spec:
    """Return the marks: a dot with its interval for each point, and names where they have room."""
    y = _height(y_title)
    bars = _layer(
        {"type": "rule", "color": _MUTED, "opacity": 0.6, "aria": False},
        {"x": x, "y": _number("low", y_title), "y2": {"field": "high"}},
    )
    dots = _layer(
        {"type": "point", "filled": True, "size": 70, "opacity": 1, "color": _ACCENT},
        {"x": x, "y": y, "href": _text("url"), "description": _text("about")},
    )
    names = _layer(
        {
            "type": "text",
            "align": "left",
            "dx": 7,
            "dy": -5,
            "color": _INK,
            "fontSize": 11,
            "aria": False,
        },
        {"x": x, "y": y, "text": _text("label")},
        [point for point in points if point["label"]],
    )
    layers = [bars, dots, names] if len(points) <= _WITH_BARS else [dots, names]
    return {"layer": layers, "data": {"values": list(points)}}


def _layer(mark: _Spec, encoding: _Spec, values: list[Any] | None = None) -> _Spec:
    """Return a layer of one kind of mark, of its own values or those of the whole chart."""
    own: _Spec = {} if values is None else {"data": {"values": values}}
    return own | {"mark": mark, "encoding": encoding}


def _number(field: str, title: str | None, **more: Any) -> _Spec:
    """Return an encoding of a number; a title of None leaves it out."""
    return {"field": field, "type": "quantitative", "title": title} | more


def _text(field: str) -> _Spec:
    return {"field": field, "type": "nominal"}


def _height(title: str) -> _Spec:
    return _number("y", title, scale={"zero": False})


def _point(row: EstimatorRow, name_of_score: str, folder: str, more: str) -> dict[str, Any]:
    """Return a point; `more` ends the words that pointing at it shows."""
    score = row.cell(name_of_score)
    name = row.name if len(row.name) <= _NAME_CHARACTERS else f"{row.name[:_NAME_CHARACTERS]}..."
    return {
        "name": name,
        "y": score["value"],
        "low": score["low"],
        "high": score["high"],
        "url": f"{_HERE}{folder}/{row.folder}.html",
        "about": f"{name}: {name_of_score} {score['value']:.2f}{more}",
    }


def _value(row: EstimatorRow, score: str) -> float | None:
    value: float | None = row.cell(score)["value"]
    return value


def _powers(least: float, most: float) -> list[float]:
    """Return the powers of ten from about the least to the most."""
    if most <= 0:
        return []
    first, last = math.floor(math.log10(least)), math.floor(math.log10(most))
    return [float(f"1e{power}") for power in range(first, last + 1)]


def _svg(chart: _Spec) -> str:
    svg: str = vl_convert.vegalite_to_svg(chart | {"config": _CONFIG}, vl_version=_VERSION)
    svg = _SYMBOL.sub(r"\1><title>\2</title></path>", svg)
    return svg.replace(f'xlink:href="{_HERE}', 'href="')
