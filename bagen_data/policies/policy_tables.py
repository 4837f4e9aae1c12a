"""The report of `bagen policy` as tables that people read in a terminal."""

from collections.abc import Mapping

from rich.table import Table

from bagen_data.console import shown
from bagen_data.live.policies import Policy, SequentialPolicy, ThresholdPolicy
from bagen_data.policies.choice import Choice
from bagen_data.policies.evaluation import PolicyReport
from bagen_data.policies.measured_policies import PolicyScores
from bagen_data.scoring.report import Score
from bagen_data.wording import numbered

_ROWS = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8)
"""Thresholds that have a row beside the chosen one."""
_NUMBERS = ("cost saved", "successes lost", "net benefit")
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
        f"of the runs that would {OUTCOMES[policy.outcome]}, at most "
        f"{_percent(policy.max_false_abort)} are stopped, however long they last, if new runs are "
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
    _add_columns(table, report)
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
    table.add_column("stop below", justify="right", no_wrap=True)
    is_finish = choice.policy.outcome == "finish"
    if not is_finish:
        table.add_column("any success lost", justify="right", no_wrap=True)
    _add_columns(table, report)
    for point in choice.curve:
        is_chosen = point.policy.max_false_abort == choice.policy.max_false_abort
        name = _percent(point.policy.max_false_abort)
        test = point.policy
        below = "never" if test.threshold is None else _percent(test.stop_below)
        first = [f"asked: {name}" if is_chosen else name, below]
        watched = [] if is_finish else [_count(point.scores.false_aborts)]
        table.add_row(*first, *watched, *_cells(point.scores))
    runs = "succeed within the budgets" if is_finish else "succeed, within the budgets or not,"
    table.caption = shown(
        f"allowed: share of the rollouts that {runs} that may be stopped; each part of the "
        f"instances is stopped by a test calibrated on the others; {facts(report)}"
    )
    return table


def _comparison(report: PolicyReport) -> Table:
    table = _table(policy_sentence(report.policy))
    table.add_column("", no_wrap=True)
    _add_columns(table, report)
    table.add_row("hard cap alone", "0%", "", "0", "", "0", "")
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
    return table


def _table(title: str) -> Table:
    return Table(title=shown(title), title_justify="left", caption_justify="left")


def _add_columns(table: Table, report: PolicyReport) -> None:
    interval = "95% interval" if report.request.resamples else ""
    for name in _NUMBERS:
        table.add_column(name, justify="right", no_wrap=True)
        table.add_column(interval, justify="right", no_wrap=True)


def _cells(scores: PolicyScores) -> list[str]:
    saved, lost, benefit = scores.cost_saved, scores.successes_lost, scores.net_benefit
    shares = [_percent(saved.value), _interval(saved, 100), _count(lost), _interval(lost, 100)]
    return [*shares, _number(benefit.value), _interval(benefit, 1)]


def _count(share: Score) -> str:
    """Return how many of how many."""
    if share.value is None:
        return "none to lose"
    return f"{round(share.value * share.n):,} of {share.n:,}"


def _interval(score: Score, scale: int) -> str:
    if score.low is None or score.high is None:
        return ""
    if scale == 100:
        return f"[{_percent(score.low)}, {_percent(score.high)}]"
    return f"[{_number(score.low)}, {_number(score.high)}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value + 0.0:.3f}".replace("-0.000", "0.000")


def _percent(share: float | None) -> str:
    """Return a share in percent.

    >>> _percent(0.15), _percent(0.001), _percent(None)
    ('15%', '0.1%', '-')
    """
    return "-" if share is None else f"{round(100 * share, 1):g}%"
