"""Families that the command line collects from scripted agents, as a build finds them."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from collect.swebench import minisweagent_import
from sample import make
from tests.collect.swebench.played_toys import needs_tool
from tests.making import REPO, SAMPLE, build, build_record, collect, contents, rows_of

TASKS = ("sokoban", "searchr1", pytest.param("swebench", marks=needs_tool), "warehouse")
OPTIONS = {"swebench": ("--steps", "30")}
ROLLOUTS = {"swebench": 9}


def collected(task: str, out: Path, *more: object, rollouts: int = 0) -> int:
    rollouts = rollouts or ROLLOUTS.get(task, 24)
    options = ("--agent", "scripted", "--rollouts", rollouts, *OPTIONS.get(task, ()))
    return collect(task, *options, "--out", out, *more)


@pytest.mark.parametrize("task", TASKS)
def test_a_family_has_feasible_and_infeasible_probes_and_loses_no_rollout(tmp_path, task):
    out = tmp_path / "origin" / f"{task}-origin-scripted"
    assert collected(task, out) == 0
    assert build(tmp_path / "origin", tmp_path / "built", "--strict") == 0
    (family,) = build_record(tmp_path / "built")["families"]
    known = family["counts"]["rollouts"] + family["counts"]["duplicates"]
    assert known == ROLLOUTS.get(task, 24)
    rows = rows_of(tmp_path / "built")
    feasible = sum(row["feasible"] for row in rows)
    assert 0.1 * len(rows) < feasible < 0.9 * len(rows)


@pytest.mark.parametrize("task", ["sokoban", "searchr1", "warehouse"])
def test_the_number_of_processes_changes_nothing(tmp_path, task):
    for workers in (1, 2):
        folder = tmp_path / str(workers) / f"{task}-origin-scripted"
        assert collected(task, folder, "--workers", workers, rollouts=5) == 0
    assert contents(tmp_path / "1") == contents(tmp_path / "2")


def test_a_warehouse_rollout_gives_ten_samples_and_half_of_them_are_feasible(tmp_path):
    out = tmp_path / "origin" / "warehouse-origin-scripted"
    assert collected("warehouse", out, rollouts=64) == 0
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    recorded = json.loads((out / "warehouse_eval_estimation_dialogues.json").read_bytes())
    turns = {len(rollout["turns"]) for rollout in recorded if not rollout["bankrupt"]}
    assert turns == {11}
    verdicts: dict[str, list[bool]] = {}
    for row in rows_of(tmp_path / "built"):
        verdicts.setdefault(row["rollout_id"], []).append(row["feasible"])
    survived = [own for own in verdicts.values() if len(own) == 10]
    assert len(survived) >= sum(not rollout["bankrupt"] for rollout in recorded)
    feasible = sum(own[0] for own in verdicts.values())
    bankrupt = sum(rollout["bankrupt"] for rollout in recorded)
    assert 32 - bankrupt <= feasible <= 32


@needs_tool
def test_the_bundled_sample_is_made_again_byte_for_byte(tmp_path):
    make.main(tmp_path / "origin")
    assert contents(tmp_path / "origin") == contents(SAMPLE)


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("sokoban", ("--size", "6"), "--size 6: expected ROWSxCOLUMNS"),
        ("sokoban", ("--size", "99x99"), "from 5x5 to 12x12"),
        ("sokoban", ("--boxes", "9"), "--boxes 9: expected 1 to 2"),
        ("sokoban", ("--size", "12x12", "--boxes", "4"), "--boxes 4: expected 1 to 3"),
        ("sokoban", ("--temperature", "1"), "--temperature: of no use with scripted agents"),
        ("sokoban", ("--temperature", "0"), "--temperature: of no use with scripted agents"),
        ("sokoban", ("--connections", "3"), "--connections: of no use with scripted agents"),
        (
            "sokoban",
            ("--agent", "a/b", "--error-rate", "0"),
            "--error-rate: of no use with a model",
        ),
        ("sokoban", ("--tokenizer", "no/such/folder"), "--tokenizer no/such/folder"),
        ("searchr1", ("--questions", "none.jsonl"), "none.jsonl: cannot be read"),
        ("searchr1", ("--first", "66"), "has 66 questions"),
        ("swebench", ("--local", "mine.jsonl"), "scripted agents know the toy repositories only"),
        ("swebench", ("--subset", "lite"), "--subset: of no use with local rollouts"),
        ("swebench", ("--cost-usd", "0"), "--cost-usd: of no use with local rollouts"),
        ("swebench", ("--agent", "a/b", "--local", "f", "--first", "1"), "--first: of no use with"),
        ("swebench", ("--agent", "a/b", "--steps", "9"), "--steps: of no use with SWE-bench"),
        ("swebench", ("--agent", "a/b", "--first", "1"), "--first: of no use"),
        ("swebench", ("--agent", "a/b", "--timeout", "9"), "--timeout: of no use with mini-swe"),
        ("swebench", ("--first", "16"), "2 are left from --first 16 on"),
    ],
)
def test_options_that_cannot_be_are_one_message(tmp_path, capsys, task, options, message):
    out = tmp_path / f"{task}-origin-scripted"
    assert collected(task, out, *options) in (1, 2)
    assert message in " ".join(capsys.readouterr().err.split())
    assert not out.exists()


def limit_files() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_disk_without_room_is_one_message_and_loses_nothing(tmp_path):
    out = tmp_path / "sokoban-origin-scripted"
    options = ["--agent", "scripted", "--rollouts", "24", "--out", str(out)]
    command = [sys.executable, "-m", "collect", "sokoban", *options]
    done = subprocess.run(
        command, check=False, cwd=REPO, stderr=subprocess.PIPE, text=True, preexec_fn=limit_files
    )
    assert done.returncode == 1
    message = "File too large; what was recorded is kept; correct that, then go on with --resume"
    assert message in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr
    assert collected("sokoban", out, "--resume") == 0
    assert collected("sokoban", tmp_path / "whole" / out.name) == 0
    assert contents(out) == contents(tmp_path / "whole" / out.name)


def test_ctrl_c_ends_several_processes_without_noise(tmp_path):
    out = tmp_path / "warehouse-origin-scripted"
    options = ["--agent", "scripted", "--rollouts", "100000", "--workers", "2", "--out", str(out)]
    code = (
        "import signal, sys; from collect.cli import main; "
        "signal.signal(signal.SIGINT, signal.default_int_handler); main(sys.argv[1:])"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, "warehouse", *options],
        cwd=REPO,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = out / "rollouts.partial"
    while process.poll() is None and not (journal.exists() and journal.stat().st_size > 100_000):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert said == (
        "what was recorded is kept; go on with --resume\ninterrupted; nothing is half written\n"
    )


@pytest.mark.parametrize(
    "name", ["mine", "searchr1-origin-m", "sokoban-other-m", "sokoban-origin-"]
)
def test_a_family_is_called_what_it_is(tmp_path, capsys, name):
    assert collected("sokoban", tmp_path / name) == 2
    assert "expected a folder named sokoban-origin-MODEL" in capsys.readouterr().err


def test_the_makefile_installs_the_tool_that_messages_name():
    alone = (REPO / "requirements" / "alone.in").read_text().splitlines()
    assert f"mini-swe-agent=={minisweagent_import.VERSION}" in alone
