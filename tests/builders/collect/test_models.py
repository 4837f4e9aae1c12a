"""Models as agents, against a real server on loopback, through the command line."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.model_server import KEY, MODEL, ModelServer, model_server

MOVES = ("Up", "Down", "Left", "Right")


def answer(number: int) -> str:
    return f"<answer>{MOVES[number % 4]} || {MOVES[number // 4 % 4]}</answer>"


def command(server: ModelServer, out: Path, *more: str, rollouts: int = 8) -> list[str]:
    agent = ["--agent", f"openai-api/rule/{MODEL}", "--base-url", server.url]
    run = [sys.executable, "-m", "builders", "collect", "sokoban", *agent]
    return [*run, "--rollouts", str(rollouts), "--out", str(out), "--connections", "4", *more]


def collect(server: ModelServer, out: Path, *more: str, key: str = KEY, **options: Any) -> Any:
    return subprocess.run(
        command(server, out, *more, **options),
        check=False,
        env=environment(key),
        capture_output=True,
        text=True,
    )


def environment(key: str = KEY) -> dict[str, str]:
    return {**os.environ, "RULE_API_KEY": key}


def read(out: Path) -> list[dict[str, Any]]:
    return json.loads((out / "sokoban_eval_estimation_dialogues.json").read_bytes())


def test_a_killed_collection_goes_on_and_is_as_a_whole_one(tmp_path):
    killed, whole = tmp_path / "a" / "sokoban-origin-rule", tmp_path / "b" / "sokoban-origin-rule"
    with model_server(answer=answer, wait=0.05) as server:
        process = subprocess.Popen(command(server, killed), env=environment())
        while server.requests < 45:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not list(killed.glob("*.json"))
        done = collect(server, killed, "--resume")
        assert done.returncode == 0, done.stderr
        asked = server.requests
    assert 80 <= asked <= 80 + 4 * 10
    with model_server(answer=answer) as server:
        assert collect(server, whole).returncode == 0
        assert server.requests == 80
        assert all(body["max_tokens"] == 800 for body in server.bodies)
    assert [rollout["env_id"] for rollout in read(killed)] == list(range(8))
    for path in whole.iterdir():
        assert path.read_bytes() == (killed / path.name).read_bytes()


def test_usage_is_as_the_server_reported_it(tmp_path):
    out = tmp_path / "sokoban-origin-rule"
    with model_server(answer=answer) as server:
        collect(server, out, rollouts=2)
    for rollout in read(out):
        said = 0
        for turn in rollout["turns"]:
            said += sum(len(message["content"].split()) for message in turn["messages"])
            assert turn["api_input_tokens"] == said
            assert turn["api_output_tokens"] == len(turn["parsed_response"])
            raw = turn["api_interactions"][0]["usage"]["raw"]
            assert raw["input_tokens_details"]["cached_tokens"] == said // 2
            said += len(turn["parsed_response"].split())


def test_what_the_server_refuses_fails_alone_and_is_tried_again(tmp_path):
    out = tmp_path / "sokoban-origin-rule"
    with model_server(answer=answer, fail=lambda n: 400 if n == 5 else 0) as server:
        done = collect(server, out, "--retries", "0", rollouts=4)
        assert done.returncode == 1
        assert "1 rollouts failed" in done.stderr
        assert len(read(out)) == 3
        again = collect(server, out, "--resume", rollouts=4)
    assert again.returncode == 0, again.stderr
    assert [rollout["env_id"] for rollout in read(out)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("agent", "key", "told"),
    [
        (f"openai-api/rule/{MODEL}", "wrong", "401"),
        ("openai-api/rule/other", KEY, "404"),
        ("nobody/model", KEY, "nobody"),
        ("no-provider", KEY, "PROVIDER/NAME"),
        ("scripted/genius", KEY, "scripted/careful"),
    ],
)
def test_what_cannot_work_is_one_message(tmp_path, agent, key, told):
    out = tmp_path / "sokoban-origin-rule"
    with model_server(answer=answer) as server:
        done = collect(server, out, "--agent", agent, key=key, rollouts=3)
    assert done.returncode in (1, 2)
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(out.glob("*.json"))
