"""The figures of a submission's page about its probabilities, quantiles and stops."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from leaderboard.figure_labels import label
from leaderboard.panels import DASHED, DOTTED, MUTED, SERIES, Axis, Key, Panel, Place, panels_svg
from leaderboard.progress_figures import ticks_to
from leaderboard.task_titles import group_title

_SHARES = tuple((tick / 5, f"{tick / 5:.1f}") for tick in range(6))
_ACCENT = "var(--accent)"
_OWN = "this submission"
_OWN_DOTS = {_OWN: Key(_ACCENT, "")}
_CAP = "a hard cap (0)"
_LINES = {"estimator": _OWN, "foresight": "perfect foresight", "never": "never stopping"}
_STROKES = {"estimator": "", "foresight": "8 6", "never": DOTTED}
"""Strokes of the lines: each is drawn over those before it, which show through its gaps where they
coincide."""
_CAP_STROKES = "1 7"
_COUNTS_APART = (0.085, 0.09)
"""Shares of the width and height: a count that is closer to another is left out."""
_ROOM = 1.25
"""Height of the net-benefit panels, in benefits of perfect foresight."""
_LEAST_REACH = 0.05
"""Least height of the net-benefit panels, in budgets."""

Curves = Mapping[str, Mapping[str, Any]]
"""The curves of each group, as `scoring.curves.Curves.to_dict` has them."""


def reliability_figure(curves: Curves) -> str | None:
    """Draw how often rollouts finish against the stated probability, in ten bins."""
    panels = []
    for group, points in _having(curves, "finish"):
        panel = Panel(group_title(group))
        panel.line([(0, 0), (1, 1)], MUTED, DASHED)
        line = [(each["said"], each["happened"]) for each in points]
        panel.line(line, _ACCENT)
        for point in line:
            panel.dot(*point, _ACCENT)
        counts = [{"n": _in_short(each["n"])} for each in points]
        label(counts, "n", line, _COUNTS_APART, range(len(points)))
        for place, (point, count) in enumerate(zip(line, counts, strict=True)):
            beside = [*line[max(place - 1, 0) : place], *line[place + 1 : place + 2]]
            is_valley = sum(y - point[1] for _, y in beside) > 0
            if count["label"]:
                panel.text(*point, count["label"], "below" if is_valley else "above")
        panels.append(panel)
    axes = (Axis(_SHARES, "probability said"), Axis(_SHARES, "share that finished"))
    legend = _OWN_DOTS | {"perfect calibration": Key(MUTED, DASHED, is_dot=False)}
    return _drawn("Share that finished against the probability said", panels, axes, legend)


def quantile_figure(curves: Curves) -> str | None:
    """Draw how often the amount that was used lies at or below each stated quantile."""
    panels = []
    for group, points in _having(curves, "quantiles"):
        panel = Panel(f"{group_title(group)}, n {points[0]['n']:,}")
        panel.line([(0, 0), (1, 1)], MUTED, DASHED)
        line = [(each["level"], each["below"]) for each in points]
        panel.line(line, _ACCENT)
        for point in line:
            panel.dot(*point, _ACCENT)
        panels.append(panel)
    axes = (Axis(_SHARES, "level of the quantile"), Axis(_SHARES, "share at or below it"))
    legend = _OWN_DOTS | {"perfect calibration": Key(MUTED, DASHED, is_dot=False)}
    return _drawn("Share at or below each quantile", panels, axes, legend)


def budget_figure(curves: Curves) -> str | None:
    """Draw the mean probability to succeed within each budget, and how often runs did."""
    having = list(_having(curves, "budget"))
    budgets = list(dict.fromkeys(each["budget"] for _, points in having for each in points))
    places = {budget: (number + 0.5) / len(budgets) for number, budget in enumerate(budgets)}
    lines = {"happened": Key(SERIES[1], ""), "said": Key(_ACCENT, DASHED)}
    panels = []
    for group, points in having:
        panel = Panel(group_title(group))
        for name, key in lines.items():
            line = [(places[each["budget"]], each[name]) for each in points]
            panel.line(line, key.colour, key.dashes or "")
            for point in line:
                panel.dot(*point, key.colour)
        panels.append(panel)
    x_ticks = [
        (place, "\N{INFINITY}" if budget is None else f"{budget:g}")
        for budget, place in places.items()
    ]
    axes = (Axis(x_ticks, "times the budget"), Axis(_SHARES, "share that succeeds"))
    legend = {"what happened": lines["happened"], _OWN: lines["said"]}
    return _drawn("Success within a budget, said and happened", panels, axes, legend)


def net_benefit_figure(curves: Curves) -> str | None:
    """Draw the benefit over a hard cap against what a success is worth, in budgets."""
    having = list(_having(curves, "net_benefit"))
    worths = [point["worth"] for _, points in having for point in points]
    if not worths:
        return None
    start, end = math.log2(min(worths)), math.log2(max(worths))
    best = max(abs(point["foresight"]) for _, points in having for point in points)
    reach = ticks_to(max(_ROOM * best, _LEAST_REACH))[-1]
    colours = dict(zip(_LINES, (_ACCENT, *SERIES[1:]), strict=False))
    panels = []
    for group, points in having:
        panel = Panel(group_title(group))
        for name in _LINES:
            line = [
                ((math.log2(point["worth"]) - start) / (end - start), 0.5 + point[name] / reach / 2)
                for point in points
                if point[name] is not None
            ]
            for piece in _within_panel(line):
                panel.line(piece, colours[name], _STROKES[name])
        panel.line([(0, 0.5), (1, 0.5)], MUTED, _CAP_STROKES)
        panels.append(panel)
    x_ticks = [
        ((power - start) / (end - start), f"{2.0**power:g}")
        for power in range(math.ceil(start), math.floor(end) + 1)
    ]
    y_ticks = [(0.5 + part / 4, f"{part * reach / 2:.3g}") for part in range(-2, 3)]
    axes = (Axis(x_ticks, "worth of a success, in budgets"), Axis(y_ticks, "budgets a rollout"))
    legend = {
        _LINES[name]: Key(colour, _STROKES[name], is_dot=False) for name, colour in colours.items()
    } | {_CAP: Key(MUTED, _CAP_STROKES, is_dot=False)}
    return _drawn("Net benefit over a hard cap", panels, axes, legend)


def _in_short(count: int) -> str:
    """Return a count in at most four characters below a million.

    >>> _in_short(950), _in_short(1234), _in_short(45678)
    ('950', '1.2k', '46k')
    """
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.1f}k" if count < 9_950 else f"{count / 1_000:.0f}k"


def _having(curves: Curves, name: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the groups that have points of a curve, and those points that are of any sample."""
    for group, by_name in curves.items():
        if points := [each for each in by_name[name] if each.get("n", 1)]:
            yield group, points


