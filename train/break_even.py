"""Say how good an interval has to be to earn more than `impossible`, and whether a model's are.

    python train/break_even.py out/sokoban_pct30_said --dataset MLL-Lab/BAGEN \
        --config sokoban_train --split heldout

The folder is one that `train/evaluate.py` wrote of the model that GRPO is to begin with. GRPO
prints the same of answers that it samples before its first step.
"""

import sys
from collections.abc import Mapping
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

import numpy as np
import typer

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, INVALID
from bagen_data.array_types import Floats
from bagen_data.command_line import new_app, run
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.published import HUB_ID
from bagen_data.rewards import JudgedAnswers
from bagen_data.schema import Question

if TYPE_CHECKING:
    from bagen_data.hub import LoadedSamples

Weights = Mapping[str, float]
"""Weights of the parts of a reward, by their names in `bagen_data.rewards.PARTS`."""
INTERVAL_PARTS = ("interval", "closeness")
"""Parts that an interval earns the better it is; 0 for any other answer."""
_CLASS_PARTS = ("feasibility", "impossible", "format")
BALANCED = 0.5
"""The share of feasible prompts where training rows are balanced."""
app = new_app((__doc__ or "").partition("\n")[0])


def break_even(weights: Weights, feasible_share: float) -> float | None:
    """Return how good intervals have to be to earn as much as `impossible` does.

    A share q of the prompts is feasible. With the weights of the parts, an interval then earns
    `q (feasibility + W x worth)` and `impossible` earns `(1 - q) (feasibility + impossible)`, where
    W is the weight of `interval` and `closeness` together, and worth is `interval_worth`. Each
    earns `format`, too. The two are equal at

        worth = ((1 - q) / q x (feasibility + impossible) - feasibility) / W

    which is 0.2 / 1.8 = 0.111 under the paper's reward where half of the prompts are feasible.

    Args:
        weights: of the reward.
        feasible_share: q.

    Returns:
        None where the reward has other parts, or none that intervals earn, and where no prompt is
        feasible.

    >>> from bagen_data.rewards import PAPER
    >>> round(break_even(PAPER, 0.5), 3), round(break_even(PAPER, 0.8), 3)
    (0.111, 0.028)
    """
    earned = sum(weights.get(name, 0.0) for name in INTERVAL_PARTS)
    if earned <= 0 or not feasible_share or not {*INTERVAL_PARTS, *_CLASS_PARTS} >= weights.keys():
        return None
    of_class, of_stop = weights.get("feasibility", 0.0), weights.get("impossible", 0.0)
    return ((1 - feasible_share) / feasible_share * (of_class + of_stop) - of_class) / earned


def interval_worth(judged: JudgedAnswers, weights: Weights) -> Floats:
    """Return the earnings of intervals where feasible, (a,), as shares of the best one's.

    Under the paper's reward it is coverage x tightness.
    """
    earned = sum(weights.get(name, 0.0) for name in INTERVAL_PARTS)
    total = np.zeros(int(judged.is_interval.sum()))
    for name in INTERVAL_PARTS:
        if weights.get(name):
            total += weights[name] / earned * judged.parts[name][judged.is_interval]
    return total


