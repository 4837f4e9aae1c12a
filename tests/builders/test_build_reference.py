"""The reference and the start probes that a build ships."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from bagen_data.climatology import climatology
from bagen_data.hub import load_reference, load_samples
from bagen_data.prompts import load_prompt
from bagen_data.replay import replay
from bagen_data.schema import Budget
from bagen_data.scoring.sample_table import SampleTable
from builders.hidden.hidden_build import KEY, PUBLIC
from tests.builders.test_verify import reseal
from tests.making import SAMPLE, build, build_record, dialogue, read, rows_of, run, write_json

TASKS = ("searchr1", "sokoban", "swebench", "warehouse")


def expected_rows(folder: Path, config: str) -> list[dict[str, Any]]:
    """The reference of a config's samples, made of the samples as a reader loads them."""
    table = load_samples(str(folder), config).table
    rows: dict[int, dict[str, Any]] = {}
    for family in SampleTable.of(table).families:
        forecasts = climatology(family)
        if forecasts is None:
            continue
        for position, place in enumerate(np.arange(len(table))[family.rows].tolist()):
            rows[place] = {
                "sample_id": table["sample_id"][place].as_py(),
                "finish": forecasts.finish[position],
                "success": forecasts.success[position],
                "resources": [
                    {"resource": name, "quantiles": numbers[:, position].tolist()}
                    for name, numbers in zip(family.resources, forecasts.quantiles, strict=True)
                ],
            }
    return [rows[place] for place in sorted(rows)]


def reference_rows(folder: Path, config: str | None) -> list[dict[str, Any]]:
    table = load_reference(str(folder), config)
    assert table is not None
    return list(table.to_pylist())


def test_it_is_the_climatology_of_the_samples_in_their_order(built: Path) -> None:
    for task in TASKS:
        for config in (task, f"{task}_start"):
            rows = reference_rows(built, config)
            assert rows == expected_rows(built, config)
            assert len(rows) == len(rows_of(built, config))
    assert reference_rows(built, "sokoban_train") == []
    assert len(reference_rows(built, None)) == 257 + 4 * 8


def test_start_probes_are_asked_before_the_first_turn(built: Path) -> None:
    for task in TASKS:
        rows = iter(rows_of(built, f"{task}_start"))
        for rollout in read(SAMPLE / f"{task}-origin-scripted").rollouts:
            row = next(rows)
            limits = {part["resource"]: part["budget"] for part in row["resources"]}
            targets = {part["name"]: part["value"] for part in row["conditions"]}
            ((probe, target),) = replay(rollout, Budget(limits, targets), [0])
            prompt = load_prompt(task, row["prompt_variant"]).messages(probe)
            shown = [(message["role"], message["content"]) for message in row["prompt"]]
            assert shown == [(message.role, message.content) for message in prompt]
            amounts = {part["resource"]: part["remaining"] for part in row["resources"]}
            assert amounts == target.remaining
            assert row["sample_id"] == f"{task}/scripted/{rollout.rollout_id}/0"
        assert next(rows, None) is None


def test_only_who_asks_for_start_probes_gets_them(built: Path) -> None:
    assert min(load_samples(str(built)).table["completed_turns"].to_pylist()) == 1
    starts = load_samples(str(built), "swebench_start")
    assert set(starts.table["completed_turns"].to_pylist()) == {0}
    counts = {each["family"]: each["counts"] for each in build_record(built)["families"]}
    assert counts["swebench-origin-scripted"]["start_samples"] == len(starts.table)
    assert counts["swebench-origin-scripted"]["samples"] == len(rows_of(built, "swebench"))
    assert counts["swebench-train-scripted"]["start_samples"] == 0


