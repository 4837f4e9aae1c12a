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
from bagen_data.scoring.sample_table import SampleTable
from tests.bagen_data.scoring.scoring_cases import SEVERAL, TOKENS, family, predictions, sample

TEXTS = {"resource": "tokens", "budget": 9.0, "used": 1.0, "remaining": "400"}
PARTS = {"task": "t", "rollout_model": "m", "rollout_id": "r", "completed_turns": 1}


def named(resource: str | None) -> dict[str, Any]:
    """A sample whose resource is called so."""
    amounts = {"resource": resource, "budget": 9.0, "used": 1.0, "remaining": 1.0}
    return sample() | {"resources": [amounts]}


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


def test_categories() -> None:
    rows, responses = family(random.Random(0), TOKENS, 6)
    answers = predictions(rows, responses)
    names = ("task", "rollout_model", "rollout_id")
    expected = score(rows, answers, resamples=0)
    frame = pd.DataFrame(rows).astype(dict.fromkeys(names, "category"))
    assert score(frame, answers, resamples=0) == expected
    polars = pl.DataFrame(rows).with_columns(pl.col(names).cast(pl.Categorical))
    assert score(polars, answers, resamples=0) == expected


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
    report = score(fewer, answers, resamples=10)
    assert report == score(rows, answers, resamples=10)
    assert list(report.families) == ["sokoban/a/b-1.5"]


