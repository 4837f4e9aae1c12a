"""Models as agents, against a real server on loopback, through the command line."""

import gc
import json
import os
import signal
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.model import (
    ChatCompletionChoice,
    ChatMessageAssistant,
    ChatMessageUser,
    ContentReasoning,
    ContentText,
    ModelOutput,
    ModelUsage,
)

from bagen_data.models.model_options import ModelOptions
from bagen_data.usage_objects import provider_usage
from collect.model_agent import ModelAgent, reply_of, usage_of
from tests.collect.swebench.played_toys import needs_tool
from tests.making import build_record, contents, run
from tests.model_server import KEY, MODEL, ModelServer, model_server
from tests.predicting import FORKS

USAGE = ModelUsage(input_tokens=9)
MOVES = ("Up", "Down", "Left", "Right")
FILES = {
    "sokoban": "sokoban_eval_estimation_dialogues.json",
    "searchr1": "searchr1_eval_estimation_dialogues.json",
}
COMMANDS = [
    *("ls", "cat README.md", "echo '# mended' >> README.md", "git diff", "ls -a"),
    "git diff -- README.md > patch.txt",
    "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT && cat patch.txt",
]


def answer(number: int) -> str:
    return f"<answer>{MOVES[number % 4]} || {MOVES[number // 4 % 4]}</answer>"


def search(number: int) -> str:
    return f"<answer>search[{('river', 'bridge', 'mill', 'town')[number % 4]}]</answer>"


SERVERS: dict[str, dict[str, Any]] = {
    "sokoban": {"answer": answer},
    "searchr1": {"answer": search},
    "swebench": {"commands": COMMANDS, "answer": lambda _: "on"},
}
TURNS = {"sokoban": 10, "searchr1": 10, "swebench": len(COMMANDS)}


def command(
    server: ModelServer, out: Path, *more: str, task: str = "sokoban", rollouts: int = 6
) -> list[str]:
    agent = ["--agent", f"openai-api/rule/{MODEL}", "--base-url", server.url]
    local = ["--local", "toys"] if task == "swebench" else []
    run = ["-m", "collect", task, *agent, *local]
    return [*run, "--rollouts", str(rollouts), "--out", str(out), "--connections", "4", *more]


def environment(key: str = KEY) -> dict[str, str]:
    return {**os.environ, "RULE_API_KEY": key}


def collect(server: ModelServer, out: Path, *more: str, key: str = KEY, **options: Any) -> Any:
    return FORKS.run(command(server, out, *more, **options), environment(key))


def read(out: Path) -> list[dict[str, Any]]:
    return json.loads((out / FILES["sokoban"]).read_bytes())