def _drawn(
    about: str,
    panels: Sequence[Panel],
    axes: tuple[Axis, Axis],
    legend: Mapping[str, Key],
) -> str | None:
    if not panels:
        return None
    names = ", ".join(panel.name for panel in panels)
    return panels_svg(f"{about}, for {names}", panels, *axes, legend)


def _within_panel(line: Sequence[Place]) -> Iterator[list[Place]]:
    """Yield the pieces of a line that are within the height of a panel.

    >>> list(_within_panel([(0.0, 0.5), (0.5, 1.5), (1.0, 1.5)]))
    [[(0.0, 0.5), (0.25, 1.0)]]
    """
    piece: list[Place] = []
    for one, other in pairwise(line):
        cut = _cut(one, other)
        if cut is None:
            continue
        if piece and piece[-1] != cut[0]:
            yield piece
            piece = []
        piece = [*piece, cut[1]] if piece else list(cut)
    if piece:
        yield piece


def _cut(one: Place, other: Place) -> tuple[Place, Place] | None:
    """Return the part of a segment with y in 0 .. 1; None if it has no such part."""
    (x, y), (dx, dy) = one, (other[0] - one[0], other[1] - one[1])
    if dy == 0:
        return (one, other) if 0 <= y <= 1 else None
    crossings = sorted((-y / dy, (1 - y) / dy))
    start, end = max(0.0, crossings[0]), min(1.0, crossings[1])
    if start >= end:
        return None
    first = one if start == 0 else (x + start * dx, min(max(y + start * dy, 0.0), 1.0))
    last = other if end == 1 else (x + end * dx, min(max(y + end * dy, 0.0), 1.0))
    return first, last
