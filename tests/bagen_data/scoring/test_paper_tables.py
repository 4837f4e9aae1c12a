"""The paper's early-stop tables, as identities of our scores.

Figures in here are from Tables 3 and 6 of the paper.
"""

import csv
from collections import defaultdict
from typing import Any

import pytest

from bagen_data.scoring import score
from tests.bagen_data.scoring.scoring_cases import predictions, sample
from tests.making import SHARED

TABLES = SHARED.parent / "paper_tables"
needs_tables = pytest.mark.skipif(
    not TABLES.is_dir(), reason="no tables of the paper beside the clone"
)
COUNTS = ("false_aborts", "samples", "stopped_failed_rollouts", "failed_rollouts")
GPT_5_2 = {  # task: false aborts, samples, stopped failed rollouts, failed rollouts; saved
    "searchr1": (0, 324, 0, 41, 0.000),
    "sokoban": (7, 661, 48, 83, 0.305),
    "warehouse": (176, 1279, 64, 64, 0.909),
}
SUMMED = (183, 2264, 112, 188)


def rows_of(name: str) -> list[dict[str, str]]:
    with (TABLES / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@needs_tables
def test_table_3_is_table_6_summed() -> None:
    summed: dict[str, list[int]] = defaultdict(lambda: [0] * len(COUNTS))
    for row in rows_of("table6_early_stop_by_task.csv"):
        for position, name in enumerate(COUNTS):
            summed[row["model"]][position] += int(row[name])
    for row in rows_of("table3_early_stop.csv"):
        assert summed[row["model"]] == [int(row[name]) for name in COUNTS]
        rate = int(row["false_aborts"]) / int(row["samples"])
        assert float(row["false_abort_rate"]) == pytest.approx(rate, abs=6e-4)


def early_stop(
    task: str, false_aborts: int, samples: int, stopped: int, failed: int, saved: float
) -> tuple[list[dict[str, Any]], list[str]]:
    """Samples and answers with just these counts: failing rollouts of one sample each, and one
    feasible rollout of all the others, of which the first are answered `impossible`."""
    rows, responses = [], []
    for number in range(failed):
        spent_after = saved * failed / stopped if stopped else 0.5
        rows.append(
            sample(
                f"{task}/m/failed{number}/1",
                feasible=False,
                rollout_success=False,
                used=1_000 * (1 - spent_after),
                remaining=1_000 * spent_after,
            )
        )
        responses.append("<answer>impossible</answer>" if number < stopped else "no idea")
    for k in range(1, samples - failed + 1):
        rows.append(sample(f"{task}/m/feasible/{k}", rollout_success=True))
        responses.append(
            "<answer>impossible</answer>" if k <= false_aborts else "<answer>[1, 2]</answer>"
        )
    return rows, responses


def test_known_early_stops_give_the_tables_figures() -> None:
    rows, responses = [], []
    for task, counts in GPT_5_2.items():
        own, answers = early_stop(task, *counts)
        rows += own
        responses += answers
    report = score(rows, predictions(rows, responses), resamples=0)
    for task, (false_aborts, samples, stopped, failed, saved) in GPT_5_2.items():
        scores = report.tasks[task]
        assert scores["false_abort_rate"].value == false_aborts / samples
        assert scores["false_abort_rate"].n == samples
        assert scores["paper_stopped_failed"].value == stopped / failed
        assert scores["paper_stopped_failed"].n == failed
        assert scores["paper_saved_rate"].value == pytest.approx(saved, abs=1e-12)
        assert scores["success_drop"].value == (false_aborts > 0) / (failed + 1)
    false_aborts, samples, stopped, failed = SUMMED
    assert report.overall["false_abort_rate"].value == false_aborts / samples
    assert report.overall["paper_stopped_failed"].value == stopped / failed
    pooled = sum(saved * failed for *_, failed, saved in GPT_5_2.values()) / failed
    assert report.overall["paper_saved_rate"].value == pytest.approx(pooled, abs=1e-12)


@pytest.mark.parametrize(
    ("feasible_hit", "feasible_miss", "false_alarm", "infeasible_found", "overlooked", "invalid"),
    [(7, 3, 2, 5, 4, 1), (0, 4, 0, 6, 0, 2), (3, 0, 5, 0, 8, 0), (50, 31, 19, 27, 11, 6)],
)
def test_a_known_confusion_matrix(
    feasible_hit: int,
    feasible_miss: int,
    false_alarm: int,
    infeasible_found: int,
    overlooked: int,
    invalid: int,
) -> None:
    kinds = [
        (True, "<answer>[400, 440]</answer>", feasible_hit),
        (True, "<answer>[500, 600]</answer>", feasible_miss),
        (True, "<answer>impossible</answer>", false_alarm),
        (False, "<answer>impossible</answer>", infeasible_found),
        (False, "<answer>[300, 500]</answer>", overlooked),
        (False, "no answer", invalid),
    ]
    rows, responses = [], []
    for feasible, response, count in kinds:
        for _ in range(count):
            rows.append(sample(f"t/m/r{len(rows)}/1", feasible=feasible, rollout_success=feasible))
            responses.append(response)
    scores = score(rows, predictions(rows, responses), resamples=0).overall
    answered = feasible_hit + feasible_miss
    feasible, infeasible = answered + false_alarm, infeasible_found + overlooked + invalid
    f1 = [
        2 * answered / (answered + overlooked + feasible),
        2 * infeasible_found / (infeasible_found + false_alarm + infeasible),
    ]
    exact = {
        "macro_f1": (f1[0] + f1[1]) / 2,
        "fail_f1": f1[1],
        "accuracy": (answered + infeasible_found) / (feasible + infeasible),
        "recall_feasible": answered / feasible,
        "recall_infeasible": infeasible_found / infeasible,
        "hit_rate": feasible_hit / feasible,
        "coverage": feasible_hit / answered,
        "reward": 0.9 * feasible_hit / feasible,
        "conservative": feasible_miss / answered,
        "paper_hit_rate": feasible_hit / feasible,
        "paper_reward": 0.9 * feasible_hit / feasible,
        "rl_reward": (1.62 * feasible_hit + 0.2 * infeasible_found) / (feasible + infeasible),
        "accuracy_balanced": (answered / feasible + infeasible_found / infeasible) / 2,
        "rl_reward_balanced": 0.81 * feasible_hit / feasible + 0.1 * infeasible_found / infeasible,
    }
    for name, value in exact.items():
        assert scores[name].value == pytest.approx(value, abs=1e-12), name


def test_scores_equal_scikit_learns_and_mapies() -> None:
    import numpy as np
    from mapie.metrics.regression import regression_mwi_score
    from sklearn.metrics import f1_score, mean_pinball_loss

    from bagen_data.scoring.interval_formulas import interval_score

    generator = np.random.default_rng(0)
    for _ in range(20):
        truth, said = generator.integers(0, 2, 50), generator.integers(0, 3, 50)
        texts = ["<answer>impossible</answer>", "<answer>[1, 2]</answer>", "what?"]
        rows = [sample(f"t/m/r{n}/1", feasible=bool(each)) for n, each in enumerate(truth)]
        scores = score(rows, predictions(rows, [texts[each] for each in said]), resamples=0).overall
        options = {"labels": [0, 1], "zero_division": 0}
        expected = f1_score(truth, said, average="macro", **options)
        assert scores["macro_f1"].value == pytest.approx(expected, abs=1e-12)
        expected = f1_score(truth, said, average=None, **options)[0]
        assert scores["fail_f1"].value == pytest.approx(expected, abs=1e-12)
    low, high = np.sort(generator.lognormal(size=(2, 500)), axis=0)
    value = generator.lognormal(size=500)
    for alpha in (0.1, 0.2, 0.5):
        ours = interval_score(low, high, value, alpha).mean()
        theirs = regression_mwi_score(value, np.stack([low, high], axis=1)[..., None], 1 - alpha)
        pinballs = mean_pinball_loss(value, low, alpha=alpha / 2)
        pinballs += mean_pinball_loss(value, high, alpha=1 - alpha / 2)
        assert ours == pytest.approx(theirs, abs=1e-12)
        assert ours == pytest.approx(2 / alpha * pinballs, abs=1e-12)
