"""The main table of a task, or overall, as rows that a template shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bagen_data.scoring.ranking import RANKED
from leaderboard import paper
from leaderboard.columns import COLUMNS, HEADLINE
from leaderboard.kinds import kind_of, weights_of
from leaderboard.results import OVERALL, scores_of

_WAYS = ("better", "worse")
_NO_SCORE = {"value": None, "n": 0, "low": None, "high": None}


@dataclass(frozen=True)
class EstimatorRow:
    """One estimator, or one of the paper's."""

    name: str
    folder: str | None
    """Of its page; None for the paper's."""
    kind: int | None
    """The position of its kind among those of the results; None for the paper's."""
    scores: Mapping[str, Any]
    """By name; those that it does not have are left out."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rank: Mapping[str, Any] = field(default_factory=dict)
    """By score, as in results; empty if it is not ranked."""
    costs: Mapping[str, Any] = field(default_factory=dict)
    """The `spent` of the group in results; empty if it has none."""
    answered_tasks: Sequence[str] = ()
    """The tasks it answers, if not all."""
    lies_on_labels: bool = False
    """Whether its answers lie on labels."""
    verified: Mapping[str, Any] | None = None
    """The score on the hidden split and its rank; None if it has none."""

    def cell(self, score: str) -> Mapping[str, Any]:
        """A score of it, or one without a value."""
        cell: Mapping[str, Any] = self.scores.get(score, _NO_SCORE)
        return cell

    @property
    def places(self) -> str:
        """By each score to rank by, how many of each kind are better and worse, told apart.

        Counts of kinds are apart by blanks, both lists by `|`, and scores by commas; empty where a
        score does not rank it.
        """
        ranks = (self.rank.get(score) for score in RANKED)
        return ",".join(
            "" if rank is None else "|".join(" ".join(map(str, rank[way])) for way in _WAYS)
            for rank in ranks
        )

    @property
    def cost(self) -> float | None:
        """US dollars for 1,000 probes; if it is not said, 0 without a model and None with one."""
        cost: float | None = self.costs.get("cost_usd_per_1000")
        return 0.0 if cost is None and self.weights == "none" else cost

    @property
    def weights(self) -> str:
        """`open`, `closed`, `none` without a model, or `unknown`."""
        return weights_of(self.metadata)

    @property
    def tokens(self) -> float | None:
        """In and out, a probe; None if it is not said."""
        if self.costs.get("input_tokens") is None:
            return None
        return float(self.costs["input_tokens"] + self.costs["output_tokens"])


def rows_of(results: Mapping[str, Any], group: str) -> list[EstimatorRow]:
    """The rows of a task, or overall, best first; those without a value last.

    Args:
        results: as in `results.json`.
        group: a task or `overall`.
    """
    rows = [
        row
        for submission in results["submissions"]
        if (row := _row(submission, results["ranking"]["kinds"], group)) is not None
    ]
    task = None if group == OVERALL else group
    for reported in paper.table1(task, list(results["dataset"]["tasks"])):
        scores = {
            name: {"value": value, "n": None, "low": None, "high": None}
            for name, value in reported.scores.items()
        }
        rows.append(EstimatorRow(reported.model, None, None, scores))
    return sorted(rows, key=_order)


def _row(submission: Mapping[str, Any], kinds: Sequence[str], group: str) -> EstimatorRow | None:
    """None if the group is a task that the submission does not answer."""
    scores = scores_of(submission, group)
    if scores is None and group != OVERALL:
        return None
    return EstimatorRow(
        name=submission["metadata"]["estimator"],
        folder=submission["folder"],
        kind=kinds.index(kind_of(submission["metadata"])),
        scores={column.score: scores[column.score] for column in COLUMNS} if scores else {},
        metadata=submission["metadata"],
        rank=submission["ranks"].get(group, {}),
        costs=submission["spent"].get(group, {}),
        answered_tasks=() if submission["complete"] else submission["answered"],
        lies_on_labels=submission["label_matches"]["noted"],
        verified=submission["verified"].get(group),
    )


def _order(row: EstimatorRow) -> tuple[bool, float, str, str]:
    value = row.cell(HEADLINE)["value"]
    return value is None, -(value or 0), row.name, row.folder or ""
