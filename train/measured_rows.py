"""Scores of one model's answers with their resamples, and what each single answer is worth."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.answer_columns import FEASIBLE, VERDICTS, AnswerColumns
from bagen_data.array_types import every
from bagen_data.errors import InputError
from bagen_data.schema import Question
from bagen_data.scoring.interval_formulas import covered, interval_reward
from bagen_data.scoring.match_predictions import match_predictions, reader_in_memory
from bagen_data.scoring.measure import Measured, measure
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import FamilyColumns, SampleTable
from bagen_data.scoring.score import ALPHA


@dataclass(frozen=True)
class MeasuredAnswers:
    """The samples that have something remaining, and one model's answers to them."""

    samples: Any
    """An Arrow table of the dataset, with at least one row."""
    answers: Any
    """An Arrow table of `sample_id` and `response`, a row for each sample."""
    question: Question | None = None
    """The question that was asked; what the samples ask if None."""
    resource: str | None = None
    """The only resource whose intervals are scored; each of the task if None.

    Whether a rollout is feasible stays a matter of all of its budgets.
    """

    @classmethod
    def of(
        cls,
        samples: Any,
        predictions: Sequence[Mapping[str, Any]],
        question: Question | None = None,
        resource: str | None = None,
    ) -> "MeasuredAnswers":
        """Take the samples that have something remaining, with their answers.

        Args:
            samples: an Arrow table of the dataset.
            predictions: one of each sample, `sample_id` and `response`.
            question: as the field.
            resource: as the field.

        Raises:
            InputError: no sample has anything remaining.
        """
        most = [max(part["remaining"] for part in row) for row in samples["resources"].to_pylist()]
        unfinished = samples.filter(pc.greater(most, 0))
        if not len(unfinished):
            raise InputError("no sample has anything remaining; nothing can be scored")
        names = set(unfinished["sample_id"].to_pylist())
        rows = [row for row in predictions if row["sample_id"] in names]
        answers = {name: [row[name] for row in rows] for name in ("sample_id", "response")}
        strings = pa.schema([("sample_id", pa.string()), ("response", pa.string())])
        return cls(unfinished, pa.table(answers, schema=strings), question, resource)

    def measured(self, resamples: int = 1000) -> Mapping[str, Measured]:
        """Return every score with its resamples.

        A resample draws the same instances for every model that answers these samples.

        Raises:
            InputError: a sample has no answer or several, or a task does not spend the resource.
        """
        table = SampleTable.of(self.samples)
        matched = self._matched(table)
        return measure(table, matched, Resampling(resamples), ALPHA).overall

    def sample_scores(self) -> Iterator[dict[str, Any]]:
        """Yield what each answer is worth, family by family.

        `verdict` says what was answered: `feasible` (an interval), `infeasible` or `invalid`.
        `covered` and `reward` (coverage x tightness) are of intervals of feasible samples, else
        false and 0.

        Raises:
            InputError: as `measured`.
        """
        table = SampleTable.of(self.samples)
        for family, answers in self._matched(table):
            low, high, remaining = answers.low, answers.high, family.remaining
            counts = family.feasible & (answers.verdict == FEASIBLE)
            is_covered = counts & every(covered(low, high, remaining))
            reward = np.where(counts, interval_reward(low, high, remaining), 0.0)
            rows = self.samples.take(np.arange(len(self.samples))[family.rows])
            names = rows["sample_id"].to_pylist()
            kept = "instance_id" if "instance_id" in rows.column_names else "rollout_id"
            instances = rows[kept].to_pylist() if kept in rows.column_names else names
            for place, name in enumerate(names):
                yield {
                    "sample_id": name,
                    "instance_id": instances[place],
                    "feasible": bool(family.feasible[place]),
                    "verdict": VERDICTS[answers.verdict[place]],
                    "covered": bool(is_covered[place]),
                    "reward": float(reward[place]),
                }

    def _matched(self, table: SampleTable) -> Iterator[tuple[FamilyColumns, AnswerColumns]]:
        asked = self.question or table.question or "interval"
        reader = reader_in_memory(self.answers)
        for family, answers in match_predictions(table, reader, "predictions", asked):
            yield self._on_resource(family, answers)

    def _on_resource(
        self, family: FamilyColumns, answers: AnswerColumns
    ) -> tuple[FamilyColumns, AnswerColumns]:
        if self.resource is None:
            return family, answers
        if self.resource not in family.resources:
            raise InputError(
                f"{family.task} does not spend {self.resource}; expected one of: "
                + ", ".join(family.resources)
            )
        own = [family.resources.index(self.resource)]
        amounts = {name: getattr(family, name)[own] for name in ("budget", "used", "remaining")}
        forecasts = answers.forecasts
        if forecasts is not None:
            forecasts = replace(forecasts, quantiles=forecasts.quantiles[own])
        return (
            replace(family, resources=(self.resource,), **amounts),
            replace(answers, low=answers.low[own], high=answers.high[own], forecasts=forecasts),
        )
