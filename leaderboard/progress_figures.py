"""The figures of a submission's page that show its scores along a rollout, a panel a task."""

import math
from collections.abc import Mapping
from typing import Any

from leaderboard.figure_labels import label, reach
from leaderboard.formatting import has_width
from leaderboard.panels import LINE, SERIES, Axis, Key, Panel, panels_svg
from leaderboard.task_titles import group_title

_SCORES = {
    "coverage": "covered",
    "optimistic": "too low",
    "conservative": "too high",
    "predicted_feasible_on_infeasible": "infeasible, called feasible",
}
"""The name of each score in the legend."""
_COLOURS = dict(zip(_SCORES, SERIES, strict=True))
_ACCENT = "var(--accent)"
_PART_APART = (0.24, 0.2)
"""Shares of the width and height: a part that is closer to one with a name has none itself."""
_SHARES = tuple((tick / 5, f"{tick / 5:.1f}") for tick in range(6))
_SPREAD = 0.15
"""Distance of two scores of one part of a rollout, as a share of the part's room."""
_LEAST = 1e-300
"""An amount of which a tick can still be a part."""
_TICKS = 5
"""About how many ticks an axis of amounts has."""


def progress_figure(groups: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Draw scores by part of a rollout; None where no part has any.

    Args:
        groups: by group and part of a rollout, the scores, each `{value, low, high}`, 0 .. 1.
    """
    if not any(
        scores[name]["value"] is not None
        for parts in groups.values()
        for scores in parts.values()
        for name in _SCORES
    ):
        return None
    names = list(dict.fromkeys(part for parts in groups.values() for part in parts))
    places = {name: (number + 0.5) / len(names) for number, name in enumerate(names)}
    panels = []
    for group, parts in groups.items():
        panel = Panel(group_title(group))
        for part, scores in parts.items():
            for number, name in enumerate(_SCORES):
                score = scores[name]
                shift = _SPREAD * (number - (len(_SCORES) - 1) / 2) / len(names)
                if score["value"] is None:
                    continue
                if has_width(score):
                    panel.bar(places[part] + shift, score["low"], score["high"], _COLOURS[name])
                panel.dot(places[part] + shift, score["value"], _COLOURS[name])
        panels.append(panel)
    titles = ", ".join(panel.name for panel in panels)
    about = f"Shares of answers {', '.join(_SCORES.values())}, by part of a rollout, for {titles}"
    x_axis = Axis([(place, name) for name, place in places.items()], "part of the rollout")
    legend = {_SCORES[name]: Key(colour) for name, colour in _COLOURS.items()}
    return panels_svg(about, panels, x_axis, Axis(_SHARES, "share of answers"), legend)


def width_figure(groups: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Draw coverage against width, a point a part of a rollout; None where no part has both.

    Args:
        groups: by group and part of a rollout, the scores, each with a `value`.
    """
    points_of = {
        group: [
            {"part": part, "width": scores["relative_width"]["value"], "coverage": coverage}
            for part, scores in parts.items()
            if (coverage := scores["coverage"]["value"]) is not None
            and scores["relative_width"]["value"] is not None
        ]
        for group, parts in groups.items()
    }
    widths = [point["width"] for points in points_of.values() for point in points]
    if not widths:
        return None
    ticks = ticks_to(max(widths))
    room = (_PART_APART[0] * reach(widths), _PART_APART[1])
    panels = []
    for group, points in points_of.items():
        if not points:
            continue
        panel = Panel(group_title(group))
        places = [(point["width"] / ticks[-1], point["coverage"]) for point in points]
        ends_first = [*range(len(points))[:1], *range(len(points))[:0:-1]]
        label(points, "part", [(p["width"], p["coverage"]) for p in points], room, ends_first)
        panel.line(places, LINE)
        for place in places:
            panel.dot(*place, _ACCENT)
        for place, point in zip(places, points, strict=True):
            if point["label"]:
                panel.text(*place, point["label"])
        panels.append(panel)
    titles = ", ".join(panel.name for panel in panels)
    x_axis = Axis(
        [(tick / ticks[-1], f"{tick:.4g}") for tick in ticks], "mean width / what remained"
    )
    return panels_svg(
        f"Coverage against width by part of a rollout, for {titles}",
        panels,
        x_axis,
        Axis(_SHARES, "coverage"),
        {"one part of the rollouts": Key(_ACCENT)},
    )


def ticks_to(most: float) -> list[float]:
    """Return about five round numbers from 0 to `most`, or just above it.

    >>> ticks_to(0.83), ticks_to(12.0), ticks_to(0.0)
    ([0.0, 0.2, 0.4, 0.6, 0.8, 1.0], [0.0, 5.0, 10.0, 15.0], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    most = most if most > _LEAST else 1.0
    power = 10.0 ** math.floor(math.log10(most / _TICKS))
    step = next(power * times for times in (1, 2, 5, 10) if power * times * _TICKS >= most)
    return [float(f"{step * number:.6g}") for number in range(math.ceil(most / step) + 1)]
