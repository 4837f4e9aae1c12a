"""The state of a watched log as a screen that is redrawn."""

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderResult
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bagen_data.console import shown
from bagen_data.live.status_text import amount_text
from bagen_data.live.watching.run_states import TurnState
from bagen_data.live.watching.state_text import (
    bar,
    chance_of,
    chance_text,
    ends_text,
    knows_success,
    least_text,
    range_text,
    sparkline,
    totals,
)
from bagen_data.live.watching.watch_setup import WatchSetup
from bagen_data.live.watching.watcher import WatchState
from bagen_data.reading.plain_rollouts import PlainRollout

_CELLS = {"used": "█", "over": "▓", "likely": "▒", "median": "┃", "budget": "│", "free": "·"}
_PLAIN_CELLS = {"used": "#", "over": "!", "likely": "~", "median": "+", "budget": "|", "free": "."}
_STYLES = {
    "used": "green",
    "over": "red",
    "likely": "cyan",
    "median": "bold cyan",
    "budget": "bold",
    "free": "dim",
}
_ACTIONS = {"continue": "green", "warn": "yellow", "stop": "bold red"}
_WIDE = 72
"""Columns from which numbers stand beside a bar instead of below it."""
_LEAST_BAR, _MOST_BAR = 10, 30
"""Columns of a bar."""
_MOST_HISTORY = 20
"""Turns of the history that are shown."""
_ABOVE_HISTORY = 2
"""Lines above the turns of the history: an empty one and the headings."""


