"""Every score by name: its meaning, which way is better, its formula and its n."""

from bagen_data.scoring.formulas import (
    Definition,
    QuantileDefinition,
    accuracy,
    divided,
    fail_f1,
    macro_f1,
    of,
    ratio,
    rl_reward,
    saved_rate,
)

_ANSWERED = "over feasible samples answered with an interval"

SAMPLE_SCORES: dict[str, Definition] = {
    "valid_rate": ratio("share of parseable answers", "higher", "valid", "samples"),
    "macro_f1": macro_f1("mean of the F1 of class feasible and of class infeasible", ""),
    "macro_f1_first_turn": macro_f1("macro_f1 over k = 1 only", "_first_turn"),
    "fail_f1": fail_f1("F1 of class infeasible", ""),
    "accuracy": accuracy("share of samples whose class is predicted", ""),
    "recall_feasible": ratio(
        "share of feasible samples answered with an interval",
        "higher",
        "feasible_found",
        "feasible",
    ),
    "recall_infeasible": ratio(
        "share of infeasible samples answered `impossible`",
        "higher",
        "infeasible_found",
        "infeasible",
    ),
    "macro_f1_open": macro_f1("macro_f1 over samples within every budget so far", "_open"),
    "fail_f1_open": fail_f1("fail_f1 over samples within every budget so far", "_open"),
    "accuracy_open": accuracy("accuracy over samples within every budget so far", "_open"),
    "hit_rate": ratio(
        "over feasible samples, share whose intervals cover; no interval is a miss",
        "higher",
        "covered",
        "feasible",
    ),
    "coverage": ratio(
        f"{_ANSWERED}, share covered in every resource", "higher", "covered", "feasible_found"
    ),
    "reward": ratio(
        "over feasible samples, coverage x tightness; 0 without an interval",
        "higher",
        "reward",
        "feasible",
    ),
    "optimistic": ratio(
        f"{_ANSWERED}, share with a high < R", "lower", "optimistic", "feasible_found"
    ),
    "conservative": ratio(
        f"{_ANSWERED}, share with a low > R", "lower", "conservative", "feasible_found"
    ),
    "rl_reward": Definition(
        "1.8 x coverage x tightness where feasible, 0.2 for `impossible` where not, else 0",
        "higher",
        rl_reward,
        of("samples"),
    ),
    "interval_score": ratio(
        f"{_ANSWERED}, the interval score of log(1 + amount); proper",
        "lower",
        "interval_score",
        "feasible_found",
    ),
    "interval_skill": Definition(
        "1 - interval_score / that of the constant interval between the same samples' quantiles",
        "higher",
        lambda sums: 1 - divided(sums["interval_score"], sums["baseline_score"]),
        of("feasible_found"),
    ),
    "within_2x": ratio(
        f"{_ANSWERED}, share whose midpoints are within a factor of 2 of R",
        "higher",
        "within_2x",
        "feasible_found",
    ),
    "exceed_rate": ratio(
        f"{_ANSWERED}, mean share of resources with R > high",
        "lower",
        "exceed_share",
        "feasible_found",
    ),
    "exceed_by": ratio(
        "mean of (R - high) / R where R > high", "lower", "exceed_by", "exceed_pairs"
    ),
}
"""Scores whose value for a task is the mean over its families, and overall over the tasks."""

PAPER_SCORES: dict[str, Definition] = {
    "paper_hit_rate": ratio(
        "over samples of rollouts that succeeded, within the budget or not, share covered",
        "higher",
        "success_hits",
        "successes",
    ),
    "paper_reward": Definition(
        "over the same, the paper's reward, with 1 for `impossible` where the budget was overrun",
        "higher",
        lambda sums: divided(sums["paper_reward"] + sums["success_stops"], sums["successes"]),
        of("successes"),
    ),
}
"""Likewise; for comparison with the paper's tables only, and never ranked on."""

QUANTILE_SCORES: dict[str, QuantileDefinition] = {
    "mre_p50": QuantileDefinition(f"{_ANSWERED}, median of abs(midpoint - R) / R", "midpoint", 0.5),
    "mre_p90": QuantileDefinition(
        f"{_ANSWERED}, 90% quantile of abs(midpoint - R) / R", "midpoint", 0.9
    ),
    "extrapolation_mre_p50": QuantileDefinition(
        f"{_ANSWERED}, median relative error of linear extrapolation instead of the answer",
        "extrapolation",
        0.5,
    ),
}
"""Likewise, as quantiles over samples with R > 0."""

EARLY_STOP_SCORES: dict[str, Definition] = {
    "false_abort_rate": ratio(
        "share of samples that are feasible and answered `impossible`",
        "lower",
        "false_aborts",
        "samples",
    ),
    "stopped_failed": ratio(
        "share of infeasible rollouts with an `impossible`", "higher", "stopped_failed", "failed"
    ),
    "saved_rate": Definition(
        "usage of infeasible rollouts after their first `impossible` / their total usage",
        "higher",
        saved_rate,
        of("failed"),
    ),
    "success_drop": ratio(
        "share of rollouts that are feasible and have an `impossible`",
        "lower",
        "stopped_feasible",
        "rollouts",
    ),
}
"""Scores of stopping at the first `impossible`; tasks and overall sum the counts."""

ALARM_SCORES: dict[str, Definition] = {
    "first_alarm": ratio(
        "mean progress, k / T, at the first `impossible` of infeasible rollouts",
        "lower",
        "alarm_progress",
        "alarms",
    ),
}
"""When the first `impossible` comes; averaged as the scores of samples are."""

PROGRESS_SCORES: dict[str, Definition] = {
    "coverage": SAMPLE_SCORES["coverage"],
    "optimistic": SAMPLE_SCORES["optimistic"],
    "conservative": SAMPLE_SCORES["conservative"],
    "predicted_feasible_on_infeasible": ratio(
        "share of infeasible samples answered with an interval",
        "lower",
        "infeasible_missed",
        "infeasible",
    ),
    "relative_width": ratio(
        f"{_ANSWERED}, mean of (high - low) / R",
        "neither",
        "relative_width",
        "nonzero",
    ),
}
"""Scores by progress bin."""
PROGRESS_SUMS = (
    "covered",
    "optimistic",
    "conservative",
    "feasible_found",
    "infeasible_missed",
    "infeasible",
    "relative_width",
    "nonzero",
)
"""The sums they need."""

SHARED_SCORES: dict[str, Definition] = {
    "interval_score_shared": ratio(
        "interval_score over the samples that both estimators answered with an interval",
        "lower",
        "interval_score_shared",
        "shared",
    ),
}
"""Scores of a comparison."""

SCORES: dict[str, Definition | QuantileDefinition] = {
    **SAMPLE_SCORES,
    **QUANTILE_SCORES,
    **EARLY_STOP_SCORES,
    **ALARM_SCORES,
    **PAPER_SCORES,
}
"""All of them by name, in the order of reports."""

HEADLINE_SCORES = (
    "valid_rate",
    "macro_f1",
    "fail_f1",
    "accuracy",
    "hit_rate",
    "coverage",
    "reward",
    "rl_reward",
    "interval_skill",
)
"""Those that other evaluation tools show."""
