"""Reports as tables that people read in a terminal."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from rich.table import Table

from bagen_data.console import shown
from bagen_data.errors import InputError
from bagen_data.schema import Question
from bagen_data.scoring.all_scores import HEADLINE_SCORES, PROGRESS_SCORES, SECTIONS
from bagen_data.scoring.report import Comparison, Difference, Report, Score, Scores
from bagen_data.scoring.resampling import FEWEST_INSTANCES
from bagen_data.wording import numbered

if TYPE_CHECKING:
    from bagen_data.ceiling.ceiling_report import CeilingReport
    from bagen_data.ceiling.ceiling_scores import CeilingScore

ShownScore = TypeVar("ShownScore", Score, Difference)

_AFTER_LINES = {"macro_f1", *(next(iter(definitions)) for definitions in SECTIONS.values())}
"""Scores above which there is a line."""
_OF_FAMILIES = ("macro_f1", "fail_f1", "hit_rate", "coverage", "reward", "saved_below_cap")
"""Scores that a table with a row a family has room for."""
_LEAST_P = 0.001
"""Smallest p that is shown as a number."""
_PAIRED = (
    "Averages are over the families in which both estimators have a value, so a score can differ "
    "here from the estimator's own. diff.: the first less the second. n: samples or rollouts, of "
    "each where the two differ."
)
"""Caption of a comparison."""
_OF_SAMPLES = ("share_failed", "share_over_budget", "share_failed_over_budget")
"""Scores that say something of the samples, and nothing of an estimator."""
_WIDEST_NAME = 11
"""Characters of an estimator's name in a line of a column's head."""
_OF_FORECASTS = ("brier_skill", "wis_skill", "brier", "wis", "coverage_80", "macro_f1_open")
"""Scores of forecasts that a table with a row a family has room for."""


@dataclass(frozen=True)
class ScoreChoice:
    """The scores that a table shows."""

    question: Question = "interval"
    """The question that was answered; scores of forecasts come first where it is `forecast`."""
    every: bool = True
    """True to show every score; else the headline scores that have a value."""

    def of(self, scores: Mapping[str, ShownScore]) -> dict[str, ShownScore]:
        """Return the scores to show, in their order, of all scores by name."""
        names = list(scores) if self.every else [*filter(scores.__contains__, HEADLINE_SCORES)]
        if not self.every:
            names = [name for name in names if _is_known(scores[name])]
        if self.question == "forecast":
            names.sort(key=lambda name: name not in SECTIONS["forecasts"])
        return {name: scores[name] for name in names}

    @property
    def lines_above(self) -> Container[str]:
        """Scores above which a table has a line."""
        return _AFTER_LINES if self.every else ()


def _is_known(score: Score | Difference) -> bool:
    """Return whether a score has a value, of one of two estimators at least."""
    values = (score.value,) if isinstance(score, Score) else (score.first, score.second)
    return any(value is not None for value in values)


def few_instances(result: Report | Comparison, choice: ScoreChoice) -> str:
    """Return a line on why intervals are missing; empty if each shown value has its interval."""
    if isinstance(result, Report):
        scores = choice.of(result.overall).values()
        is_missing = any(each.value is not None and each.low is None for each in scores)
    else:
        pairs = choice.of(result.overall).values()
        is_missing = any(each.difference is not None and each.low is None for each in pairs)
    few = f"no 95% interval: the score is taken over fewer than {FEWEST_INSTANCES} instances\n"
    return few if is_missing else ""


def report_tables(
    report: Report, by: str | None, choice: ScoreChoice, part: str = ""
) -> list[Table]:
    """The tables of `bagen score`.

    Args:
        report: what was scored.
        by: `task`, `family`, `progress`, or None for the overall scores.
        choice: which scores are shown.
        part: the share of the samples that was scored, if it is not all of them.
    """
    of_part = f": {part}" if part else ""
    if by == "family":
        names = _OF_FORECASTS if choice.question == "forecast" else _OF_FAMILIES
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
        score_table(
            f"{name}, BAGEN {report.benchmark_version}{of_part}",
            choice.of(scores),
            choice.lines_above,
        )
        for name, scores in groups.items()
    ]
    tables[-1].caption = _invalid(report)
    return tables


def comparison_table(
    comparison: Comparison, names: tuple[str, str], choice: ScoreChoice, part: str = ""
) -> Table:
    """Return both estimators' overall scores, and their difference.

    Scores that say something of the samples alone are left out.

    Args:
        comparison: what was scored.
        names: of the first and of the second estimator, which head their columns.
        choice: which scores are shown.
        part: the share of the samples that both answer, if it is not all of them.
    """
    of_estimators = {
        name: score for name, score in comparison.overall.items() if name not in _OF_SAMPLES
    }
    scores = choice.of(of_estimators)
    of_part = f": {part}, which both answer" if part else ""
    table = Table(
        title=f"overall, paired by sample{of_part}",
        title_justify="left",
        caption=_PAIRED,
        caption_justify="left",
    )
    table.add_column("score", no_wrap=True)
    for name in names:
        table.add_column(shown(name), justify="right", overflow="fold", max_width=_WIDEST_NAME)
    for name in ("diff.", "95% interval", "p", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, score in scores.items():
        interval = _interval(score.low, score.high)
        p = "" if score.p is None else f"{score.p:.3f}" if score.p >= _LEAST_P else f"<{_LEAST_P}"
        numbers = (_number(value) for value in (score.first, score.second, score.difference))
        counts = dict.fromkeys((score.n_first, score.n_second))
        table.add_row(name, *numbers, interval, p, "/".join(f"{count:,}" for count in counts))
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


def score_table(title: str, scores: Scores, lines_above: Container[str] = ()) -> Table:
    """Return a table with a row a score: its value, 95% interval and n."""
    table = Table(title=shown(title), title_justify="left", caption_justify="left")
    table.add_column("score", no_wrap=True)
    for name in ("value", "95% interval", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, score in scores.items():
        if name in lines_above:
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
