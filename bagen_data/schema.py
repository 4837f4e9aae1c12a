"""The nouns of the benchmark, and the Arrow schema of each table.

A `Probe` holds only the past and a `Target` only the truth, so a prompt made from a probe cannot
leak the future. The words are those of the README's glossary: rollout, turn, probe, target,
resource, budget, interval, estimate.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, get_args

import pyarrow as pa

Role = Literal["system", "user", "assistant"]
Verdict = Literal["feasible", "infeasible", "invalid"]
InvalidReason = Literal[
    "no_answer",
    "malformed",
    "scalar",
    "reversed",
    "not_finite",
    "missing_resource",
    "unknown_resource",
    "incoherent",
    "unordered",
]
INVALID_REASONS: tuple[InvalidReason, ...] = get_args(InvalidReason)
Question = Literal["interval", "point", "forecast"]
"""The question to an estimator: for an interval, one number, or probabilities and quantiles."""
QUANTILE_LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
"""Levels of the quantiles of a forecast."""
FINISH_THRESHOLD = 0.5
"""The probability to finish below which a forecast says `impossible`."""
Amounts = Mapping[str, float]
"""Amounts by resource name, or by state name; whole units are ints."""


@dataclass(frozen=True)
class Resource:
    """Something an agent spends."""

    name: str
    """The label in answers and columns, e.g. `time_weeks`."""
    unit: str
    """The unit of every amount of it, e.g. `weeks`."""


TOKENS = Resource("tokens", "tokens")
WAREHOUSE = (
    Resource("time_weeks", "weeks"),
    Resource("warehouse_item_weeks", "item-weeks"),
    Resource("cumulative_cost_usd", "USD"),
)
"""The resources that a warehouse rollout spends, in the order of prompts and answers."""
GENERAL = (
    TOKENS,
    Resource("cost_usd", "USD"),
    Resource("turns", "turns"),
    Resource("tool_calls", "calls"),
    Resource("search", "searches"),
    Resource("seconds", "s"),
)
"""Resources that may be counted of any agent's rollout."""
SUM_DECIMALS = 9
"""Digits after the point that sums of amounts are rounded to."""
_DECIMALS = {"cost_usd": 6, "seconds": 3}


def decimals(resource: str) -> int:
    """Return the digits after the point that amounts of a resource are kept with.

    >>> decimals("tokens"), decimals("cost_usd")
    (0, 6)
    """
    return _DECIMALS.get(resource, 0)


TARGET_PREFIX = "target_"
"""Beginning of a budget's condition: `target_<state>` is the least that a final state must be."""


GOLD_VERDICTS = {True: "[", False: "impossible"}
"""The text in a right answer that tells whether a sample is feasible, by `feasible`: an interval's
bracket, or the word."""


@dataclass(frozen=True)
class Message:
    """A chat message."""

    role: Role
    content: str


@dataclass(frozen=True)
class Turn:
    """A user message, the assistant message that answers it, and what the two cost."""

    user: str
    assistant: str
    usage: Amounts
    """Amounts spent in the turn, by resource; also `input_tokens` and `output_tokens`."""
    state: Amounts = field(default_factory=dict)
    """The state of the environment after the turn, e.g. `cash_usd`."""


@dataclass(frozen=True)
class Rollout:
    """A recorded run of an agent on a task instance, after the drops of the usage rules."""

    task: str
    rollout_model: str
    rollout_id: str
    instance_id: str
    system: str
    """The agent's own system message; empty if it had none."""
    turns: tuple[Turn, ...]
    success: bool
    """The recorded outcome, before any budget or condition is put on it."""
    initial_state: Amounts = field(default_factory=dict)
    """The state of the environment before turn 1."""
    dropped_turns: int = 0
    """Turns left out: cut off by the context limit, or with an empty assistant message."""


