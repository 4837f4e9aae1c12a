"""The index of a family: what was read of it, but for its rollouts, which wait in a spool."""

from collections import Counter
from dataclasses import dataclass, field

from bagen_data.budgets import Realised
from bagen_data.reading.noticed import SourceFile, Unused
from bagen_data.reading.origin import Family
from bagen_data.reading.rollout_spool import RolloutSpool
from bagen_data.replay import realised
from bagen_data.schema import Amounts, Rollout
from bagen_data.usage import Convention

_NO_STATE: Amounts = {}
"""The final state of all rollouts without one."""


@dataclass(frozen=True, slots=True)
class IndexedRollout:
    """Facts of a spooled rollout that the plan of a build needs, in few bytes."""

    rollout_id: str
    instance_id: str
    total_turns: int
    text_size: int
    """Characters of its turns."""
    resources: tuple[str, ...]
    """(r,) names, the same object for the rollouts of a shard."""
    totals: tuple[float, ...]
    """(r,) spent over the whole rollout."""
    final_state: Amounts
    """Amounts that the environment stood at after the last turn."""

    @classmethod
    def of(cls, rollout: Rollout, resources: tuple[str, ...], text_size: int) -> "IndexedRollout":
        """Return what the plan needs to know of a rollout.

        Args:
            rollout: with at least one turn.
            resources: names of the resources that its task has.
            text_size: the characters of its turns.
        """
        spent = realised(rollout, resources)
        return cls(
            rollout.rollout_id,
            rollout.instance_id,
            len(rollout.turns),
            text_size,
            resources,
            tuple(spent.totals.values()),
            spent.final_state or _NO_STATE,
        )

    @property
    def realised(self) -> Realised:
        """The totals and the final state of the rollout."""
        return Realised(dict(zip(self.resources, self.totals, strict=True)), self.final_state)


@dataclass
class FamilyIndex:
    """A family as it was read; `entries` are in the order of `rollouts`."""

    family: Family
    rollouts: RolloutSpool = field(default_factory=RolloutSpool)
    entries: list[IndexedRollout] = field(default_factory=list)
    refused: list[Unused] = field(default_factory=list)
    """Rollouts and files that were refused."""
    unusable_labels: list[Unused] = field(default_factory=list)
    """Lines of labels that cannot be used, or that name no rollout."""
    ignored: list[Unused] = field(default_factory=list)
    sources: list[SourceFile] = field(default_factory=list)
    usage_sources: Counter[str] = field(default_factory=Counter)
    bare_counts: dict[frozenset[Convention], str] = field(default_factory=dict)
    """The first rollout whose bare counts fit a set of conventions, for each such set."""
    duplicates: int = 0
    without_turns: int = 0
    dropped_turns: int = 0
    clipped_turns: int = 0
    """Turns with an input shorter than the history that it replays."""
    scrubbed: Counter[str] | None = None
    """Numbers of replacements in the texts, by kind; None where nothing was looked for."""
    models: Counter[str] = field(default_factory=Counter)
    """The number of rollouts that name each model; an empty name stands for none."""

    def unused(self) -> list[tuple[str, str]]:
        """Return where and why labels, rollouts and files were not used."""
        unused = (*self.unusable_labels, *self.refused, *self.ignored)
        return [(each.where, each.reason) for each in unused]

    def stop(self, reason: str) -> None:
        """Leave the family out of the build, with the reason."""
        self.refused.append(Unused(".", reason))
        self.entries.clear()
        self.usage_sources.clear()
        self.rollouts = RolloutSpool()
        self.models.clear()
        self.duplicates = self.without_turns = self.dropped_turns = self.clipped_turns = 0