@pytest.mark.parametrize(
    "task", ["sokoban", "searchr1", pytest.param("swebench", marks=needs_tool)]
)
def test_a_killed_collection_goes_on_and_is_as_a_whole_one(tmp_path, task):
    killed, whole = (tmp_path / each / f"{task}-origin-rule" for each in "ab")
    some = ("--connections", "2")  # of 3 rollouts, the first to end has ended after 8 tenths
    asked = 3 * TURNS[task]
    with model_server(**SERVERS[task], most=asked * 8 // 10) as server:
        process = FORKS.start(command(server, killed, *some, task=task, rollouts=3), environment())
        while server.requests < server.most:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        server.most = None
        assert not list(killed.rglob("*.json"))
        done = collect(server, killed, "--resume", *some, task=task, rollouts=3)
        assert done.returncode == 0, done.stderr
        assert asked <= server.requests <= asked + 2 * TURNS[task]
    with model_server(**SERVERS[task]) as server:
        done = collect(server, whole, *some, task=task, rollouts=3)
        assert done.returncode == 0, done.stderr
        assert server.requests == asked
        assert all(body["max_tokens"] == 800 for body in server.bodies)
    assert contents(killed) == contents(whole)
    assert run("build", "--origin", killed.parent, "--out", tmp_path / "built", "--strict") == 0
    (family,) = build_record(tmp_path / "built")["families"]
    assert family["counts"]["rollouts"] + family["counts"]["duplicates"] == 3


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
            assert raw["prompt_tokens_details"]["cached_tokens"] == said // 2
            said += len(turn["parsed_response"].split())


def test_a_model_plays_on_and_is_not_asked_for_the_recorded_turns(tmp_path):
    source, out = (tmp_path / each / "sokoban-origin-rule" for each in "ab")
    with model_server(answer=answer) as server:
        collect(server, source, rollouts=2)
    with model_server(answer=lambda number: answer(number + 1)) as server:
        agent = ["--agent", f"openai-api/rule/{MODEL}", "--base-url", server.url]
        start = ["--resume-from", f"{source}:1", "--turn", "3", "--continuations", "2"]
        play_on = ["-m", "collect", "sokoban", *agent, *start, "--out", str(out)]
        done = FORKS.run(play_on, environment())
        assert done.returncode == 0, done.stderr
        assert server.requests == 2 * (10 - 3)
    assert "all continuations are equal at 1 of 1 starts" in done.stderr.replace("\n", " ")
    recorded = read(source)[1]["turns"]
    for rollout in read(out):
        assert rollout["turns"][:3] == recorded[:3]
        assert rollout["turns"][3]["user_prompt"] == recorded[3]["user_prompt"]
        assert rollout["turns"][3]["parsed_response"] != recorded[3]["parsed_response"]
        assert rollout["turns"][9]["api_interactions"]


@pytest.mark.parametrize(
    ("counts", "prompt", "details"),
    [
        ({}, 9, {"prompt_tokens_details": {"cached_tokens": 0}}),
        ({"input_tokens_cache_read": 4}, 13, {"prompt_tokens_details": {"cached_tokens": 4}}),
        (
            {"input_tokens_cache_read": 4, "input_tokens_cache_write": 2},
            15,
            {"prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2}},
        ),
        (
            {"reasoning_tokens": 3},
            9,
            {
                "prompt_tokens_details": {"cached_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 3},
            },
        ),
    ],
)
def test_the_input_has_its_cached_part_and_the_output_its_reasoning(counts, prompt, details):
    usage = usage_of(said("Up", ModelUsage(input_tokens=9, output_tokens=5, **counts)))
    assert usage == {
        "prompt_tokens": prompt,
        "completion_tokens": 5,
        "total_tokens": prompt + 5,
        **details,
    }
    (request,) = provider_usage(usage)
    assert (request.input_tokens, request.output_tokens) == (prompt, 5)
    assert request.cached_tokens == counts.get("input_tokens_cache_read", 0)
    assert request.cache_write_tokens == counts.get("input_tokens_cache_write", 0)


def said(content: Any, usage: ModelUsage | None = USAGE) -> ModelOutput:
    message = ChatMessageAssistant(content=content)
    return ModelOutput(model="m", choices=[ChatCompletionChoice(message=message)], usage=usage)


@pytest.mark.parametrize("usage", [None, ModelUsage()])
def test_usage_that_is_not_reported_is_no_usage(usage):
    with pytest.raises(ValueError, match="reported no usage"):
        reply_of(said("Up", usage))


def test_reasoning_is_kept_apart_from_what_is_replayed():
    reply = reply_of(said([ContentReasoning(reasoning="hm"), ContentText(text="Up")]))
    assert (reply.text, reply.raw) == ("Up", "<think>\nhm\n</think>\nUp")
    assert reply_of(said("Up")).raw == ""


def test_half_a_character_can_be_written():
    assert reply_of(said("Up \ud83d")).text == "Up ?"


def test_what_the_server_refuses_fails_alone_and_is_tried_again(tmp_path):
    out = tmp_path / "sokoban-origin-rule"
    with model_server(answer=answer, fail=lambda n: 400 if n == 5 else 0) as server:
        done = collect(server, out, "--retries", "0", rollouts=4)
        assert done.returncode == 1
        assert "1 rollout could not be recorded" in done.stderr
        assert len(read(out)) == 3
        again = collect(server, out, "--resume", rollouts=4)
    assert again.returncode == 0, again.stderr
    assert [rollout["env_id"] for rollout in read(out)] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("agent", "key", "message"),
    [
        (f"openai-api/rule/{MODEL}", "wrong", "401"),
        ("openai-api/rule/other", KEY, "404"),
        ("nobody/model", KEY, "--agent nobody/model: "),
        ("no-provider", KEY, "PROVIDER/NAME"),
        ("scripted/genius", KEY, "scripted/careful"),
    ],
)
def test_what_cannot_work_is_one_message(tmp_path, agent, key, message):
    out = tmp_path / "sokoban-origin-rule"
    with model_server(answer=answer) as server:
        done = collect(server, out, "--agent", agent, key=key, rollouts=3)
    assert done.returncode in (1, 2)
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not list(out.glob("*.json"))


def test_threads_that_still_ask_do_not_outlive_the_collection(monkeypatch):
    def ask() -> None:
        while True:
            try:
                agent.generate([ChatMessageUser(content="?")], 5)
            except CancelledError:
                continue
            except RuntimeError:
                return

    monkeypatch.setenv("RULE_API_KEY", KEY)
    with model_server() as server:
        agent = ModelAgent(f"openai-api/rule/{MODEL}", ModelOptions(base_url=server.url))
        threads = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
        with agent:
            for thread in threads:
                thread.start()
            while server.requests < 20:
                time.sleep(0.01)
        for thread in threads:
            thread.join()


def test_the_end_of_a_collection_closes_its_connections(monkeypatch):
    """An idle connection was left to the garbage collector, which warned many tests later."""
    monkeypatch.setenv("RULE_API_KEY", KEY)
    with model_server() as server:
        with ModelAgent(f"openai-api/rule/{MODEL}", ModelOptions(base_url=server.url)) as agent:
            agent.generate([ChatMessageUser(content="?")], 5)
        del agent
        gc.collect()  # a connection that is still open warns here, and warnings are errors


def test_a_model_is_shown_its_budget_and_ended_by_it(tmp_path):
    out = tmp_path / "searchr1-origin-rule"
    with model_server(answer=search) as server:
        budget = ("--budget", "tokens=100000,search=4", "--tracker")
        done = collect(server, out, *budget, task="searchr1", rollouts=2)
        assert done.returncode == 0, done.stderr
        assert "stopped: 2 by the budget" in done.stdout.replace("\n", " ")
        assert server.requests == 2 * 5
        shown = [body["messages"][-1]["content"] for body in server.bodies]
    assert all("search: " in text.split("\n\n")[-1] for text in shown)
    for rollout in json.loads((out / FILES["searchr1"]).read_bytes()):
        assert rollout["used"]["search"] == 4
        assert len(rollout["turns"]) == 5
        assert rollout["turns"][-1]["actions"] == []
        assert {turn["user_prompt"] for turn in rollout["turns"]} <= set(shown)
