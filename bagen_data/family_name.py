"""Family folder names: `TASK-origin-MODEL` or `TASK-train-MODEL`."""

import re
from dataclasses import dataclass
from typing import Literal

Role = Literal["benchmark", "training"]

_NAME = re.compile(r"(?P<task>[A-Za-z0-9_]+)-(?P<role>origin|train)-(?P<model>[^\s/]+)", re.ASCII)
_ROLES: dict[str, Role] = {"origin": "benchmark", "train": "training"}


@dataclass(frozen=True)
class FamilyName:
    """The three facts that the name of a family's folder states."""

    task: str
    rollout_model: str
    role: Role


def parse_family_name(name: str) -> FamilyName | None:
    """Return what a folder's name says of its family; None where it is not a family's name.

    >>> parse_family_name("sokoban-train-llama-3")
    FamilyName(task='sokoban', rollout_model='llama-3', role='training')
    """
    match = _NAME.fullmatch(name)
    return match and FamilyName(match["task"], match["model"], _ROLES[match["role"]])
