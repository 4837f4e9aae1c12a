"""Rollouts of any log file, folder of logs or family, whether or not their outcomes are known.

    read = read_plain_rollouts(Path("~/.claude/projects/mine").expanduser())
    for each in read.rollouts:
        each.rollout.turns, each.success                  # None where nobody says how it ended

The turns are those that a build makes. No prompt is made of them, so no rollout is too long.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from bagen_data.errors import WrongUsageError
from bagen_data.logs.prices import PriceTable
from bagen_data.logs.rollout_log import Log
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.counted_task import counted_task
from bagen_data.reading.family_reading import read_witnessed
from bagen_data.reading.log_choice import LogChoice, choose_logs
from bagen_data.reading.noticed import Unused
from bagen_data.reading.origin import Family
from bagen_data.reading.outcomes import SuccessRule
from bagen_data.reading.reading_options import ReadingOptions
from bagen_data.reading.rollouts import UNLIMITED, UsableRollout
from bagen_data.reading.unjudged_witness import UnjudgedWitness
from bagen_data.reading.witness import SeenLog
from bagen_data.schema import Rollout
from bagen_data.tasks import Task, known_tasks
from bagen_data.tasks.general import check_task_name


@dataclass(frozen=True)
class PlainOptions:
    """Options of reading rollouts."""

    task: str = ""
    """The task of logs whose folder names none; of a folder whose task has no file of its own, too.
    The general task without a name if empty."""
    resources: tuple[str, ...] = ()
    """Resources that each turn must state; the task's own if empty."""
    counting: Counting = field(default_factory=Counting)
    """The way that tokens are counted."""
    prices: PriceTable = field(default_factory=PriceTable)
    """Prices for costs that a log does not state."""
    success: SuccessRule | None = None
    """The rule that decides the outcomes; the logs themselves, and labels, decide if None."""


@dataclass(frozen=True)
class PlainRollout:
    """A rollout, and what its log says beside it."""

    where: str
    """The rollout's place: the file relative to the family's folder, and the line or item in it."""
    rollout: Rollout
    """The turns and names. Its `success` is False where the outcome is not known."""
    success: bool | None
    """The outcome; None where it is not known."""
    source: str
    """The tool that wrote the log, and its version; empty where the log names none."""
    model: str
    """The model that the log names; empty where it names none."""
    source_id: str
    """The source's own id of the rollout, such as a session's; empty if it has none."""
    usage_source: str
    """Source of the amounts: `request`, `turn`, `tokenizer`, or a reader's own word."""
    stopped: str = ""
    """The cause that ended the run before its own end, such as its budget; empty without one."""


@dataclass(frozen=True)
class PlainRollouts:
    """The rollouts of some logs, in order of source path and of position in the file."""

    family: Family
    """The folder that was read; its task and model are empty where nobody names them."""
    task: Task
    """Resources that the rollouts spend, with their counting."""
    rollouts: tuple[PlainRollout, ...]
    """Each rollout once."""
    refused: tuple[Unused, ...]
    """Labels, rollouts, records and files that cannot be used; none for the want of an outcome."""
    without_turns: tuple[str, ...]
    """Places of logs that hold no completed turn."""


def read_plain_rollouts(path: Path, options: PlainOptions | None = None) -> PlainRollouts:
    """Read the rollouts of a log file, a folder of logs or a family.

    Args:
        path: what `choose_logs` takes.
        options: how they are read; the defaults if None.

    Raises:
        InputError: the path does not exist.
        WrongUsageError: the task is not that of the folder's name, or does not count a resource.
    """
    options = options or PlainOptions()
    choice = choose_logs(path)
    choice = replace(choice, family=named_family(choice.family, options.task))
    family = choice.family
    task = counted_task(family.task, options.resources, options.prices, family.rollout_model)
    witness = PlainWitness(choice, task)
    with TemporaryDirectory() as folder:
        reading = ReadingOptions(options.counting, success=options.success, limits=UNLIMITED)
        index = read_witnessed(family, Path(folder), reading, witness)
    unused = (*index.unusable_labels, *index.refused)
    refused = [each for each in unused if choice.is_meant(each.where)]
    is_stopped = any(each.where == "." for each in refused)
    return PlainRollouts(
        family,
        task,
        () if is_stopped else tuple(witness.rollouts.values()),
        (*refused, *(Unused(*each) for each in witness.repeated.items())),
        tuple(witness.without_turns),
    )


def named_family(family: Family, task: str) -> Family:
    """Return a family with the task that a user names.

    Raises:
        WrongUsageError: it cannot be a task's name, or is not that of a task which has a file.
    """
    if not task or task == family.task:
        return family
    if family.task in known_tasks():
        raise WrongUsageError(
            f"--task {task}: {family.folder.name} is a family of {family.task}, which is counted "
            f"in its own way; expected --task {family.task}; leave --task out"
        )
    if task not in known_tasks():
        check_task_name(task)
    return replace(family, task=task)


class PlainWitness(UnjudgedWitness):
    """Keeps the rollouts of the logs that are meant.

    Args:
        choice: the logs that are meant.
        task: the task as which they are read.
    """

    def __init__(self, choice: LogChoice, task: Task) -> None:
        super().__init__(choice)
        self.rollouts: dict[str, PlainRollout] = {}
        """Rollouts by place; a second reading of the family replaces the first."""
        self.repeated: dict[str, str] = {}
        """Why a rollout is not used that stands elsewhere too, by place."""
        self.without_turns: dict[str, None] = {}
        """Places of logs without a turn, in order."""
        self._task = task

    def task(self, _family: Family) -> Task:
        """Return the task as which they are read."""
        return self._task

    def after(self, seen: SeenLog) -> None:
        """Keep a log's rollout."""
        reading, log = seen.reading, seen.log
        repetition = "" if reading is None else self.repetition(reading, seen.where)
        if not self._choice.is_meant(seen.where) or log is None:
            return
        if reading is None:
            if not seen.refusal:
                self.without_turns[seen.where] = None
        elif repetition:
            self.repeated[seen.where] = repetition
        else:
            self.rollouts[seen.where] = self._plain(seen.where, log, reading)

    def _plain(self, where: str, log: Log, reading: UsableRollout) -> PlainRollout:
        return PlainRollout(
            where,
            reading.rollout,
            None if self.unjudged else reading.rollout.success,
            log.source,
            log.model,
            log.source_id,
            reading.usage_source,
            log.stopped,
        )
