"""SWE-bench's evaluation report, and what else lies beside trajectories without being a rollout."""

from collections.abc import Mapping
from itertools import combinations, product
from typing import Any, TypeGuard

JUDGED = ("resolved_ids", "unresolved_ids", "empty_patch_ids")
"""Lists of the instances that a report judges, of which an instance can stand in one only."""
_NOT_JUDGED = ("error_ids", "infra_failure_ids", "incomplete_ids")
"""Lists of the instances that a report leaves unjudged."""


def is_report(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an evaluation report."""
    resolved = value.get("resolved_ids") if isinstance(value, dict) else None
    return isinstance(resolved, list) and all(isinstance(name, str) for name in resolved)


def judged_ids(report: Mapping[str, Any]) -> frozenset[str]:
    """Return the instances that a report judges."""
    lists = [report.get(name) for name in JUDGED]
    return frozenset(
        name for ids in lists if isinstance(ids, list) for name in ids if isinstance(name, str)
    )


def contradiction(report: Mapping[str, Any]) -> str:
    """Return how a report contradicts itself, with both numbers; empty if it does not.

    >>> contradiction({"resolved_ids": ["a"], "resolved_instances": 2})
    'states resolved_instances = 2, and lists 1 in resolved_ids'
    >>> contradiction({"resolved_ids": ["a"], "unresolved_ids": ["a", "b"]})
    'lists 1 of 1 resolved_ids under unresolved_ids, too, such as a'
    """
    lists = {
        name: [each for each in ids if isinstance(each, str)]
        for name, ids in report.items()
        if isinstance(ids, list)
    }
    for name, ids in lists.items():
        counter = name.replace("_ids", "_instances")
        stated = report.get(counter)
        if counter != name and type(stated) is int and stated not in (len(ids), len(set(ids))):
            return f"states {counter} = {stated}, and lists {len(ids)} in {name}"
    for name, other in (*combinations(JUDGED, 2), *product(JUDGED, _NOT_JUDGED)):
        both = sorted(set(lists.get(name, ())) & set(lists.get(other, ())))
        if both:
            return (
                f"lists {len(both)} of {len(lists[name])} {name} under {other}, too, such as "
                f"{both[0]}"
            )
    return ""


def belongs_to_trajectories(value: Any) -> bool:
    """Whether a JSON value is a report, or mini-swe-agent's `preds.json`: no rollout itself."""
    return is_report(value) or (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(patch, dict) and "model_patch" in patch for patch in value.values())
    )
