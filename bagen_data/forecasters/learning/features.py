"""What a probe's past looks like in numbers; a probe holds only the past, so nothing else gets in.

Columns every task has: amounts, rates, lengths of messages, repetitions. A task's own come from
`task_features`. Amounts are on the log1p scale.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bagen_data.array_types import Floats
from bagen_data.forecasters.learning.task_features import (
    NOTHING,
    TASK_FEATURES,
    Facts,
    TaskFeatures,
)
from bagen_data.schema import Probe, Turn, decimals

_PER_RESOURCE = (
    *("used", "left", "share", "first", "last", "rate", "trend", "largest", "lasts"),
    *("rate_per_share", "budget"),
)
_OF_ALL = (
    *("turns", "log_turns", "opening_chars", "read_chars", "written_chars", "last_read_chars"),
    *("last_written_chars", "repeated_actions", "repeated_share", "repeated_observations"),
    *("is_repeated",),
)
_RECENT = 3
"""Turns that a trend looks back on."""
_MOST_SHARE = 4.0
"""Shares of a budget end here."""


@dataclass(frozen=True)
class Features:
    """Numbers of n probes."""

    names: tuple[str, ...]
    """(f,)."""
    values: Floats
    """(n, f) finite."""


@dataclass(frozen=True)
class _Texts:
    """What is read off a turn's texts, once."""

    read_chars: int
    written_chars: int
    observation: str
    action: str
    facts: Facts


def features(probes: Sequence[Probe]) -> Features:
    """Columns of one probe or more, all of one task.

    Each turn's texts are read once, however many probes share it.

    >>> from bagen_data.schema import Budget
    >>> turn = Turn("look", "go", {"tokens": 40.0})
    >>> probe = Probe("chess", "", (turn,), "", {"tokens": 40.0}, {}, Budget({"tokens": 80.0}))
    >>> columns = features([probe])
    >>> columns.values[0, columns.names.index("tokens_share")]
    np.float64(0.5)
    """
    resources = tuple(probes[0].budget.limits)
    own = TASK_FEATURES.get(probes[0].task, NOTHING)
    names = [f"{name}_{column}" for name in resources for column in _PER_RESOURCE]
    texts_of = _once_a_turn(own)
    rows = [_row(probe, resources, own, texts_of) for probe in probes]
    values = np.nan_to_num(np.array(rows, np.float64), nan=0.0, posinf=1e9, neginf=-1e9)
    return Features((*names, *_OF_ALL, *own.names), values)


def _once_a_turn(own: TaskFeatures) -> Callable[[Turn], _Texts]:
    """Reads a turn's texts, and remembers; its turns must live as long as it does."""
    known: dict[int, _Texts] = {}

    def texts_of(turn: Turn) -> _Texts:
        texts = known.get(id(turn))
        if texts is None:
            texts = known[id(turn)] = _read(turn, own)
        return texts

    return texts_of


def _read(turn: Turn, own: TaskFeatures) -> _Texts:
    action = " ".join(turn.assistant.rpartition("</think>")[2].split())
    return _Texts(len(turn.user), len(turn.assistant), turn.user, action, own.of_turn(turn))


def _row(
    probe: Probe,
    resources: Sequence[str],
    own: TaskFeatures,
    texts_of: Callable[[Turn], _Texts],
) -> list[float]:
    texts = [texts_of(turn) for turn in probe.turns]
    # Before turn 1 only the opening is there, in no turn that could be remembered.
    seen = texts or [_read(Turn(probe.opening, "", {}), own)]
    row: list[float] = []
    for name in resources:
        costs = np.array([turn.usage.get(name, 0.0) for turn in probe.turns])
        least = 10.0 ** -decimals(name)
        row += _of_resource(costs, probe.used.get(name, 0.0), probe.budget.limits[name], least)
    return [*row, *_of_texts(len(texts), seen), *own.of_probe(probe, [one.facts for one in seen])]


def _of_resource(costs: Floats, used: float, budget: float, least: float) -> list[float]:
    """`_PER_RESOURCE` of the (k,) costs of the turns; `least` is the least amount above 0."""
    left = max(budget - used, 0.0)
    later = costs[1:] if len(costs) > 1 else costs
    rate = float(later.mean()) if len(later) else 0.0
    recent = float(later[-_RECENT:].mean()) if len(later) else 0.0
    share = min(used / budget, _MOST_SHARE) if budget > 0 else _MOST_SHARE
    return [
        _log(used),
        _log(left),
        share,
        _log(costs[0] if len(costs) else used),
        _log(costs[-1] if len(costs) else 0.0),
        _log(rate),
        _log(recent) - _log(rate),
        _log(later.max(initial=0.0)),
        _log(left / max(rate, least)),
        min(rate / budget, _MOST_SHARE) if budget > 0 else _MOST_SHARE,
        _log(budget),
    ]


def _of_texts(turns: int, seen: Sequence[_Texts]) -> list[float]:
    """`_OF_ALL`."""
    actions = [one.action for one in seen]
    observations = {one.observation for one in seen}
    repeated = len(actions) - len(set(actions))
    return [
        turns,
        _log(turns),
        _log(seen[0].read_chars),
        _log(sum(one.read_chars for one in seen[1:]) / max(len(seen) - 1, 1)),
        _log(sum(one.written_chars for one in seen) / len(seen)),
        _log(seen[-1].read_chars),
        _log(seen[-1].written_chars),
        _log(repeated),
        repeated / len(actions),
        _log(len(seen) - len(observations)),
        float(actions[-1] in actions[:-1]),
    ]


def _log(amount: float) -> float:
    return float(np.log1p(max(amount, 0.0)))
