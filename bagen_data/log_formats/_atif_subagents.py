"""The spending of an ATIF rollout's subagents: each in a context of its own, each counted once."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from bagen_data.log_formats._atif_files import TrajectoryFile, segments, subagent_references
from bagen_data.log_formats._atif_usage import (
    Sums,
    refuse_other_totals,
    replaces_context,
    step_requests,
)
from bagen_data.logs import log_fields
from bagen_data.logs.timestamps import seconds_of
from bagen_data.usage import Request


class Work(NamedTuple):
    """A subagent's requests."""

    requests: tuple[Request, ...]
    is_known: bool
    """False where its trajectory is missing, or a step of it has no usage."""
    end: float | None = None
    """Time of its last step, in seconds since 1970; None where it is unknown."""


class Subagents:
    """The subagents of one rollout; a trajectory that is named twice is counted once."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str]] = set()

    def named(self, step: Mapping[str, Any], file: TrajectoryFile) -> Iterator[Work]:
        """Yield the work of the subagents that a step's observation names.

        Raises:
            RolloutError: a step or total of a subagent's trajectory cannot be used.
        """
        for reference in subagent_references(step):
            key = log_fields.identity(
                reference.get("trajectory_id"),
                reference.get("trajectory_path"),
                reference.get("session_id"),
            )
            child = _resolved(reference, file)
            if child is None:
                yield Work((), is_known=False)
            elif self._is_new(child, key):
                yield self._work(child, key)

    def unnamed(self, file: TrajectoryFile) -> Iterator[Work]:
        """Yield the work of the subagents in a file that no step has named.

        Raises:
            RolloutError: a step or total of a subagent's trajectory cannot be used.
        """
        for number, child in enumerate(file.embedded(), 1):
            key = log_fields.identity(child.value.get("trajectory_id"), number)
            if self._is_new(child, key):
                yield self._work(child, key)

    def _is_new(self, child: TrajectoryFile, key: str) -> bool:
        mark = (child.path, log_fields.identity(child.value.get("trajectory_id"), key))
        is_new = mark not in self._seen
        self._seen.add(mark)
        return is_new

    def _work(self, first: TrajectoryFile, name: str) -> Work:
        requests: list[Request] = []
        is_known = True
        end = None
        part = 0
        for file in segments(first, first.path):
            part += file is not first
            own: list[Request] = []
            below: list[Request] = []
            for number, step in enumerate(file.steps(), 1):
                if step.get("is_copied_context") is True:
                    continue
                end = seconds_of(step.get("timestamp")) or end
                part += replaces_context(step)
                if step.get("source") == "agent":
                    spent = step_requests(step, file, f"{file.place}{name}: step {number}")
                    is_known = is_known and spent is not None
                    context = f"agent {name}" + (f" {part}" if part else "")
                    own += (replace(each, context=context) for each in spent or ())
                for work in self.named(step, file):
                    below += work.requests
                    is_known = is_known and work.is_known
            for work in self.unnamed(file):
                below += work.requests
                is_known = is_known and work.is_known
            if is_known:
                refuse_other_totals(
                    file.value.get("final_metrics"),
                    [Sums.of(own), Sums.of([*own, *below]), Sums.of([*requests, *own, *below])],
                    f"{file.place}subagent {name}: ",
                )
            requests += [*below, *own]
        return Work(tuple(requests), is_known, end)


def _resolved(reference: Mapping[str, Any], file: TrajectoryFile) -> TrajectoryFile | None:
    """Return the trajectory that a reference names: in the same file by its id, else by a path."""
    wanted = reference.get("trajectory_id")
    for child in file.embedded():
        if wanted is not None and child.value.get("trajectory_id") == wanted:
            return child
    path = reference.get("trajectory_path")
    return file.other(path) if isinstance(path, str) and path else None


def is_sidechain(step: Mapping[str, Any]) -> bool:
    """Return whether a step is a subagent's that stands among the main agent's.

    Harbor writes Claude Code's subagents so, in the order of time.
    """
    extra = step.get("extra")
    return isinstance(extra, Mapping) and extra.get("is_sidechain") is True


class Sidechains:
    """The subagents whose steps stand among the main agent's.

    A subagent without an id begins with a user step. Two that begin without a response between them
    run at once, and their responses cannot be told apart: their usage is unknown.
    """

    def __init__(self) -> None:
        self._unnamed = 0
        self._begins = False
        self._at_once = False

    def work(self, step: Mapping[str, Any], requests: tuple[Request, ...] | None) -> Work:
        """Return the work of one step.

        Args:
            step: a subagent's step.
            requests: those of an agent step; empty for another step, None if they are unknown.
        """
        extra = step.get("extra")
        name = log_fields.identity(extra.get("agent_id") if isinstance(extra, Mapping) else None)
        if not name:
            is_prompt = step.get("source") == "user"
            self._unnamed += is_prompt
            self._at_once = self._at_once or (is_prompt and self._begins)
            self._begins = is_prompt
        is_known = requests is not None and (bool(name) or not self._at_once)
        context = f"agent {name or self._unnamed}"
        return Work(tuple(replace(each, context=context) for each in requests or ()), is_known)
