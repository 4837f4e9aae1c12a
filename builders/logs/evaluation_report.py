"""SWE-bench's evaluation report, and what else lies beside trajectories without being a rollout."""

from collections import Counter
from collections.abc import Mapping
from itertools import combinations
from typing import Any, TypeGuard

_OUTCOMES = ("resolved_ids", "unresolved_ids", "empty_patch_ids", "error_ids", "incomplete_ids")
"""Lists of which an instance can stand in one only."""
JUDGED = ("resolved_ids", "unresolved_ids", "empty_patch_ids")
"""Lists of the instances that a report judges; errors and incomplete runs are not judged."""
NOT_JUDGED = ("error_ids", "infra_failure_ids", "incomplete_ids")
"""Lists of the instances that a report says were not judged."""


def is_report(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a JSON value is an evaluation report."""
    resolved = value.get("resolved_ids") if isinstance(value, dict) else None
    return isinstance(resolved, list) and all(isinstance(name, str) for name in resolved)


def judged_ids(report: Mapping[str, Any]) -> frozenset[str]:
    """Return the instances that a report judges; one that stands in two of its lists is not.

    >>> report = {"resolved_ids": ["a", "b"], "unresolved_ids": ["c"], "error_ids": ["b"]}
    >>> sorted(judged_ids(report))
    ['a', 'c']
    """
    lists = Counter(name for each in (*JUDGED, *NOT_JUDGED) for name in _names(report, each))
    stated = frozenset().union(*(_names(report, each) for each in JUDGED))
    return frozenset(name for name in stated if lists[name] == 1)


def _names(report: Mapping[str, Any], name: str) -> frozenset[str]:
    """Return the instances of one of a report's lists; none where it has no such list."""
    ids = report.get(name)
    return (
        frozenset(each for each in ids if isinstance(each, str))
        if isinstance(ids, list)
        else (frozenset())
    )


def contradiction(report: Mapping[str, Any]) -> str:
    """Return how a report contradicts itself, with both numbers; empty if it does not.

    >>> contradiction({"resolved_ids": ["a"], "resolved_instances": 2})
    'states resolved_instances = 2, and lists 1 in resolved_ids'
    >>> contradiction({"resolved_ids": ["a"], "unresolved_ids": ["a", "b"]})
    'lists 1 of 1 resolved_ids under unresolved_ids, too, such as a'
    """
    lists = {name: ids for name, ids in report.items() if isinstance(ids, list)}
    for name, ids in lists.items():
        counter = name.replace("_ids", "_instances")
        stated = report.get(counter)
        if counter != name and type(stated) is int and stated not in (len(ids), len(set(ids))):
            return f"states {counter} = {stated}, and lists {len(ids)} in {name}"
    for name, other in combinations(_OUTCOMES, 2):
        both = sorted(map(str, set(lists.get(name, ())) & set(lists.get(other, ()))))
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
