"""Refuse a build in which a family has no rollout that can be used."""

from collections.abc import Sequence

from bagen_data.errors import InputError
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.labels import is_other_labels
from bagen_data.reading.refusal_lines import NOT_A_LABEL, refusal_lines
from bagen_data.wording import numbered

ALLOW = "--allow-empty-families"
"""The option that builds without such families."""
_SHOWN = 10
"""Reasons that a message lists of each family."""


def refuse_lost_families(indexes: Sequence[FamilyIndex], *, is_allowed: bool) -> None:
    """Refuse families that lost all of their rollouts, with every reason.

    Args:
        indexes: all families of a build, as they were read.
        is_allowed: families may be lost, as long as another one is left.

    Raises:
        InputError: a family is lost, and `is_allowed` is false or no other one is left.
    """
    lost = [index for index in indexes if not index.entries]
    if not lost or (is_allowed and len(lost) < len(indexes)):
        return
    problem, advice = "no rollout can be used", ""
    if len(lost) < len(indexes):
        have = "has" if len(lost) == 1 else "have"
        problem = f"{len(lost)} of {len(indexes)} families {have} no rollout that can be used"
        advice = f"\ncorrect what is refused, or build the other families with {ALLOW}"
    lines = [line for index in lost for line in lost_lines(index)]
    raise InputError(f"{problem}, so nothing was written:\n  " + "\n  ".join(lines) + advice)


def lost_lines(index: FamilyIndex) -> list[str]:
    """Return a line for each reason why a family has no rollout."""
    name = index.family.name
    unusable = ((each.where, each.reason) for each in index.unusable_labels)
    lines = refusal_lines(unusable, name, verb=NOT_A_LABEL)
    reasons = ((refusal.where, refusal.reason) for refusal in index.refused)
    lines += refusal_lines(reasons, name)
    labels = [(each.where, each.reason) for each in index.ignored if is_other_labels(each.where)]
    lines[:0] = refusal_lines(labels, name, verb="ignored")
    if len(lines) > _SHOWN:
        lines[_SHOWN:] = [f"{name}: {len(lines) - _SHOWN:,} more reasons"]
    if index.without_turns:
        logs = numbered(index.without_turns, "log")
        lines.append(f"{name}: {logs} without a turn that can be used: no response is in them")
    return lines or [f"{name}: no file holds a rollout"]
