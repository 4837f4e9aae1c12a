"""A hidden split: its content, what it leaves out, and what is refused."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from huggingface_hub import close_session

from bagen_data.hub import load_questions, load_rollouts, load_samples
from bagen_data.schema import QUESTIONS, SAMPLES
from builders.hidden.hidden_build import KEY, PUBLIC
from tests.loopback_hub import loopback_hub
from tests.making import SAMPLE, build, build_record, contents, dialogue, run, write_json

TRUTH = {
    *("rollout_model", "rollout_id", "instance_id", "total_turns"),
    *("feasible", "verdict", "rollout_success", "dropped_turns"),
}


def test_the_public_part_has_no_column_of_the_truth() -> None:
    assert set(SAMPLES.names) - set(QUESTIONS.names) == TRUTH
    amounts = QUESTIONS.field("resources").type.value_type
    assert [field.name for field in amounts] == ["resource", "unit", "budget", "used"]


def test_both_parts_hold_the_same_samples_in_the_order_of_random_ids(split: Path) -> None:
    questions = load_questions(str(split / PUBLIC)).table.to_pylist()
    samples = load_samples(str(split / KEY), also=("prompt", "instance_id", "conditions")).table
    assert len(questions) == 24
    for question, sample in zip(questions, samples.to_pylist(), strict=True):
        truth = {part["resource"]: part.pop("remaining") for part in sample["resources"]}
        assert min(truth.values()) >= 0
        assert (
            question.items()
            >= {
                name: sample[name]
                for name in ("sample_id", "task", "completed_turns", "prompt", "resources")
            }.items()
        )
        assert re.fullmatch(rf"{question['task']}/[0-9a-f]{{32}}", question["sample_id"])
        assert len(question["turns"]) == question["completed_turns"] < sample["total_turns"]
        assert all(part["used"] <= part["budget"] for part in question["resources"])
    for task in {row["task"] for row in questions}:
        own = [row for row in samples.to_pylist() if row["task"] == task]
        assert [row["sample_id"] for row in own] == sorted(row["sample_id"] for row in own)
        assert len({row["instance_id"] for row in own}) == len(own) == 6


def test_no_file_of_the_public_part_names_a_rollout(split: Path, built: Path) -> None:
    public = split / PUBLIC
    rollouts = load_rollouts(str(built), "test").to_pylist()
    names = {row["rollout_id"] for row in rollouts} | {row["instance_id"] for row in rollouts}
    texts = [data.decode("utf-8", "replace") for data in contents(public).values()]
    for row in load_questions(str(public)).table.to_pylist():
        del row["prompt"]  # shows what the agent saw
        texts.append(json.dumps(row))
    for name in {*names, "scripted", "origin", "synthetic"}:
        assert not [text for text in texts if name in text], name
    assert not (public / "data" / "rollouts").exists()
    for path in public.rglob("*.parquet"):
        assert pq.ParquetFile(path).metadata.metadata is None


def test_the_public_record_holds_nothing_of_the_families(split: Path) -> None:
    record = build_record(split / PUBLIC)
    assert record.keys() == {
        *("revision", "benchmark_version", "versions", "prompt", "hidden"),
        *("key_sha256", "files", "seal"),
    }
    assert record["hidden"].keys() == {"samples", "budgets"}
    assert record["revision"] == build_record(split / KEY)["revision"]


def test_the_key_is_closed_to_others_and_fixed_beforehand(split: Path) -> None:
    key = split / KEY
    assert {path.stat().st_mode & 0o777 for path in key.rglob("*") if path.is_file()} == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (key, *key.rglob("data"))} == {0o700}
    assert (split / ".gitignore").read_text() == f"/{KEY}/\n"
    digest = hashlib.sha256((key / "build.json").read_bytes()).hexdigest()
    assert build_record(split / PUBLIC)["key_sha256"] == digest
    assert len(build_record(key)["salt"]) == 64
    assert f"`{digest}`" in (split / PUBLIC / "README.md").read_text()


def test_verify_checks_both_parts(split: Path, tmp_path: Path, capsys: Any) -> None:
    for part in (PUBLIC, KEY):
        assert run("verify", split / part) == 0
    copy = tmp_path / "copy"
    for name, data in contents(split / PUBLIC).items():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        (copy / name).write_bytes(data + b" " * name.endswith(".parquet"))
    assert run("verify", copy) == 1
    assert "was changed" in capsys.readouterr().err


def test_two_splits_have_no_id_in_common(split: Path, tmp_path: Path) -> None:
    assert build(SAMPLE, tmp_path / "other", "--hidden", 6) == 0
    ids = [
        set(load_questions(str(out / PUBLIC)).table["sample_id"].to_pylist())
        for out in (split, tmp_path / "other")
    ]
    assert not ids[0] & ids[1]


def test_a_split_is_never_replaced(split: Path, capsys: Any) -> None:
    before = contents(split)
    assert build(SAMPLE, split, "--hidden", 6) == 1
    assert "nothing was touched" in capsys.readouterr().err
    for part in (PUBLIC, KEY):
        assert build(SAMPLE, split / part) == 1
        assert build(SAMPLE, split / part, "--hidden", 6) == 1
    assert build(SAMPLE, split) == 1
    assert contents(split) == before


def test_what_is_public_is_left_out_and_counted(
    split: Path, built: Path, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out"
    for public, left in ((built, 0), (split / KEY, 2), (split / PUBLIC, 2)):
        flags = ("--hidden", 6, "--apart-from", public, "--task", "sokoban")
        assert build(SAMPLE, out, *flags) == 1
        said = capsys.readouterr().err
        assert f"sokoban: {left} instances can give a sample; expected 6; {8 - left} roll" in said
        assert not out.exists()
    assert (
        build(SAMPLE, out, "--hidden", 2, "--apart-from", split / PUBLIC, "--task", "sokoban") == 0
    )
    (family,) = build_record(out / KEY)["families"]
    assert (family["counts"]["published"], family["counts"]["samples"]) == (6, 2)
    older, newer = (
        set(load_samples(str(path / KEY), also=("instance_id",)).table["instance_id"].to_pylist())
        for path in (split, out)
    )
    assert not older & newer


def test_a_revision_of_the_hub_is_left_out(
    built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        commit = hub.upload("ORG/NAME", built)
        hub.commit("ORG/NAME", {"manifest.jsonl": b""})  # nothing of it is left on main
        flags = ("--hidden", 6, "--apart-from", f"ORG/NAME@{commit[:9]}", "--task", "sokoban")
        assert build(SAMPLE, tmp_path / "out", *flags) == 1
        close_session()
    assert "sokoban: 0 instances can give a sample; expected 6" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("--hidden", 9), 1, "warehouse: 8 instances can give a sample; expected 9"),
        (("--hidden", 2, "--budget", "sokoban=median"), 2, "must not follow from what"),
        (("--hidden", 2, "--budget", "sokoban=1.2x"), 2, "must not follow from what"),
        (("--hidden", 2, "--budget", "sokoban=9..2"), 2, "must not follow from what"),
        (("--hidden", 2, "--budget", "warehouse=target_mood:2"), 1, "range of target_mood"),
        (("--apart-from", "x"), 2, "is for --hidden N"),
        (("--hidden", 2, "--apart-from", "nowhere"), 1, "no such folder"),
        (("--hidden", 0), 2, "hidden"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, capsys: Any, flags: tuple[object, ...], code: int, message: str
) -> None:
    assert build(SAMPLE, tmp_path / "out", *flags) == code
    assert message in capsys.readouterr().err
    assert list(tmp_path.iterdir()) in ([], [tmp_path / ".out.lock"])


def test_budgets_may_be_stated(tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ("--budget", "sokoban=4000..9000", "--task", "sokoban")
    assert build(SAMPLE, out, "--hidden", 8, *flags) == 0
    rows = load_questions(str(out / PUBLIC)).table.to_pylist()
    budgets = [row["resources"][0]["budget"] for row in rows]
    assert 4000 <= min(budgets) < max(budgets) <= 9000
    assert all(budget % 100 == 0 for budget in budgets)


def test_training_families_are_no_part_of_it(tmp_path: Path, capsys: Any) -> None:
    write_json(tmp_path / "o" / "sokoban-train-m" / "a.json", [dialogue(name="a")])
    assert build(tmp_path / "o", tmp_path / "out", "--hidden", 1) == 1
    assert "training families only" in capsys.readouterr().err


def test_several_families_share_one_file_and_an_instance_is_drawn_once(tmp_path: Path) -> None:
    for model in ("one", "two"):
        rows = [dialogue([(30, 50)] * (3 + n % 3), name=f"level {n}") for n in range(9)]
        for row in rows:
            row["turns"][0]["raw_response"] = row["turns"][0]["parsed_response"] = model
        write_json(tmp_path / "o" / f"sokoban-origin-{model}" / "a.json", rows)
    out = tmp_path / "out"
    assert build(tmp_path / "o", out, "--hidden", 9) == 0
    assert len(list((out / PUBLIC).rglob("*.parquet"))) == 1
    table = load_samples(str(out / KEY), also=("instance_id",)).table
    assert len(set(table["instance_id"].to_pylist())) == 9
    assert set(table["rollout_model"].to_pylist()) == {"one", "two"}
    assert build(tmp_path / "o", tmp_path / "more", "--hidden", 10) == 1