class Screen:
    """A watched log as Rich draws it, for any width and height.

    Args:
        state: the state of the log.
        setup: forecaster, policy and budgets that it is compared with.
        height: lines that there are; None for as many as are needed, of which those with paths are
            left to the terminal to fold, so that a path can be copied.
    """

    def __init__(self, state: WatchState, setup: WatchSetup, height: int | None = None) -> None:
        self._state = state
        self._setup = setup
        self._height = height

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Yield the parts from the top.

        Where there is too little room, old turns go first, then remarks, then the title.
        """
        title, body = Group(*self._title(options)), Group(*self._body(options))
        foot = Group(*self._foot())
        room: float = math.inf if self._height is None else self._height - 1
        room -= len(console.render_lines(body, options))
        fitting = []
        for part in (title, foot):
            lines = len(console.render_lines(part, options))
            if lines <= room:
                fitting.append(part)
                room -= lines
        if title in fitting:
            yield title
        yield body
        rows = min(_MOST_HISTORY, room - _ABOVE_HISTORY)
        if self._state.turns and rows > 0:
            yield self._history(int(rows), console, options)
        if foot in fitting:
            yield foot

    def _title(self, options: ConsoleOptions) -> Iterator[Any]:
        state, rollout = self._state, self._state.rollout
        name = shown(_short(state.path))
        yield self._unfolded(name) if self._height is None else _end_of(name, options.max_width)
        facts = []
        if rollout is not None:
            facts += [rollout.source, rollout.model, _place(state, rollout)]
        if state.task:
            facts.append(f"task {state.task}")
        if self._setup.options.forecaster is not None:
            facts.append(f"forecaster {self._setup.options.forecaster}")
        if any(facts):
            yield _dimmed(shown(", ".join(filter(None, facts))))
        yield Text()

    def _body(self, options: ConsoleOptions) -> Iterator[Any]:
        state = self._state
        if state.problem:
            problem = Text("nothing can be shown: ", style="red") + shown(state.problem)
            yield self._unfolded(problem)
            return
        if not state.turns:
            yield Text("no turn is complete yet")
            return
        last = state.turns[-1]
        yield Text(f"turn {last.turn}", style="bold")
        for name in state.resources:
            yield from self._resource(last, name, options)
        yield from self._chance(options)
        action = Text(last.advice.action, style=_ACTIONS[last.advice.action])
        yield Text("advice: ") + action + Text(": ") + shown(last.advice.because)

    def _resource(self, last: TurnState, name: str, options: ConsoleOptions) -> Iterator[Any]:
        used = last.used[name]
        limit = self._setup.budgets.get(name)
        if limit is None:
            yield Text(f"{name} {least_text(last, name)}{amount_text(name, used)} used")
            return
        share = f" ({chance_text(used / limit)})" if limit else ""
        least = least_text(last, name)
        numbers = f"{least}{amount_text(name, used)} of {amount_text(name, limit)} used{share}"
        left = limit - used
        rest = (
            f"{'at most ' if least else ''}{amount_text(name, left)} left"
            if left >= 0
            else f"over the budget by {amount_text(name, -left)}"
        )
        interval = totals(last, name)
        if interval is not None:
            rest += f"; {ends_text(last, interval)}"
        label = max(map(len, self._state.resources)) + 1
        is_wide = options.max_width >= _WIDE
        room = options.max_width - label - len(numbers) - 1 if is_wide else options.max_width
        width = max(_LEAST_BAR, min(room, _MOST_BAR))
        cells = _PLAIN_CELLS if _is_plain(options) else _CELLS
        drawn = Text.assemble(
            *((cells[each], _STYLES[each]) for each in bar(used, limit, interval, width))
        )
        if is_wide:
            yield Text(f"{name:{label}}") + drawn + Text(f" {numbers}")
            yield Padding(Text(rest), (0, 0, 0, label))
        else:
            yield from (Text(name), drawn, Text(numbers), Text(rest))

    def _chance(self, options: ConsoleOptions) -> Iterator[Any]:
        turns = self._state.turns
        if all(each.forecast is None for each in turns):
            return
        word = "P(finish)" if knows_success(turns[-1]) else "P(within budget)"
        chances = [chance_of(each) for each in turns]
        width = max(5, min(60, options.max_width - len(word) - 8))
        line = sparkline(chances, width, _is_plain(options))
        yield Text(f"{word} {chance_text(chances[-1]):>4}  ") + Text(line, style="cyan")

    def _history(self, rows: int, console: Console, options: ConsoleOptions) -> Any:
        """Return the last turns as a table, with the columns that there is room for."""
        state = self._state
        named = [name for name in state.resources if name in self._setup.budgets]
        names = named or list(state.resources)
        has_forecast = any(each.forecast is not None for each in state.turns)
        turns = state.turns[: -rows - 1 : -1]
        layouts = [(names[:n], has_forecast) for n in range(len(names), 0, -1)]
        for shown_names, is_forecast in (*layouts, (names[:1], False)):
            table = self._table(turns, shown_names, is_forecast)
            if Measurement.get(console, options.update(max_width=999), table).maximum <= (
                options.max_width
            ):
                break
        return Group(Text(), table)

    def _table(self, turns: Sequence[TurnState], names: Sequence[str], is_forecast: bool) -> Table:
        table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
        forecast = [name for name in names if is_forecast and self._is_forecast(name)]
        headings = ["turn"]
        for name in names:
            headings += [name, *(["ends at"] if name in forecast else [])]
        headings += ["P"] if is_forecast else []
        for heading in headings:
            table.add_column(heading, justify="right", no_wrap=True)
        table.add_column("advice", no_wrap=True)
        for each in turns:
            row = [str(each.turn)]
            for name in names:
                row.append(amount_text(name, each.used[name]))
                if name in forecast:
                    interval = totals(each, name)
                    row.append("-" if interval is None else range_text(interval[0], interval[2]))
            row += [chance_text(chance_of(each))] if is_forecast else []
            table.add_row(*row, Text(each.advice.action, style=_ACTIONS[each.advice.action]))
        return table

    def _is_forecast(self, name: str) -> bool:
        """Return whether any turn has a forecast of a resource."""
        return any(totals(each, name) is not None for each in self._state.turns)

    def _foot(self) -> Iterator[Any]:
        for note in self._state.notes:
            yield _dimmed(self._unfolded(shown(note)))

    def _unfolded(self, text: Text) -> Text:
        """Return a text that is one line, however long, unless the screen has a height."""
        if self._height is None:
            text.no_wrap, text.overflow = True, "ignore"
        return text


def _is_plain(options: ConsoleOptions) -> bool:
    """Return whether to draw with ASCII characters, as in a pipe."""
    return options.ascii_only or not options.is_terminal


def _short(path: Path) -> str:
    """Return a path as people would write it here."""
    absolute = os.path.abspath(path)
    for start, folder in (("", os.getcwd()), ("~/", os.path.expanduser("~"))):
        if absolute.startswith(f"{folder}/"):
            return start + absolute[len(folder) + 1 :]
    return absolute


def _place(state: WatchState, rollout: PlainRollout) -> str:
    """Return the name of a rollout in its file: its session, or the place of one among several."""
    place = rollout.where.rpartition("/")[2]
    return rollout.source_id or ("" if place == state.path.name else place)


def _end_of(text: Text, width: int) -> Text:
    """Return the end of a text, as much of it as one line holds."""
    if len(text) <= width:
        return text
    return Text("...") + text[max(0, len(text) - width + 3) :]


def _dimmed(text: Text) -> Text:
    text.stylize("dim")
    return text
