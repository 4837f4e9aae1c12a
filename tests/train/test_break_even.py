"""GRPO says before its first step whether intervals earn more than `impossible`."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bagen_data.hub import load_samples
from bagen_data.rewards import PAPER, judge
from bagen_data.scoring import score
from bagen_data.submission_writer import (
    PREDICTIONS,
    new_metadata,
    submission_folder,
    write_submission,
)
from tests.train.running import SHORT, fail, run, sft_options, write_yaml
from train.break_even import AnswerSums, BreakEven, break_even, sums_of

AMOUNTS = [{"resource": "tokens", "budget": 900.0, "used": 200.0, "remaining": 400.0}]
IMPOSSIBLE, MISS = "<answer>impossible</answer>", "<answer>[1, 2]</answer>"


def interval(tightness: float) -> str:
    """An interval that covers 400 remaining."""
    return f"<answer>[{400 - 200 * (1 - tightness)}, {400 + 200 * (1 - tightness)}]</answer>"


@pytest.mark.parametrize(
    "weights",
    [
        PAPER,
        {"interval": 1.0, "impossible": 0.4, "format": 0.5},
        {"interval": 2.0, "impossible": 0.4, "feasibility": 0.1},
    ],
)
@pytest.mark.parametrize("feasible", [3, 5, 8])
def test_at_the_break_even_both_answers_earn_the_same(
    weights: dict[str, float], feasible: int
) -> None:
    """Ten prompts, some feasible, answered all with one interval, and all with `impossible`."""
    labels = [n < feasible for n in range(10)]
    bound = break_even(weights, feasible / 10)
    assert bound is not None
    assert 0 <= bound < 1

    def earned(text: str) -> Any:
        return judge([text] * 10, labels, [AMOUNTS] * 10).reward(weights).mean()

    assert earned(interval(bound)) == pytest.approx(earned(IMPOSSIBLE))
    assert earned(interval(min(1, bound + 0.05))) > earned(IMPOSSIBLE)


def test_the_papers_break_even_is_a_ninth() -> None:
    assert break_even(PAPER, 0.5) == pytest.approx(1 / 9)


@pytest.mark.parametrize("weights", [{"impossible": 1.0}, {"interval": 1.0, "other": 1.0}])
def test_a_reward_without_intervals_has_no_break_even(weights: dict[str, float]) -> None:
    assert break_even(weights, 0.5) is None
    assert BreakEven(AnswerSums(answers=4, valid=4), weights, 0.5).lines() == []


def lines(texts: list[str], labels: list[bool]) -> list[str]:
    judged = judge(texts, labels, [AMOUNTS] * len(texts))
    return BreakEven(AnswerSums.of(judged, PAPER), PAPER, 0.5).lines()


def test_the_comparison_in_words() -> None:
    texts = [interval(0.8), MISS, IMPOSSIBLE, MISS, IMPOSSIBLE, "?"]
    assert lines(texts, [True, True, True, False, False, False]) == [
        "6 answers: 83% valid, 33% impossible, 50% intervals",
        "intervals where feasible earn 0.400 of 1, 50% cover x tightness 0.80; break-even is 0.111 "
        "where 50% of prompts are feasible",
        "of the prompts of training that such a model answers with an interval, 67% are feasible; "
        "break-even there is 0.056: intervals earn more than `impossible`",
    ]
    *_, last = lines([interval(0.05), IMPOSSIBLE, *[MISS] * 4], [True] + [False] * 5)
    assert "`impossible` earns more, and GRPO is likely to collapse to it; go on with SFT" in last
    *_, last = lines([IMPOSSIBLE, "?"], [True, False])
    assert last.startswith("no answer is an interval where feasible; break-even is 0.111 where 50%")
    (only,) = lines(["?"], [True])
    assert only.endswith("0% intervals: GRPO has nothing to reward; begin with SFT")


def test_answers_to_other_prompts_than_those_of_training_are_weighed() -> None:
    """Two of ten held-out prompts are feasible, half of training: intervals come to 2/3 of each."""
    texts = [interval(0.2), IMPOSSIBLE, *[MISS] * 2, *[IMPOSSIBLE] * 6]
    *_, last = lines(texts, [True, True, *[False] * 8])
    assert "67% are feasible; break-even there is 0.056: intervals earn more" in last
    *_, last = lines([interval(0.2)] * 2, [True, True])
    assert "50% are feasible; break-even there is 0.111: intervals earn more" in last


def test_coverage_of_several_resources_is_not_called_tightness() -> None:
    """The intervals of time earn without covering the cost; divided by coverage that is 3."""
    amounts = [{**AMOUNTS[0], "resource": name} for name in ("time", "cost")]
    texts = ["<answer>time:[400, 400], cost:[1, 2]</answer>"] * 4
    texts.append("<answer>time:[400, 400], cost:[400, 400]</answer>")
    judged = judge(texts, [True] * 5, [amounts] * 5)
    _, measured, _ = BreakEven(AnswerSums.of(judged, PAPER), PAPER, 0.5).lines()
    assert "intervals where feasible earn 0.600 of 1, 20% cover; break-even" in measured
    judged = judge(texts[4:], [True], [amounts])
    _, measured, _ = BreakEven(AnswerSums.of(judged, PAPER), PAPER, 0.5).lines()
    assert "100% cover x tightness 1.00" in measured


def grpo(dataset: str, model: str, out: Path, **changes: Any) -> Path:
    options = sft_options(dataset, model, out, **SHORT)
    for name in ("target", "max_length"):
        del options[name]
    few = {"num_generations": 4, "max_completion_length": 6, "max_steps": 2, "beta": 0.0}
    saved = {"save_strategy": "steps", "save_steps": 2}
    return write_yaml(out.with_suffix(".yaml"), options | few | saved | changes)


def history(out: Path) -> list[dict[str, float]]:
    state = json.loads((out / "checkpoint-2" / "trainer_state.json").read_bytes())
    return list(state["log_history"])


def test_grpo_is_evaluated_before_its_first_step_and_while_it_runs(
    dataset: str, tiny: str, tmp_path: Path
) -> None:
    """Evaluation on a held-out part, here of another task, does not change the steps."""
    evaluated = {"evaluate_on": ["searchr1_train"], "eval_strategy": "steps", "eval_steps": 1}
    watched, plain = tmp_path / "watched", tmp_path / "plain"
    written = run("train/grpo.py", "--config", grpo(dataset, tiny, watched, **evaluated))
    assert "before step 1: 24 answers: 0% valid, 0% impossible, 0% intervals: GRPO has" in written
    assert "searchr1_train/heldout: " in written
    run("train/grpo.py", "--config", grpo(dataset, tiny, plain, break_even_prompts=0))
    evaluations = [entry for entry in history(watched) if "eval_loss" in entry]
    assert [entry["step"] for entry in evaluations] == [0, 1, 2]
    for entry in evaluations:
        assert {"eval_valid_rate", "eval_impossible_rate", "eval_frac_reward_zero_std"} <= set(
            entry
        )
        assert entry["eval_break_even"] == pytest.approx(1 / 9)
    first_steps = [
        next(entry["entropy"] for entry in history(out) if "entropy" in entry)
        for out in (watched, plain)
    ]
    assert first_steps[0] == pytest.approx(first_steps[1], abs=1e-6)


def test_a_batch_that_holds_no_whole_group_is_refused(
    dataset: str, tiny: str, tmp_path: Path
) -> None:
    config = grpo(dataset, tiny, tmp_path / "out", per_device_eval_batch_size=6)
    written = fail("train/grpo.py", "--config", config, code=2)
    assert "per_device_eval_batch_size is 6, on 1 processes 6 answers; expected a" in written


def test_an_evaluations_answers_are_compared(dataset: str, tmp_path: Path) -> None:
    """The command takes a folder of `train/evaluate.py`."""
    samples = load_samples(dataset, "sokoban")
    rows = samples.table.to_pylist()
    texts = [
        f"<answer>[0, {row['resources'][0]['remaining'] * 1.5}]</answer>" if n % 3 else IMPOSSIBLE
        for n, row in enumerate(rows)
    ]
    answers = [
        {"sample_id": row["sample_id"], "response": text}
        for row, text in zip(rows, texts, strict=True)
    ]
    with submission_folder(tmp_path / "said", "a model") as held:
        known = {"model_id": "m", "decoding": {}, "trained_on": "train"}
        variant = "interval_no_think"
        metadata = new_metadata(None, estimator="a model", prompt_variant=variant, **known)
        write_submission(held, metadata, {PREDICTIONS: answers})
    scores = score(samples.table, answers, resamples=0).overall
    responses = {row["sample_id"]: row["response"] for row in answers}
    comparison = BreakEven(sums_of(samples, responses, PAPER), PAPER, 0.5)
    fewer = replace(samples, table=samples.table.drop_columns(["rollout_success"]))
    assert sums_of(fewer, responses, PAPER) == comparison.sums
    among = scores["recall_feasible"].value or 0
    assert comparison.worth == pytest.approx((scores["reward"].value or 0) / among)
    asked = ("--dataset", dataset, "--config", "sokoban", "--split")
    written = run("train/break_even.py", tmp_path / "said", *asked, "test")
    assert written.splitlines()[-3:] == comparison.lines()
    message = fail("train/break_even.py", tmp_path / "said", "--dataset", dataset)
    assert "samples have no answer; give the --dataset, --config and --split" in message
