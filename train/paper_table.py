"""The columns of the paper's Table 7, and how they are shown."""

from collections.abc import Mapping, Sequence
from typing import Any

from bagen_data.schema import Question
from train.measured_rows import MeasuredAnswers

PAPER_NAMES: Mapping[str, str] = {
    "accuracy_balanced": "Accuracy",
    "recall_feasible": "Recall, feasible",
    "recall_infeasible": "Recall, infeasible",
    "hit_rate": "Cover",
    "mre_p50": "MRE p50",
    "mre_p90": "MRE p90",
    "rl_reward_balanced": "Mean RL reward",
}
"""The paper's name of each score of its Table 7, by our name.

Its test set is balanced, so accuracy and reward weigh both classes alike. Its "Cover" is our
`hit_rate`: a feasible sample that is answered without an interval is a miss.
"""
COLUMNS = ("valid_rate", *PAPER_NAMES, "accuracy", "rl_reward")
"""The scores of a row: the share of answers that can be parsed, those of Table 7, and accuracy and
reward over the samples as they are."""
FORECAST_COLUMNS = ("brier", "wis", "coverage_80")
"""Further scores of a row, shown where a row is of forecasts."""
ROW_SCORES = (*COLUMNS, *FORECAST_COLUMNS)
"""Every score of a row."""
ScoresByName = Mapping[str, Mapping[str, Any]]
"""A score's `value`, `low`, `high` and `n` by its name."""


def table_row(
    samples: Any,
    predictions: Sequence[Mapping[str, Any]],
    resamples: int = 1000,
    *,
    question: Question | None = None,
) -> ScoresByName:
    """Scores over the samples with something remaining, with 95% intervals over instances.

    Args:
        samples: an Arrow table of the dataset.
        predictions: one of each sample, `sample_id` and `response`.
        resamples: number of resamples of instances.
        question: what the predictions answer; what the samples ask if None.

    Raises:
        InputError: no sample has anything remaining, or one of these has no answer, or several.
    """
    measured = MeasuredAnswers.of(samples, predictions, question).measured(resamples)
    return {name: measured[name].score().to_dict() for name in ROW_SCORES}


def columns_of(rows: Mapping[str, ScoresByName]) -> tuple[str, ...]:
    """Return the columns of a table: those of forecasts only where a row is of forecasts."""
    has_forecasts = any(row.get("wis", {}).get("value") is not None for row in rows.values())
    return ROW_SCORES if has_forecasts else COLUMNS


def heading(column: str) -> str:
    """Return the head of a column: the paper's name of a score, where it has one, and ours.

    >>> heading("hit_rate"), heading("valid_rate")
    ('Cover (`hit_rate`)', '`valid_rate`')
    """
    return f"{PAPER_NAMES[column]} (`{column}`)" if column in PAPER_NAMES else f"`{column}`"


def markdown(rows: Mapping[str, ScoresByName]) -> str:
    """A table with a line a run.

    >>> print(markdown({"a": {name: {"value": 0.5, "low": 0.4, "high": 0.6} for name in COLUMNS}}))
    ... # doctest: +ELLIPSIS
    | | `valid_rate` | Accuracy (`accuracy_balanced`) | ...
    |---|---|...
    | a | 0.50 [0.40, 0.60] | ...
    """
    columns = columns_of(rows)
    head = "| | " + " | ".join(map(heading, columns)) + " |"
    lines = [
        f"| {in_cell(name)} | "
        + " | ".join(_cell(row.get(column, {})) for column in columns)
        + " |"
        for name, row in rows.items()
    ]
    return "\n".join([head, "|---" * (len(columns) + 1) + "|", *lines])


def in_cell(text: str) -> str:
    r"""Return text as a cell of a Markdown table has it.

    >>> print(in_cell("a|b"))
    a\|b
    """
    return " ".join(text.replace("|", "\\|").split())


def _cell(scored: Mapping[str, Any]) -> str:
    value, low, high = (scored.get(name) for name in ("value", "low", "high"))
    if value is None:
        return "–"
    return f"{value:.2f}" if low is None or high is None else f"{value:.2f} [{low:.2f}, {high:.2f}]"