def test_without_what_is_known_afterwards() -> None:
    rows, responses = family(random.Random(0), TOKENS, 6)
    least = [{name: row[name] for name in ("sample_id", "feasible", "resources")} for row in rows]
    bare, full = (score(each, predictions(rows, responses)) for each in (least, rows))
    unknown = {
        *("first_alarm", "extrapolation_mre_p50", "paper_hit_rate", "paper_reward"),
        *("paper_stopped_failed", "paper_saved_rate", "any_success_drop"),
    }
    for name, each in bare.overall.items():
        if name in unknown or name.startswith(("share_", "recall_failed", "recall_over")):
            assert (each.value, each.n) == (None, 0)
        else:
            assert each == full.overall[name]
    assert not bare.progress
    assert full.progress


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"sample_id": "r/1"}, "row 1: sample_id is 'r/1'; expected task/rollout_model/rollout_id"),
        ({"sample_id": None}, "samples: row 1: sample_id is missing"),
        ({"sample_id": "t/m/r/1"}, "sample 't/m/r/1' appears twice"),
        ({"feasible": None}, "samples: row 1: feasible is missing"),
        ({"resources": []}, "row 1: sample 't/m/r/2' names other resources"),
        ({"resources": sample(remaining=[1, 2, 3])["resources"]}, "names other resources"),
        ({"resources": sample(remaining=-1)["resources"]}, r"has a remaining of -1\.0; expected"),
        (
            {"feasible": False},
            "row 1: sample 't/m/r/2' has feasible: False, and another sample of its rollout has "
            "feasible: True; a rollout has one label",
        ),
        ({"resources": [sample()["resources"][0]] * 2}, "names other resources"),
        ({"sample_id": f"t/m/r/{10**20}"}, "sample_id: a number of turns cannot be"),
        ({"resources": sample(used=float("nan"))["resources"]}, "has a used of nan; expected"),
        ({"resources": sample(budget=float("inf"))["resources"]}, "has a budget of inf; expected"),
    ],
)
def test_samples_that_cannot_be_used(change: dict[str, Any], message: str) -> None:
    rows = [sample("t/m/r/1"), sample("t/m/r/2") | change]
    with pytest.raises(InputError, match=message):
        score(rows, predictions(rows[:1], [""]))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (
            [(False, True), (False, False)],
            "row 1: sample 't/m/r/2' has rollout_success: False, and another sample of its rollout "
            "has rollout_success: True; a rollout has one label",
        ),
        (
            [(True, False), (True, False)],
            "row 0: sample 't/m/r/1' has feasible: True and rollout_success: False; a feasible "
            "rollout succeeded within its budget",
        ),
    ],
)
def test_labels_that_contradict_each_other(labels: list[tuple[bool, bool]], message: str) -> None:
    rows = [
        sample(f"t/m/r/{k}", feasible=feasible, rollout_success=success)
        for k, (feasible, success) in enumerate(labels, 1)
    ]
    with pytest.raises(InputError, match=message):
        SampleTable.of(rows)
    SampleTable.of([{**row, "feasible": False, "rollout_success": False} for row in rows])


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "samples: the table is empty"),
        (5, "samples: cannot be read as a table"),
        ("t/m/r/1", "samples: cannot be read as a table"),
        ([{"sample_id": "t/m/r/1"}], "samples: no column 'feasible'; found columns: sample_id"),
        ([sample() | {"feasible": "True"}], "feasible is a column of string; expected bool"),
        ([sample() | {"resources": "tokens"}], "resources is a column of string; expected lists"),
        ([sample() | {"resources": [{"resource": "a"}]}], "resources has no field 'budget'"),
        ([sample() | {"resources": []}], "resources"),
        ([named("USD")], "resource 'USD': expected a lower-case letter"),
        ([named("my tokens")], "resource 'my tokens': expected a lower-case letter"),
        ([named(None)], "a resource is missing"),
        ([named("a") | {"resources": named("a")["resources"] * 2}], "names a resource twice"),
        ([sample() | {"resources": [TEXTS]}], "resources: remaining is of type string; expected"),
        ([sample(total_turns=0)], "has 1 of 0 turns completed; expected"),
        ([sample("t/m/r/3", total_turns=2)], "has 3 of 2 turns completed; expected"),
        ([sample(total_turns=3.0)], "total_turns is a column of double; expected whole numbers"),
        ([sample(total_turns="3")], "total_turns is a column of string; expected whole numbers"),
        ([sample() | PARTS | {"completed_turns": -1}], "has -1 of -1 turns completed"),
        ([sample() | PARTS | {"task": "a/b"}], "task 'a/b': expected a name without '/'"),
        ([sample("overall/m/r/1")], "task 'overall': expected"),
        ([sample("t/m/r/1"), sample("t/m/r/2", total_turns=3)], "total_turns is missing"),
        (pa.Table.from_pylist([sample()]).slice(1), "samples: the table is empty"),
    ],
)
def test_tables_that_are_no_samples(samples: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        score(samples, [])


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([], "predictions: the table is empty"),
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


@pytest.mark.parametrize("extra", ["t/m/r0/1", "zzz"])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string()])
def test_what_follows_the_last_sample_in_a_batch_of_its_own(extra: str, kind: pa.DataType) -> None:
    rows = [sample(f"t/m/r{number}/1") for number in range(4)]
    good = pa.Table.from_pylist(predictions(rows, ["x"] * 4))
    more = pa.Table.from_pylist([{"sample_id": extra, "response": ""}])
    both = pa.concat_tables([good, more])
    both = both.cast(pa.schema([("sample_id", kind), ("response", kind)]))
    with pytest.raises(InputError, match=r"prediction of no sample|predicted more than once"):
        score(rows, both)
    nothing = pa.concat_tables([good, more.slice(1), good.slice(0, 0)])
    assert score(rows, nothing, resamples=0).overall["valid_rate"].n == 4


@pytest.mark.parametrize("kind", [pa.uint8(), pa.uint32(), pa.int8(), pa.int16(), pa.uint64()])
def test_turns_of_any_width(kind: pa.DataType) -> None:
    rows = [
        sample(
            f"t/m/r/{k}", feasible=False, total_turns=100, used=10.0 * k, remaining=1000 - 10 * k
        )
        | {"task": "t", "rollout_model": "m", "rollout_id": "r", "completed_turns": k}
        for k in (90, 50, 7)
    ]
    table = pa.Table.from_pylist(rows)
    for name in ("completed_turns", "total_turns"):
        position = table.column_names.index(name)
        table = table.set_column(position, name, table[name].cast(kind))
    answers = predictions(rows, ["<answer>impossible</answer>"] * 3)
    report = score(table, answers, resamples=0)
    assert report == score(rows, answers, resamples=0)
    assert report.overall["first_alarm"].value == 0.07
    assert report.overall["saved_rate"].value == 0.93
    assert [
        part["predicted_feasible_on_infeasible"].n for part in report.progress["t"].values()
    ] == [*(1, 0, 1, 0, 1)]


