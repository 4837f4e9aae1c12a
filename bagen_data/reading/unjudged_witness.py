"""Witnesses for whom a rollout without an outcome is not refused."""

from collections.abc import Sequence

from bagen_data.errors import NotJudgedError
from bagen_data.logs.rollout_log import Log
from bagen_data.reading.log_choice import LogChoice
from bagen_data.reading.origin import Family
from bagen_data.reading.outcomes import Judge, Judgement
from bagen_data.reading.rollouts import UsableRollout
from bagen_data.reading.witness import Witness
from bagen_data.tasks import Task, find_task, known_tasks
from bagen_data.tasks.general import GeneralSettings, general_task

NOT_JUDGED = "not judged"


class UnjudgedWitness(Witness):
    """Reads the logs that are meant; a rollout without an outcome is read as a failed one.

    Args:
        choice: the logs that are meant.
    """

    def __init__(self, choice: LogChoice) -> None:
        self.unjudged = ""
        """Why the log that is being read has no outcome; empty where it has one."""
        self.definition = general_task(GeneralSettings(), "")
        """The task as which the family is read."""
        self._choice = choice
        self._places: dict[str, str] = {}
        """The place of the first rollout of each id."""

    def task(self, family: Family) -> Task:
        """Return the family's task, or the general one where it has no file."""
        if family.general is not None:
            self.definition = family.definition()
        elif family.task in known_tasks():
            self.definition = find_task(family.task)
        return self.definition

    def files(self, paths: Sequence[str]) -> Sequence[str]:
        """Return the one file that stands alone, or all."""
        return self._choice.files(paths)

    def judge(self, judge: Judge) -> Judge:
        """Return a judge that calls a rollout without an outcome a failure, and notes it."""
        self.unjudged = ""

        def judged(log: Log, rollout_id: str, content: str) -> Judgement:
            try:
                return judge(log, rollout_id, content)
            except NotJudgedError as error:
                self.unjudged = str(error).removeprefix(f"is {NOT_JUDGED}: ")
                return Judgement(False)

        return judged

    def repetition(self, reading: UsableRollout, where: str) -> str:
        """Return why a rollout is not used, if the same one stands before it; empty if not."""
        first = self._places.setdefault(reading.rollout.rollout_id, where)
        return "" if first == where else f"is the same rollout as {first}, which is used"
