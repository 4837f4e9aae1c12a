"""`bagen watch` at a terminal and elsewhere: what it prints, and how it ends."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bagen_data.cli import main
from bagen_data.live.policies import ThresholdPolicy
from bagen_data.live.watching.state_screen import Screen
from bagen_data.reading.plain_rollouts import read_plain_rollouts
from tests.bagen_data.live.watching.fitting import budgets_of, examples_of, fitted
from tests.bagen_data.live.watching.sessions import SIZES, append, claude_lines, watcher
from tests.making import REPO, SAMPLE, chat, exit_code, write_lines

LINES = claude_lines("s1")
COMMAND = [sys.executable, "-m", "bagen_data", "watch"]
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


def once(capsys: pytest.CaptureFixture[str], log: Path, *options: object) -> dict[str, Any]:
    assert exit_code(main, "watch", log, "--once", "--json", *options) == 0
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_the_state_is_one_json_object(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = append(tmp_path / "s1.jsonl", LINES)
    said = once(capsys, log, "--budget", "tokens=700,turns=9")
    assert said["source"] == {
        "file": str(log),
        "place": "s1.jsonl",
        "session": "s1",
        "tool": "Claude Code 2.1.80",
        "model": "claude-opus-4-5",
        "usage": "request, turn count",
    }
    assert [turn["used"] for turn in said["turns"]] == [
        {"tokens": 350, "turns": 1},
        {"tokens": 520, "turns": 2},
        {"tokens": 760, "turns": 3},
    ]
    assert said["turns"][1]["advice"]["action"] == "continue"
    assert said["state"]["advice"]["action"] == "stop"
    assert said["state"]["remaining"] == {"tokens": -60, "turns": 6}
    assert said["state"]["turn"] == 3
    assert (said["task"], said["forecaster"], said["problem"]) == ("", None, None)


def test_costs_are_counted_by_given_prices(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = append(tmp_path / "s1.jsonl", LINES[:2])
    budget = ("--budget", "cost_usd=2", "--price", "claude-opus-4-5=10,100")
    assert once(capsys, log, *budget)["state"]["used"] == {"cost_usd": 0.008}


def test_a_log_without_a_turn_is_no_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = once(capsys, append(tmp_path / "s1.jsonl", LINES[:1]))
    assert (said["turns"], said["state"]["turn"], said["rollout"]) == ([], 0, None)


@pytest.mark.parametrize(
    ("lines", "options", "code", "message"),
    [
        (None, (), 1, "does not exist; expected a log file or a folder of logs"),
        ([{"odd": 1}], (), 1, "is of no known format"),
        ([chat(["hi", "ho", "on", "off"])], (), 1, "give --tokenizer"),
        (LINES, ("--budget", "tokens"), 2, "expected NAME=AMOUNT"),
        (LINES, ("--budget", "tokens=1,tokens=2"), 2, "tokens appears twice"),
        (LINES, ("--budget", "moves=1"), 2, "is not counted in logs of the general task"),
        (LINES, ("--budget", "target_cash_usd=1"), 2, "sets a target and no limit"),
        (LINES, ("--task", "a b"), 2, "expected a name of letters"),
        (LINES, ("--rollout", "x"), 2, "no rollout of log.jsonl has this id"),
        (LINES, ("--policy", "p.json"), 1, "p.json: cannot be read"),
    ],
)
def test_errors_say_what_to_do(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    lines: Any,
    options: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    log = tmp_path / "log.jsonl"
    if lines is not None:
        write_lines(log, lines)
    assert exit_code(main, "watch", log, "--once", *options) == code
    assert message in " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_a_folder_without_a_log_has_no_state(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...]
) -> None:
    (tmp_path / "notes.txt").write_text("no log")
    assert exit_code(main, "watch", tmp_path, "--once", *options) == 1
    said = capsys.readouterr()
    assert "holds no log; expected a folder of logs, or leave --once out" in " ".join(
        said.err.split()
    )
    assert said.out == ""
    append(tmp_path / "s1.jsonl", LINES)
    assert exit_code(main, "watch", tmp_path, "--once", *options) == 0


def test_another_task_than_the_forecasters_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = read_plain_rollouts(SAMPLE / "swebench-train-scripted")
    fitted(examples_of(plain.rollouts, budgets_of(plain)), "climatology").save(tmp_path / "kept")
    (log,) = (SAMPLE / "sokoban-origin-scripted").glob("*.json")
    kept = ("--forecaster", tmp_path / "kept")
    assert exit_code(main, "watch", log, "--once", *kept) == 1
    message = " ".join(capsys.readouterr().err.split())
    assert "the logs are of the task sokoban, and the forecaster" in message
    assert "is of swebench; expected the same" in message
    family = tmp_path / "support-origin-m"
    support = append(family / "s1.jsonl", LINES)
    assert exit_code(main, "watch", support, "--once", *kept) == 1
    message = " ".join(capsys.readouterr().err.split())
    assert "support-origin-m: the logs are of the task support" in message
    assert "--task swebench reads the logs as its task" in message
    assert once(capsys, support, *kept, "--task", "swebench")["task"] == "swebench"
    loose = append(tmp_path / "s1.jsonl", LINES)
    said = once(capsys, loose, *kept)
    assert said["task"] == "swebench"
    assert "the forecaster's usual budget is taken: tokens" in said["notes"][0]
    assert all(turn["forecast"]["finish"] <= 1 for turn in said["turns"])
    ThresholdPolicy(stop_below=1.0, first_turn=2).save(tmp_path / "policy.json")
    policy = ("--budget", "tokens=9000", "--policy", tmp_path / "policy.json")
    said = once(capsys, loose, *kept, *policy)
    assert [turn["advice"]["action"] for turn in said["turns"]][1:] == ["stop", "stop"]
    assert not said["notes"]


def test_nothing_of_a_log_reaches_the_terminal_as_a_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    records = json.loads(json.dumps(LINES))
    for record in records:
        record["version"] = "[red]\x1b[2J\x07"
        record["sessionId"] = "s\x1b]0;title\x07"
        if record["type"] == "assistant":
            record["message"]["model"] = "m\x9b31m\u202e"
    log = append(tmp_path / "a\x1b[2J.jsonl", [*records, {"type": "user", "\x1b[2J": 1}])
    assert exit_code(main, "watch", log, "--once") == 0
    out = capsys.readouterr().out
    assert "turn 3" in out
    assert "[red]" in out
    assert not set(out) & set("\x1b\x07\x9b\u202e")
    assert exit_code(main, "watch", log, "--once", "--json") == 0
    assert not set(capsys.readouterr().out) & set("\x1b\x07\x9b\u202e")


def test_paths_are_whole_and_drawings_plain_in_a_pipe(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A note folded at column 80, in the middle of a word of a path, which could not be copied."""
    monkeypatch.setenv("COLUMNS", "80")
    folder = tmp_path / ("a-long-name-" * 9) / ("of a user-" * 9)
    log = append(folder / "s1.jsonl", LINES)
    append(folder / "s0.jsonl", claude_lines("s0"))
    os.utime(folder / "s0.jsonl", (0, 0))
    assert exit_code(main, "watch", folder, "--once", "--budget", "tokens=900") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == str(log)
    assert f"{log} is followed: of the logs in {folder}, it was written last" in lines
    assert "\n".join(lines).isascii()


