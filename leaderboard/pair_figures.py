"""A figure of two scores, a point each, in the colours of their tasks."""

from leaderboard.decoupling import Pair
from leaderboard.panels import SERIES, Axis, Key, Panel, panels_svg
from leaderboard.task_titles import task_title

_SHARES = tuple((tick / 5, f"{tick / 5:.1f}") for tick in range(6))


def pair_figure(pair: Pair) -> str | None:
    """Draw one score against the other, both shares; None without points."""
    if not pair.points:
        return None
    tasks = sorted({point.task for point in pair.points})
    colours = {task: SERIES[number % len(SERIES)] for number, task in enumerate(tasks)}
    panel = Panel(f"{pair.second} against {pair.first}")
    for point in pair.points:
        panel.dot(point.first, point.second, colours[point.task])
    about = f"{pair.second} against {pair.first}: {pair.source}"
    legend = {task_title(task): Key(colour) for task, colour in colours.items()}
    return panels_svg(about, [panel], Axis(_SHARES, pair.first), Axis(_SHARES, pair.second), legend)
