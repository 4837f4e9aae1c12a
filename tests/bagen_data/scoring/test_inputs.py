"""Samples and predictions come as people have them; what cannot be used is named."""

import random
from collections.abc import Callable
from typing import Any

import datasets
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from bagen_data.errors import InputError
from bagen_data.scoring import score
from tests.bagen_data.scoring.making import SEVERAL, TOKENS, family, predictions, sample

KINDS: dict[str, Callable[[Any], Any]] = {
    "list": list,
    "tuple": tuple,
    "arrow": pa.Table.from_pylist,
    "batch": pa.RecordBatch.from_pylist,
    "datasets": datasets.Dataset.from_list,
    "pandas": pd.DataFrame,
    "polars": pl.DataFrame,
    "columns": lambda rows: {name: [row[name] for row in rows] for name in rows[0]},
}


@pytest.mark.parametrize("kind", KINDS)
def test_tabular_kinds(kind: str) -> None:
    rows, responses = family(random.Random(0), SEVERAL, 6)
    answers = predictions(rows, responses)
    expected = score(rows, answers, resamples=0)
    assert score(KINDS[kind](rows), KINDS[kind](answers), resamples=0) == expected


def test_a_selected_and_shuffled_dataset() -> None:
    rows, responses = family(random.Random(0), TOKENS, 6)
    dataset = datasets.Dataset.from_list(rows).shuffle(seed=1).select(range(5))
    chosen = {row["sample_id"]: row for row in dataset}
    answers = [each for each in predictions(rows, responses) if each["sample_id"] in chosen]
    assert score(dataset, answers).overall["valid_rate"].n == 5


def test_what_a_sample_id_names_need_not_be_columns() -> None:
    rows, responses = family(random.Random(0), TOKENS, 6, task="sokoban", model="a/b-1.5")
    answers = predictions(rows, responses)
    derived = ("task", "rollout_model", "rollout_id", "completed_turns")
    fewer = [{name: row[name] for name in row if name not in derived} for row in rows]
    found = score(fewer, answers, resamples=10)
    assert found == score(rows, answers, resamples=10)
    assert list(found.families) == ["sokoban/a/b-1.5"]


def test_without_what_is_known_afterwards() -> None:
    rows, responses = family(random.Random(0), TOKENS, 6)
    least = [{name: row[name] for name in ("sample_id", "feasible", "resources")} for row in rows]
    found, full = (score(each, predictions(rows, responses)) for each in (least, rows))
    unknown = {"first_alarm", "extrapolation_mre_p50", "paper_hit_rate", "paper_reward"}
    for name, each in found.overall.items():
        if name in unknown:
            assert (each.value, each.n) == (None, 0)
        else:
            assert each == full.overall[name]
    assert not found.progress
    assert full.progress


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample_id": "r/1"}, "row 1: sample_id is 'r/1'; expected task/rollout_model/rollout_id"),
        ({"sample_id": None}, "samples: row 1: sample_id is missing"),
        ({"sample_id": "t/m/r/1"}, "sample 't/m/r/1' is there twice"),
        ({"feasible": None}, "samples: row 1: feasible is missing"),
        ({"resources": []}, "row 1: sample 't/m/r/2' names other resources"),
        ({"resources": sample(remaining=[1, 2, 3])["resources"]}, "names other resources"),
        ({"resources": sample(remaining=-1)["resources"]}, r"has a remaining of -1\.0; expected"),
        ({"resources": sample(used=float("nan"))["resources"]}, "has a used of nan; expected"),
        ({"resources": sample(budget=float("inf"))["resources"]}, "has a budget of inf; expected"),
    ],
)
def test_samples_that_cannot_be_used(change: dict[str, Any], message: str) -> None:
    rows = [sample("t/m/r/1"), sample("t/m/r/2") | change]
    with pytest.raises(InputError, match=message):
        score(rows, predictions(rows[:1], [""]))


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "samples: no column 'sample_id'"),
        (5, "samples: cannot be read as a table"),
        ("t/m/r/1", "samples: cannot be read as a table"),
        ([{"sample_id": "t/m/r/1"}], "samples: no column 'feasible'; found columns: sample_id"),
        ([sample() | {"feasible": "True"}], "feasible is a column of string; expected bool"),
        ([sample() | {"resources": "tokens"}], "resources is a column of string; expected lists"),
        ([sample() | {"resources": [{"resource": "a"}]}], "resources has no field 'budget'"),
        (pa.Table.from_pylist([sample()]).slice(1), "samples: there are none"),
    ],
)
def test_tables_that_are_no_samples(samples: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(samples, [])


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([], "predictions: no column 'sample_id'"),
        ([{"sample_id": "t/m/r/1"}], "predictions: no column 'response'"),
        ([{"sample_id": "t/m/r/1", "response": None}], "predictions: row 0: response is missing"),
        ([{"sample_id": "t/m/r/1", "response": 5}], "predictions: response is of type int64"),
    ],
)
def test_predictions_that_cannot_be_used(answers: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        score([sample()], answers)


def test_the_first_ten_of_each_problem_are_listed() -> None:
    rows = [sample(f"t/m/r{number}/1") for number in range(30)]
    answers = predictions(rows[:15], [""] * 15)
    answers += [{"sample_id": f"x/m/r{number}/1", "response": ""} for number in range(12)]
    with pytest.raises(InputError) as error:
        score(rows, answers)
    lines = str(error.value).splitlines()
    assert lines[0].startswith("predictions: do not fit the samples; predict each sample once")
    assert lines[1] == "15 samples without a prediction:"
    assert lines[2] == "  t/m/r15/1"
    assert lines[12] == "  ... and 5 more"
    assert lines[13] == "12 predictions of no sample:"
    assert len(lines) == 25


def test_dictionary_columns_are_read_as_they_are() -> None:
    rows, responses = family(random.Random(0), SEVERAL, 6)
    table = pa.Table.from_pylist(rows)
    for position, name in enumerate(table.column_names):
        if table[name].type == pa.string():
            table = table.set_column(position, name, table[name].dictionary_encode())
    answers = pa.Table.from_pylist(predictions(rows, responses))
    encoded = answers.set_column(1, "response", answers["response"].dictionary_encode())
    assert score(table, encoded) == score(rows, answers)
