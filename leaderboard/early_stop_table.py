"""The tables of early stop: what stopping a rollout at its first `impossible` saves and costs."""

from collections.abc import Mapping
from typing import Any

from leaderboard import paper
from leaderboard.blocks import Block, blocks_of
from leaderboard.kinds import standing_of
from leaderboard.results import scores_of

SORTED_BY = "net_benefit"
"""The score that weighs what is saved against the successes that are lost."""
EARLY_STOP_TITLES = {
    SORTED_BY: "Net benefit",
    "saved_below_cap": "Saved below the budget",
    "saved_rate": "Saved",
    "stopped_failed": "Failures stopped",
    "success_drop": "Finishes stopped",
    "any_success_drop": "Successes stopped",
    "false_abort_rate": "False aborts",
    "paper_stopped_failed": "Paper's failures stopped",
    "paper_saved_rate": "Paper's saved rate",
}
"""Title of each score's column, in the order of the table."""
UNCOUNTED = ("paper_saved_rate", "saved_rate", "saved_below_cap", "net_benefit")
"""Scores that are not a share of samples or of rollouts."""


def early_stop_blocks(results: Mapping[str, Any], group: str) -> list[Block[Any]]:
    """Return the blocks of a group's table: submissions as in results, and the paper's rows.

    The highest net benefit is first in its block. The paper reports none, so its rows are sorted by
    its own saved rate.

    Args:
        results: as in `results.json`.
        group: a task or `overall`.
    """
    answered = [each for each in results["submissions"] if scores_of(each, group) is not None]
    answered.sort(key=lambda submission: _order(submission, group))
    reported = sorted(
        paper.early_stop().get(group, []),
        key=lambda row: row.rates["paper_saved_rate"],
        reverse=True,
    )
    return blocks_of([*answered, *reported], _standing_of)


def _standing_of(row: Any) -> str:
    return "paper" if isinstance(row, paper.PaperStops) else standing_of(row["metadata"])


def _order(submission: Mapping[str, Any], group: str) -> tuple[Any, ...]:
    """Return a key that sorts the highest net benefit first, no value last, and equals by name."""
    scores = scores_of(submission, group)
    value = None if scores is None else scores[SORTED_BY]["value"]
    name = submission["metadata"]["estimator"]
    return value is None, -(value or 0), name, submission["folder"]
