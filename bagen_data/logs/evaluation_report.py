"""SWE-bench's evaluation report, and what else lies beside trajectories without being a rollout."""

from collections.abc import Mapping
from itertools import combinations, product
from typing import Any, TypeGuard

from bagen_data.logs.log_fields import brief

JUDGED = ("resolved_ids", "unresolved_ids", "empty_patch_ids")
"""Lists of the instances that a report judges, of which an instance can stand in one only."""
_NOT_JUDGED = ("error_ids", "infra_failure_ids", "incomplete_ids")
"""Lists of the instances that a report leaves unjudged."""
_AROUND = ("completed_ids", "submitted_ids")
"""Lists in which each resolved instance stands, too, where a report has them."""
_LISTS = (*JUDGED, *_NOT_JUDGED, *_AROUND)
_TOTAL = "total_instances"


def is_report(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is an evaluation report."""
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
    return _malformed(report) or _miscounted(report) or _listed_twice(report) or _not_listed(report)


def _lists(report: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the lists of a report by their names."""
    return {
        name: [each for each in ids if isinstance(each, str)]
        for name, ids in report.items()
        if name.endswith("_ids") and isinstance(ids, list)
    }


def _malformed(report: Mapping[str, Any]) -> str:
    """Say which list holds no names, or which count is not a whole number; empty if none."""
    for name in _LISTS:
        ids = report.get(name)
        if isinstance(ids, str):
            return f"states {name} = {brief(ids)}, which is not a list"
        for each in ids if isinstance(ids, list) else ():
            if not isinstance(each, str):
                return f"lists {brief(each)} in {name}, which is not an instance's name"
    for counter in (*map(_counter, _LISTS), _TOTAL):
        stated = report.get(counter)
        is_whole = type(stated) is int or (isinstance(stated, float) and stated.is_integer())
        if isinstance(stated, str | float | bool) and not is_whole:
            return f"states {counter} = {brief(stated)}, which is not a whole number"
    return ""


def _miscounted(report: Mapping[str, Any]) -> str:
    """Say which count is not that of its list, or more than the total; empty if none."""
    lists = _lists(report)
    for name, ids in lists.items():
        stated = report.get(_counter(name))
        if isinstance(stated, int | float) and stated not in (len(ids), len(set(ids))):
            return f"states {_counter(name)} = {brief(stated)}, and lists {len(ids)} in {name}"
    total = report.get(_TOTAL)
    if not isinstance(total, int | float):
        return ""
    evaluated = {each for name in (*JUDGED, "completed_ids") for each in lists.get(name, ())}
    if len(evaluated) > total:
        return f"states {_TOTAL} = {brief(total)}, and lists {len(evaluated)} evaluated ones"
    counts = [report.get(_counter(name)) for name in ("resolved_ids", "unresolved_ids")]
    numbers = [int(count) for count in counts if isinstance(count, int | float)]
    if sum(numbers) > total:
        both = " + ".join(map(brief, numbers))
        return f"states {_TOTAL} = {brief(total)}, and {both} resolved and unresolved ones"
    return ""


def _listed_twice(report: Mapping[str, Any]) -> str:
    """Say which instances stand in two lists that exclude each other; empty if none."""
    lists = _lists(report)
    for name, other in (*combinations(JUDGED, 2), *product(JUDGED, _NOT_JUDGED)):
        both = sorted(set(lists.get(name, ())) & set(lists.get(other, ())))
        if both:
            return (
                f"lists {len(both)} of {len(lists[name])} {name} under {other}, too, such as "
                f"{both[0]}"
            )
    return ""


def _not_listed(report: Mapping[str, Any]) -> str:
    """Say which resolved instances a list leaves out that has to hold them; empty if none."""
    lists = _lists(report)
    resolved = lists.get("resolved_ids", [])
    for other in _AROUND:
        missing = sorted(set(resolved) - set(lists.get(other, resolved)))
        if missing:
            return (
                f"lists {len(missing)} of {len(resolved)} resolved_ids not under {other}, such as "
                f"{missing[0]}"
            )
    return ""


def _counter(name: str) -> str:
    return name.replace("_ids", "_instances")


def belongs_to_trajectories(value: Any) -> bool:
    """Return whether a JSON value is a report, or mini-swe-agent's `preds.json`."""
    return is_report(value) or (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(patch, dict) and "model_patch" in patch for patch in value.values())
    )
