"""Copies of a recorded family under other instance ids, so that a build meets many rollouts."""

import json
from pathlib import Path
from typing import Any

_TRAJECTORY = ".traj.json"
_OUTCOMES = ("resolved_ids", "unresolved_ids")


def copy_family(family: Path, target: Path, copies: int) -> Path:
    """Write a family of trajectories several times into one folder, with one evaluation report.

    Args:
        family: a folder of SWE-agent's trajectories with its evaluation report.
        target: the folder to write; its name is the family's.
        copies: how often each trajectory is written.
    """
    trajectories = [
        (path.name.removesuffix(_TRAJECTORY), path.read_bytes())
        for path in sorted(family.rglob(f"*{_TRAJECTORY}"))
    ]
    resolved = _resolved(family)
    outcomes: dict[str, list[str]] = {name: [] for name in _OUTCOMES}
    for copy in range(copies):
        for name, content in trajectories:
            renamed = f"{name}-{copy}"
            file = target / f"run{copy}" / renamed / f"{renamed}{_TRAJECTORY}"
            file.parent.mkdir(parents=True)
            file.write_bytes(_renamed(content, renamed))
            outcomes[_OUTCOMES[name not in resolved]].append(renamed)
    (target / "report.json").write_text(json.dumps(outcomes), encoding="utf-8")
    return target


def _renamed(content: bytes, name: str) -> bytes:
    """Return a trajectory under another instance id; an empty file stays empty."""
    return json.dumps(json.loads(content) | {"instance_id": name}).encode() if content else b""


def _resolved(family: Path) -> set[str]:
    """Return the instances that the family's evaluation report counts as resolved."""
    names: set[str] = set()
    for path in family.rglob("*.json"):
        if not path.name.endswith(_TRAJECTORY):
            report: Any = json.loads(path.read_bytes())
            names.update(report.get(_OUTCOMES[0], ()) if isinstance(report, dict) else ())
    return names
