"""Features that only one task's past shows: a board, searches, shell commands, cash.

Any text is read: one without a board, a search or a command shows none, and raises nothing. The
features of a past are running sums, so a turn costs the same work after 10 turns and after 1,000.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import add
from typing import NamedTuple, Protocol

import numpy as np

from bagen_data.schema import Amounts, Budget, Turn


class RunStanding(NamedTuple):
    """The standing of a run when it is asked about, beside the texts of its turns."""

    completed_turns: int
    used: Amounts
    state: Amounts
    """State of the environment, by name."""
    budget: Budget


class TaskPast(Protocol):
    """Facts that the turns of one run have shown so far.

    The attributes of a past are replaced and never change in place, so a shallow copy goes on
    apart.
    """

    def add(self, turn: Turn, /) -> None:
        """Take the next turn; at k = 0, the opening as a turn without an answer."""

    def row(self, asked: RunStanding, /) -> Sequence[float]:
        """Return as many numbers as names, after one turn or more (at k = 0, the opening)."""


@dataclass(frozen=True)
class TaskFeatures:
    """A task's own columns."""

    names: tuple[str, ...]
    begin: Callable[[], TaskPast]
    """Function that makes the past of a new run."""


_WALL, _PLAYER, _BOX, _TARGET = "#", "PS", "X√", "O√S"
_BOARD = re.compile(r"(?:^[#_OXPS√]{2,}$\n?)+", re.MULTILINE)

_SOKOBAN = (
    *("boxes_on", "boxes_off", "boxes_stuck", "distance", "player_distance"),
    *("moves", "answered_share", "distance_gained", "closest"),
)
_LARGEST = 2_500
"""Most characters of a board; a larger text is not taken for a board."""
_NO_BOARD = (0.0, 0.0, 0.0, 0.0, 0.0)


class _SokobanPast:
    """Boards and moves."""

    def __init__(self) -> None:
        self._turns = 0
        self._answered = 0
        self._last: tuple[float, ...] = ()
        self._first_distance = 0.0
        self._closest = 0.0

    def add(self, turn: Turn) -> None:
        action = _last_answer(turn.assistant)
        moves = float(len(action.split("||")) if action else 0)
        board = _board(turn.user)
        distance = board[3]
        if not self._turns:
            self._first_distance = self._closest = distance
        self._turns += 1
        self._answered += moves > 0
        self._last = (*board, moves)
        self._closest = min(self._closest, distance)

    def row(self, _: RunStanding) -> Sequence[float]:
        gained = self._first_distance - self._last[3]
        return (*self._last, self._answered / self._turns, gained, self._closest)


def _board(text: str) -> tuple[float, ...]:
    r"""Return five numbers of the last board in a text, each 0 without a box and a target.

    The numbers are boxes on targets, boxes off targets, stuck boxes, and two distances in steps.

    >>> _board("######\n#_O__#\n#_X__#\n#P___#\n######")
    (0.0, 1.0, 0.0, 1.0, 2.0)
    """
    boards = _BOARD.findall(text)
    rows = boards[-1].split() if boards and len(boards[-1]) <= _LARGEST else []
    cells = [((y, x), symbol) for y, row in enumerate(rows) for x, symbol in enumerate(row)]
    places = {
        kind: [place for place, symbol in cells if symbol in kind]
        for kind in (_PLAYER, _BOX, _TARGET, _WALL)
    }
    if not (places[_BOX] and places[_TARGET]):
        return _NO_BOARD
    off = [place for place in places[_BOX] if place not in places[_TARGET]]
    walls = set(places[_WALL])
    stuck = sum(_is_cornered(place, walls) for place in off)
    distance = sum(_nearest(place, places[_TARGET]) for place in off)
    reach = min((_nearest(place, off) for place in places[_PLAYER] if off), default=0)
    counts = (len(places[_BOX]) - len(off), len(off), stuck, distance, reach)
    return tuple(map(float, counts))


def _is_cornered(place: tuple[int, int], walls: set[tuple[int, int]]) -> bool:
    """Return whether a box is between two walls that meet, and so can never be moved again."""
    y, x = place
    beside = {(y, x - 1), (y, x + 1)} & walls
    return bool(beside and {(y - 1, x), (y + 1, x)} & walls)


def _nearest(place: tuple[int, int], others: Sequence[tuple[int, int]]) -> int:
    return min(abs(place[0] - y) + abs(place[1] - x) for y, x in others)


def _last_answer(text: str) -> str:
    """Return the text between the last `<answer>` and its `</answer>`; empty without an answer."""
    _, opened, rest = text.rpartition("<answer>")
    action, closed, _ = rest.partition("</answer>")
    return action.strip() if opened and closed else ""


_SEARCHR1 = ("searches", "is_finish", "is_unreadable", "documents", "query_chars")


class _SearchPast:
    """Searches, and the last turn's documents and query."""

    def __init__(self) -> None:
        self._searches = 0.0
        self._last: tuple[float, ...] = ()

    def add(self, turn: Turn) -> None:
        action = _last_answer(turn.assistant).lower()
        is_search, is_finish = action.startswith("search"), action.startswith("finish")
        self._searches += is_search
        self._last = (
            float(is_finish),
            float(not (is_search or is_finish)),
            float(turn.user.count("[Document")),
            float(np.log1p(len(action))),
        )

    def row(self, _: RunStanding) -> Sequence[float]:
        return (self._searches, *self._last)


