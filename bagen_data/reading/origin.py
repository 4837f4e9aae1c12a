"""Find the families of an origin folder."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.family_name import Role, parse_family_name
from bagen_data.general_prompt import general_prompt
from bagen_data.locations import Location
from bagen_data.prompt_variants import Variant
from bagen_data.prompts import Prompt, load_prompt
from bagen_data.reading.origin_entries import absolute, entries, is_half_replaced, whole
from bagen_data.tasks import Task, find_task, is_reserved, known_tasks
from bagen_data.tasks.general import GeneralSettings, check_task_name, general_task
from bagen_data.wording import in_a_clone

_NAME_LENGTH = 150
_MODEL_LENGTH = 100
_ROLE_WORDS = {"benchmark": "origin", "training": "train"}


@dataclass(frozen=True)
class Family:
    """A folder of rollouts of one task by one model."""

    folder: Location
    task: str
    rollout_model: str
    """Empty while the family is read, if neither its folder nor a flag names the model."""
    role: Role
    general: GeneralSettings | None = None
    """Settings of the general task; None for a task that has a file of its own."""

    @property
    def name(self) -> str:
        """The name of a folder that says what the family is; the folder's, until that is known."""
        if not self.rollout_model:
            return self.folder.name
        return f"{self.task}-{_ROLE_WORDS[self.role]}-{self.rollout_model}"

    def definition(self) -> Task:
        """Return the family's task.

        Raises:
            InputError: its file cannot be used.
        """
        if self.general is None:
            return find_task(self.task)
        return general_task(self.general, self.rollout_model)

    def prompt(self, variant: Variant) -> Prompt:
        """Return the templates that ask about the family."""
        if self.general is None:
            return load_prompt(self.task, variant)
        return general_prompt(self.general.resources, variant)


def find_families(
    origin: Location,
    tasks: list[str] | None = None,
    general: GeneralSettings | None = None,
    rollout_model: str = "",
) -> list[Family]:
    """The families of a folder of family folders, or the one family the folder is.

    Args:
        origin: the folder, or the URL of one. If neither it nor a folder in it has a family's
            name, and `tasks` names one task, the whole folder is a family of that task.
        tasks: take only these tasks' families; all if None. A task without a file of its own is
            the general one under this name.
        general: settings of the general task; its defaults if None.
        rollout_model: the model of a folder that has no family's name; empty if its logs name it.

    Raises:
        WrongUsageError: a task cannot have its name, or `rollout_model` is not a model's name or
            contradicts the folders' names.
        InputError: no family is there, a family's task is unknown, two folders may be one family,
            or only some of a family's new files are in place.
    """
    for task in tasks or ():
        if task not in known_tasks():
            check_task_name(task)
    origin = whole(origin)
    families = [family for family in (family_at(origin),) if family] or sorted(
        (family for name in _folders(origin) if (family := family_at(origin / name))),
        key=lambda family: family.name,
    )
    if not families and tasks is not None and len(set(tasks)) == 1:
        families = [Family(origin, tasks[0], _checked_model(rollout_model), "benchmark")]
    elif rollout_model:
        raise WrongUsageError(
            f"--rollout-model {rollout_model}: is for a folder of logs that has no family's name, "
            "with one --task; expected none here, where folders named TASK-origin-MODEL name it"
        )
    wanted = [family for family in families if tasks is None or family.task in tasks]
    known = ", ".join(known_tasks())
    names = ", ".join(sorted({family.task for family in families}))
    for task in tasks or ():
        if task not in (*known_tasks(), *(family.task for family in families)):
            raise WrongUsageError(
                f"--task {task}: unknown; found families of {names or 'no task'}, and known tasks "
                f"are {known}; expected folders named {task}-origin-MODEL, or a folder of logs "
                "without family folders and this --task alone"
            )
    if not wanted:
        present = f"; found families of {names}" if names else ""
        raise InputError(
            f"--origin {origin}: no family to build{present}; give --task NAME, with a name of "
            "your own, for a folder of logs; expected without it: folders named TASK-origin-MODEL "
            f"or TASK-train-MODEL, without spaces, or one such folder; known tasks: {known}"
        )
    for family in wanted:
        _check_name(family, is_asked_for=tasks is not None)
        if is_half_replaced(family.folder):
            raise InputError(
                f"{family.folder}: its writer was killed, and only some of its new files are in "
                f"place; go on with {in_a_clone('python -m collect ... --resume')}, or write it "
                "again"
            )
    _refuse_ambiguous(wanted)
    settings = general or GeneralSettings()
    return [
        family if family.task in known_tasks() else replace(family, general=settings)
        for family in wanted
    ]


def _check_name(family: Family, *, is_asked_for: bool) -> None:
    """Refuse a family whose name cannot stand in a dataset, or whose task nobody knows."""
    if is_reserved(family.task):
        raise InputError(
            f"{family.name}: '{family.task}' is the name of a config and cannot be a task's; "
            "rename the task"
        )
    if family.task not in known_tasks() and not is_asked_for:
        raise InputError(
            f"{family.name}: unknown task '{family.task}'; known: {', '.join(known_tasks())}; "
            f"--task {family.task} builds it with the general task, and a task of your own needs "
            f"bagen_data/tasks/{family.task}.py and bagen_data/prompts/{family.task}.txt"
        )
    if len(family.name.encode("utf-8", "replace")) > _NAME_LENGTH:
        raise InputError(f"{family.name[:40]}...: the folder's name is too long; shorten it")
    if not family.name.isprintable():
        raise InputError(f"{family.name!a}: the folder's name is not UTF-8; rename it")


def with_named_model(family: Family, models: Mapping[str, int]) -> Family:
    """Return a family with the one model that all of its logs name.

    Args:
        family: its model may be known already.
        models: how many rollouts name each model; an empty name stands for none.

    Raises:
        InputError: they name several, none, or what cannot be a family's model.
    """
    if family.rollout_model or not models:
        return family
    if len(models) == 1 and "" not in models:
        name = next(iter(models)).rstrip("/").rpartition("/")[2]
        if _is_model(name):
            return replace(family, rollout_model=name)
    counted = ", ".join(f"{name or '(none)'} in {n:,}" for name, n in sorted(models.items()))
    raise InputError(
        f"{family.folder.name}: no one model is named by all logs; rollouts by model: {counted}; "
        "give one name for all with --rollout-model NAME, or name the folder TASK-origin-MODEL"
    )


def _checked_model(name: str) -> str:
    if name and not _is_model(name):
        raise WrongUsageError(
            f"--rollout-model {name}: expected a name without spaces and '/', of at most "
            f"{_MODEL_LENGTH} bytes"
        )
    return name


def _is_model(name: str) -> bool:
    """Return whether a name can stand in ids of samples and in names of files."""
    return (
        parse_family_name(f"task-origin-{name}") is not None
        and name.isprintable()
        and len(name.encode("utf-8", "replace")) <= _MODEL_LENGTH
    )


def ignored_folders(origin: Location, families: Sequence[Family]) -> list[str]:
    """Folders beside the families whose names are not a family's."""
    origin = absolute(origin)
    if any(family.folder == origin for family in families):
        return []
    return [name for name in _folders(origin) if name[0] != "." and not family_at(origin / name)]


def _folders(origin: Location) -> list[str]:
    """Return the names of the folders in a folder, in order."""
    return [entry.name for entry in entries(origin) if entry.kind == "folder"]


def family_at(folder: Location) -> Family | None:
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