@dataclass(frozen=True)
class Budget:
    """Limits of what a rollout may spend in total, and targets that its final state must reach."""

    limits: Amounts
    """The most that may be spent of each resource over the whole rollout, inclusive."""
    conditions: Amounts = field(default_factory=dict)
    """`target_<state>`: the least the final `<state>` must be, e.g. `target_cash_usd`."""

    def __post_init__(self) -> None:
        for name, amount in (*self.limits.items(), *self.conditions.items()):
            if not math.isfinite(amount) or (amount < 0 and name in self.limits):
                raise ValueError(f"budget of {name} is {amount}; expected a finite number >= 0")
        if not self.limits:
            raise ValueError("a budget limits at least one resource")

    def allows(self, totals: Amounts) -> bool:
        """Return whether every total is within its limit."""
        return all(totals[name] <= limit for name, limit in self.limits.items())

    def is_reached_by(self, final_state: Amounts) -> bool:
        """Return whether the final state reaches every target."""
        return all(
            final_state[name.removeprefix(TARGET_PREFIX)] >= least
            for name, least in self.conditions.items()
        )


@dataclass(frozen=True)
class Probe:
    """The question after k completed turns: everything an estimator may know, nothing more."""

    task: str
    system: str
    """The agent's own system message; empty if it had none."""
    turns: tuple[Turn, ...]
    """The k completed turns; k may be 0 in training data."""
    opening: str
    """The first user message where k is 0, else empty: it is part of turn 1 then."""
    used: Amounts
    """Amounts spent so far, by resource; at k = 0 the tokens of the opening message."""
    state: Amounts
    """The state of the environment now."""
    budget: Budget


@dataclass(frozen=True)
class Target:
    """The truth about a probe."""

    feasible: bool
    remaining: Amounts
    """The amounts that the recorded rollout went on to spend, by resource; >= 0."""


@dataclass(frozen=True)
class Interval:
    """An interval `[low, high]`: both ends inclusive and finite, `0 <= low <= high`."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (0 <= self.low <= self.high < math.inf):
            raise ValueError(f"[{self.low}, {self.high}] is not 0 <= low <= high < infinity")


@dataclass(frozen=True)
class Forecast:
    """Probabilities of how a run ends, and quantiles of what it will still use if it succeeds.

    Raises:
        ValueError: not 0 <= finish <= success <= 1, or a resource has not five finite quantiles
            from 0 on, none smaller than the one before.

    >>> Forecast(0.65, 0.8, {"tokens": (850, 1100, 1400, 1900, 2600)}).estimate().intervals
    {'tokens': Interval(low=850, high=2600)}
    """

    finish: float
    """The probability that the run succeeds within every budget."""
    success: float
    """The probability that the run succeeds if no budget stops it."""
    quantiles: Mapping[str, tuple[float, ...]]
    """The quantiles, at `QUANTILE_LEVELS`, of what the run will still use if it succeeds, by
    resource."""

    def __post_init__(self) -> None:
        if not 0 <= self.finish <= self.success <= 1:
            raise ValueError(
                f"finish is {self.finish} and success {self.success}; expected 0 <= finish <= "
                "success <= 1"
            )
        for name, amounts in self.quantiles.items():
            is_ordered = all(a <= b for a, b in pairwise((0, *amounts)))
            if len(amounts) != len(QUANTILE_LEVELS) or not is_ordered or amounts[-1] == math.inf:
                raise ValueError(
                    f"quantiles of {name} are {amounts}; expected {len(QUANTILE_LEVELS)} finite "
                    "numbers from 0 on, none smaller than the one before"
                )
        if not self.quantiles:
            raise ValueError("a forecast has quantiles of one resource or more")

    def estimate(self) -> "Estimate":
        """Return the forecast as an answer to the paper's question.

        It is infeasible where `finish` is below one half; else its intervals reach from the lowest
        quantile to the highest.
        """
        if self.finish < FINISH_THRESHOLD:
            return Estimate("infeasible", forecast=self)
        ends = {name: Interval(each[0], each[-1]) for name, each in self.quantiles.items()}
        return Estimate("feasible", ends, forecast=self)


@dataclass(frozen=True)
class Estimate:
    """A parsed answer: intervals, `infeasible`, or invalid with the reason.

    >>> Estimate("feasible", {"tokens": Interval(100, 200)}).intervals["tokens"].high
    200
    """

    verdict: Verdict
    intervals: Mapping[str, Interval] = field(default_factory=dict)
    """The interval of each resource where the verdict is `feasible`, else empty."""
    reason: InvalidReason | Literal[""] = ""
    """The reason why an answer is invalid; empty for a valid one."""
    forecast: Forecast | None = None
    """The forecast that the estimate was made of, where one was asked for and given."""

    def __post_init__(self) -> None:
        if bool(self.intervals) != (self.verdict == "feasible"):
            raise ValueError("an estimate has intervals exactly when its verdict is 'feasible'")
        if (self.reason in INVALID_REASONS) != (self.verdict == "invalid"):
            raise ValueError("an estimate has a reason exactly when its verdict is 'invalid'")


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


def _records(**kinds: pa.DataType) -> pa.ListType:
    """A list of structs in which nothing is ever null."""
    record = pa.struct([_required(name, kind) for name, kind in kinds.items()])
    return pa.list_(_required("element", record))


PAIRS = _records(name=pa.string(), value=pa.float64())
"""`[{name, value}]`: open-ended amounts without a column, or a null, for each."""

SAMPLES = pa.schema(
    [
        _required("sample_id", pa.string()),
        _required("task", pa.string()),
        _required("rollout_model", pa.string()),
        _required("rollout_id", pa.string()),
        _required("instance_id", pa.string()),
        _required("completed_turns", pa.int32()),
        _required("total_turns", pa.int32()),
        _required("prompt_variant", pa.string()),
        _required("prompt", _records(role=pa.string(), content=pa.string())),
        _required(
            "resources",
            _records(
                resource=pa.string(),
                unit=pa.string(),
                budget=pa.float64(),
                used=pa.float64(),
                remaining=pa.float64(),
            ),
        ),
        _required("conditions", PAIRS),
        _required("feasible", pa.bool_()),
        _required("verdict", pa.string()),
        _required("rollout_success", pa.bool_()),
        _required("dropped_turns", pa.int32()),
    ]
)
"""Columns of an estimation sample: a probe and its target.

