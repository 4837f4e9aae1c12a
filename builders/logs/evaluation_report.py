"""SWE-bench's evaluation report, and what else lies beside trajectories without being a rollout."""

from typing import Any


def is_report(value: Any) -> bool:
    """Whether a JSON value is an evaluation report."""
    resolved = value.get("resolved_ids") if isinstance(value, dict) else None
    return isinstance(resolved, list) and all(isinstance(name, str) for name in resolved)


def belongs_to_trajectories(value: Any) -> bool:
    """Whether a JSON value is a report, or mini-swe-agent's `preds.json`: no rollout itself."""
    return is_report(value) or (
        isinstance(value, dict)
        and bool(value)
        and all(isinstance(patch, dict) and "model_patch" in patch for patch in value.values())
    )
