"""Reports as tables that people read in a terminal."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

from rich.table import Table

from bagen_data.console import shown, stdout_console
from bagen_data.errors import InputError
from bagen_data.schema import Question
from bagen_data.scoring.all_scores import PROGRESS_SCORES, SECTIONS
from bagen_data.scoring.report import Comparison, Report, Score, Scores
from bagen_data.wording import numbered

if TYPE_CHECKING:
    from bagen_data.ceiling.ceiling_report import CeilingReport
    from bagen_data.ceiling.ceiling_scores import CeilingScore

Value = TypeVar("Value")

_AFTER_LINES = {"macro_f1", *(next(iter(definitions)) for definitions in SECTIONS.values())}
"""Scores above which there is a line."""
_OF_FAMILIES = ("macro_f1", "fail_f1", "hit_rate", "coverage", "reward", "saved_below_cap")
"""What a table with a row a family has room for."""
_LEAST_P = 0.001
"""Smallest p that is shown as a number."""
_PAIRED = (
    "Averages are over the families in which both estimators have a value, so a score can differ "
    "here from the estimator's own. n: number of samples or rollouts of the first."
)
"""Caption of a comparison."""
_OF_FORECASTS = ("brier_skill", "wis_skill", "brier", "wis", "coverage_80", "macro_f1_open")
"""The same of forecasts."""


def report_tables(report: Report, by: str | None, question: Question = "interval") -> list[Table]:
    """The tables of `bagen score`; those of forecasts begin with the scores of forecasts.

    Args:
        report: what was scored.
        by: `task`, `family`, `progress`, or None for the overall scores.
        question: what the answers were asked for.
    """
    if by == "family":
        names = _OF_FORECASTS if question == "forecast" else _OF_FAMILIES
        return [_rows("by family", {"overall": report.overall, **report.families}, names)]
    if by == "progress":
        if not report.progress:
            raise InputError("--by progress: the samples do not say their total turns")
        return [
            _rows(f"{name}, by progress", parts, tuple(PROGRESS_SCORES))
            for name, parts in report.progress.items()
        ]
    groups = {"overall": report.overall} | (dict(report.tasks) if by == "task" else {})
    tables = [
        score_table(f"{name}, BAGEN {report.benchmark_version}", _ordered(scores, question))
        for name, scores in groups.items()
    ]
    tables[-1].caption = _invalid(report)
    return tables


def comparison_table(
    comparison: Comparison, names: tuple[str, str], question: Question = "interval"
) -> Table:
    """Both estimators' overall scores, and their difference.

    Args:
        comparison: what was scored.
        names: of the first and of the second estimator, as the title has them.
        question: what the first estimator was asked for; scores of forecasts come first then.
    """
    first, second = names
    table = Table(
        title=shown(f"overall, paired by sample\nfirst: {first}\nsecond: {second}"),
        title_justify="left",
        caption=_PAIRED,
        caption_justify="left",
    )
    table.add_column("score", no_wrap=True)
    for name in ("first", "second", "difference", "95% interval", "p", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, score in _ordered(comparison.overall, question).items():
        interval = _interval(score.low, score.high)
        p = "" if score.p is None else f"{score.p:.3f}" if score.p >= _LEAST_P else f"<{_LEAST_P}"
        numbers = (_number(value) for value in (score.first, score.second, score.difference))
        table.add_row(name, *numbers, interval, p, f"{score.n_first:,}")
    return table


def ceiling_tables(report: "CeilingReport") -> list[Table]:
    """The tables of `bagen ceiling`: overall, if there are several tasks, and one a task."""
    groups = dict(report.ceiling.tasks)
    if len(groups) > 1:
        groups = {"overall": report.ceiling.overall} | groups
    tables = [_ceiling(f"{name}: noise ceiling", scores) for name, scores in groups.items()]
    probes = report.probes
    caption = (
        f"{numbered(report.continuations['rollouts'], 'continuation')} of "
        f"{numbered(len(probes.probes), 'probe')}"
    )
    if probes.single:
        caption += f"; left out: {numbered(probes.single, 'probe')} with one continuation"
    if probes.elsewhere:
        caption += f"; left out: {numbered(probes.elsewhere, 'continuation')} without a probe"
    tables[-1].caption = caption
    return tables


def _ceiling(title: str, scores: Mapping[str, "CeilingScore"]) -> Table:
    table = Table(title=shown(title), title_justify="left", caption_justify="left")
    table.add_column("score", no_wrap=True)
    for name in ("value", "95% interval", "leave one out", "in sample", "probes", "instances"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, score in scores.items():
        numbers = _number(score.leave_one_out), _number(score.in_sample)
        counts = f"{score.n:,}", f"{score.instances:,}"
        interval = _interval(score.low, score.high)
        table.add_row(name, _number(score.value), interval, *numbers, *counts)
    return table


def _ordered(scores: Mapping[str, Value], question: Question) -> dict[str, Value]:
    """Put the scores of forecasts first where forecasts were asked for."""
    first = [name for name in SECTIONS["forecasts"] if question == "forecast" and name in scores]
    return {name: scores[name] for name in (*first, *scores)}


def print_table(table: Table) -> None:
    """To stdout, as wide as it is: a terminal that is narrower wraps it, and cuts nothing."""
    console = stdout_console()
    console.width = max(console.width, stdout_console(width=10_000).measure(table).maximum)
    console.print(table)


def score_table(title: str, scores: Scores) -> Table:
    """Return a table with a row a score: its value, 95% interval and n."""
    table = Table(title=shown(title), title_justify="left", caption_justify="left")
    table.add_column("score", no_wrap=True)
    for name in ("value", "95% interval", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, score in scores.items():
        if name in _AFTER_LINES:
            table.add_section()
        table.add_row(name, _number(score.value), _interval(score.low, score.high), f"{score.n:,}")
    return table


def _rows(title: str, groups: Mapping[str, Scores], names: Sequence[str]) -> Table:
    """A row a group, a column a score."""
    table = Table(title=shown(title), title_justify="left", show_lines=True)
    table.add_column("", no_wrap=True)
    for name in names:
        table.add_column(name, justify="right", no_wrap=True)
    for group, scores in groups.items():
        table.add_row(shown(group), *(_with_interval(scores[name]) for name in names))
    return table


def _with_interval(score: Score) -> str:
    lines = (_number(score.value), _interval(score.low, score.high), f"n {score.n:,}")
    return "\n".join(line for line in lines if line)


def _invalid(report: Report) -> str | None:
    counts: dict[str, int] = {}
    for family in report.invalid.values():
        for reason, count in family.items():
            counts[reason] = counts.get(reason, 0) + count
    listed = ", ".join(f"{reason} {count:,}" for reason, count in counts.items() if count)
    return f"invalid answers: {listed}" if listed else None


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if abs(value) < 1_000 else f"{value:.3g}"


def _interval(low: float | None, high: float | None) -> str:
    return "" if low is None else f"[{_number(low)}, {_number(high)}]"
