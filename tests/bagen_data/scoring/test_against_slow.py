"""Columns and loops agree: every score of every family, on every kind of answer."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from bagen_data.scoring import Report, Score, score
from bagen_data.scoring.all_scores import BENCHMARK_MODULES, SECTIONS
from tests.bagen_data.scoring import slow
from tests.bagen_data.scoring.scoring_cases import SEVERAL, TOKENS, family, predictions

MANY = 60_000


def assert_equal(found: Mapping[str, Score], expected: Mapping[str, slow.Score]) -> None:
    for name, (value, n) in expected.items():
        score = found[name]
        assert score.n == n, name
        assert (score.value is None) == (value is None), name
        if value is not None and score.value is not None:
            assert math.isclose(score.value, value, rel_tol=1e-12, abs_tol=1e-12), name


def test_every_score_of_the_benchmark_is_written_twice() -> None:
    rows, responses = family(random.Random(0), TOKENS)
    by_id = dict(zip((row["sample_id"] for row in rows), responses, strict=True))
    own = [name for module in BENCHMARK_MODULES for name in SECTIONS[module]]
    assert sorted(own) == sorted(slow.scores(rows, by_id))


def assert_families_equal(
    report: Report, families: Mapping[str, tuple[list[dict[str, Any]], list[str]]]
) -> None:
    expected = {}
    for name, (rows, responses) in families.items():
        by_id = dict(zip((row["sample_id"] for row in rows), responses, strict=True))
        expected[name] = slow.scores(rows, by_id)
        assert report.families[name].keys() >= expected[name].keys()
        assert_equal(report.families[name], expected[name])


@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
@pytest.mark.parametrize("seed", range(20))
def test_one_family(seed: int, resources: Sequence[str]) -> None:
    rows, responses = family(random.Random(seed), resources)
    report = score(rows, predictions(rows, responses), resamples=0)
    assert_families_equal(report, {"t/m": (rows, responses)})
    by_id = dict(zip((row["sample_id"] for row in rows), responses, strict=True))
    expected = slow.progress(rows, by_id)
    for part, bin_scores in zip(report.progress["t"].values(), expected, strict=True):
        assert_equal(part, {"coverage" if k == "hit" else k: v for k, v in bin_scores.items()})


def test_groups_are_means_and_early_stop_is_summed() -> None:
    rng = random.Random(0)
    families = {
        "a/m": family(rng, TOKENS, 5, task="a", model="m"),
        "a/n": family(rng, TOKENS, 50, task="a", model="n"),
        "b/m": family(rng, TOKENS, 20, task="b", model="m"),
        "c/m": family(rng, SEVERAL, 20, task="c", model="m"),
    }
    rows = [row for rows, _ in families.values() for row in rows]
    responses = [text for _, texts in families.values() for text in texts]
    by_id = dict(zip((row["sample_id"] for row in rows), responses, strict=True))
    report = score(rows, predictions(rows, responses), resamples=10)
    tasks = {}
    for task in "abc":
        own = [row for row in rows if row["task"] == task]
        means = slow.macro(
            [slow.scores(each, by_id) for name, (each, _) in families.items() if name[0] == task]
        )
        tasks[task] = means | slow.early_stop(own, by_id)
        assert_equal(report.tasks[task], tasks[task])
    stopped = slow.early_stop(rows, by_id)
    assert_equal(report.overall, slow.macro(list(tasks.values())) | stopped)


def test_many_rows() -> None:
    rng = random.Random(1)
    families, rows, responses = {}, [], []
    while len(rows) < MANY:
        name = f"m{len(families)}"
        resources, task = (SEVERAL, "w") if len(families) % 5 == 4 else (TOKENS, "t")
        found = family(rng, resources, 3_000, task=task, model=name)
        families[f"{task}/{name}"] = found
        rows += found[0]
        responses += found[1]
    report = score(rows, predictions(rows, responses), resamples=0)
    reasons = {
        reason for counts in report.invalid.values() for reason, count in counts.items() if count
    }
    assert len(reasons) == 7
    assert_families_equal(report, families)
