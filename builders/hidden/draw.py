"""Draw the probes of a hidden split: one of a rollout, and one rollout of an instance.

A probe is drawn as a row of the benchmark would be: any turn of any rollout, all alike. So at each
turn the rollouts that were still running there are equally likely, whatever became of them, and
that a probe is in the split tells no more than that its rollout was still running, which its prompt
says as well. Drawing a rollout first, and then one of its turns, would favour short rollouts.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from bagen_data.schema import Amounts, Budget
from builders.hidden.budget_ranges import BudgetRanges


@dataclass(frozen=True)
class CandidateRollout:
    """A rollout that a probe may be drawn of."""

    family: int
    """The family's position in the build."""
    position: int
    """The rollout's position in the family."""
    instance_id: str
    opening_id: str
    """The id of an instance that is named by the first user message."""
    used: dict[int, Amounts]
    """The amounts spent after each turn k that may be asked about."""

    def is_of_instance(self, other: "CandidateRollout") -> bool:
        """Return whether both work on one instance, which one of them may name by its opening."""
        mine, others = ((each.instance_id, each.opening_id) for each in (self, other))
        return self.instance_id in others or other.instance_id in mine


@dataclass(frozen=True)
class DrawnProbe:
    """A probe of the split."""

    candidate: CandidateRollout
    completed_turns: int
    budget: Budget


def draw_probes(
    candidates: Sequence[CandidateRollout], ranges: BudgetRanges, number: int, rng: random.Random
) -> list[DrawnProbe]:
    """Draw probes of different instances, each open under the budget that is drawn with it.

    A pair of a probe and a budget under which the probe is over already is drawn again: that looks
    at nothing but what the prompt shows.

    Args:
        candidates: of one task.
        ranges: of the task's budgets.
        number: how many probes.
        rng: the source of randomness.

    Returns:
        The probes in the order drawn; fewer than `number` where there are no more instances.
    """
    pairs = [
        (candidate, k)
        for candidate in candidates
        for k, used in candidate.used.items()
        if ranges.often_allow(used)
    ]
    drawn: list[DrawnProbe] = []
    while pairs and len(drawn) < number:
        candidate, k = rng.choice(pairs)
        budget = ranges.draw(rng)
        if budget.allows(candidate.used[k]):
            drawn.append(DrawnProbe(candidate, k, budget))
            spent = {
                (other.family, other.position)
                for other in candidates
                if other.is_of_instance(candidate)
            }
            pairs = [pair for pair in pairs if (pair[0].family, pair[0].position) not in spent]
    return drawn
