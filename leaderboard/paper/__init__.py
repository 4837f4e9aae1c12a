"""Numbers that the paper reports (Lin et al., 2026): tables 1, 3 and 6, none recomputed by us.

In table 1 each model estimates its own rollouts. Hit rate and reward are averaged there over
samples of rollouts that succeeded, within the budget or not; our `paper_hit_rate` and
`paper_reward` are those, and `hit_rate` and `reward` are not. The F1 scores are defined as ours.
The paper asks for no forecasts, so it has no row among them.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

SOURCE = "BAGEN: Are LLM Agents Budget-Aware? (Lin et al., 2026)"
MARK = "reported by the paper, not recomputed"
SCORES = ("macro_f1_first_turn", "macro_f1", "fail_f1", "paper_hit_rate", "paper_reward")
"""The scores of table 1, defined in the paper as here."""
_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class PaperRow:
    """A model in table 1."""

    model: str
    scores: Mapping[str, float]
    """The model's scores by name."""
    success: float | None = None
    """The share of the model's own rollouts that succeeded; None of means, and where it is not
    reported."""


@dataclass(frozen=True)
class PaperStops:
    """A model in table 3 or 6: a failed rollout is one that did not succeed."""

    model: str
    counts: Mapping[str, tuple[int, int]]
    """The number of samples or rollouts that count, and of how many, by score."""
    rates: Mapping[str, float]
    """Shares by score: `false_abort_rate`, `paper_stopped_failed`, `paper_saved_rate`."""


def table1(task: str | None, tasks: Sequence[str]) -> list[PaperRow]:
    """Return a task's rows, or the means over tasks.

    Args:
        task: the task; None for the means, which the paper does not give.
        tasks: the tasks of the means, which are empty unless the paper has all of these tasks.
    """
    rows = list(_read("table1.csv"))
    averaged = {task} if task else set(tasks)
    if not averaged <= {row["task"] for row in rows}:
        return []
    table = []
    for model in dict.fromkeys(row["model"] for row in rows):
        of_model = [row for row in rows if row["model"] == model and row["task"] in averaged]
        means = {name: sum(float(row[name]) for row in of_model) / len(of_model) for name in SCORES}
        success = of_model[0]["success_rate"] if task else ""
        table.append(PaperRow(model, means, float(success) if success else None))
    return table


def table1_tasks() -> list[str]:
    """Return the tasks of table 1, in its order."""
    return list(dict.fromkeys(row["task"] for row in _read("table1.csv")))


def early_stop() -> dict[str, list[PaperStops]]:
    """Return the rows of tables 3 and 6, by `overall` and task."""
    groups = {"overall": [_stops(row) for row in _read("table3.csv")]}
    for row in _read("table6.csv"):
        groups.setdefault(row["task"], []).append(_stops(row))
    return groups


def _stops(row: Mapping[str, str]) -> PaperStops:
    counts = {
        "false_abort_rate": (int(row["false_aborts"]), int(row["samples"])),
        "paper_stopped_failed": (int(row["stopped"]), int(row["failed"])),
    }
    rates = {name: part / whole for name, (part, whole) in counts.items()}
    return PaperStops(row["model"], counts, rates | {"paper_saved_rate": float(row["saved_rate"])})


def _read(name: str) -> Iterator[dict[str, str]]:
    with (_FOLDER / name).open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)