@dataclass(frozen=True)
class AnswerSums:
    """Sums over answers, which add up over batches and processes."""

    answers: float = 0
    valid: float = 0
    impossible: float = 0
    intervals: float = 0
    """Answers that give intervals, where feasible or not."""
    feasible: float = 0
    """Answers of any kind where feasible."""
    feasible_intervals: float = 0
    """Answers that give intervals where feasible."""
    covered: float = 0
    """Answers that give intervals where feasible, and cover every resource."""
    worth: float = 0
    """The sum of what the intervals where feasible earn: see `interval_worth`."""
    worth_covered: float = 0
    """The part of `worth` that intervals which cover every resource earn."""

    @classmethod
    def of(cls, judged: JudgedAnswers, weights: Weights) -> "AnswerSums":
        """Sum up some answers."""
        worth = interval_worth(judged, weights)
        columns = (
            np.ones(len(judged.verdict)),
            judged.verdict != INVALID,
            judged.verdict == INFEASIBLE,
            judged.verdict == FEASIBLE,
            judged.is_feasible,
            judged.is_interval,
            judged.is_covered,
            worth,
            worth[judged.is_covered[judged.is_interval]],
        )
        return cls(*(float(column.sum()) for column in columns))

    def __add__(self, other: "AnswerSums") -> "AnswerSums":
        return AnswerSums(*(a + b for a, b in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True)
class BreakEven:
    """The answers of a model beside the break-even of a reward."""

    sums: AnswerSums
    """Sums over the model's answers."""
    weights: Weights
    """The weights of the reward."""
    feasible_share: float
    """The share of the prompts of training that are feasible."""

    @property
    def worth(self) -> float | None:
        """The mean share that an interval earns where feasible; None without an interval there."""
        if not self.sums.feasible_intervals:
            return None
        return self.sums.worth / self.sums.feasible_intervals

    def lines(self) -> list[str]:
        """Say the shares of answers, and the comparison; nothing without a break-even."""
        bound = break_even(self.weights, self.feasible_share)
        sums = self.sums
        if bound is None or not sums.answers:
            return []
        shares = (
            f"{sums.answers:,.0f} answers: {sums.valid / sums.answers:.0%} valid, "
            f"{sums.impossible / sums.answers:.0%} impossible, "
            f"{sums.intervals / sums.answers:.0%} intervals"
        )
        at = f"break-even is {bound:.3f} where {self.feasible_share:.0%} of prompts are feasible"
        if not sums.valid:
            return [f"{shares}: GRPO has nothing to reward; begin with SFT"]
        if self.worth is None:
            return [shares, f"no answer is an interval where feasible; {at}: {_ADVICE}"]
        measured = f"intervals where feasible earn {self.worth:.3f} of 1, {self._coverage()}; {at}"
        among = self._feasible_among_intervals()
        own = break_even(self.weights, among)
        there = (
            "of the prompts of training that such a model answers with an interval, "
            f"{among:.0%} are feasible; break-even there is {own:.3f}: "
        )
        is_paid = own is not None and self.worth > own
        return [shares, measured, there + (_PAID if is_paid else _ADVICE)]

    def _feasible_among_intervals(self) -> float:
        """Return the share of feasible prompts among those of training that get an interval.

        The answers may be to other prompts, with another share of feasible ones (the held-out part
        is not balanced). So the rates of intervals where feasible and where not are taken from
        them, and the share of feasible prompts from training. Both rates count as the same where
        all prompts that were answered are feasible.
        """
        sums, share = self.sums, self.feasible_share
        where_feasible = sums.feasible_intervals / sums.feasible
        others = sums.answers - sums.feasible
        where_not = (
            (sums.intervals - sums.feasible_intervals) / others if others else where_feasible
        )
        feasible, infeasible = share * where_feasible, (1 - share) * where_not
        return feasible / (feasible + infeasible)

    def _coverage(self) -> str:
        """Say how many cover, and how tightly, where nothing else is earned.

        Of several resources, those that are covered earn where others are not.
        """
        sums = self.sums
        covered = sums.covered / sums.feasible_intervals
        is_partial = sums.worth > sums.worth_covered * (1 + 1e-6)
        if self.weights.get("closeness") or not sums.covered or is_partial:
            return f"{covered:.0%} cover"
        return f"{covered:.0%} cover x tightness {sums.worth / sums.covered:.2f}"


_PAID = "intervals earn more than `impossible`"
_ADVICE = (
    "`impossible` earns more, and GRPO is likely to collapse to it; go on with SFT, give rewards: "
    "dense, or raise the weight of interval"
)


@app.command()
def main(
    answers: Annotated[Path, typer.Argument(help="A folder that train/evaluate.py wrote.")],
    dataset: Annotated[
        str, typer.Option(help="The dataset that was asked: a folder, ORG/NAME or ORG/NAME@REV.")
    ] = HUB_ID,
    config: Annotated[str, typer.Option(help="The config that was asked.")] = "sokoban_train",
    split: Annotated[str, typer.Option(help="The split that was asked.")] = "heldout",
    rewards: Annotated[
        str, typer.Option(help="The reward of GRPO: its name, or weights of parts in JSON.")
    ] = "paper",
    feasible_share: Annotated[
        float, typer.Option(help="Share of GRPO's prompts that are feasible, 0 to 1.")
    ] = BALANCED,
) -> None:
    """Compare a model's answers with the break-even of a reward."""
    from bagen_data.hub import load_samples
    from bagen_data.prompt_variants import question_of
    from bagen_data.submission_writer import PREDICTIONS
    from bagen_data.submissions import METADATA, read_metadata
    from bagen_data.tables import read_jsonl
    from train.training_options import reward_weights

    if not 0 < feasible_share < 1:
        raise WrongUsageError(
            f"--feasible-share {feasible_share}: expected more than 0 and less than 1"
        )
    weights = reward_weights(rewards)
    responses = {row["sample_id"]: row["response"] for row in read_jsonl(answers / PREDICTIONS)}
    samples = load_samples(dataset, config, split)
    question = question_of(read_metadata(answers / METADATA).prompt_variant)
    sums = sums_of(samples, responses, weights, question)
    lines = BreakEven(sums, weights, feasible_share).lines()
    print("\n".join(lines or ["this reward has no break-even: no part of it is of intervals"]))


def sums_of(
    samples: "LoadedSamples",
    responses: Mapping[str, str],
    weights: Weights,
    question: Question = "interval",
) -> AnswerSums:
    """Sum up the answers to the samples with something remaining.

    Args:
        samples: of the dataset.
        responses: raw texts by `sample_id`.
        weights: of the reward.
        question: what was asked.

    Raises:
        InputError: a sample has no answer.
    """
    from bagen_data.rewards import judge

    known = ("sample_id", "feasible", "resources", "rollout_success")
    columns = [name for name in known if name in samples.table.column_names]
    rows: list[dict[str, Any]] = [
        row
        for row in samples.table.select(columns).to_pylist()
        if any(amount["remaining"] for amount in row["resources"])
    ]
    missing = sum(row["sample_id"] not in responses for row in rows)
    if missing:
        raise InputError(
            f"{missing:,} of {len(rows):,} samples have no answer; give the --dataset, --config "
            "and --split that were asked"
        )
    judged = judge(
        [responses[row["sample_id"]] for row in rows],
        [row["feasible"] for row in rows],
        [row["resources"] for row in rows],
        [question] * len(rows),
        [row.get("rollout_success", row["feasible"]) for row in rows],
    )
    return AnswerSums.of(judged, weights)


if __name__ == "__main__":
    run(app)
