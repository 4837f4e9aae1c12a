"""The reference that skills are relative to, and the question that answers are read by."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from bagen_data.answer_columns import FEASIBLE, INFEASIBLE, INVALID
from bagen_data.errors import InputError
from bagen_data.schema import Question
from bagen_data.scoring import compare, score
from bagen_data.scoring.match_predictions import match_predictions, reader_in_memory
from bagen_data.scoring.sample_table import SampleTable
from tests.bagen_data.scoring.scoring_cases import (
    SEVERAL,
    TOKENS,
    answers,
    family,
    predictions,
    reference_rows,
    sample,
)

FORECAST = "<answer>finish=0.7, success=0.8, tokens=[100, 200, 300, 400, 500]</answer>"
SKILLS = ("brier_skill", "wis_skill", "curve_skill")


def forecast_of(row: dict[str, Any], **changes: Any) -> dict[str, Any]:
    resources = [
        {"resource": each["resource"], "quantiles": [1.0, 2.0, 3.0, 4.0, 5.0]}
        for each in row["resources"]
    ]
    plain = {"sample_id": row["sample_id"], "finish": 0.5, "success": 0.5, "resources": resources}
    return plain | changes


@pytest.mark.parametrize("resources", [TOKENS, SEVERAL])
def test_the_reference_itself_has_a_skill_of_0(resources: Sequence[str]) -> None:
    rng = random.Random(0)
    rows = family(rng, resources)[0]
    reference = []
    responses = []
    for row in rows:
        finish, success = sorted([round(rng.random(), 3), round(rng.random(), 3)])
        amounts = {
            each["resource"]: sorted(rng.sample(range(5000), 5)) for each in row["resources"]
        }
        parts = [f"{name}={quantiles}" for name, quantiles in amounts.items()]
        responses.append(f"<answer>finish={finish}, success={success}, {', '.join(parts)}</answer>")
        listed = [
            {"resource": name, "quantiles": list(map(float, quantiles))}
            for name, quantiles in amounts.items()
        ]
        rng.shuffle(listed)
        reference.append(
            {
                "sample_id": row["sample_id"],
                "finish": finish,
                "success": success,
                "resources": listed,
            }
        )
    answered = predictions(rows, responses)
    overall = score(rows, answered, reference=reference, question="forecast", resamples=0).overall
    for name in SKILLS[: 3 if len(resources) == 1 else 2]:
        assert overall[name].value == pytest.approx(0, abs=1e-14), name
        assert overall[name].n > 0
    both = compare(rows, answered, answered, reference=reference, question="forecast", resamples=10)
    assert both.overall["wis_skill"].difference == 0


def test_without_a_reference_skills_have_no_value_and_wis_needs_valid_answers() -> None:
    rows = [sample(f"t/m/r{n}/1", feasible=n > 0, rollout_success=n > 0) for n in range(3)]
    texts = ["", FORECAST, FORECAST]
    overall = score(rows, predictions(rows, texts), question="forecast", resamples=0).overall
    for name in SKILLS:
        assert (overall[name].value, overall[name].n) == (None, 0)
    assert overall["wis"].n == 2  # the invalid answer is about a rollout that did not succeed
    overall = score(rows, predictions(rows, texts[::-1]), question="forecast", resamples=0).overall
    assert (overall["wis"].value, overall["wis"].n) == (None, 0)
    assert overall["brier"].value == pytest.approx((0.49 + 0.09 + 1) / 3)


def test_a_reference_may_have_more_rows_in_any_order_and_of_any_kind() -> None:
    rng = random.Random(0)
    rows = family(rng, SEVERAL, task="a")[0] + family(rng, TOKENS, task="b")[0]
    responses = answers(rng, rows, "forecast")
    reference = reference_rows(rng, rows)
    some = [n for n, row in enumerate(rows) if row["rollout_id"] < "r00020"]
    chosen = [rows[n] for n in some]
    answered = predictions(chosen, [responses[n] for n in some])

    def scored(reference: Any) -> Any:
        return score(chosen, answered, reference=reference, question="forecast", resamples=0)

    expected = scored([reference[n] for n in some])
    assert expected.overall["wis_skill"].value is not None
    assert scored(rng.sample(reference, len(reference))) == expected
    table = pa.Table.from_pylist(reference)
    assert scored(table) == scored(pa.concat_tables([table.slice(9), table.slice(0, 9)]))
    assert scored(pd.DataFrame(reference)) == expected
    [some_skill] = [
        scored([row for row in reference if row["sample_id"].startswith("a/")]).tasks[task][
            "brier_skill"
        ]
        for task in "b"
    ]
    assert (some_skill.value, some_skill.n) == (None, 0)


def changed(**changes: Any) -> Callable[[list[dict[str, Any]]], Any]:
    return lambda rows: [rows[0] | changes, *rows[1:]]


def with_quantiles(*quantiles: float | None, name: str = "tokens") -> Callable[..., Any]:
    return changed(resources=[{"resource": name, "quantiles": list(quantiles)}])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda rows: rows[1:], "sample 't/m/r0/1' is missing, and others"),
        (lambda rows: [*rows, rows[0]], "sample 't/m/r0/1' has two rows"),
        (changed(finish=None), "row 0: finish is missing"),
        (changed(finish=1.5), "sample 't/m/r0/1' has a finish of 1.5; expected 0 to 1"),
        (changed(success=float("nan")), "has a success of nan"),
        (
            lambda rows: [row | {"success": "a"} for row in rows],
            "success is a column of string; expected numbers from 0 to 1",
        ),
        (changed(resources=[]), "forecasts of other resources"),
        (with_quantiles(1, 2, 3, 4, 5, name="usd"), "forecasts of other resources"),
        (with_quantiles(1, 2, 3, 4), "a resource has 4 quantiles; expected 5"),
        (with_quantiles(1, 2, 3, 5, 4), "expected finite numbers from 0 on, none smaller"),
        (with_quantiles(-1, 2, 3, 4, 5), "expected finite numbers from 0 on, none smaller"),
        (with_quantiles(1, 2, 3, 4, float("inf")), "expected finite numbers"),
        (with_quantiles(1, 2, 3, 4, float("nan")), "expected finite numbers"),
        (with_quantiles(1, 2, 3, 4, None), "a quantile is missing"),
        (changed(resources=None), "resources is missing"),
        (lambda rows: [{"sample_id": row["sample_id"]} for row in rows], "no column 'finish'"),
        (
            lambda rows: [row | {"resources": row["resources"] * 2} for row in rows],
            "forecasts of other resources than the sample; expected one of each: tokens",
        ),
    ],
)
def test_a_reference_that_cannot_be_used_is_refused(
    change: Callable[[list[dict[str, Any]]], Any], message: str
) -> None:
    rows = [sample(f"t/m/r{n}/1") for n in range(3)]
    reference = change([forecast_of(row) for row in rows])
    with pytest.raises(InputError, match=f"reference: .*{message}"):
        score(rows, predictions(rows, [FORECAST] * 3), reference=reference, question="forecast")


def test_answers_to_another_question_are_refused_where_none_was_named() -> None:
    rows = [sample(f"t/m/r{n}/1") for n in range(3)]
    answered = predictions(rows, [FORECAST, "", ""])
    intervals = predictions(rows, ["<answer>[1, 2]</answer>"] * 3)
    message = "look like answers to 'forecast'; pass question='forecast'"
    with pytest.raises(InputError, match=message):
        score(rows, answered)
    with pytest.raises(InputError, match=f"second: .*{message}"):
        compare(rows, intervals, answered)
    assert score(rows, answered, question="interval").overall["valid_rate"].value == 0
    assert score(rows, predictions(rows, [""] * 3)).overall["valid_rate"].value == 0


def test_the_samples_themselves_say_what_was_asked() -> None:
    rows = [sample(f"t/m/r{n}/1", prompt_variant="forecast_no_think") for n in range(3)]
    answered = predictions(rows, [FORECAST] * 3)
    assert score(rows, answered).overall["valid_rate"].value == 1
    mixed = [*rows[1:], rows[0] | {"prompt_variant": "think"}]
    with pytest.raises(InputError, match="prompt_variant names several questions"):
        score(mixed, answered)
    assert score(mixed, answered, question="forecast").overall["valid_rate"].value == 1


@pytest.mark.parametrize("variant", ["junk", "forecast", "forecast_thinking", ""])
def test_samples_of_an_unknown_prompt_variant_are_refused(variant: str) -> None:
    rows = [sample(prompt_variant=variant)]
    message = f"samples: column prompt_variant: no prompt variant named {variant!r}; expected one"
    with pytest.raises(InputError, match=message):
        score(rows, predictions(rows, [""]), question="interval")


@pytest.mark.parametrize("variant", ["think", "no_think", "none", "interval_no_think"])
def test_samples_of_version_1_and_those_without_a_prompt_ask_for_intervals(variant: str) -> None:
    assert SampleTable.of([sample(prompt_variant=variant)]).question == "interval"


@pytest.mark.parametrize("question", ["guess", "", "forecast_think", 5])
def test_a_question_that_is_not_one_is_refused(question: Any) -> None:
    rows = [sample()]
    answered = predictions(rows, [""])
    message = f"no question named {question!r}; expected one of: interval, point, forecast"
    with pytest.raises(InputError, match=message):
        score(rows, answered, question=question)
    with pytest.raises(InputError, match=message):
        compare(rows, answered, answered, question=question)


@pytest.mark.parametrize("in_order", [True, False])
def test_a_point_beyond_the_budget_is_judged_infeasible_and_keeps_its_number(
    in_order: bool,
) -> None:
    rows = [sample(f"t/m/r{n}/1", used=200, budget=900) for n in range(4)]
    texts = [f"<answer>{text}</answer>" for text in ("700", "700.5", "impossible", "[1, 2]")]
    answered = predictions(rows, texts)[:: 1 if in_order else -1]
    table, asked = SampleTable.of(rows), "point"
    question: Question = "point"
    [(_, matched)] = match_predictions(table, reader_in_memory(answered), asked, question)
    assert matched.verdict.tolist() == [FEASIBLE, INFEASIBLE, INFEASIBLE, INVALID]
    np.testing.assert_array_equal(matched.low[0], [700, 700.5, np.nan, np.nan])


def test_n_is_that_of_the_samples_a_value_is_taken_over() -> None:
    """A perfect reference leaves no skill, and so no n of it, for a family, a task or overall."""
    names = {"a/m": 12, "a/n": 5, "b/m": 7}
    rows = [
        sample(f"{name}/r{number:02}/1", feasible=False, rollout_success=False)
        for name, instances in names.items()
        for number in range(instances)
    ]
    finish = {"a/m": 0.5, "a/n": 0.0, "b/m": 0.0}
    reference = [
        forecast_of(row, finish=finish[row["sample_id"].rsplit("/", 2)[0]]) for row in rows
    ]
    answered = predictions(rows, [FORECAST] * len(rows))
    report = score(rows, answered, reference=reference, question="forecast", resamples=20)
    groups = {"overall": report.overall} | dict(report.tasks) | dict(report.families)
    assert {name: group["brier_skill"].n for name, group in groups.items()} == {
        "overall": 12,
        "a": 12,
        "b": 0,
        "a/m": 12,
        "a/n": 0,
        "b/m": 0,
    }
    assert report.overall["brier"].n == 24
    assert report.overall["brier_skill"].value == pytest.approx(1 - 0.7**2 / 0.25)
    assert report.overall["brier_skill"].low is not None
    assert report.tasks["b"]["brier_skill"].value is None


def test_a_few_useful_instances_among_many_others_make_no_interval() -> None:
    rows = [sample(f"a/m/r{number}/1", feasible=number % 2 == 0) for number in range(6)]
    rows += [sample(f"b/m/r{number}/1", feasible=False) for number in range(30)]
    reference = [
        forecast_of(row, finish=0.5 if row["sample_id"][0] == "a" else 0.0) for row in rows
    ]
    answered = predictions(rows, [FORECAST] * len(rows))
    report = score(rows, answered, reference=reference, question="forecast", resamples=20)
    brier_skill = report.overall["brier_skill"]
    assert (brier_skill.n, brier_skill.low) == (6, None)
    assert brier_skill.value is not None
