"""Pairs of scores that the paper finds decoupled, in its own numbers and in the board's."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from leaderboard import paper
from leaderboard.correlation import Correlation, ScorePair, pooled, within_tasks

SUCCESS = "success"
JUDGING = "macro_f1"
"""The paper's F1@All."""
PAPER_REWARD = "paper_reward"
MEASURING = ("paper_hit_rate", PAPER_REWARD)
"""Scores defined as in the paper, so that both halves of the page show the same scores."""


@dataclass(frozen=True)
class Pair:
    """Two scores, and their correlation."""

    first: str
    second: str
    source: str
    """The table or kind of points that the correlation is over."""
    points: list[ScorePair]

    @property
    def pooled(self) -> Correlation | None:
        """The correlation over all points."""
        return pooled(self.points)

    @property
    def within(self) -> Correlation | None:
        """The correlation within tasks."""
        return within_tasks(self.points)


def paper_pairs() -> list[Pair]:
    """Return the pairs of the paper's Table 1: each model estimates its own rollouts."""
    source = "Table 1, a point a model and task"
    points: dict[tuple[str, str], list[ScorePair]] = {}
    for task in paper.table1_tasks():
        for row in paper.table1(task, [task]):
            judging = row.scores[JUDGING]
            if row.success is not None:
                pair = (SUCCESS, JUDGING)
                points.setdefault(pair, []).append(ScorePair(task, row.success, judging))
            for other in MEASURING:
                point = ScorePair(task, judging, row.scores[other])
                points.setdefault((JUDGING, other), []).append(point)
    return [Pair(*pair, source, of_pair) for pair, of_pair in points.items()]


def board_pairs(results: Mapping[str, Any]) -> list[Pair]:
    """Return the pairs of the board's numbers.

    Args:
        results: as in `results.json`.
    """
    by_family = "a point a rollout model and task, the mean over estimators"
    by_estimator = "a point an estimator and task"
    pairs = [Pair(SUCCESS, JUDGING, by_family, list(_successes(results)))]
    pairs += [
        Pair(JUDGING, other, by_estimator, list(_of_estimators(results, other)))
        for other in MEASURING
    ]
    return pairs


def _successes(results: Mapping[str, Any]) -> Iterator[ScorePair]:
    """Yield the success of each family's rollout model, and how well its rollouts are judged."""
    for task, about in results["dataset"]["tasks"].items():
        for family, success in about["success"].items():
            values = [
                scores[JUDGING]["value"]
                for submission in results["submissions"]
                if (scores := submission["scores"]["families"].get(family)) is not None
                and scores[JUDGING]["value"] is not None
            ]
            if success is not None and values:
                yield ScorePair(task, success, sum(values) / len(values))


def _of_estimators(results: Mapping[str, Any], other: str) -> Iterator[ScorePair]:
    for submission in results["submissions"]:
        for task, scores in submission["scores"]["tasks"].items():
            values = (scores[JUDGING]["value"], scores[other]["value"])
            if None not in values:
                yield ScorePair(task, *values)