def test_sliced_and_chunked_tables() -> None:
    rows, responses = family(random.Random(0), SEVERAL, 30)
    expected = score(rows[20:80], predictions(rows[20:80], responses[20:80]), resamples=0)
    table = pa.Table.from_pylist(rows)
    for position, name in enumerate(table.column_names):
        if table[name].type == pa.string():
            table = table.set_column(position, name, table[name].dictionary_encode())
    answers = pa.Table.from_pylist(predictions(rows, responses))
    chunks = pa.concat_tables([table.slice(20, 25), table.slice(45, 35)])
    assert score(table.slice(20, 60), answers.slice(20, 60), resamples=0) == expected
    assert score(chunks, answers.slice(20, 60), resamples=0) == expected
    own = pa.concat_tables([pa.Table.from_pylist(rows[20:45]), pa.Table.from_pylist(rows[45:80])])
    position = own.column_names.index("rollout_id")
    encoded = pa.chunked_array([each.dictionary_encode() for each in own["rollout_id"].chunks])
    own = own.set_column(position, "rollout_id", encoded)
    assert score(own, answers.slice(20, 60), resamples=0) == expected


def test_more_resource_lists_than_a_byte_can_count() -> None:
    rows = []
    for number in range(200):
        amounts = {"resource": f"r{number}", "budget": 9.0, "used": 1.0, "remaining": 1.0}
        rows.append(sample(f"t{number}/m/r/1") | {"resources": [amounts]})
    answers = predictions(rows, ["<answer>[1, 1]</answer>"] * 200)
    random.Random(0).shuffle(answers)
    assert score(rows, answers, resamples=0).overall["reward"].value == 1


@pytest.mark.parametrize(
    "wrong", [{"alpha": 0}, {"alpha": 2}, {"resamples": -1}, {"seed": -1}, {"alpha": float("nan")}]
)
def test_numbers_that_cannot_be(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        score([sample()], predictions([sample()], [""]), **wrong)


def test_invalid_answers_are_counted_by_reason() -> None:
    texts = ["", "<answer>x</answer>", "<answer>5</answer>", "<answer>[2, 1]</answer>"]
    texts += ["<answer>[1, inf]</answer>", "<answer>a:[1, 2]</answer>", "<answer>[1, 2]</answer>"]
    rows = [sample(f"t/m/r{number}/1") for number in range(len(texts))]
    rows.append(sample("w/m/r/1", remaining=[1, 2, 3]))
    invalid = score(rows, predictions(rows, [*texts, "<answer>[1, 2]</answer>"])).invalid
    assert invalid["t/m"] == {
        "no_answer": 1,
        "malformed": 1,
        "scalar": 1,
        "reversed": 1,
        "not_finite": 1,
        "missing_resource": 0,
        "unknown_resource": 1,
        "incoherent": 0,
        "unordered": 0,
    }
    assert {name: count for name, count in invalid["w/m"].items() if count} == {
        "missing_resource": 1
    }


def test_instances_of_a_table() -> None:
    def row(model: str, rollout: str, k: int) -> dict[str, Any]:
        amounts = {"resource": "tokens", "budget": 9.0, "used": 1.0, "remaining": 2.0}
        sample_id = f"t/{model}/{rollout}/{k}"
        return {"sample_id": sample_id, "feasible": True, "resources": [amounts]}

    rows = [row("m", "b", 1), row("m", "b", 2), row("m", "a", 1), row("n", "a", 1)]
    one, other = SampleTable.of(rows).families
    assert one.instance.tolist() == [0, 1]
    assert other.instance.tolist() == [0]
    named = [each | {"instance_id": name} for each, name in zip(rows, "xxyx", strict=True)]
    one, other = SampleTable.of(named).families
    assert one.instance.tolist() == [1, 0]
    assert other.instance.tolist() == [0]
    named[1]["instance_id"] = "z"
    with pytest.raises(InputError, match=r"row 1: sample 't/m/b/2' has another instance_id"):
        SampleTable.of(named)
