"""Estimators over a built dataset: what they may learn from, and what becomes of it."""

import json
from pathlib import Path

import numpy as np
import pytest

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters import find_forecaster, known_forecasters
from bagen_data.forecasters.learning.examples import load_examples
from bagen_data.forecasters.learning.predictions import ForecastRequest, predict
from bagen_data.hub import load_samples
from bagen_data.scoring import score
from tests.making import SAMPLE, build, chat, write_lines, write_trajectories


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return str(out)


def usage(turns: int, cost: int) -> list[dict[str, int]]:
    """Requests whose inputs repeat the history."""
    return [
        {"api_input_tokens": 10 + k * (10 + cost), "api_output_tokens": cost} for k in range(turns)
    ]


def family(origin: Path, name: str, costs: list[tuple[str, int, bool]], turns: int = 4) -> None:
    """Rollouts of a first message, a cost a turn, and success."""
    rows = []
    for first, cost, success in costs:
        contents = [part for k in range(turns) for part in (f"{first} {k}", f"go {cost} {k}")]
        rows.append(chat(contents, success, per_turn_api_tokens=usage(turns, cost)))
    write_lines(origin / name / "rollouts.jsonl", rows)


def intervals(dataset: Path, **more: object) -> dict[str, str]:
    asked = ForecastRequest(str(dataset), "sokoban", "test", "quantiles", **more)  # type: ignore[arg-type]
    return {row["sample_id"]: row["response"] for row in predict(asked).rows}


def test_probes_are_those_of_the_dataset(sample: str) -> None:
    for config, split in ((None, "test"), ("warehouse_train", "rl"), ("swebench_train", "heldout")):
        rows = load_samples(sample, config, split).table.to_pylist()
        loaded = load_examples(sample, config, split).examples
        assert [row["sample_id"] for row in rows] == [e.sample_id for e in loaded]
        for row, example in zip(rows, loaded, strict=True):
            probe, target = example.probe, example.target
            assert (len(probe.turns), example.total_turns, target.feasible) == (
                row["completed_turns"],
                row["total_turns"],
                row["feasible"],
            )
            for part in row["resources"]:
                name = part["resource"]
                assert probe.budget.limits[name] == part["budget"]
                assert (probe.used[name], target.remaining[name]) == (
                    part["used"],
                    part["remaining"],
                )


@pytest.mark.usefixtures("few_trees")
@pytest.mark.parametrize("name", known_forecasters())
def test_every_estimator_answers_every_task(name: str, sample: str) -> None:
    asked = ForecastRequest(sample, None, "test", name, question="interval")
    predictions = predict(asked)
    assert predictions.trained_on == ("train" if find_forecaster(name).learns else "none")
    report = score(load_samples(sample).table, predictions.rows, resamples=0)
    assert report.overall["valid_rate"].value == 1
    assert predictions.rows == predict(asked).rows
    heldout = predict(ForecastRequest(sample, "sokoban_train", "heldout", name))
    assert len(heldout.rows) == len(load_samples(sample, "sokoban_train", "heldout").table)


def test_it_learns_from_training_families_only(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    family(origin, "sokoban-train-m", [(f"t{n}", 50 + n, True) for n in range(20)])
    for cost in (10, 900):
        family(origin, "sokoban-origin-m", [(f"b{n}", cost, True) for n in range(4)])
        assert build(origin, tmp_path / f"built{cost}", "--budget", "sokoban=9999") == 0
    cheap, dear = (sorted(intervals(tmp_path / f"built{cost}").values()) for cost in (10, 900))
    assert cheap == dear


def test_cross_validation_never_learns_from_the_same_instance(tmp_path: Path) -> None:
    """Rollouts of an instance that is recorded often are alike; the others' are too, and differ."""
    origin = tmp_path / "origin"
    odd = [("odd", 500, True), ("odd", 501, True), ("odd", 502, True)]
    family(origin, "sokoban-origin-m", [*odd, *((f"b{n}", 20, True) for n in range(9))])
    assert build(origin, tmp_path / "built", "--budget", "sokoban=99999") == 0
    predictions = predict(
        ForecastRequest(str(tmp_path / "built"), "sokoban", "test", "quantiles", 0, True)
    )
    assert predictions.trained_on == "benchmark"
    assert predictions.settings["cross_validated_folds"] == 10
    by_id = {row["sample_id"]: row["response"] for row in predictions.rows}
    for example in load_examples(str(tmp_path / "built"), "sokoban").examples:
        if "odd" in example.probe.turns[0].user:
            high = float(by_id[example.sample_id].split(", ")[1].split("]")[0])
            assert high <= 3 * (10 + 20)


def test_families_are_cross_validated_apart(tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    for model, cost in (("cheap", 20), ("dear", 700)):
        family(origin, f"sokoban-origin-{model}", [(f"b{n}", cost, True) for n in range(6)])
    assert build(origin, tmp_path / "built", "--budget", "sokoban=99999") == 0
    for sample_id, response in intervals(tmp_path / "built", cross_validate=True).items():
        high = float(response.split(", ")[1].split("]")[0])
        assert (high > 200) == ("/dear/" in sample_id)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (("swebench", "test", "quantiles"), "swebench_train"),
        (("swebench", "test", "nothing"), "expected one of always_infeasible"),
        (("nothing", "test", "over_budget"), "no config nothing"),
    ],
)
def test_what_cannot_be_predicted_says_why(
    tmp_path: Path, request_: tuple[str, str, str], words: str
) -> None:
    write_trajectories(tmp_path / "origin" / "swebench-origin-m", ["a__a-1", "a__a-2"], ["a__a-1"])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    with pytest.raises(InputError, match=words):
        predict(ForecastRequest(str(tmp_path / "built"), *request_))


