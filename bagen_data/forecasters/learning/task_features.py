"""What only one task's past shows: a board, searches, shell commands, cash.

Any text is read: one without a board, a search or a command shows none, and raises nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.schema import Probe, Turn

Facts = tuple[float, ...]
"""What one turn's texts show."""


@dataclass(frozen=True)
class TaskFeatures:
    """A task's own columns."""

    names: tuple[str, ...]
    of_turn: Callable[[Turn], Facts]
    """Read off each turn once."""
    of_probe: Callable[[Probe, Sequence[Facts]], Sequence[float]]
    """As many numbers as names; of the facts of one turn or more (at k = 0, of the opening)."""


_WALL, _PLAYER, _BOX, _TARGET = "#", "PS", "X√", "O√S"
_BOARD = re.compile(r"(?:^[#_OXPS√]{2,}$\n?)+", re.MULTILINE)

_SOKOBAN = (
    *("boxes_on", "boxes_off", "boxes_stuck", "distance", "player_distance"),
    *("moves", "answered_share", "distance_gained", "closest"),
)
_LARGEST = 2_500
"""Letters of a board; what is larger is none."""
_NO_BOARD: Facts = (0.0, 0.0, 0.0, 0.0, 0.0)


def _sokoban_turn(turn: Turn) -> Facts:
    action = _last_answer(turn.assistant)
    return (*_board(turn.user), float(len(action.split("||")) if action else 0))


def _board(text: str) -> Facts:
    r"""Of the last board in a text: boxes on and off targets, stuck ones, and distances in steps.

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
    """A box between two walls that meet can never be moved again."""
    y, x = place
    beside = {(y, x - 1), (y, x + 1)} & walls
    return bool(beside and {(y - 1, x), (y + 1, x)} & walls)


def _nearest(place: tuple[int, int], others: Sequence[tuple[int, int]]) -> int:
    return min(abs(place[0] - y) + abs(place[1] - x) for y, x in others)


def _sokoban_probe(_: Probe, facts: Sequence[Facts]) -> Sequence[float]:
    distances = [one[3] for one in facts]
    answered = sum(one[5] > 0 for one in facts) / len(facts)
    return (*facts[-1], answered, distances[0] - distances[-1], min(distances))


def _last_answer(text: str) -> str:
    """What is between the last `<answer>` and its `</answer>`; empty if there is none."""
    _, opened, rest = text.rpartition("<answer>")
    action, closed, _ = rest.partition("</answer>")
    return action.strip() if opened and closed else ""


_SEARCHR1 = ("searches", "is_finish", "is_unreadable", "documents", "query_chars")


def _searchr1_turn(turn: Turn) -> Facts:
    action = _last_answer(turn.assistant).lower()
    is_search, is_finish = action.startswith("search"), action.startswith("finish")
    return (
        float(is_search),
        float(is_finish),
        float(not (is_search or is_finish)),
        float(turn.user.count("[Document")),
        float(np.log1p(len(action))),
    )


def _searchr1_probe(_: Probe, facts: Sequence[Facts]) -> Sequence[float]:
    return (sum(one[0] for one in facts), *facts[-1][1:])


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

_MOST_READ = 10_000
"""Characters of a message in which commands and failures are looked for."""

_SWEBENCH = (
    *("edits", "runs", "diffs", "patches", "failures", "last_edit", "last_run", "last_diff"),
    *("last_patch", "last_failed", "turns_since_edit", "runs_since_edit", "is_edited"),
)


def _swebench_turn(turn: Turn) -> Facts:
    shown = (_EDIT, _RUN, _DIFF, _PATCH)
    said = turn.assistant[:_MOST_READ]
    return (
        *(float(bool(kind.search(said))) for kind in shown),
        float(bool(_FAILED.search(turn.user[:_MOST_READ]))),
    )


def _swebench_probe(_: Probe, facts: Sequence[Facts]) -> Sequence[float]:
    counts = np.array(facts)
    edited = np.flatnonzero(counts[:, 0])
    since = len(counts) - 1 - edited[-1] if len(edited) else len(counts)
    runs = counts[edited[-1] :, 1].sum() if len(edited) else 0.0
    return (*counts.sum(axis=0), *counts[-1], since, runs, float(len(edited) > 0))


_WAREHOUSE = ("cash", "cash_share", "cash_gained", "cash_recent", "cash_projected")


def _warehouse_probe(probe: Probe, _: Sequence[Facts]) -> Sequence[float]:
    """Amounts of cash in targets, which differ between rollouts."""
    cash = [turn.state["cash_usd"] for turn in probe.turns if "cash_usd" in turn.state]
    cash = cash or [probe.state.get("cash_usd", 0.0)]
    target = max(abs(probe.budget.conditions.get("target_cash_usd", cash[0])), 1.0)
    gains = np.diff(cash) / target if len(cash) > 1 else np.zeros(1)
    share = cash[-1] / target
    weeks = "time_weeks"
    rate = probe.used.get(weeks, 0.0) / max(len(probe.turns), 1)
    left = probe.budget.limits.get(weeks, 0.0) - probe.used.get(weeks, 0.0)
    turns_left = max(left, 0.0) / rate if rate > 0 else 0.0
    gain = float(gains.mean())
    return (
        float(np.log1p(max(cash[-1], 0.0))),
        *np.clip([share, gain, gains[-3:].mean(), share + gain * turns_left], -9, 9),
    )


def _no_facts(_: Turn) -> Facts:
    return ()


NOTHING = TaskFeatures((), _no_facts, lambda *_: ())
"""Of a task that is not known."""

TASK_FEATURES: Mapping[str, TaskFeatures] = {
    "sokoban": TaskFeatures(_SOKOBAN, _sokoban_turn, _sokoban_probe),
    "searchr1": TaskFeatures(_SEARCHR1, _searchr1_turn, _searchr1_probe),
    "swebench": TaskFeatures(_SWEBENCH, _swebench_turn, _swebench_probe),
    "warehouse": TaskFeatures(_WAREHOUSE, _no_facts, _warehouse_probe),
}
"""By the task's name."""
