"""Curves of one submission's answers, for the figures of its page: by task, and of all tasks."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from bagen_data.answer_columns import AnswerColumns
from bagen_data.scoring.curves import Curves
from bagen_data.scoring.sample_table import FamilyColumns
from leaderboard.results import OVERALL


@dataclass
class SubmissionCurves:
    """Sums of the curves of families, by task."""

    _curves: dict[str, Curves] = field(default_factory=dict)

    def counted(
        self, answers_by_family: Iterable[tuple[FamilyColumns, AnswerColumns]]
    ) -> Iterator[tuple[FamilyColumns, AnswerColumns]]:
        """Add families and answers to the curves, and pass them on."""
        for family, answers in answers_by_family:
            own = Curves.of(family, answers)
            for name in (OVERALL, family.task):
                known = self._curves.get(name)
                self._curves[name] = own if known is None else known + own
            yield family, answers

    def to_dict(self) -> dict[str, dict[str, Any]]:
        """Return the curves of each task, and of `overall`, as `Curves.to_dict` has them."""
        return {name: curves.to_dict() for name, curves in self._curves.items()}
