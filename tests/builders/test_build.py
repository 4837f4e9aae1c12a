"""The whole build on the bundled sample: what it writes, and who reads it."""

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml

import bagen_data
from bagen_data.answers import parse, render
from bagen_data.budgets import Realised
from bagen_data.prompts import load_prompt
from bagen_data.replay import gold_estimate, replay
from bagen_data.schema import REFERENCE, ROLLOUTS, SAMPLES, Budget, Target
from bagen_data.tasks import find_task, known_tasks
from tests.making import (
    SAMPLE,
    build,
    build_record,
    contents,
    dialogue,
    read,
    rows_of,
    write_json,
)

TASKS = ["searchr1", "sokoban", "swebench", "warehouse"]


def test_files(built: Path) -> None:
    names = set(contents(built))
    assert {"README.md", "build.json", "manifest.jsonl"} < names
    for task in TASKS:
        assert f"data/{task}/test-scripted.parquet" in names
        for part in ("sft", "rl", "heldout"):
            assert f"data/{task}_train/{part}-scripted.parquet" in names
        assert f"data/rollouts/{task}-test-scripted.parquet" in names
        assert f"data/{task}_start/test-scripted.parquet" in names
        assert {f"data/reference/{name}.parquet" for name in (task, f"{task}_start")} < names


def test_every_file_has_the_schema(built: Path) -> None:
    for path in built.rglob("*.parquet"):
        expected = {"rollouts": ROLLOUTS, "reference": REFERENCE}.get(path.parent.name, SAMPLES)
        assert pq.read_schema(path).equals(expected), path


def test_manifest(built: Path) -> None:
    manifest = [json.loads(line) for line in (built / "manifest.jsonl").read_text().splitlines()]
    assert {row["path"] for row in manifest} == {n for n in contents(built) if n[-8:] == ".parquet"}
    for row in manifest:
        data = (built / row["path"]).read_bytes()
        assert row["bytes"] == len(data)
        assert row["sha256"] == hashlib.sha256(data).hexdigest()
        assert row["rows"] == pq.read_metadata(built / row["path"]).num_rows
        assert row["url"].endswith(row["path"])


def test_build_json(built: Path) -> None:
    record = build_record(built)
    assert record["benchmark_version"] == bagen_data.BENCHMARK_VERSION
    for task in TASKS:
        assert record["prompt"]["sha256"][task] == load_prompt(task, "interval_think").sha256
    by_name = {family["family"]: family for family in record["families"]}
    family = by_name["swebench-origin-scripted"]
    assert family["usage"] == {"request": 8}
    source = SAMPLE / "swebench-origin-scripted" / family["sources"][0]["path"]
    assert family["sources"][0]["sha256"] == hashlib.sha256(source.read_bytes()).hexdigest()
    assert family["counts"]["samples"] == len(rows_of(built, "swebench"))
    assert by_name["warehouse-origin-scripted"]["budget"] == "per rollout"


def test_the_card_is_true(built: Path) -> None:
    text = (built / "README.md").read_text(encoding="utf-8")
    front = yaml.safe_load(text.split("---\n")[1])
    names = [config["config_name"] for config in front["configs"]]
    assert names[0] == "default"
    assert names[-2:] == ["reference", "rollouts"]
    for config in front["configs"]:
        for files in config["data_files"]:
            assert all(list(built.glob(path)) for path in files["path"])
    shares = {name: row for name, *row in map(_cells, text.splitlines()) if len(row) == 5}
    for task in TASKS:
        rows = rows_of(built, task)
        feasible = sum(row["feasible"] for row in rows) / len(rows)
        failed = sum(not row["rollout_success"] for row in rows) / len(rows)
        samples, *numbers = shares[f"{task}-origin-scripted"]
        assert int(samples) == len(rows)
        assert numbers[0] == f"{feasible:.1%}"
        stated = [float(number.removesuffix("%")) for number in numbers]
        assert stated[1] + stated[3] == pytest.approx(100 * failed, abs=0.11)
        assert sum(stated) == pytest.approx(100, abs=0.21)
    for word in ("licen", "bibtex", "leak", "canary"):
        assert word in text.lower()
    assert f"| `swebench` | `test` | {len(rows_of(built, 'swebench'))} |" in text


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


@pytest.mark.parametrize(
    ("variant", "answers"),
    [
        ("interval_think", ["[low, high]", "time_weeks:[low, high], ", "impossible"]),
        ("point_no_think", ["number", "time_weeks:number, ", "impossible"]),
        ("forecast_think", ["finish=p, success=p, tokens=[", "finish=p, success=p, time_weeks=["]),
    ],
)
def test_the_card_says_what_an_answer_is(tmp_path: Path, variant: str, answers: list[str]) -> None:
    for more in ((), ("--hidden", 2)):
        out = tmp_path / f"out{len(more)}"
        flags = ("--task", "warehouse", "--prompt", variant, *more)
        assert build(SAMPLE, out, *flags) == 0
        text = (out / "public" / "README.md" if more else out / "README.md").read_text()
        forms = [line for line in text.splitlines() if line.startswith("<answer>")]
        for form, answer in zip(forms, answers, strict=True):
            assert form.startswith(f"<answer>{answer}")


