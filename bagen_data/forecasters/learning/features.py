"""A probe's past in numbers; a probe holds only the past, so nothing else gets in.

The columns are those of `running_features`, made by the same steps: probes that share the turns of
a rollout share what was read of them, so a rollout costs work in proportion to its turns.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bagen_data.array_types import Floats
from bagen_data.forecasters.learning.running_features import RunningFeatures, feature_names, finite
from bagen_data.forecasters.learning.task_features import RunStanding
from bagen_data.schema import Probe


@dataclass(frozen=True)
class Features:
    """Numbers of n probes."""

    names: tuple[str, ...]
    """(f,) the columns' names."""
    values: Floats
    """(n, f) finite numbers."""


def features(probes: Sequence[Probe]) -> Features:
    """Return the columns of one probe or more, all of one task and the same resources.

    >>> from bagen_data.schema import Budget, Turn
    >>> turn = Turn("look", "go", {"tokens": 40.0})
    >>> probe = Probe("chess", "", (turn,), "", {"tokens": 40.0}, {}, Budget({"tokens": 80.0}))
    >>> columns = features([probe])
    >>> columns.values[0, columns.names.index("tokens_share")]
    np.float64(0.5)
    """
    task, resources = probes[0].task, tuple(probes[0].budget.limits)
    rows: list[list[float]] = [[]] * len(probes)
    for chain in _chains(probes):
        running = RunningFeatures(task, resources)
        for position in chain:
            probe = probes[position]
            for turn in probe.turns[running.turns :]:
                running.add(turn)
            asked = RunStanding(running.turns, probe.used, probe.state, probe.budget)
            rows[position] = running.row(asked, probe.opening)
    return Features(feature_names(task, resources), finite(rows))


def _chains(probes: Sequence[Probe]) -> Iterator[list[int]]:
    """Yield positions of probes, each of which goes on with the turns of the one before."""
    groups: dict[tuple[str, str] | None, list[int]] = {}
    for position, probe in enumerate(probes):
        key = (probe.turns[0].user, probe.turns[0].assistant) if probe.turns else None
        groups.setdefault(key, []).append(position)
    for group in groups.values():
        chains: list[list[int]] = []
        for position in sorted(group, key=lambda each: len(probes[each].turns)):
            turns = probes[position].turns
            for chain in chains:
                before = probes[chain[-1]].turns
                if turns[: len(before)] == before:
                    chain.append(position)
                    break
            else:
                chains.append([position])
        yield from chains
