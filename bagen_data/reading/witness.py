"""Witnesses of a family's reading see each log, and what becomes of it."""

from collections.abc import Sequence
from typing import NamedTuple

from bagen_data.errors import MissingExtraError
from bagen_data.logs.rollout_log import Log
from bagen_data.reading.origin import Family
from bagen_data.reading.outcomes import Judge
from bagen_data.reading.rollouts import UsableRollout
from bagen_data.tasks import Task


class SeenLog(NamedTuple):
    """A log of a family, and what became of it."""

    where: str
    format: str
    """The log's format; empty where none is known."""
    log: Log | None
    """The log that was read; None where the record cannot be read."""
    reading: UsableRollout | None = None
    """The rollout that was read; None where the log is refused, or no turn is left of it."""
    refusal: str = ""
    """Why the log is not used; empty where it is."""


class Witness:
    """Sees each log of a family and what becomes of it; this one looks at nothing."""

    def task(self, family: Family) -> Task:
        """Return the task as which a family is read."""
        return family.definition()

    def files(self, paths: Sequence[str]) -> Sequence[str]:
        """Return which of a family's files are to be read."""
        return paths

    def judge(self, judge: Judge) -> Judge:
        """Return what judges the rollouts instead of another judge."""
        return judge

    def lacks(self, _where: str, error: MissingExtraError) -> None:
        """Take note of a log that needs a package which is not installed.

        Raises:
            MissingExtraError: the reading ends here; a witness that returns has the log refused.
        """
        raise error

    def after(self, seen: SeenLog) -> None:
        """Take note of a log, or of a record that holds none."""