def test_rows_are_what_replay_and_prompt_say(built: Path) -> None:
    for task in TASKS:
        rows = iter(rows_of(built, task))
        for rollout in read(SAMPLE / f"{task}-origin-scripted").rollouts:
            for k in range(1, len(rollout.turns)):
                row = next(rows)
                limits = {part["resource"]: part["budget"] for part in row["resources"]}
                targets = {part["name"]: part["value"] for part in row["conditions"]}
                ((probe, target),) = replay(rollout, Budget(limits, targets), [k])
                prompt = load_prompt(task, "interval_think").messages(probe)
                shown = [(message["role"], message["content"]) for message in row["prompt"]]
                assert shown == [(message.role, message.content) for message in prompt]
                amounts = {part["resource"]: part["remaining"] for part in row["resources"]}
                assert amounts == target.remaining
                assert row["feasible"] is target.feasible
                assert row["verdict"] == ("[" if target.feasible else "impossible")
                assert row["sample_id"] == f"{task}/scripted/{rollout.rollout_id}/{k}"
        assert next(rows, None) is None


def test_training_probes_are_all_prefixes_and_instances_stay_in_one_part(built: Path) -> None:
    for task in TASKS:
        prefixes: dict[str, list[int]] = {}
        parts: dict[str, set[str]] = {}
        for path in sorted(built.glob(f"data/{task}_train/*.parquet")):
            for row in pq.read_table(path).to_pylist():
                prefixes.setdefault(row["rollout_id"], []).append(row["completed_turns"])
                parts.setdefault(row["instance_id"], set()).add(path.name)
                assert row["total_turns"] >= row["completed_turns"]
        assert all(lengths == list(range(len(lengths))) for lengths in prefixes.values())
        assert all(len(names) == 1 for names in parts.values())
        tested = {row["instance_id"] for row in rows_of(built, task)}
        assert not tested & set(parts)


def test_the_gold_answer_of_every_sample_covers_every_resource(built: Path) -> None:
    rows = rows_of(built)
    assert len(rows) == 659
    assert len({row["sample_id"] for row in rows}) == len(rows)
    for row in rows:
        remaining = {part["resource"]: part["remaining"] for part in row["resources"]}
        for feasible in (True, row["feasible"]):
            gold = gold_estimate(Target(feasible, remaining))
            estimate = parse(render(gold), tuple(remaining))
            assert estimate == gold
            assert all(
                interval.low == remaining[name] == interval.high
                for name, interval in estimate.intervals.items()
            )


def test_not_even_the_bytes_of_a_file_hold_the_last_turn(tmp_path: Path) -> None:
    """The dictionary of texts must not hold what no benchmark prompt shows."""
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "a.json", [dialogue(name="x")])
    assert build(tmp_path / "origin", tmp_path / "out") == 0
    path = tmp_path / "out/data/sokoban/test-m.parquet"
    table = pq.ParquetFile(path, read_dictionary=["prompt.list.element.content"]).read()
    texts = table["prompt"].combine_chunks().flatten().field("content").dictionary.to_pylist()
    assert "state x 2" in texts
    assert "state x 3" not in texts


def test_the_same_bytes_for_any_workers_and_file_order(built: Path, tmp_path: Path) -> None:
    copied = tmp_path / "elsewhere"
    for family in sorted(SAMPLE.iterdir(), reverse=True):
        shutil.copytree(family, copied / family.name)
    assert build(copied, tmp_path / "out", "--workers", 3) == 0
    assert contents(tmp_path / "out") == contents(built)