def test_one_instance_cannot_be_cross_validated(tmp_path: Path) -> None:
    write_trajectories(tmp_path / "origin" / "swebench-origin-m", ["a__a-1"], ["a__a-1"])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    with pytest.raises(InputError, match="one instance only"):
        predict(ForecastRequest(str(tmp_path / "built"), "swebench", "test", "quantiles", 0, True))


def test_what_was_learned_from_is_not_asked(sample: str) -> None:
    for split in ("sft", "rl"):
        with pytest.raises(WrongUsageError, match="learns from it"):
            predict(ForecastRequest(sample, "sokoban_train", split, "quantiles"))
    assert predict(ForecastRequest(sample, "sokoban_train", "sft", "over_budget")).rows
    with pytest.raises(WrongUsageError, match="learns nothing"):
        predict(ForecastRequest(sample, "sokoban", "test", "over_budget", cross_validate=True))


def test_a_dataset_without_its_rollouts_says_so(sample: str, tmp_path: Path) -> None:
    import shutil

    import pyarrow.parquet as pq

    shutil.copytree(sample, tmp_path / "built")
    (path,) = (tmp_path / "built" / "data" / "rollouts").glob("sokoban-test*")
    table = pq.read_table(path)
    pq.write_table(table.slice(1), path)
    gone = table["rollout_id"][0].as_py()
    with pytest.raises(InputError, match=f"no rollout sokoban/scripted/{gone}"):
        predict(ForecastRequest(str(tmp_path / "built"), "sokoban", "test", "over_budget"))


def test_over_budget_is_perfect_where_nothing_is_open(tmp_path: Path) -> None:
    """The worth of an answer from the amounts alone shows in the open scores."""
    family(tmp_path / "origin", "sokoban-origin-m", [(f"b{n}", 40, n < 3) for n in range(6)])
    assert build(tmp_path / "origin", tmp_path / "built", "--budget", "sokoban=1") == 0
    predictions = predict(
        ForecastRequest(str(tmp_path / "built"), "sokoban", "test", "over_budget")
    )
    report = score(load_samples(str(tmp_path / "built")).table, predictions.rows, resamples=0)
    assert report.overall["accuracy"].value == 1
    assert report.overall["accuracy_open"].value is None
    assert np.all([json.dumps(row) for row in predictions.rows])


def test_the_held_out_part_is_asked_and_never_learned_from(tmp_path: Path) -> None:
    """Rollouts of the held-out instance cost a hundred times the others', and nobody can know."""
    origin = tmp_path / "origin"
    family(origin, "sokoban-train-m", [(f"t{n}", 50, True) for n in range(30)])
    assert build(origin, tmp_path / "first", "--budget", "sokoban=999999") == 0
    heldout = load_examples(str(tmp_path / "first"), "sokoban_train", "heldout").examples
    probes = [example.probe for example in heldout]
    dear = {probe.turns[0].user.partition(" ")[0] for probe in probes if probe.turns}
    assert dear
    costs = [(f"t{n}", 5_000 if f"t{n}" in dear else 50, True) for n in range(30)]
    family(origin, "sokoban-train-m", costs)
    assert build(origin, tmp_path / "second", "--budget", "sokoban=999999") == 0
    asked = ForecastRequest(str(tmp_path / "second"), "sokoban_train", "heldout", "quantiles")
    for row in predict(asked).rows:
        assert float(row["response"].split(", ")[1].split("]")[0]) < 1_000


def test_every_task_is_asked_for_by_default_and_no_training_part(sample: str) -> None:
    with pytest.raises(InputError, match="no config default with a split heldout"):
        predict(ForecastRequest(sample, None, "heldout", "over_budget"))
