"""Explanations of the benchmark's scores: what each one asks, its range, and a worked example.

`Definition.meaning` says what a score is, and `Definition.better` which end is good; an explanation
says the rest. Its example is a few samples, here as data, from which the worked value follows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from bagen_data.schema import Question

BUDGET = 1_000
"""The budget of every example, in tokens."""
TOTAL_TURNS = 5
"""The turns of every rollout of the examples."""


@dataclass(frozen=True)
class ExampleSample:
    """A sample of an example, and the answer to it."""

    name: str
    """A letter for the rollout, and a digit more where a rollout has several samples."""
    used: int
    """Tokens used so far."""
    remaining: int
    """R, the tokens that the rollout went on to use."""
    is_success: bool
    answer: str
    turn: int = 1
    """The completed turns; 0 before the start."""

    @property
    def is_within(self) -> bool:
        """Whether the rollout's total is within the budget."""
        return self.used + self.remaining <= BUDGET

    @property
    def outcome(self) -> str:
        """The end of the rollout in words."""
        end = "succeeded" if self.is_success else "failed"
        return f"{end} {'within' if self.is_within else 'beyond'} the budget"


@dataclass(frozen=True)
class ScoreExample:
    """Two or three samples with answers, which scores are worked out on."""

    samples: Sequence[ExampleSample]
    question: Question = "interval"
    reference: tuple[float, float, tuple[float, ...]] | None = None
    """The reference's `finish`, `success` and quantiles, the same for each sample."""


CLASSES = ScoreExample(
    (
        ExampleSample("a", 200, 400, True, "[360, 440]"),
        ExampleSample("b", 200, 600, True, "impossible", turn=2),
        ExampleSample("c", 1_100, 100, True, "impossible"),
    )
)
"""Two feasible samples and one that is over the budget already."""
FAILURES = ScoreExample(
    (
        ExampleSample("a", 200, 500, False, "impossible"),
        ExampleSample("b", 200, 1_300, True, "[500, 700]"),
        ExampleSample("c", 200, 1_000, False, "impossible"),
    )
)
"""The three kinds of infeasible samples."""
INTERVALS = ScoreExample(
    (
        ExampleSample("a", 200, 400, True, "[360, 440]"),
        ExampleSample("b", 200, 600, True, "[100, 400]"),
        ExampleSample("c", 200, 500, True, "impossible"),
    )
)
"""Three feasible samples: one covered, one too low, one without an interval."""
EXTRAPOLATED = ScoreExample(
    (
        ExampleSample("a1", 100, 700, True, "[600, 800]"),
        ExampleSample("a3", 300, 500, True, "[400, 600]", turn=3),
    )
)
"""Two samples of one rollout."""
FORECASTS = ScoreExample(
    (
        ExampleSample(
            "a", 200, 400, True, "finish=0.8, success=0.9, tokens=[200, 300, 400, 500, 600]"
        ),
        ExampleSample(
            "b", 200, 500, False, "finish=0.4, success=0.6, tokens=[300, 400, 500, 600, 700]"
        ),
    ),
    "forecast",
    (0.5, 0.5, (100.0, 200.0, 400.0, 700.0, 900.0)),
)
"""A forecast of a rollout that finished, and one of a rollout that failed."""
STARTS = ScoreExample(
    (
        ExampleSample("a", 0, 800, True, "500", turn=0),
        ExampleSample("b", 0, 700, True, "1000", turn=0),
        ExampleSample("c", 0, 2_500, True, "1500", turn=0),
    ),
    "point",
)
"""Numbers that were said before the first turn."""
STOPS = ScoreExample(
    (
        ExampleSample("a", 200, 600, True, "impossible"),
        ExampleSample("b", 200, 400, False, "impossible"),
        ExampleSample("c", 200, 1_300, True, "[0, 1000]"),
    )
)
"""A feasible rollout that is stopped, an infeasible one that is stopped, and one that is not."""


@dataclass(frozen=True)
class Explanation:
    """The explanation of a score, beside its definition."""

    section: str
    """The heading of the section of docs/scores.md that derives the score."""
    example: ScoreExample
    asks: str
    """The question that the score answers."""
    worked: str
    """The score on the example, worked out; it ends with `= VALUE`."""
    range: str = "0 to 1"
    """The lowest and the highest value, and the value that is right where neither end is good."""


