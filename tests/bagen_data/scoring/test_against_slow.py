"""Columns and loops agree: every score of every family, on every kind of answer."""

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any, get_args

import pytest

from bagen_data.schema import Question
from bagen_data.scoring import Report, Score, score
from bagen_data.scoring.all_scores import BENCHMARK_MODULES, SECTIONS
from tests.bagen_data.scoring import slow, slow_questions
from tests.bagen_data.scoring.scoring_cases import (
    SEVERAL,
    TOKENS,
    answers,
    family,
    predictions,
    reference_rows,
    start_rows,
)

MANY = 30_000


def assert_equal(scores: Mapping[str, Score], expected: Mapping[str, slow.Score]) -> None:
    for name, (value, n) in expected.items():
        score = scores[name]
        assert score.n == n, name
        assert (score.value is None) == (value is None), name
        if value is not None and score.value is not None:
            assert math.isclose(score.value, value, rel_tol=1e-12, abs_tol=1e-12), name


def test_every_score_of_the_benchmark_is_written_twice() -> None:
    rows, responses = family(random.Random(0), TOKENS)
    by_id = dict(zip((row["sample_id"] for row in rows), responses, strict=True))
    own = [name for module in BENCHMARK_MODULES for name in SECTIONS[module]]
    assert sorted(own) == sorted(slow_questions.scores(rows, by_id))


def assert_families_equal(
    report: Report, families: Mapping[str, tuple[list[dict[str, Any]], list[str]]]
) -> None:
    expected = {}
    for name, (rows, responses) in families.items():
        by_id = dict(zip((row["sample_id"] for row in rows), responses, strict=True))
        expected[name] = slow_questions.scores(rows, by_id)
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
        rows_and_responses = family(rng, resources, 1_500, task=task, model=name)
        families[f"{task}/{name}"] = rows_and_responses
        rows += rows_and_responses[0]
        responses += rows_and_responses[1]
    report = score(rows, predictions(rows, responses), resamples=0)
    reasons = {
        reason for counts in report.invalid.values() for reason, count in counts.items() if count
    }
    assert len(reasons) == 7
    assert_families_equal(report, families)


Rows = list[dict[str, Any]]


def as_forecasts(reference: Rows) -> slow_questions.Reference:
    return {
        row["sample_id"]: (
            row["finish"],
            row["success"],
            {each["resource"]: each["quantiles"] for each in row["resources"]},
        )
        for row in reference
    }


def largest_difference(
    report: Report, name: str, rows: Rows, responses: Sequence[str], question: str, reference: Rows
) -> float:
    """Hold one family's scores against the loops; the largest difference, relative above 1."""
    by_id = dict(zip((row["sample_id"] for row in rows), responses, strict=True))
    expected = slow_questions.scores(rows, by_id, question, as_forecasts(reference))
    scores = report.families[name]
    assert_equal(scores, expected)
    return max(
        abs((scores[key].value or 0) - value) / max(1, abs(value))
        for key, (value, _) in expected.items()
        if value is not None
    )


@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
@pytest.mark.parametrize("question", ["interval", "point", "forecast"])
@pytest.mark.parametrize("seed", range(8))
def test_every_question(seed: int, question: Question, resources: Sequence[str]) -> None:
    rng = random.Random(seed)
    rows = family(rng, resources)[0]
    if seed % 4 == 3:
        rows = start_rows(rows)
    responses = answers(rng, rows, question)
    reference = reference_rows(rng, rows) if seed % 2 else []
    report = score(
        rows,
        predictions(rows, responses),
        question=question,
        reference=rng.sample(reference, len(reference)) or None,
        resamples=0,
    )
    largest_difference(report, "t/m", rows, responses, question, reference)


def differences_of_many(number: int, seed: int) -> Mapping[str, float]:
    """Score that many random samples of each question twice; the largest difference by question.

    A million takes some minutes:

        python -c "from tests.bagen_data.scoring.test_against_slow import differences_of_many
        print(differences_of_many(1_000_000, seed=0))"
    """
    rng = random.Random(seed)
    largest: dict[str, float] = {}
    for question in get_args(Question):
        done = families = 0
        while done < number:
            resources, task = (SEVERAL, "w") if families % 5 == 4 else (TOKENS, "t")
            rows = family(rng, resources, 1_000, task=task)[0]
            rows += start_rows(rows)
            responses, reference = answers(rng, rows, question), reference_rows(rng, rows)
            report = score(
                rows,
                predictions(rows, responses),
                question=question,
                reference=reference,
                resamples=0,
            )
            difference = largest_difference(
                report, f"{task}/m", rows, responses, question, reference
            )
            largest[question] = max(difference, largest.get(question, 0.0))
            done += len(rows)
            families += 1
    return largest


def test_thousands_of_each_question() -> None:
    assert max(differences_of_many(4_000, seed=1).values()) <= 1e-12