def test_a_rollout_of_one_turn_has_no_start_probe(tmp_path: Path) -> None:
    records = [dialogue([(30, 50)] * turns, name=f"level {turns}") for turns in (1, 2, 3)]
    write_json(tmp_path / "o" / "sokoban-origin-m" / "a.json", records)
    assert build(tmp_path / "o", tmp_path / "out") == 0
    starts = load_samples(str(tmp_path / "out"), "sokoban_start").table
    assert set(starts["total_turns"].to_pylist()) == {2, 3}


def test_a_family_of_one_instance_has_no_reference(tmp_path: Path) -> None:
    for model, names in (("one", "aa"), ("two", "ab")):
        sizes = [[(30, 50)] * 3, [(40, 60)] * 4]
        records = [dialogue(each, name=name) for each, name in zip(sizes, names, strict=True)]
        write_json(tmp_path / "o" / f"sokoban-origin-{model}" / "a.json", records)
    assert build(tmp_path / "o", tmp_path / "out") == 0
    rows = reference_rows(tmp_path / "out", None)
    assert {row["sample_id"].split("/")[1] for row in rows} == {"two"}
    counts = [family["counts"] for family in build_record(tmp_path / "out")["families"]]
    assert [each["without_reference"] for each in counts] == [2 + 3 + 2, 0]
    assert run("verify", tmp_path / "out") == 0
    assert build(tmp_path / "o" / "sokoban-origin-one", tmp_path / "alone") == 0
    assert load_reference(str(tmp_path / "alone")) is None


def test_the_kinds_of_infeasible_samples_are_counted(built: Path) -> None:
    for family in build_record(built)["families"]:
        counts, kinds = family["counts"], {"failed": 0, "over_budget": 0, "failed_over_budget": 0}
        config = family["task"] if family["role"] == "benchmark" else f"{family['task']}_train"
        for row in rows_of(built, config):
            is_over = any(
                part["used"] + part["remaining"] > part["budget"] for part in row["resources"]
            )
            if not row["feasible"]:
                failed = "" if row["rollout_success"] else "failed"
                kinds["_".join(filter(None, (failed, "over_budget" if is_over else "")))] += 1
        assert kinds == {name: counts[name] for name in kinds}
        assert counts["feasible"] + sum(kinds.values()) == counts["samples"]


def test_verify_makes_the_reference_anew(built: Path, tmp_path: Path, capsys: Any) -> None:
    name = "data/reference/sokoban.parquet"
    table = pq.read_table(built / name)
    rows = table.to_pylist()
    moved = [row | {"finish": row["finish"] / 2} for row in rows]
    fallen = [{**rows[0], "resources": [{"resource": "tokens", "quantiles": [2, 1, 3, 4, 5]}]}]
    for changed, problem in (
        (moved, f"{name}: does not follow from the samples of config sokoban"),
        ([rows[1], rows[0], *rows[2:]], f"{name}: does not follow from the samples"),
        ([*rows[:-1], rows[0]], "has a sample_id twice"),
        ([rows[0] | {"success": 2.0}, *rows[1:]], "has a success that is not from 0 to 1"),
        (fallen + rows[1:], "has quantiles that fall"),
    ):
        shutil.copytree(built, tmp_path / "copy")
        changed_table = pa.Table.from_pylist(changed, table.schema)
        pq.write_table(changed_table, tmp_path / "copy" / name, store_schema=False)
        reseal(tmp_path / "copy")
        assert run("verify", tmp_path / "copy") == 1
        assert problem in capsys.readouterr().err
        shutil.rmtree(tmp_path / "copy")


def test_of_a_hidden_split_only_the_key_has_it(tmp_path: Path) -> None:
    assert build(SAMPLE, tmp_path / "out", "--hidden", 6, "--task", "sokoban") == 0
    assert load_reference(str(tmp_path / "out" / PUBLIC)) is None
    key = tmp_path / "out" / KEY
    assert reference_rows(key, "sokoban") == expected_rows(key, "sokoban")
    assert not list((tmp_path / "out" / PUBLIC).rglob("*reference*"))
