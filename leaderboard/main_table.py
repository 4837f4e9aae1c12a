"""The table of a ranking on a task, or overall, as rows that a template shows."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from leaderboard import paper
from leaderboard.blocks import Block, blocks_of
from leaderboard.kinds import Standing, cost_of, kind_of, standing_of, weights_of
from leaderboard.rankings import FORECASTS, INTERVALS, Ranking
from leaderboard.results import OVERALL, scores_of

RowStanding = Standing | Literal["reference", "ceiling", "paper"]
_WAYS = ("better", "worse")
_NO_SCORE = {"value": None, "n": 0, "low": None, "high": None}


@dataclass(frozen=True)
class EstimatorRow:
    """An estimator, or a row to compare estimators with."""

    name: str
    folder: str | None
    """Folder of the estimator's submission and page; None for all but estimators."""
    kind: int | None
    """Position of the estimator's kind among those of the results; None for all but estimators."""
    scores: Mapping[str, Any]
    """The row's scores by name; those that it does not have are left out."""
    standing: RowStanding = "submitted"
    """The block of the row, or `reference` or `ceiling` for a line across the scores."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    rank: Mapping[str, Any] = field(default_factory=dict)
    """The row's rank by score, as in results; empty if the row is not ranked."""
    costs: Mapping[str, Any] = field(default_factory=dict)
    """The `spent` of the group in results; empty if it has none."""
    answered_tasks: tuple[str, ...] = ()
    """The tasks that the estimator answers, if not all."""
    lies_on_labels: bool = False
    """Whether the estimator's answers lie on labels."""
    verified: Mapping[str, Any] = field(default_factory=dict)
    """The value on the hidden split and its rank, by score; empty if the row has none."""

    def cell(self, score: str) -> Mapping[str, Any]:
        """Return a score of the row, or one without a value."""
        cell: Mapping[str, Any] = self.scores.get(score, _NO_SCORE)
        return cell

    def places(self, ranking: Ranking) -> str:
        """Return how many estimators are told apart as better and as worse, by kind and score.

        The scores are those of the ranking. Blanks separate the counts of kinds, `|` the better
        from the worse, and commas the scores; the text of a score without a rank is empty.
        """
        ranks = (self.rank.get(score) for score in ranking.ranked)
        return ",".join(
            "" if rank is None else "|".join(" ".join(map(str, rank[way])) for way in _WAYS)
            for rank in ranks
        )

    @property
    def cost(self) -> float | None:
        """US dollars for 1,000 probes; if not stated, 0 without a model and None with one."""
        return cost_of(self.metadata, self.costs)

    @property
    def weights(self) -> str:
        """`open`, `closed`, `none` without a model, or `unknown`."""
        return weights_of(self.metadata)

    @property
    def tokens(self) -> float | None:
        """Tokens in and out, a probe; None if they are not stated."""
        if self.costs.get("input_tokens") is None:
            return None
        return float(self.costs["input_tokens"] + self.costs["output_tokens"])


def rows_of(results: Mapping[str, Any], group: str, ranking: Ranking) -> list[EstimatorRow]:
    """Return the rows of a ranking on a task, or overall, best first; those without a value last.

    Args:
        results: as in `results.json`, with the ranks that pages show.
        group: a task or `overall`.
        ranking: the ranking.
    """
    kinds = results["ranking"]["kinds"]
    rows = [
        _row(submission, kinds, group, ranking)
        for submission in results["submissions"]
        if submission["question"] in ranking.questions
        and (group == OVERALL or scores_of(submission, group) is not None)
    ]
    if rows:
        rows += _compared(results, group, ranking)
    if ranking is INTERVALS:
        rows += _papers(results, group)
    return sorted(rows, key=lambda row: _order(row, ranking))


def table_blocks(rows: Iterable[EstimatorRow]) -> list[Block[EstimatorRow]]:
    """Return the blocks of a table's rows."""
    return blocks_of(rows, lambda row: row.standing)


def _row(
    submission: Mapping[str, Any],
    kinds: list[str],
    group: str,
    ranking: Ranking,
) -> EstimatorRow:
    """Return a submission's row; overall it has no scores if the submission lacks tasks."""
    scores = scores_of(submission, group)
    return EstimatorRow(
        name=submission["metadata"]["estimator"],
        folder=submission["folder"],
        kind=kinds.index(kind_of(submission["metadata"])),
        scores={each.score: scores[each.score] for each in ranking.columns} if scores else {},
        standing=standing_of(submission["metadata"]),
        metadata=submission["metadata"],
        rank=submission["ranks"].get(group, {}),
        costs=submission["spent"].get(group, {}),
        answered_tasks=() if submission["complete"] else tuple(submission["answered"]),
        lies_on_labels=submission["label_matches"]["noted"],
        verified=submission["verified"].get(group, {}),
    )


def _compared(results: Mapping[str, Any], group: str, ranking: Ranking) -> Iterator[EstimatorRow]:
    """Yield the reference, which skills are relative to, and the noise ceiling, where known."""
    if ranking is FORECASTS and results["dataset"]["has_reference"]:
        zero = {"value": 0.0, "n": None, "low": None, "high": None}
        skills = {each.score: zero for each in FORECASTS.first_columns}
        yield EstimatorRow("The reference", None, None, skills, "reference")
    ceiling = (results["ceiling"] or {"groups": {}})["groups"].get(group, {})
    scores = {each.score: ceiling[each.score] for each in ranking.columns if each.score in ceiling}
    if scores:
        yield EstimatorRow("The noise ceiling", None, None, scores, "ceiling")


def _papers(results: Mapping[str, Any], group: str) -> Iterator[EstimatorRow]:
    task = None if group == OVERALL else group
    for reported in paper.table1(task, list(results["dataset"]["tasks"])):
        scores = {
            name: {"value": value, "n": None, "low": None, "high": None}
            for name, value in reported.scores.items()
        }
        yield EstimatorRow(reported.model, None, None, scores, "paper")


def _order(row: EstimatorRow, ranking: Ranking) -> tuple[bool, float, bool, float, str, str]:
    """Return a key that sorts by the headline score.

    The paper's rows, which lack that score, are sorted by the paper's own.
    """
    value, papers = (row.cell(score)["value"] for score in (ranking.headline, "macro_f1"))
    is_paper = row.standing == "paper"
    return (
        value is None,
        -(value or 0),
        is_paper,
        -(papers or 0) if is_paper else 0.0,
        row.name,
        row.folder or "",
    )
