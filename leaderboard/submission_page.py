"""The page of one submission: its headline scores in words, its figures, and all its scores."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bagen_data.schema import Question
from bagen_data.scoring.all_scores import PROGRESS_SCORES, SCORES
from bagen_data.scoring.scores.early_stop import EARLY_STOP_SCORES
from leaderboard.curve_figures import (
    budget_figure,
    net_benefit_figure,
    quantile_figure,
    reliability_figure,
)
from leaderboard.kinds import cost_of
from leaderboard.progress_figures import progress_figure, width_figure
from leaderboard.rankings import TRICKS
from leaderboard.results import OVERALL
from leaderboard.start_scores import SCORE as START_SCORE
from leaderboard.task_titles import family_title, group_title

_BY_FAMILY = (
    ("macro_f1", "macro_f1_open", "fail_f1", "hit_rate", "coverage", "reward", "interval_skill"),
    ("brier_skill", "wis_skill", "curve_skill", "brier", "wis", "macro_f1_open", "macro_f1"),
)
"""The scores of the table by family: of other submissions, and of forecasts."""


@dataclass(frozen=True)
class Headline:
    """A score that a submission's page opens with, in words for a newcomer."""

    score: str
    question: str
    """The question that the score answers."""
    name: str
    """The name of the score in a sentence."""
    reading: str
    """The meaning of the score's values."""


_LOOK_UP = (
    "0 is the reference, which looks up what other instances came to; 1 is perfect; below 0 is "
    "worse than the reference."
)
_FINISH = Headline(
    "brier_skill",
    "Will it finish?",
    "skill",
    f"Skill of its probabilities that a run still finishes within the budget. {_LOOK_UP}",
)
_AMOUNT = Headline(
    "wis_skill",
    "How much is needed?",
    "skill",
    f"Skill of its quantiles of what a successful run still uses. {_LOOK_UP}",
)
_FEASIBLE = Headline(
    "macro_f1_open",
    "Feasible or impossible?",
    "macro-F1",
    "How well its verdicts tell feasible from impossible, where the run is within every budget so "
    "far. 1 is perfect; the same verdict on every probe reaches 0.5 at most.",
)
_INTERVALS = Headline(
    "interval_skill",
    "How good are its intervals?",
    "skill",
    "Skill of its intervals for feasible probes. 0 is one constant interval for all of them, from "
    "the 10% to the 90% quantile of the true amounts; 1 is perfect. Answering only easy probes "
    "raises it, so no rank is by it.",
)
_HEADLINES: Mapping[Question, tuple[Headline, ...]] = {
    "forecast": (_FINISH, _AMOUNT, _FEASIBLE),
    "interval": (_FEASIBLE, _INTERVALS),
    "point": (_FEASIBLE, _INTERVALS),
}

RankCounts = Mapping[tuple[str, str], int]
"""The number of submissions that have a rank, by group and score."""


def count_ranks(results: Mapping[str, Any]) -> RankCounts:
    """Return how many submissions have a rank, by group and score."""
    return Counter(
        (group, score)
        for submission in results["submissions"]
        for group, ranks in submission["ranks"].items()
        for score in ranks
    )


def submission_page(submission: Mapping[str, Any], counts: RankCounts) -> dict[str, Any]:
    """Return what the template of a submission's page shows; figures are SVG or None.

    Args:
        submission: its record, as in `results.json`.
        counts: of all submissions, as `count_ranks` gives them.
    """
    scores, curves = submission["scores"], submission["curves"]
    progress = submission["progress"]
    by_group = {OVERALL: scores[OVERALL]} if scores[OVERALL] else {}
    by_group |= scores["tasks"]
    is_forecast = submission["question"] == "forecast"
    return {
        "submission": submission,
        "by_group": by_group,
        "headlines": _HEADLINES[submission["question"]],
        "headline_groups": [OVERALL] if submission["complete"] else submission["answered"],
        "rank_sentences": dict(_rank_sentences(submission["ranks"], counts)),
        "unreadable": sum(sum(reasons.values()) for reasons in submission["invalid"].values()),
        "definitions": {name: score for name, score in SCORES.items() if name != START_SCORE},
        "early_stop_scores": list(EARLY_STOP_SCORES),
        "start_score": START_SCORE,
        "tricks": TRICKS,
        "costs": {
            group: cost_of(submission["metadata"], took)
            for group, took in submission["spent"].items()
        },
        "by_family": _BY_FAMILY[is_forecast],
        "progress_scores": PROGRESS_SCORES,
        "figures": {
            "reliability": reliability_figure(curves),
            "quantiles": quantile_figure(curves),
            "budgets": budget_figure(curves),
            "net_benefit": net_benefit_figure(curves),
            "progress": progress_figure(progress),
            "widths": width_figure(progress),
        },
        "group_title": group_title,
        "family_title": family_title,
    }


def _rank_sentences(
    ranks_by_group: Mapping[str, Any], counts: RankCounts
) -> Iterator[tuple[tuple[str, str], str]]:
    for group, ranks in ranks_by_group.items():
        for score, rank in ranks.items():
            yield (group, score), rank_sentence(rank, counts[group, score])


def rank_sentence(rank: Mapping[str, Any], count: int) -> str:
    """Say in a sentence which places an estimator may hold.

    Args:
        rank: `first`, the place below all that are reliably better, and `last`, the place above all
            that are reliably worse.
        count: the number of estimators that have a rank there.

    >>> rank_sentence({"first": 1, "last": 2}, 5)
    'Rank 1 to 2 of 5 submitted estimators: none is reliably better, and 3 are reliably worse.'
    >>> rank_sentence({"first": 1, "last": 1}, 1)
    'The only submitted estimator with this score.'
    """
    if count == 1:
        return "The only submitted estimator with this score."
    better, worse = rank["first"] - 1, count - rank["last"]
    last = "" if rank["last"] == rank["first"] else f" to {rank['last']:,}"
    compared = (
        f"{_are(better)} reliably better, and {_are(worse)} reliably worse"
        if better or worse
        else "none is reliably better or worse"
    )
    return f"Rank {rank['first']:,}{last} of {count:,} submitted estimators: {compared}."


def _are(count: int) -> str:
    return f"{count:,} are" if count > 1 else "1 is" if count else "none is"