_FINISHED = partial(Explanation, "Can it still be finished?", CLASSES)
_KIND = partial(Explanation, "Can it still be finished?", FAILURES)
_NEEDED = partial(Explanation, "How much is still needed?", INTERVALS)
_LIKELY = partial(Explanation, "How likely is it?", FORECASTS)
_AMOUNT = partial(Explanation, "A distribution of what is needed", FORECASTS)
_CURVE = partial(Explanation, "Any other budget", FORECASTS)
_SKILL = partial(
    Explanation, "The reference and the skills", FORECASTS, range="below 0 to 1, 0 is the reference"
)
_START = partial(Explanation, "Before the start", STARTS)
_STOP = partial(Explanation, "Stopping early", STOPS)
_PROPER = partial(Explanation, "Proper scores of intervals", INTERVALS)
_OTHER = partial(Explanation, "The other scores", INTERVALS)
_OTHER_OF_CLASSES = partial(Explanation, "The other scores", CLASSES)
_OF_SAMPLES = "0 to 1, a fact of the samples and not of the estimator"

EXPLANATIONS: dict[str, Explanation] = {
    # --- feasibility
    "valid_rate": _OTHER_OF_CLASSES("How many answers can be read?", "all three can: 3 / 3 = 1"),
    "macro_f1": _FINISHED(
        "Does the estimator tell samples that are feasible from those that are not?",
        "F1 of feasible is 2 x 1 / (1 + 2) = 0.667, F1 of infeasible 2 x 1 / (2 + 1) = 0.667; "
        "their mean = 0.667",
    ),
    "macro_f1_first_turn": _FINISHED(
        "Does the estimator tell feasible samples from others after the first turn already?",
        "a and c are after turn 1, and both are right: (1 + 1) / 2 = 1",
    ),
    "fail_f1": _FINISHED(
        "Does the estimator find the infeasible samples, and only those?",
        "two answers say impossible, one sample is infeasible, and one is both: "
        "2 x 1 / (2 + 1) = 0.667",
    ),
    "accuracy": _FINISHED(
        "How often is the answer to the question of feasibility right?",
        "a and c are right: 2 / 3 = 0.667",
    ),
    "recall_feasible": _FINISHED(
        "How many of the feasible samples get an interval?", "of a and b only a: 1 / 2 = 0.5"
    ),
    "recall_infeasible": _FINISHED(
        "How many of the infeasible samples get impossible?", "c, the only one: 1 / 1 = 1"
    ),
    "share_failed": _KIND(
        "How many samples are infeasible because the rollout goes wrong, at a cost that fits?",
        "a: 1 / 3 = 0.333",
        _OF_SAMPLES,
    ),
    "share_over_budget": _KIND(
        "How many samples are infeasible because the rollout costs too much, and else succeeds?",
        "b: 1 / 3 = 0.333",
        _OF_SAMPLES,
    ),
    "share_failed_over_budget": _KIND(
        "How many samples are infeasible for both reasons?", "c: 1 / 3 = 0.333", _OF_SAMPLES
    ),
    "recall_failed": _KIND(
        "Does the estimator foresee that a rollout goes wrong?",
        "a gets impossible: 1 / 1 = 1",
    ),
    "recall_over_budget": _KIND(
        "Does the estimator foresee that a rollout costs too much?",
        "b gets an interval: 0 / 1 = 0",
    ),
    "recall_failed_over_budget": _KIND(
        "Does the estimator foresee a rollout that goes wrong and costs too much?",
        "c gets impossible: 1 / 1 = 1",
    ),
    "macro_f1_open": _FINISHED(
        "Does the estimator tell feasible samples from others where the prompt does not decide it?",
        "c is over the budget already and left out: F1 of feasible is 2 x 1 / (1 + 2) = 0.667, of "
        "infeasible 2 x 0 / (1 + 0) = 0; their mean = 0.333",
    ),
    "fail_f1_open": _FINISHED(
        "Does the estimator find infeasible samples where the prompt does not decide it?",
        "c is left out, and b is wrong: 2 x 0 / (1 + 0) = 0",
    ),
    "accuracy_open": _FINISHED(
        "How often is feasibility judged right where the prompt does not decide it?",
        "c is left out: 1 / 2 = 0.5",
    ),
    # --- forecasts
    "brier_skill": _SKILL(
        "Does the forecaster foresee better than the reference whether a run will finish?",
        "brier is 0.1, and the reference's (0.5^2 + 0.5^2) / 2 = 0.25: 1 - 0.1 / 0.25 = 0.6",
    ),
    "wis_skill": _SKILL(
        "Does the forecaster foresee better than the reference how much is still needed?",
        "wis is 0.0948, and the reference's 0.2127: 1 - 0.0948 / 0.2127 = 0.554",
    ),
    "curve_skill": _SKILL(
        "Does the forecaster foresee better than the reference what other budgets would do?",
        "curve_brier is 0.1453, and the reference's 0.2215: 1 - 0.1453 / 0.2215 = 0.344",
    ),
    "brier": _LIKELY(
        "How far are the probabilities to finish from what happened?",
        "a finished and b did not: ((1 - 0.8)^2 + (0.4 - 0)^2) / 2 = 0.1",
    ),
    "log_score": _LIKELY(
        "How surprising is what happened, by the probabilities to finish?",
        "a finished, of 0.8, and b did not, of 1 - 0.4: -(ln 0.8 + ln 0.6) / 2 = 0.367",
        "0 to 6.908",
    ),
    "success_brier": _LIKELY(
        "How far are the probabilities to succeed at any cost from what happened?",
        "a succeeded and b did not: ((1 - 0.9)^2 + (0.6 - 0)^2) / 2 = 0.185",
    ),
    "wis": _AMOUNT(
        "How far are the quantiles from what was still used, and how wide apart are they?",
        "a alone succeeded, R is its median, and the intervals of 80% and 50% are 1.095 and 0.510 "
        "wide in logs: (0.5 x 0 + 0.1 x 1.095 + 0.25 x 0.510) / 2.5 = 0.095",
        "0 and up",
    ),
    "coverage_80": _AMOUNT(
        "How often does R lie within the 10% and 90% quantiles?",
        "a alone succeeded, and 400 is within 200 and 600: 1 / 1 = 1",
        "0 to 1, 0.8 is right",
    ),
    "coverage_50": _AMOUNT(
        "How often does R lie within the 25% and 75% quantiles?",
        "a alone succeeded, and 400 is within 300 and 500: 1 / 1 = 1",
        "0 to 1, 0.5 is right",
    ),
    "curve_brier": _CURVE(
        "Would the forecast have been right under other budgets too?",
        "the squared differences add up to 0.063 over a's six budgets, and to 1.680 over b's: "
        "(0.063 + 1.680) / 12 = 0.145",
    ),
    # --- intervals
    "hit_rate": _NEEDED(
        "How many feasible samples get an interval that holds R?",
        "a is covered, b and c are not: 1 / 3 = 0.333",
    ),
    "coverage": _NEEDED(
        "How often does an interval hold R, where one is given?",
        "of a and b only a is covered: 1 / 2 = 0.5",
        "0 to 1, the level that the intervals are meant to have is right",
    ),
    "reward": _NEEDED(
        "Do the intervals hold R, and are they tight?",
        "a is covered with the tightness 1 - 80 / 400 = 0.8; b is not covered, c has none: "
        "(0.8 + 0 + 0) / 3 = 0.267",
    ),
    "optimistic": _OTHER(
        "How often is more needed than the interval says?",
        "b needs 600, and its interval ends at 400: 1 / 2 = 0.5",
    ),
    "conservative": _OTHER(
        "How often is less needed than the interval says?",
        "no interval begins above R: 0 / 2 = 0",
    ),
    "rl_reward": _OTHER_OF_CLASSES(
        "What would the answers earn in the paper's training?",
        "a has a reward of 0.8, b has none, and c is a right impossible: "
        "(1.8 x 0.8 + 0 + 0.2) / 3 = 0.547",
        "0 to 1.8",
    ),
    # --- interval_scores
    "interval_score": _PROPER(
        "How wide are the intervals, and how far does R lie outside, if 80% are meant to hold?",
        "a is ln 441 - ln 361 = 0.200 wide; b is 1.379 wide, and ln 601 - ln 401 = 0.405 too low: "
        "(0.200 + 1.379 + 10 x 0.405) / 2 = 2.81",
        "0 and up",
    ),
    "interval_skill": _PROPER(
        "Are the intervals better than one that is the same for all of these samples?",
        "interval_score is 2.813, and that of the constant interval 0.728: "
        "1 - 2.813 / 0.728 = -2.86",
        "below 0 to 1, 0 is the constant interval",
    ),
    "within_2x": _PROPER(
        "How often is the middle of the interval within a factor of 2 of R?",
        "the middles are 400 of 400, and 250 of 600: 1 / 2 = 0.5",
    ),
    "exceed_rate": _PROPER(
        "How often is R above the upper end of the interval?",
        "b's 600 is above 400: 1 / 2 = 0.5",
    ),
    "exceed_by": _PROPER(
        "How far is R above the upper end of the interval, where it is above?",
        "b alone: (600 - 400) / 600 = 0.333",
    ),
    # --- relative_errors
    "mre_p50": _OTHER(
        "How far is the middle of the interval from R in the typical sample?",
        "the errors are 0 / 400 and 350 / 600 = 0.583; their median = 0.292",
        "0 and up",
    ),
    "mre_p90": _OTHER(
        "How far is the middle of the interval from R in the worst tenth of the samples?",
        "the errors are 0 and 0.583; their 90% quantile 0.9 x 0.583 = 0.525",
        "0 and up",
    ),
    "extrapolation_mre_p50": Explanation(
        "The other scores",
        EXTRAPOLATED,
        "How far off would linear extrapolation be, if the number of turns were known?",
        "a used 100 more a turn from turn 1 to 3, so 200 in the two turns left, of 500: "
        "abs(200 - 500) / 500 = 0.6",
        "0 and up",
    ),
    # --- early_stop
    "false_abort_rate": _STOP(
        "How often would the answer stop a rollout that would have finished?",
        "a alone is feasible and gets impossible: 1 / 3 = 0.333",
    ),
    "paper_stopped_failed": _STOP(
        "How many rollouts that fail are stopped?", "b, the only one: 1 / 1 = 1"
    ),
    "paper_saved_rate": _STOP(
        "How much of what failing rollouts use is saved by stopping?",
        "b is stopped at 200 of 600: 400 / 600 = 0.667",
    ),
    "stopped_failed": _STOP(
        "How many rollouts that will not finish within the budget are stopped?",
        "of b and c only b: 1 / 2 = 0.5",
    ),
    "saved_rate": _STOP(
        "How much of what infeasible rollouts use is saved by stopping?",
        "400 of b's 600, and nothing of c's 1,500: 400 / 2100 = 0.19",
    ),
    "saved_below_cap": _STOP(
        "How much does stopping save that a hard cap at the budget would not?",
        "400 of b's 600, and nothing of c's 1,500, of which 1,000 are below the cap: "
        "400 / 1600 = 0.25",
    ),
    "success_drop": _STOP(
        "How many rollouts that would have finished are lost by stopping?",
        "a: 1 / 3 = 0.333",
    ),
    "any_success_drop": _STOP(
        "How many rollouts that would have succeeded at any cost are lost by stopping?",
        "a, as c is not stopped: 1 / 3 = 0.333",
    ),
    "net_benefit": _STOP(
        "Does stopping pay, if a success is worth two budgets?",
        "a saves 0.6 budgets and loses a success, b saves 0.4: (0.6 - 2 + 0.4) / 3 = -0.333",
        "-2 to 1, 0 is a hard cap alone",
    ),
    "first_alarm": Explanation(
        "The other scores",
        STOPS,
        "How early is an infeasible rollout first called impossible?",
        "b's first impossible is after turn 1 of 5: 1 / 5 = 0.2",
    ),
    # --- start
    "start_correlation": _START(
        "Does what is said before the start go along with what is then used?",
        "500, 1000 and 1500 were said, 800, 700 and 2500 used; r of their logs = 0.719",
        "-1 to 1",
    ),
    # --- paper
    "paper_hit_rate": _OTHER(
        "How often does an interval hold R, over the samples that the paper takes?",
        "a, b and c succeeded, and a is covered: 1 / 3 = 0.333",
    ),
    "paper_reward": _OTHER_OF_CLASSES(
        "What would the answers earn by the paper's own reward?",
        "a has 0.8, b has none, and c overran the budget and got impossible: "
        "(0.8 + 0 + 1) / 3 = 0.6",
    ),
    "accuracy_balanced": _OTHER_OF_CLASSES(
        "How often is feasibility judged right, if both classes count alike?",
        "1 of 2 feasible ones and 1 of 1 infeasible: (0.5 + 1) / 2 = 0.75",
    ),
    "rl_reward_balanced": _OTHER_OF_CLASSES(
        "What would the answers earn in the paper's training, if both classes count alike?",
        "0.9 x (0.8 + 0) / 2 + 0.1 x 1 = 0.46",
    ),
}
"""The explanation of each score of the benchmark, by the score's name."""
