"""The report of `bagen policy` as tables that people read in a terminal."""

from collections.abc import Mapping

from rich.table import Table

from bagen_data.console import shown
from bagen_data.live.policies import Policy, SequentialPolicy, ThresholdPolicy
from bagen_data.policies.measured_policies import PolicyScores
from bagen_data.policies.policy_choice import Choice
from bagen_data.policies.policy_report import PolicyReport
from bagen_data.scoring.report import Score
from bagen_data.wording import numbered

_ROWS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Thresholds that have a row beside the chosen one."""
_NUMBERS = ("cost saved", "successes\nlost", "net benefit")
"""Headings of the measures, which leave room for a table in 80 columns."""
_BRACKETS = "in brackets: 95% interval"
_LARGE = 100
"""Net benefit from which on digits after the point say nothing."""
OUTCOMES: Mapping[str, str] = {
    "finish": "succeed within the budgets",
    "success": "succeed",
}
"""Words for each outcome that a policy watches."""


def policy_tables(report: PolicyReport) -> list[Table]:
    """Return the curve of a policy, and the chosen one beside a hard cap and perfect foresight."""
    choice = report.choice
    if isinstance(choice.policy, ThresholdPolicy):
        curve = _threshold_curve(report, choice)
    else:
        curve = _sequential_curve(report, choice)
    return [curve, _comparison(report)]


def policy_sentence(policy: Policy) -> str:
    """Say in words when a policy stops a run.

    >>> policy_sentence(ThresholdPolicy(0.15, patience=2, first_turn=3))
    'stop where the chance to succeed within the budgets is below 15% at 2 turns in a row, from \
turn 3 on'
    >>> policy_sentence(SequentialPolicy(threshold=None))
    'never stop'
    """
    if policy.stop_below == 0:
        return "never stop"
    outcome = policy.outcome if isinstance(policy, SequentialPolicy) else "finish"
    patience = policy.patience if isinstance(policy, ThresholdPolicy) else 1
    text = f"stop where the chance to {OUTCOMES[outcome]} is below {_percent(policy.stop_below)}"
    if patience > 1:
        text += f" at {patience} turns in a row"
    return f"{text}, from turn {policy.first_turn} on"


def guarantee(report: PolicyReport) -> str | None:
    """Say what a sequential test guarantees, and on which conditions; None of another policy."""
    policy = report.policy
    if not isinstance(policy, SequentialPolicy) or policy.threshold is None:
        return None
    promise = (
        f"at most {_percent(policy.max_false_abort)} of the runs that would "
        f"{OUTCOMES[policy.outcome]} are stopped, however long they last, if new runs are "
        "exchangeable with these rollouts"
    )
    if report.is_cross_fitted:
        promise += (
            "; as the forecasts are cross-fitted, the forecaster in use is another than those that "
            "made them, and the bound is approximate: it is exact for a kept forecaster and "
            "rollouts that it did not learn from"
        )
    return promise


def facts(report: PolicyReport) -> str:
    """Say which rollouts the numbers are of."""
    counts = report.counts
    return (
        f"{numbered(counts['rollouts'], 'rollout')} of "
        f"{numbered(counts['instances'], 'instance')}: {counts['successes']:,} succeeded, "
        f"{counts['feasible']:,} within the budgets; {report.learned}"
    )


def _threshold_curve(report: PolicyReport, choice: Choice[ThresholdPolicy]) -> Table:
    table = _table(f"{report.request.forecaster} on {report.request.config}: threshold policies")
    table.add_column("stop below", justify="right", no_wrap=True)
    _add_columns(table)
    for point in choice.curve:
        is_chosen = point.policy == choice.policy
        if is_chosen or point.policy.stop_below in _ROWS:
            name = _percent(point.policy.stop_below)
            table.add_row(f"best: {name}" if is_chosen else name, *_cells(point.scores))
    table.caption = shown(facts(report))
    return table


def _sequential_curve(report: PolicyReport, choice: Choice[SequentialPolicy]) -> Table:
    table = _table(f"{report.request.forecaster} on {report.request.config}: sequential tests")
    table.add_column("allowed", justify="right", no_wrap=True)
    table.add_column("stop\nbelow", justify="right", no_wrap=True)
    is_finish = choice.policy.outcome == "finish"
    if not is_finish:
        table.add_column("any\nlost", justify="right", no_wrap=True)
    _add_columns(table)
    for point in choice.curve:
        is_chosen = point.policy.max_false_abort == choice.policy.max_false_abort
        name = _percent(point.policy.max_false_abort)
        test = point.policy
        below = "never" if test.threshold is None else _percent(test.stop_below)
        first = [f"* {name}" if is_chosen else name, below]
        watched = [] if is_finish else [_count(point.scores.false_aborts)]
        table.add_row(*first, *watched, *_cells(point.scores))
    runs = "succeed within the budgets" if is_finish else "succeed, within the budgets or not,"
    any_lost = "" if is_finish else f"any lost: rollouts that {runs} and are stopped; "
    table.caption = shown(
        f"allowed: share of the rollouts that {runs} that may be stopped; *: the share that was "
        f"asked for; {any_lost}each part of the instances is stopped by a test calibrated on the "
        f"others; {facts(report)}"
    )
    return table


def _comparison(report: PolicyReport) -> Table:
    table = _table(policy_sentence(report.policy))
    table.add_column("", no_wrap=True)
    _add_columns(table)
    table.add_row("hard cap alone", "0%", "0", "0")
    choice = report.choice
    rows = {
        "policy, on unseen instances": choice.unseen,
        "policy, where it was chosen": choice.seen,
        "perfect foresight": report.foresight,
    }
    for name, scores in rows.items():
        table.add_row(name, *_cells(scores))
    table.caption = (
        "cost saved: share of what a hard cap at the budgets spends; successes lost: rollouts that "
        "succeed within the budgets and are stopped; net benefit: budgets a rollout, with a "
        f"success worth {report.request.worth:g}; unseen: each part of the instances is stopped by "
        "the policy that is chosen on the others"
    )
    if any(_has_interval(scores) for scores in rows.values()):
        table.caption += f"; {_BRACKETS}"
    return table


def _table(title: str) -> Table:
    return Table(title=shown(title), title_justify="left", caption_justify="left")


def _add_columns(table: Table) -> None:
    for name in _NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)


def _cells(scores: PolicyScores) -> list[str]:
    """Return each measure, with its interval on a second line where it has one."""
    saved, lost, benefit = scores.cost_saved, scores.successes_lost, scores.net_benefit
    return [
        _percent(saved.value) + _percents(saved),
        _count(lost) + _percents(lost),
        _number(benefit.value, 3) + _numbers(benefit),
    ]


def _has_interval(scores: PolicyScores) -> bool:
    measures = scores.cost_saved, scores.successes_lost, scores.net_benefit
    return any(each.low is not None for each in measures)


def _count(share: Score) -> str:
    """Return how many of how many."""
    if share.value is None:
        return "none to lose"
    return f"{round(share.value * share.n):,} of {share.n:,}"


def _percents(score: Score) -> str:
    """Return a line with the interval of a share, in percent; empty where it has none."""
    if score.low is None or score.high is None:
        return ""
    return f"\n[{_bare(score.low)}, {_bare(score.high)}]"


def _numbers(score: Score) -> str:
    """Return a line with the interval of a number; empty where it has none."""
    if score.low is None or score.high is None:
        return ""
    return f"\n[{_number(score.low, 2)}, {_number(score.high, 2)}]"


def _number(value: float | None, digits: int) -> str:
    """Return a number with some digits after the point, or none where it is large.

    >>> _number(-0.0001, 3), _number(-0.237, 2), _number(-1234.5, 3), _number(None, 3)
    ('0.000', '-0.24', '-1,234', '-')
    """
    if value is None:
        return "-"
    if abs(value) >= _LARGE:
        return f"{value:,.0f}"
    return f"{round(value, digits) + 0.0:.{digits}f}"


def _bare(share: float) -> str:
    """Return a share in percent, without the sign."""
    return f"{round(100 * share, 1):g}"


def _percent(share: float | None) -> str:
    """Return a share in percent.

    >>> _percent(0.15), _percent(0.001), _percent(None)
    ('15%', '0.1%', '-')
    """
    return "-" if share is None else f"{_bare(share)}%"