`verdict` is the one of `GOLD_VERDICTS`, for scorers that compare texts; no prompt has it.
"""

QUESTIONS = pa.schema(
    [
        *map(SAMPLES.field, ("sample_id", "task", "completed_turns", "prompt_variant", "prompt")),
        _required(
            "resources",
            _records(
                resource=pa.string(), unit=pa.string(), budget=pa.float64(), used=pa.float64()
            ),
        ),
        SAMPLES.field("conditions"),
        _required("turns", _records(usage=PAIRS, state=PAIRS)),
    ]
)
"""Columns of a probe of a hidden split, without its target: no more than its prompt says.

`turns` has the usage and the state of each completed turn, which the prompt gives in words.
"""

ROLLOUTS = pa.schema(
    [
        _required("task", pa.string()),
        _required("rollout_model", pa.string()),
        _required("rollout_id", pa.string()),
        _required("instance_id", pa.string()),
        _required("rollout_success", pa.bool_()),
        _required("total_turns", pa.int32()),
        _required("dropped_turns", pa.int32()),
        _required("system", pa.string()),
        _required(
            "turns", _records(user=pa.string(), assistant=pa.string(), usage=PAIRS, state=PAIRS)
        ),
        _required("budget", PAIRS),
        _required("conditions", PAIRS),
    ]
)
"""Columns of a rollout."""

REFERENCE = pa.schema(
    [
        _required("sample_id", pa.string()),
        _required("finish", pa.float64()),
        _required("success", pa.float64()),
        _required(
            "resources",
            _records(
                resource=pa.string(),
                quantiles=pa.list_(_required("element", pa.float64())),
            ),
        ),
    ]
)
"""Columns of a reference forecast of a benchmark sample, quantiles at `QUANTILE_LEVELS`."""
