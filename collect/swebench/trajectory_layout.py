"""A family of trajectories on disk, as mini-swe-agent and SWE-bench's evaluation leave it.

swebench-origin-MODEL/run/INSTANCE/INSTANCE.traj.json
swebench-origin-MODEL/run/preds.json
swebench-origin-MODEL/report.json
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from bagen_data.errors import InputError
from bagen_data.fast_json import load_json

RUN, PREDICTIONS, REPORT = "run", "preds.json", "report.json"


def record(number: int, trajectory: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return a rollout as the family keeps it.

    Its trajectory says all that the other files need.

    Args:
        number: the number of the rollout in its family.
        trajectory: the trajectory of the rollout.
        model: the name under which predictions are listed.
    """
    info = {**trajectory["info"], "rollout_number": number, "rollout_model": model}
    return {**trajectory, "info": info}


class Trajectories:
    """The layout of a family, for `collect.family_run`; the same rollouts give the same bytes."""

    def write(self, folder: Path, rollouts: Iterable[Mapping[str, Any]]) -> None:
        """Write a family's files.

        Args:
            folder: an empty one.
            rollouts: the rollouts, as `record` returns them; read one at a time.

        Raises:
            InputError: two are of the same instance, as rollouts are named by it.
        """
        run = folder / RUN
        predictions, resolved = {}, {}
        for each in rollouts:
            name, info = str(each["instance_id"]), each["info"]
            if name in resolved:
                raise InputError(
                    f"{folder}: two rollouts of {name}; a family has one of each instance: give as "
                    "many instances as rollouts"
                )
            resolved[name] = bool(info["evaluation"]["resolved"])
            predictions[name] = {
                "model_name_or_path": info["rollout_model"],
                "instance_id": name,
                "model_patch": info["submission"],
            }
            _write(run / name / f"{name}.traj.json", each)
        _write(run / PREDICTIONS, {name: predictions[name] for name in sorted(predictions)})
        _write(folder / REPORT, _report(predictions, resolved))

    def read(self, folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the rollouts with their numbers, in the order of their instances' names."""
        for path in sorted((folder / RUN).glob("*/*.traj.json")):
            trajectory = load_json(path.read_bytes())
            yield trajectory["info"]["rollout_number"], trajectory


def _report(predictions: Mapping[str, Any], resolved: Mapping[str, bool]) -> dict[str, Any]:
    """Return the report in the names of SWE-bench's evaluation."""
    empty = {name for name, each in predictions.items() if not each["model_patch"].strip()}
    lists = {
        "submitted": set(predictions),
        "completed": set(predictions) - empty,
        "resolved": {name for name, is_resolved in resolved.items() if is_resolved},
        "unresolved": {name for name, is_resolved in resolved.items() if not is_resolved} - empty,
        "empty_patch": empty,
        "error": set[str](),
    }
    return {
        "total_instances": len(predictions),
        **{f"{name}_instances": len(names) for name, names in lists.items()},
        **{f"{name}_ids": sorted(names) for name, names in lists.items()},
        "schema_version": 2,
    }


def _write(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
