"""The files of one ATIF rollout: continuations and subagents that a trajectory names."""

import os
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.logs.rollout_log import FamilyFacts, Neighbours

_CONTINUATION = re.compile(r"\.cont-\d+\.json$|-cont-\d+$")


def is_trajectory(value: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether a JSON value is an ATIF trajectory."""
    return (
        isinstance(value, dict)
        and isinstance(value.get("steps"), list)
        and str(value.get("schema_version")).startswith("ATIF")
    )


class TrajectoryFile:
    """A trajectory, and where the files that it names lie.

    Args:
        value: the trajectory.
        path: its file, relative to the folder of the record; empty for the record itself.
        facts: the record's.
    """

    def __init__(self, value: Mapping[str, Any], path: str, facts: FamilyFacts) -> None:
        self.value = value
        self.path = path
        self._facts = facts

    @property
    def place(self) -> str:
        """The file as errors begin with it; empty for the record itself."""
        return f"{self.path}: " if self.path else ""

    def steps(self) -> list[Mapping[str, Any]]:
        """Return the steps.

        Raises:
            RolloutError: a step is not an object, or the ids do not count them from 1.
        """
        steps = log_fields.sequence(self.value.get("steps"), f"{self.place}steps")
        checked: list[Mapping[str, Any]] = [
            log_fields.mapping(step, f"{self.place}steps[]") for step in steps
        ]
        for number, step in enumerate(checked, 1):
            if step.get("step_id", number) != number:
                raise RolloutError(
                    f"{self.place}step_id is {log_fields.brief(step['step_id'])}; expected "
                    f"{number}: ids count the steps from 1; restore the steps that are missing, "
                    "remove those that appear twice, or remove the rollout"
                )
        return checked

    @property
    def agent(self) -> Mapping[str, Any]:
        """The agent that the trajectory names."""
        return log_fields.mapping(self.value.get("agent") or {}, f"{self.place}agent")

    def embedded(self) -> list["TrajectoryFile"]:
        """Return the subagents' trajectories in the same file."""
        children = log_fields.sequence(
            self.value.get("subagent_trajectories"), f"{self.place}subagent_trajectories"
        )
        return [
            TrajectoryFile(child, self.path, self._facts)
            for child in children
            if isinstance(child, dict) and "steps" in child
        ]

    def other(self, name: str) -> "TrajectoryFile | None":
        """Return the trajectory in a file that this one names; None where there is none."""
        folder = os.path.dirname(self.path)
        for path in dict.fromkeys((name, os.path.basename(name))):
            if not os.path.isabs(path):
                near = os.path.normpath(os.path.join(folder, path))
                value = self._facts.beside.value(near)
                if is_trajectory(value):
                    return TrajectoryFile(value, near, self._facts)
        return None


def segments(file: TrajectoryFile, name: str) -> Iterator[TrajectoryFile]:
    """Yield a trajectory and the files that continue it, in order.

    Args:
        file: the first one.
        name: its file's name.

    Raises:
        RolloutError: a file is missing, or the files name each other in a circle.
    """
    seen = {name}
    while True:
        yield file
        target = file.value.get("continued_trajectory_ref")
        if not target:
            return
        following = file.other(str(target))
        if following is None:
            raise RolloutError(
                f"{file.place}continued_trajectory_ref names {log_fields.brief(target)}; expected "
                "that trajectory beside this one; add the file, or remove the rollout"
            )
        if following.path in seen:
            raise RolloutError(
                f"{file.place}continued_trajectory_ref names {log_fields.brief(target)}, which "
                "comes before it; expected files that go on in one direction"
            )
        seen.add(following.path)
        file = following


def is_named_by_another(record: Mapping[str, Any], facts: FamilyFacts) -> bool:
    """Return whether another trajectory continues in a file or names it as a subagent's.

    Files of the same folder and of the folders above it are looked at.

    Raises:
        RolloutError: files name each other in a circle, or the file says that it is such a part and
            no other names it.
    """
    references = facts.beside.survey(_References)
    path = os.path.normpath(facts.path)
    seen = {path}
    by = references.by(path)
    while by is not None and by not in seen:
        seen.add(by)
        by = references.by(by)
    if by is not None:
        raise RolloutError(
            f"names itself as a part, by way of {by}; expected files that name each other in one "
            "direction; correct continued_trajectory_ref or trajectory_path, or remove the files"
        )
    if len(seen) > 1:
        return True
    agent = log_fields.mapping(record.get("agent") or {}, "agent")
    extra = log_fields.mapping(agent.get("extra") or {}, "agent.extra")
    if extra.get("parent_session_id"):
        raise RolloutError(
            f"is a subagent's work for session {log_fields.brief(extra['parent_session_id'])}; "
            "expected the trajectory that names it in the same folder; add it, or remove the file"
        )
    marks = (facts.path, log_fields.identity(record.get("session_id")))
    if extra.get("continuation_index") or any(map(_CONTINUATION.search, marks)):
        raise RolloutError(
            "is a continuation; expected the trajectory that it continues in the same folder, with "
            "continued_trajectory_ref; add it, or remove the file"
        )
    return False


class _References:
    """The trajectories of a family that others name; a folder is read when it is asked about.

    Args:
        family: the family's files, by paths relative to its folder.
    """

    def __init__(self, family: Neighbours) -> None:
        self._family = family
        self._folders: dict[str, dict[str, str]] = {}

    def by(self, path: str) -> str | None:
        """Return a trajectory that names a file, from the file's folder or one above."""
        folder = os.path.dirname(path)
        while True:
            if folder not in self._folders:
                self._folders[folder] = self._named_from(folder)
            if path in self._folders[folder]:
                return self._folders[folder][path]
            if not folder:
                return None
            folder = os.path.dirname(folder)

    def _named_from(self, folder: str) -> dict[str, str]:
        """Return the files that the trajectories of one folder name, and which names each."""
        named = {}
        for path in self._family.names(os.path.join(folder, "*.json")):
            value = self._family.value(path) if os.path.dirname(path) == folder else None
            for target in _targets(value) if is_trajectory(value) else ():
                for place in (target, os.path.basename(target)):
                    named[os.path.normpath(os.path.join(folder, place))] = path
        return named


def _targets(value: Mapping[str, Any]) -> Iterator[str]:
    name = value.get("continued_trajectory_ref")
    if isinstance(name, str):
        yield name
    for step in value["steps"]:
        for reference in subagent_references(step):
            if isinstance(reference.get("trajectory_path"), str):
                yield reference["trajectory_path"]
    children = value.get("subagent_trajectories")
    for child in children if isinstance(children, list) else ():
        if is_trajectory(child):
            yield from _targets(child)


def subagent_references(step: Any) -> Iterator[Mapping[str, Any]]:
    """Yield the references to subagents' trajectories in a step's observation.

    Values that are not as the format says are passed over: the step's own reading refuses them.
    """
    observation = step.get("observation") if isinstance(step, dict) else None
    results = observation.get("results") if isinstance(observation, dict) else None
    for result in results if isinstance(results, list) else ():
        references = result.get("subagent_trajectory_ref") if isinstance(result, dict) else None
        for reference in references if isinstance(references, list) else (references,):
            if isinstance(reference, dict):
                yield reference
