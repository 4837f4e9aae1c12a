"""The results of scoring: scores with n and interval, by group, and those of a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bagen_data.errors import MissingExtraError
from bagen_data.versions import BENCHMARK_VERSION

if TYPE_CHECKING:
    import pandas as pd

Scores = Mapping[str, "Score"]
"""A value of each score, by its name."""
Differences = Mapping[str, "Difference"]
"""A difference of each score, by the score's name."""


@dataclass(frozen=True)
class Score:
    """A score: one number, its interval and its n."""

    value: float | None
    """The value; None where there is nothing to take it over."""
    n: int
    """The number of samples, or rollouts, that the score is taken over."""
    low: float | None = None
    """Lower bound of the 95% interval; None without a value, or with fewer than ten instances."""
    high: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """`{value, n, low, high}`."""
        return {"value": self.value, "n": self.n, "low": self.low, "high": self.high}


@dataclass(frozen=True)
class Report:
    """The scores of one estimator's answers."""

    overall: Scores
    """Scores by name: the mean over tasks; early stop from the counts of all."""
    tasks: Mapping[str, Scores]
    """Scores by task: the mean over its families; early stop from the counts of all."""
    families: Mapping[str, Scores]
    """Scores by family, `task/rollout_model`."""
    progress: Mapping[str, Mapping[str, Scores]]
    """Scores by `overall` or task, then by part of a rollout, as `0-20%`; empty if T is unknown."""
    invalid: Mapping[str, Mapping[str, int]]
    """The number of invalid answers by family, then by reason."""
    benchmark_version: str = field(default=BENCHMARK_VERSION)

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists and numbers, as JSON takes them."""
        return {
            "benchmark_version": self.benchmark_version,
            "overall": _plain(self.overall),
            "tasks": {name: _plain(scores) for name, scores in self.tasks.items()},
            "families": {name: _plain(scores) for name, scores in self.families.items()},
            "progress": {
                name: {part: _plain(scores) for part, scores in parts.items()}
                for name, parts in self.progress.items()
            },
            "invalid": {name: dict(counts) for name, counts in self.invalid.items()},
        }

    def to_pandas(self) -> "pd.DataFrame":
        """A row a group and score: `level` (overall, task, family), `group`, `score`, and the rest.

        Raises:
            MissingExtraError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            raise MissingExtraError("pandas", "load") from error
        groups = [("overall", "overall", self.overall)]
        groups += [("task", name, scores) for name, scores in self.tasks.items()]
        groups += [("family", name, scores) for name, scores in self.families.items()]
        rows = [
            {"level": level, "group": name, "score": key, **score.to_dict()}
            for level, name, scores in groups
            for key, score in scores.items()
        ]
        columns = ["level", "group", "score", "value", "n", "low", "high"]
        numbers = dict.fromkeys(("value", "low", "high"), "float64")
        return pd.DataFrame(rows, columns=columns).astype(numbers)


@dataclass(frozen=True)
class Difference:
    """A score of two estimators."""

    first: float | None
    """Value of the first estimator; None where there is nothing to take it over."""
    second: float | None
    difference: float | None
    """First minus second."""
    low: float | None
    """Bound of the 95% interval of the difference: the same instances are drawn for both."""
    high: float | None
    p: float | None
    """Two-sided p of no difference, from the share of resamples on the other side of 0."""
    n_first: int
    """The samples or rollouts the first is taken over."""
    n_second: int

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers by name, as JSON takes them."""
        return dict(vars(self))


@dataclass(frozen=True)
class Comparison:
    """Two estimators' reports, and their differences."""

    first: Report
    second: Report
    overall: Differences
    tasks: Mapping[str, Differences]
    families: Mapping[str, Differences]
    resamples: int
    """The number of resamples that were drawn: no p tells more than `resamples + 1` draws can."""

    def to_dict(self) -> dict[str, Any]:
        """The differences, by group and score, as JSON takes them."""
        return {
            "overall": _plain(self.overall),
            "tasks": {name: _plain(group) for name, group in self.tasks.items()},
            "families": {name: _plain(group) for name, group in self.families.items()},
        }


def _plain(scores: "Scores | Differences") -> dict[str, Any]:
    return {name: score.to_dict() for name, score in scores.items()}