def test_options(tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = (
        "--task",
        "sokoban",
        "--prompt",
        "interval_no_think",
        "--limit",
        3,
        "--budget",
        "sokoban=median",
    )
    assert build(SAMPLE, out, *flags) == 0
    record = build_record(out)
    assert [family["counts"]["rollouts"] for family in record["families"]] == [3, 3]
    assert record["prompt"]["variant"] == "interval_no_think"
    assert record["families"][0]["budget"]["tokens"] < 2_500
    assert {row["prompt_variant"] for row in rows_of(out)} == {"interval_no_think"}
    assert "<think>" not in rows_of(out, "sokoban")[0]["prompt"][-1]["content"]


@pytest.mark.parametrize(
    ("budget", "limits"),
    [
        ("sokoban=900", {900}),
        ("sokoban=1.5x", None),
        ("warehouse=0.9x", None),
        (
            "warehouse=time_weeks:20,warehouse_item_weeks:1x,cumulative_cost_usd:2x,target_cash_usd:7",
            None,
        ),
    ],
)
def test_budgets(tmp_path: Path, budget: str, limits: set[int] | None) -> None:
    task = budget.partition("=")[0]
    assert build(SAMPLE, tmp_path / "out", "--task", task, "--budget", budget) == 0
    rows = rows_of(tmp_path / "out", task)
    first = [row["resources"][0] for row in rows]
    if limits:
        assert {part["budget"] for part in first} == limits
    elif budget == "warehouse=0.9x":
        assert not any(row["feasible"] for row in rows)
    elif task == "sokoban":
        totals = [part["used"] + part["remaining"] for part in first]
        assert [part["budget"] for part in first] == [round(total * 1.5) for total in totals]
    else:
        assert {row["conditions"][0]["value"] for row in rows} == {7}
        assert {part["budget"] for part in first} == {20}


def test_each_message_is_stored_once(built: Path) -> None:
    """Dictionary pages for texts, a page index, and far fewer bytes than the prompts have."""
    path = built / "data/warehouse/test-scripted.parquet"
    metadata = pq.read_metadata(path)
    column = metadata.row_group(0).column(9)
    assert column.path_in_schema == "prompt.list.element.content"
    assert column.has_dictionary_page
    assert metadata.row_group(0).column(0).has_offset_index
    written_out = sum(len(json.dumps(row)) for row in rows_of(built, "warehouse"))
    assert path.stat().st_size * 25 < written_out


@pytest.mark.parametrize(
    ("module", "limit"),
    [
        ("builders.tables.sample_writer", "_GROUP_PROMPTS"),
        ("builders.tables.sample_writer", "_GROUP_ROWS"),
        ("builders.tables.rollout_writer", "_GROUP_ROWS"),
        ("builders.tables.rollout_writer", "_GROUP_TEXT"),
        ("builders.tables.rollout_writer", "_GROUP_SYSTEM"),
        ("bagen_data.reading.rollout_spool", "MEMORY_BYTES"),
        ("bagen_data.reading.rollout_spool", "_BATCH_TEXT"),
    ],
)
def test_limits_on_memory_change_no_row(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str, limit: str
) -> None:
    monkeypatch.setattr(f"{module}.{limit}", 1)
    assert build(SAMPLE, tmp_path / "out") == 0
    groups = 0
    for path in built.rglob("*.parquet"):
        copy = tmp_path / "out" / path.relative_to(built)
        assert pq.read_table(copy).equals(pq.read_table(path))
        groups += pq.read_metadata(copy).num_row_groups - 1
    assert (groups > 0) is module.startswith("builders.tables.")


def test_defaults_are_the_papers() -> None:
    spent = [Realised({"tokens": tokens}, {}) for tokens in (10, 20, 90)]
    for task, budget, limit in (
        ("sokoban", 2_500, 2_500),
        ("searchr1", 3_500, 3_500),
        ("swebench", 20, None),
    ):
        assert find_task(task).budgets(spent) == [Budget({"tokens": budget})] * 3
        assert find_task(task).context_limit == limit


def test_units(built: Path) -> None:
    units = {part["resource"]: part["unit"] for row in rows_of(built) for part in row["resources"]}
    assert units == {
        "tokens": "tokens",
        "time_weeks": "weeks",
        "warehouse_item_weeks": "item-weeks",
        "cumulative_cost_usd": "USD",
    }


def test_an_instance_is_in_one_part_of_all_training_families_together(tmp_path: Path) -> None:
    for model in ("first", "second"):
        records = [dialogue(name=f"level {n}", sizes=[(n + 1, len(model))] * 3) for n in range(20)]
        write_json(tmp_path / "origin" / f"sokoban-train-{model}" / "a.json", records)
    assert build(tmp_path / "origin", tmp_path / "out") == 0
    parts: dict[str, set[str]] = {}
    for path in tmp_path.glob("out/data/sokoban_train/*.parquet"):
        for instance in pq.read_table(path)["instance_id"].to_pylist():
            parts.setdefault(instance, set()).add(path.name.partition("-")[0])
    assert len(parts) == 20
    assert all(len(names) == 1 for names in parts.values())


def test_a_training_median_is_of_the_rollouts_that_are_used(tmp_path: Path) -> None:
    write_json(tmp_path / "origin/sokoban-origin-m/a.json", [dialogue([(1, 1)] * 3, name="x")])
    training = [
        dialogue([(900, 1)] * 3, name="x"),
        dialogue([(1, 1)] * 3, name="y"),
        dialogue([(2, 2)] * 3, name="z"),
    ]
    write_json(tmp_path / "origin/sokoban-train-m/a.json", training)
    assert build(tmp_path / "origin", tmp_path / "out", "--budget", "sokoban=median") == 0
    assert build_record(tmp_path / "out")["families"][1]["budget"] == {"tokens": 9}


def test_a_family_folder_may_be_a_link(tmp_path: Path) -> None:
    write_json(tmp_path / "store" / "rollouts.json", [dialogue()])
    (tmp_path / "origin").mkdir()
    (tmp_path / "origin" / "sokoban-origin-m").symlink_to(tmp_path / "store")
    assert build(tmp_path / "origin", tmp_path / "out") == 0
    assert build_record(tmp_path / "out")["families"][0]["counts"]["rollouts"] == 1


def test_tasks_are_found_by_file_name() -> None:
    assert set(known_tasks()) >= set(TASKS)
    assert [len(find_task(task).resources) for task in TASKS] == [1, 1, 1, 3]