_EDIT = re.compile(
    r"sed\s+-i|perl\b[^\n]*\s-\w*i|apply_patch|git apply|patch -p|write_text|\.write\("
    r"|cat\s*>+\s*(?!\S*patch)\S|<<\s*['\"]?\w+['\"]?\s*>+\s*\S+\.py"
)
_RUN = re.compile(
    r"pytest|runtests|unittest|bin/test|manage\.py test|\btox\b|python3?\s+(?:-c|-\s|\S+\.py)"
)
_DIFF = re.compile(r"git\s+(?:--no-pager\s+)?diff")
_PATCH = re.compile(r"diff[^\n]*>\s*[^\s>]*patch|COMPLETE_TASK_AND_SUBMIT", re.IGNORECASE)
_FAILED = re.compile(
    r"<returncode>\s*-?[1-9]|Traceback \(most recent|^FAILED|command not found", re.MULTILINE
)

_SHOWN = (_EDIT, _RUN, _DIFF, _PATCH)

_MOST_READ = 10_000
"""Characters of a message in which commands and failures are looked for."""

_SWEBENCH = (
    *("edits", "runs", "diffs", "patches", "failures", "last_edit", "last_run", "last_diff"),
    *("last_patch", "last_failed", "turns_since_edit", "runs_since_edit", "is_edited"),
)


class _SwebenchPast:
    """Shell commands by what they are for, and failures that they met."""

    def __init__(self) -> None:
        self._turns = 0
        self._counts = (0.0,) * (len(_SHOWN) + 1)
        self._last = self._counts
        self._edited = -1
        """Position of the last turn with an edit; -1 without one."""
        self._runs_since = 0.0

    def add(self, turn: Turn) -> None:
        said = turn.assistant[:_MOST_READ]
        is_edit, is_run, *others = (float(bool(kind.search(said))) for kind in _SHOWN)
        failed = float(bool(_FAILED.search(turn.user[:_MOST_READ])))
        self._last = (is_edit, is_run, *others, failed)
        self._counts = tuple(
            count + one for count, one in zip(self._counts, self._last, strict=True)
        )
        if is_edit:
            self._edited, self._runs_since = self._turns, 0.0
        if self._edited >= 0:
            self._runs_since += is_run
        self._turns += 1

    def row(self, _: RunStanding) -> Sequence[float]:
        is_edited = self._edited >= 0
        since = self._turns - 1 - self._edited if is_edited else self._turns
        return (*self._counts, *self._last, since, self._runs_since, float(is_edited))


_WAREHOUSE = ("cash", "cash_share", "cash_gained", "cash_recent", "cash_projected")
_CASH, _WEEKS = "cash_usd", "time_weeks"
_RECENT_GAINS = 3
"""Turns that the recent gain looks back on."""
_MOST_TARGETS = 9.0
"""Bound of amounts of cash above and below 0, in targets."""


class _WarehousePast:
    """Cash after the turns, in targets, which differ between rollouts."""

    def __init__(self) -> None:
        self._known = 0
        """Number of turns that state cash."""
        self._first = 0.0
        self._recent: tuple[float, ...] = ()
        """The cash of the last turns that state it, as many as recent gains need."""

    def add(self, turn: Turn) -> None:
        cash = turn.state.get(_CASH)
        if cash is None:
            return
        if not self._known:
            self._first = cash
        self._known += 1
        self._recent = (*self._recent, cash)[-_RECENT_GAINS - 1 :]

    def row(self, asked: RunStanding) -> Sequence[float]:
        recent = self._recent or (asked.state.get(_CASH, 0.0),)
        first = self._first if self._known else recent[0]
        target = max(abs(asked.budget.conditions.get("target_cash_usd", first)), 1.0)
        last = recent[-1]
        share = last / target
        gain = (last - first) / max(self._known - 1, 1) / target
        gains = [(after - before) / target for before, after in pairwise(recent)]
        rate = asked.used.get(_WEEKS, 0.0) / max(asked.completed_turns, 1)
        left = asked.budget.limits.get(_WEEKS, 0.0) - asked.used.get(_WEEKS, 0.0)
        turns_left = max(left, 0.0) / rate if rate > 0 else 0.0
        recent_gain = reduce(add, gains, 0.0) / max(len(gains), 1)
        amounts = (share, gain, recent_gain, share + gain * turns_left)
        in_bounds = (min(max(each, -_MOST_TARGETS), _MOST_TARGETS) for each in amounts)
        return (float(np.log1p(max(last, 0.0))), *in_bounds)


class _NoPast:
    """The past of a task that is not known."""

    def add(self, _: Turn) -> None:
        """Take nothing."""

    def row(self, _: RunStanding) -> Sequence[float]:
        """Return nothing."""
        return ()


NOTHING = TaskFeatures((), _NoPast)
"""The features of a task that is not known."""

TASK_FEATURES: Mapping[str, TaskFeatures] = {
    "sokoban": TaskFeatures(_SOKOBAN, _SokobanPast),
    "searchr1": TaskFeatures(_SEARCHR1, _SearchPast),
    "swebench": TaskFeatures(_SWEBENCH, _SwebenchPast),
    "warehouse": TaskFeatures(_WAREHOUSE, _WarehousePast),
}
"""Features by the task's name."""
