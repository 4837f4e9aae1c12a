"""Notices of a family's files from their reading, beside their rollouts."""

from dataclasses import dataclass
from typing import NamedTuple

from bagen_data.steady_files import Mark


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that was read."""

    path: str
    """Relative to the family's folder."""
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Unused:
    """A rollout or file that was not used."""

    where: str
    reason: str


class Companion(NamedTuple):
    """A file that belongs to rollouts without being one."""

    where: str
    formats: frozenset[str]
    """The formats of the rollouts."""


class FamilyProblem(NamedTuple):
    """A reason why the whole family cannot be built."""

    reason: str


Notice = SourceFile | Companion | FamilyProblem
"""A notice; notices come in the order of the files."""


class Looks(NamedTuple):
    """Files that were looked at, relative to the family's folder."""

    marks: dict[str, Mark]
    """The size and times of each file when it was first opened."""
    consulted: set[str]
    """Files whose values say something about rollouts in others."""
