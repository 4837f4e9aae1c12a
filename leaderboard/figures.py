"""Plots, as SVG that takes its colours from the page.

They are written in Vega-Lite: building them with Altair's classes takes longer than drawing them.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from typing import Any

import vl_convert

from leaderboard.columns import HEADLINE
from leaderboard.main_table import EstimatorRow

_Spec = dict[str, Any]
"""A chart, or a part of one, in Vega-Lite."""

_INK, _MUTED, _LINE, _ACCENT = "var(--ink)", "var(--muted)", "var(--line)", "var(--accent)"
_SERIES = ("var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)")
_PROGRESS = ("coverage", "optimistic", "conservative", "predicted_feasible_on_infeasible")
_SIZE = {"width": 560, "height": 340}
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
_VERSION = vl_convert.get_vegalite_versions()[-1]
DRAWN_BY = (_VERSION, metadata.version("vl-convert-python"))
"""What else decides how a figure looks."""
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
    "legend": {"labelColor": _INK, "labelFontSize": 11},
    "header": {"labelColor": _INK, "labelFontWeight": "bold", "labelFontSize": 12},
}


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
        {"x": x, "y": _height(HEADLINE)},
        [points[number] for number in front],
    )
    return _svg({"layer": [line, _marks(points, x)], **_SIZE})


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
    x = _number("x", "feasibility: macro_f1", scale={"zero": False})
    return _svg(_marks(points, x, f"intervals: {score}") | _SIZE)


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
    shared = {
        "x": {
            "field": "part",
            "type": "ordinal",
            "title": None,
            "axis": {"labelAngle": 0, "labelFontSize": 9},
        },
        "color": {
            "field": "score",
            "type": "nominal",
            "sort": list(scores),
            "scale": {"domain": list(scores), "range": list(_SERIES[: len(scores)])},
            "legend": {"orient": "top", "title": None, "labelLimit": 300},
        },
        "xOffset": {"field": "score", "type": "nominal", "sort": list(scores)},
    }
    bars = _layer(
        {"type": "rule", "opacity": 0.5, "aria": False},
        shared | {"y": _number("low", None), "y2": {"field": "high"}},
    )
    dots = _layer(
        {"type": "point", "filled": True, "size": 40},
        shared | {"y": _number("value", None, scale={"domain": [0, 1]})},
    )
    return _svg(_panels([bars, dots], values, groups))


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
    shared = {
        "x": _number("width", "mean (high - low) / remaining"),
        "y": _number("coverage", "coverage", scale={"domain": [0, 1]}),
    }
    line = _layer(
        {"type": "line", "color": _LINE, "aria": False}, shared | {"order": _number("order", None)}
    )
    dots = _layer({"type": "point", "filled": True, "color": _ACCENT, "size": 40}, shared)
    names = _layer(
        {"type": "text", "dy": -9, "color": _MUTED, "fontSize": 10, "aria": False},
        shared | {"text": _text("label")},
    )
    return _svg(_panels([line, dots, names], values, groups))


def _panels(layers: list[_Spec], values: list[Any], groups: Mapping[str, Any]) -> _Spec:
    """A panel a group of the values, three in a row."""
    return {
        "data": {"values": values},
        "facet": {"field": "group", "type": "nominal", "sort": list(groups), "title": None},
        "spec": {"layer": layers, "width": 250, "height": 160},
        "columns": 3,
        "resolve": {"axis": {"x": "independent", "y": "independent"}},
    }


def _marks(points: Sequence[Mapping[str, Any]], x: _Spec, y_title: str = HEADLINE) -> _Spec:
    """A dot with its interval for each point, and the names for which there is room."""
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
    """A layer of one kind of mark, of values of its own or of the whole chart's."""
    own: _Spec = {} if values is None else {"data": {"values": values}}
    return own | {"mark": mark, "encoding": encoding}


def _number(field: str, title: str | None, **more: Any) -> _Spec:
    """An encoding of a number; None for no title."""
    return {"field": field, "type": "quantitative", "title": title} | more


def _text(field: str) -> _Spec:
    return {"field": field, "type": "nominal"}


def _height(title: str) -> _Spec:
    return _number("y", title, scale={"zero": False})


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


def _svg(chart: _Spec) -> str:
    svg: str = vl_convert.vegalite_to_svg(chart | {"config": _CONFIG}, vl_version=_VERSION)
    return svg.replace(f'xlink:href="{_HERE}', 'href="')
