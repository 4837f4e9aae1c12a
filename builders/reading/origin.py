"""Find the families of an origin folder."""

import os
from dataclasses import dataclass
from pathlib import Path

from bagen_data.errors import InputError
from bagen_data.family_name import Role, parse_family_name
from builders.tasks import RESERVED, known_tasks

_NAME_LENGTH = 150


@dataclass(frozen=True)
class Family:
    """A folder of rollouts of one task by one model."""

    folder: Path
    task: str
    rollout_model: str
    role: Role

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name


def find_families(origin: Path, tasks: list[str] | None = None) -> list[Family]:
    """The families of a folder of family folders, or the one family the folder is.

    Args:
        origin: the folder.
        tasks: take only these tasks' families; all if None.

    Raises:
        InputError: there is none, a family's task is unknown, or two folders may be one family.
    """
    if not origin.is_dir():
        raise InputError(f"--origin {origin}: is no folder")
    origin = Path(os.path.abspath(origin))
    families = [family for family in (family_at(origin),) if family] or sorted(
        (family for path in origin.iterdir() if path.is_dir() and (family := family_at(path))),
        key=lambda family: family.name,
    )
    wanted = [family for family in families if tasks is None or family.task in tasks]
    known = ", ".join(known_tasks())
    if not wanted:
        others = ", ".join(sorted({family.task for family in families}))
        present = f"; found families of {others}" if others else ""
        raise InputError(
            f"--origin {origin}: no family to build{present}; expected folders named "
            "TASK-origin-MODEL or TASK-train-MODEL, without spaces, or one such folder; "
            f"known tasks: {known}"
        )
    for family in wanted:
        if family.task in RESERVED or family.task.endswith("_train"):
            raise InputError(
                f"{family.name}: '{family.task}' is the name of a config and cannot be a task's; "
                "rename the task"
            )
        if family.task not in known_tasks():
            raise InputError(
                f"{family.name}: unknown task '{family.task}'; known: {known}; a task of your own "
                f"needs builders/tasks/{family.task}.py and bagen_data/prompts/{family.task}.txt"
            )
        if len(family.name.encode("utf-8", "replace")) > _NAME_LENGTH:
            raise InputError(f"{family.name[:40]}...: the folder's name is too long; shorten it")
        if not family.name.isprintable():
            raise InputError(f"{family.name!a}: the folder's name is not UTF-8; rename it")
    _refuse_ambiguous(wanted)
    return wanted


def ignored_folders(origin: Path) -> list[str]:
    """Folders beside the families whose names are not a family's."""
    origin = Path(os.path.abspath(origin))
    if family_at(origin):
        return []
    folders = (path for path in origin.iterdir() if path.is_dir() and path.name[0] != ".")
    return sorted(path.name for path in folders if not family_at(path))


def family_at(folder: Path) -> Family | None:
    """The family that a folder's name says it is; None if it says none."""
    name = parse_family_name(folder.name)
    return Family(folder, name.task, name.rollout_model, name.role) if name else None


def _refuse_ambiguous(families: list[Family]) -> None:
    """Refuse what may be one family and role in two folders.

    A name may go on after the model, so `m` and `m-2` cannot be told from one model's two runs.
    """
    for first in families:
        for second in families:
            same = (first.task, first.role) == (second.task, second.role) and first != second
            if same and f"{second.rollout_model}-".startswith(f"{first.rollout_model}-"):
                raise InputError(
                    f"{first.name} and {second.name} look like two folders of one family; "
                    "merge them, or rename one so that neither name begins with the other"
                )
