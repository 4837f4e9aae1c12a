"""SWE-bench's evaluation report, and what else lies beside trajectories without being a rollout."""

from collections.abc import Mapping
from typing import Any

JUDGED = ("resolved_ids", "unresolved_ids", "empty_patch_ids")
"""Lists of the instances that a report judges; errors and incomplete runs are not judged."""


def is_report(value: Any) -> bool:
    """Whether a JSON value is an evaluation report."""
    resolved = value.get("resolved_ids") if isinstance(value, dict) else None
    return isinstance(resolved, list) and all(isinstance(name, str) for name in resolved)


def judged_ids(report: Mapping[str, Any]) -> frozenset[str]:
    """Return the instances that a report judges."""
    lists = [report.get(name) for name in JUDGED]
    return frozenset(
        name for ids in lists if isinstance(ids, list) for name in ids if isinstance(name, str)
    )


def belongs_to_trajectories(value: Any) -> bool:
    """Whether a JSON value is a report, or mini-swe-agent's `preds.json`: no rollout itself."""
    return is_report(value) or (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(patch, dict) and "model_patch" in patch for patch in value.values())
    )