def read_until(descriptor: int, wanted: bytes, seconds: float = 60) -> bytes:
    """Return what a terminal shows until something is in it."""
    seen, end = b"", time.monotonic() + seconds
    while wanted not in seen and time.monotonic() < end:
        if select.select([descriptor], [], [], 0.2)[0]:
            try:
                seen += os.read(descriptor, 65_536)
            except OSError:  # the other end is closed
                break
    assert wanted in seen, seen
    return seen


@pytest.mark.parametrize(("end", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_terminal_is_redrawn_and_left_as_it_was(
    tmp_path: Path, end: signal.Signals, code: int
) -> None:
    log = append(tmp_path / "s1.jsonl", LINES[:2])
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    process = subprocess.Popen(
        [*COMMAND, str(log), "--every", "0.1", "--budget", "tokens=900"],
        cwd=REPO,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=os.environ | {"TERM": "xterm-256color"},
    )
    seen = read_until(master, b"turn 1")
    append(log, LINES[2:])
    seen += read_until(master, b"turn 3")
    process.send_signal(end)
    seen += read_until(master, SHOW)
    assert process.wait(60) == code
    assert seen.count(HIDE) == seen.count(SHOW) == 1
    assert termios.tcgetattr(slave) == before
    os.close(master)
    os.close(slave)


@pytest.mark.parametrize("is_json", [False, True])
def test_elsewhere_a_line_is_printed_for_each_turn(tmp_path: Path, is_json: bool) -> None:
    log = append(tmp_path / "s1.jsonl", LINES[:2])
    options = ["--json"] if is_json else []
    process = subprocess.Popen(
        [*COMMAND, str(log), "--every", "0.1", "--budget", "tokens=900", *options],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline()]
    append(log, LINES[2:])
    lines += [process.stdout.readline(), process.stdout.readline()]
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == b""
    assert b"\x1b" not in b"".join(lines)
    if is_json:
        turns = [json.loads(line) for line in lines]
        assert [(turn["turn"], turn["used"]["tokens"]) for turn in turns] == [
            (1, 350),
            (2, 520),
            (3, 760),
        ]
        assert {turn["place"] for turn in turns} == {"s1.jsonl"}
    else:
        assert lines[0].startswith(b"turn 1; tokens 350 of 900; continue: ")


def test_the_end_of_its_reader_ends_it_quietly(tmp_path: Path) -> None:
    log = append(tmp_path / "s1.jsonl", LINES[:2])
    process = subprocess.Popen(
        [*COMMAND, str(log), "--every", "0.1", "--json"],
        cwd=REPO,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline()
    process.stdout.close()
    append(log, LINES[2:])
    assert process.wait(60) == 0
    assert process.stderr.read() == b""
    process.stderr.close()


def test_a_screen_fits_any_terminal(tmp_path: Path) -> None:
    log = append(tmp_path / "s1.jsonl", claude_lines("s1", SIZES * 9))
    watched = watcher(log, budget="tokens=9000,turns=4,tool_calls=5")
    watched.look()
    for width, height in ((80, 24), (200, 60), (40, 30), (30, 22)):
        console = Console(width=width, height=height, force_terminal=True, color_system=None)
        screen = Screen(watched.state, watched.setup, height)
        lines = console.render_lines(screen, console.options)
        assert len(lines) < height
        text = "\n".join("".join(segment.text for segment in line) for line in lines)
        assert "turn 27" in text
        assert "advice: stop" in text
