"""`bagen predict model` against a real server on loopback: stopped, failing, and well."""

import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from inspect_ai.event import ModelEvent
from inspect_ai.log import read_eval_log

from bagen_data.hub import load_questions, load_samples
from bagen_data.prediction_files import prediction_reader
from bagen_data.scoring import score
from tests.forks import TO_THE_VERY_END
from tests.model_server import KEY, MODEL, SOON, ModelServer, model_server
from tests.predicting import (
    FORKS,
    addresses,
    ask,
    command,
    environment,
    log,
    make,
    predictions,
    prompts,
    start,
    stopped,
    without_progress,
)

SAMPLES, SMALL, TURNS = 50, 20, 6
BUFFERED = 10
"""Samples that Inspect keeps before it writes them to its log."""
RUN = f"openai-api/local/{MODEL} on swebench"
"""The name of a run in its lines."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("data"), SAMPLES, turns=TURNS)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("small"), SMALL, turns=TURNS)


@dataclass(frozen=True)
class WholeRun:
    """A run of all samples that nothing disturbed."""

    out: Path
    order: list[str]
    """The prompts in the order of the requests."""
    said: str
    """The lines of the run."""


@pytest.fixture(scope="module")
def whole(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    out = tmp_path_factory.mktemp("whole") / "out"
    with model_server() as server:
        to_the_end = environment(out) | {TO_THE_VERY_END: "1"}  # where an abort would be seen
        done = FORKS.run(command(dataset, out, *addresses(server)), to_the_end)
        assert done.returncode == 0, done.stderr
        assert sum(server.asked.values()) == SAMPLES
        return WholeRun(out, server.order, done.stderr)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with model_server() as running:
        yield running


def test_killed_twice_and_resumed_it_is_as_if_nothing_had_happened(
    dataset: Path, whole: WholeRun, tmp_path: Path
) -> None:
    connections = ("--connections", 4)
    with model_server(most=25) as server:
        killed = tmp_path / "killed"
        first = start(server, dataset, killed, *connections)
        stopped(first, signal.SIGKILL, lambda: sum(server.answered.values()) == 25)
        server.most = server.requests + 15
        second = start(server, dataset, killed, "--resume", *connections)
        stopped(second, signal.SIGKILL, lambda: server.requests >= server.most)
        server.most = None
        assert not (killed / "predictions.jsonl").exists()
        done = ask(server, dataset, killed, "--resume", *connections)
        assert done.returncode == 0, done.stderr
        asked, repeated = len(server.asked), sum(server.asked.values()) - len(server.asked)
    assert asked == SAMPLES
    assert repeated <= 2 * (4 + BUFFERED) < 25 + 15
    assert predictions(killed) == predictions(whole.out)
    assert [row["sample_id"] for row in predictions(killed)] == (
        load_samples(str(dataset), "swebench").table["sample_id"].to_pylist()
    )
    table = load_samples(str(dataset), "swebench").table
    scores = [score(table, predictions(out), resamples=0).to_dict() for out in (killed, whole.out)]
    assert scores[0] == scores[1]
    assert read_eval_log(str(log(killed))).status == "success"
    assert len(read_eval_log(str(log(killed))).samples or ()) == SAMPLES


def test_prompts_are_asked_rollout_by_rollout_short_prefix_first(
    dataset: Path, whole: WholeRun
) -> None:
    place = {prompt: number for number, prompt in enumerate(prompts(dataset))}
    order = [place[prompt] for prompt in whole.order]
    late = [came for came, number in enumerate(order) if abs(number - came) > 2 * 8]
    assert len(late) <= 0.05 * SAMPLES  # one that is asked again comes late


def test_a_changed_prompt_is_asked_again_and_not_answered_from_the_old_log(tmp_path: Path) -> None:
    """The old log has more answers than the new one, but none to what is asked now."""
    dataset, out = make(tmp_path, SMALL, turns=TURNS), tmp_path / "out"
    with model_server() as server:
        assert ask(server, dataset, out).returncode == 0
        old = set(server.asked)
        before = (out / "predictions.jsonl").read_bytes()
        make(tmp_path, SMALL, "--prompt", "interval_no_think", turns=TURNS)
        server.fail, server.headers = (lambda number: 503 if number > SMALL + 15 else 0), SOON
        refused = ask(server, dataset, out)
        assert refused.returncode == 1
        assert "holds a run already" in refused.stderr
        failed = ask(server, dataset, out, "--resume", "--retries", 0)
        assert failed.returncode == 1
        assert "5 of 20 samples have no answer" in failed.stderr
        assert (out / "predictions.jsonl").read_bytes() == before
        assert len(server.asked) == 2 * SMALL
        server.fail = lambda _: 0
        assert ask(server, dataset, out, "--resume").returncode == 0
    new = {prompt: times for prompt, times in server.answered.items() if prompt not in old}
    assert new == dict.fromkeys(prompts(dataset), 1)
    numbers = {f"<answer>[0, {int(prompt[:4], 16)}]</answer>" for prompt in new}
    assert {row["response"] for row in predictions(out)} == numbers
    metadata = (out / "metadata.yaml").read_text(encoding="utf-8")
    assert "interval_no_think" in metadata
    assert json.loads((dataset / "build.json").read_text())["revision"] in metadata


def test_a_fifth_of_the_requests_fails_and_nothing_is_lost(small: Path, tmp_path: Path) -> None:
    fails = {0: 429, 5: 500}
    with model_server(fail=lambda number: fails.get(number % 10, 0), headers=SOON) as server:
        done = ask(server, small, tmp_path / "out")
        assert done.returncode == 0, done.stderr
        assert server.requests > SMALL + 2
        assert set(server.answered.values()) == {1}
    assert len(predictions(tmp_path / "out")) == SMALL


def test_a_server_that_goes_away_leaves_samples_open(dataset: Path, tmp_path: Path) -> None:
    """The server is given up, as so many samples fail."""
    out = tmp_path / "out"
    with model_server(fail=lambda number: 503 if number > 15 else 0, headers=SOON) as server:
        done = ask(server, dataset, out, "--retries", 0)
        assert done.returncode == 1
        assert "the server says 503" in done.stderr
        assert "; go on with: the same command with --resume" in done.stderr
        assert "first correct" not in done.stderr
        assert not (out / "predictions.jsonl").exists()
        kept = set(server.answered)
        assert len(kept) == 15
        assert len(server.asked) < SAMPLES
        server.fail = lambda _: 0
        assert ask(server, dataset, out, "--resume").returncode == 0
        assert sum(server.answered[prompt] for prompt in kept) <= 15 + 8


def test_another_run_is_not_gone_on_with(small: Path, server: ModelServer, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert ask(server, small, out, "--limit", 10).returncode == 0
    refused = ask(server, small, out, "--limit", 10, "--resume", "--temperature", 1)
    assert refused.returncode == 2
    assert "generation temperature=0.0, not temperature=1.0" in refused.stderr


@pytest.mark.parametrize(
    ("key", "model", "words"),
    [
        (
            "wrong",
            MODEL,
            (
                "401",
                "5 of 5 samples have no answer",
                "first correct the key in the environment; then go on with: the same command with "
                "--resume",
            ),
        ),
        (None, MODEL, ("the model's key is missing; set it with: export LOCAL_API_KEY=...",)),
        (
            KEY,
            "another",
            ("404", "5 of 5", "first correct the model's name or --base-url; then go on with: "),
        ),
    ],
)
def test_what_cannot_be_asked_says_so(
    small: Path,
    server: ModelServer,
    tmp_path: Path,
    key: str | None,
    model: str,
    words: tuple[str, ...],
) -> None:
    out = tmp_path / "out"
    flags = (*addresses(server), "--limit", 5)
    asked = [part.replace(MODEL, model) for part in command(small, out, *flags)]
    done = FORKS.run(asked, environment(out, key))
    assert done.returncode == 1
    assert all(word in done.stderr for word in words), done.stderr
    assert "Traceback" not in done.stderr
    mended = ask(server, small, out, "--limit", 5, *(("--resume",) if key else ()))
    assert mended.returncode == 0, mended.stderr


def test_a_server_that_is_not_there_is_one_message_at_once(small: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/v1"
    out = tmp_path / "out"
    done = FORKS.run(command(small, out, "--base-url", address), environment(out))
    assert done.returncode == 1
    message = f"{address}: no server answers there (connection refused); start it, or correct"
    assert " ".join(done.stderr.split()) == f"{message} --base-url"


def test_interrupted_runs_say_what_is_kept_and_keep_it(dataset: Path, tmp_path: Path) -> None:
    """A new run, and a resumed one with an impatient second Ctrl-C."""
    out = tmp_path / "out"
    kept = 0
    with model_server() as server:
        for flags, interrupts in (((), 1), (("--resume",), 2)):
            most = server.most = server.requests + 15
            process = start(server, dataset, out, *flags)
            while server.requests < most + 8:  # as many as are asked at once
                assert process.poll() is None, process.communicate()
                time.sleep(0.01)
            for _ in range(interrupts):
                process.send_signal(signal.SIGINT)
                time.sleep(0.2)
            said = without_progress(process.communicate()[1])
            assert process.returncode == 130
            begin, said = said.split("\n", 1)
            already = f", {kept} of {SAMPLES} are answered already" if kept else ""
            assert begin == f"{RUN}: {SAMPLES - kept} samples to ask{already}"
            kept += 15
            assert said == (
                f"interrupted; {kept} of {SAMPLES} samples are answered and kept in {out}/logs; go "
                "on with: the same command with --resume\n"
            )
        again = ask(server, dataset, out)
        assert again.returncode == 1
        assert "holds a run already" in again.stderr
        server.most = None
        assert ask(server, dataset, out, "--resume").returncode == 0
        assert set(server.answered.values()) == {1}
    assert len(predictions(out)) == SAMPLES


def test_an_interrupt_while_earlier_logs_are_read_is_one_line(
    small: Path, server: ModelServer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert ask(server, small, out, "--limit", 10).returncode == 0
    before = log(out)
    slow = out / "logs" / "slow.eval"
    os.mkfifo(slow)  # which is read as long as nothing is written to it
    process = start(server, small, out, "--resume")
    while not _is_read(slow):
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    said = process.communicate()[1]
    assert process.returncode == 130
    assert said == (
        f"interrupted; what was answered before is kept in {out}/logs; go on with: the same "
        "command with --resume\n"
    )
    slow.unlink()
    assert log(out) == before
    assert ask(server, small, out, "--resume").returncode == 0
    assert set(server.answered.values()) == {1}


def _is_read(pipe: Path) -> bool:
    with suppress(OSError):  # nobody has it open
        os.close(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return True
    return False


def test_answers_that_cannot_be_read_are_counted(
    small: Path, whole: WholeRun, tmp_path: Path
) -> None:
    """A model that does not keep to the form looks like a bad one, unless somebody says so."""
    with model_server(
        answer=lambda number: "" if number % 2 else "<answer>[0, 9]</answer>"
    ) as server:
        done = ask(server, small, tmp_path / "out", "--limit", 10)
        assert done.returncode == 0, done.stderr
        empty = sum(not row["response"] for row in predictions(tmp_path / "out"))
        assert 0 < empty < 10
        assert f"invalid answers, which count as wrong: {empty} of 10; " in " ".join(
            done.stderr.split()
        )
    assert "invalid" not in whole.said


def test_a_resumed_run_may_raise_its_limit(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with model_server() as server:
        for limit, asked in ((5, 5), (12, 12), (12, 12), (None, SMALL)):
            flags = ("--limit", limit) if limit else ()
            done = ask(server, small, out, *flags, "--resume")
            assert done.returncode == 0, done.stderr
            assert len(server.asked) == asked
            assert len(predictions(out)) == asked
            results = read_eval_log(str(log(out)), header_only=True)
            assert results.eval.dataset.samples == asked
        assert set(server.asked.values()) == {1}
        done = ask(server, small, tmp_path / "whole")
        assert predictions(out) == predictions(tmp_path / "whole")


@pytest.mark.parametrize(
    ("first", "then", "words"),
    [
        (("--limit", 8), ("--limit", 5), "give --limit 8 or more, or leave it out, or give"),
        ((), ("--limit", 15), "--limit 15 is less than the run in"),
        (
            ("--limit", 10, "--shard", "0/2"),
            ("--shard", "0/2"),
            "holds a shard of a run with --limit 10",
        ),
    ],
)
def test_a_limit_is_not_lowered_nor_that_of_a_shard_changed(
    small: Path,
    server: ModelServer,
    tmp_path: Path,
    first: tuple[object, ...],
    then: tuple[object, ...],
    words: str,
) -> None:
    out = tmp_path / "out"
    assert ask(server, small, out, *first).returncode == 0
    before = predictions(out)
    refused = ask(server, small, out, *then, "--resume")
    assert refused.returncode == 2
    assert words in " ".join(refused.stderr.split())
    assert predictions(out) == before


def test_retries_are_said(small: Path, tmp_path: Path) -> None:
    """Retries of Inspect, and retries that a client makes by itself; both runs wait at once."""
    with (
        model_server(fail=lambda number: 429 if number <= 24 else 0, headers=SOON) as busy,
        model_server(fail=lambda number: 503 if number == 1 else 0) as failing,
    ):
        failing.headers = {"Retry-After": "3"}
        runs = [
            start(busy, small, tmp_path / "out", "--limit", 10),
            start(failing, small, tmp_path / "short", "--limit", 1),
        ]
        said = [run.communicate()[1] for run in runs]
        assert [run.returncode for run in runs] == [0, 0], said
    lines = said[0].splitlines()
    assert lines[0] == f"{RUN}: 10 samples to ask"
    assert re.fullmatch(r"server busy \(429\), retrying in \d+ s, [1-8] of 10 waiting", lines[1]), (
        lines
    )
    assert lines[-1] == "8 requests were retried"
    assert said[1].splitlines() == [
        f"{RUN}: 1 sample to ask",
        "request failed, retrying in 3 s, 1 of 1 waiting",
        "1 request was retried",
    ]


def test_a_full_disk_keeps_what_was_answered(dataset: Path, tmp_path: Path) -> None:
    """A limit on the size of files, as a disk cannot be filled in a test."""
    out = tmp_path / "out"
    with model_server() as server:
        _, _, *options = command(dataset, out, *addresses(server))
        limited = ("tests/bagen_data/models/bagen_on_full_disk.py", 120_000, *options)
        done = FORKS.run(limited, environment(out))
        assert done.returncode == 1
        assert "disk I/O error" in done.stderr or "File too large" in done.stderr
        assert "Traceback" not in done.stderr
        before = sum(server.asked.values())
        assert ask(server, dataset, out, "--resume").returncode == 0
        assert sum(server.asked.values()) - before < SAMPLES
    assert len(predictions(out)) == SAMPLES


def test_usage_and_cost_land_in_the_predictions(
    small: Path, server: ModelServer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert ask(server, small, out, "--price", "input=2,cached=1,output=10").returncode == 0
    for row in predictions(out):
        usage = row["usage"]
        assert usage["cached_tokens"] == usage["input_tokens"] // 2
        fresh = usage["input_tokens"] - usage["cached_tokens"]
        cost = 2 * fresh + usage["cached_tokens"] + 10 * usage["output_tokens"]
        assert row["cost_usd"] == pytest.approx(cost / 1e6)
    assert len(list(prediction_reader(out)())) == 1


def test_constrained_decoding_is_asked_for_and_recorded(
    small: Path, server: ModelServer, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert ask(server, small, out, "--constrained", "--limit", 10).returncode == 0
    for body in server.bodies:
        assert "<answer>" in body["structured_outputs"]["regex"]
    assert "constrained: true" in (out / "metadata.yaml").read_text(encoding="utf-8")
    assert ask(server, small, tmp_path / "free", "--limit", 1).returncode == 0
    assert "structured_outputs" not in server.bodies[-1]


def test_a_finished_log_is_small(whole: WholeRun) -> None:
    assert log(whole.out).stat().st_size < 2_000 * SAMPLES


def test_logs_of_others_are_left_alone(small: Path, server: ModelServer, tmp_path: Path) -> None:
    """`logs` is where Inspect itself puts what it writes."""
    other = tmp_path / "other"
    assert ask(server, small, other, "--limit", 1).returncode == 0
    out = tmp_path / "out"
    (out / "logs").mkdir(parents=True)
    (out / "logs" / "theirs.eval").write_bytes(b"not a log at all")
    (kept,) = (other / "logs").glob("*.eval")
    content = kept.read_bytes()
    shutil.copy(kept, out / "logs" / "another-run.eval")
    refused = ask(server, small, out, "--limit", 2)
    assert refused.returncode == 1
    assert "holds a run already" in refused.stderr
    resumed = ask(server, small, out, "--limit", 2, "--resume", "--temperature", 1)
    assert resumed.returncode == 2
    assert (out / "logs" / "another-run.eval").read_bytes() == content


def test_two_runs_do_not_share_a_folder(dataset: Path, tmp_path: Path) -> None:
    with model_server(most=1) as server:
        first = start(server, dataset, tmp_path / "out")
        while not sum(server.answered.values()):
            assert first.poll() is None, first.communicate()
            time.sleep(0.01)
        second = ask(server, dataset, tmp_path / "out", "--resume")
        assert second.returncode == 1
        assert "another process is writing it" in second.stderr
        first.kill()
        first.communicate()


def test_a_prompt_that_is_too_long_is_an_answer_that_is_wrong(small: Path, tmp_path: Path) -> None:
    """The server refuses prompts that are longer than its model can read."""
    with model_server(fail=lambda number: 400 if number % 2 else 0) as server:
        server.said = "This model's maximum context length is 4096 tokens"
        done = ask(server, small, tmp_path / "out")
        assert done.returncode == 0, done.stderr
    responses = [row["response"] for row in predictions(tmp_path / "out")]
    assert responses.count("") == SMALL // 2


def test_what_a_server_objects_to_is_told(small: Path, tmp_path: Path) -> None:
    with model_server(fail=lambda _: 400) as server:
        server.said = "temperature is not supported by this model"
        done = ask(server, small, tmp_path / "out", "--limit", 5)
        assert done.returncode == 1
        assert "temperature is not supported by this model" in done.stderr
    sample = next(each for each in read_eval_log(str(log(tmp_path / "out"))).samples or ())
    assert sample.error is not None
    asked = next(event for event in sample.events if isinstance(event, ModelEvent))
    for traceback, is_whole in ((sample.error.traceback, False), (asked.traceback or "", True)):
        assert "temperature is not supported by this model" in traceback
        assert ("_base_client.py" in traceback) is is_whole  # formatted for a third of a second


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"fail": lambda _: 200, "is_malformed": True}, "the server's answer cannot be read"),
        ({"fail": lambda _: 200}, "the server's answer cannot be read; check that --base-url"),
        ({"fail": lambda _: 404, "said": "no model m"}, "404, no model m; check the model's name"),
        ({"fail": lambda _: 429, "said": "later"}, "429, later; the server is busy: wait, or give"),
        ({"fail": lambda _: 403, "said": "no"}, "403, no; check the key in the environment"),
    ],
)
def test_a_failure_says_what_to_do(
    small: Path, tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    with model_server(**options, headers=SOON) as server:
        done = ask(server, small, tmp_path / "out", "--limit", 1, "--retries", 0)
    assert done.returncode == 1
    assert words in done.stderr
    assert "what was answered is kept" not in done.stderr
    assert not {"Traceback", "Error code", "Error("} & set(done.stderr.split())


def test_a_tool_call_is_not_asked_again(small: Path, tmp_path: Path) -> None:
    call = {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    with model_server(tool_calls=[call]) as server:
        done = ask(server, small, tmp_path / "out", "--limit", 3)
        assert done.returncode == 0, done.stderr
        assert server.requests == 3


def test_a_server_that_hangs_is_left(small: Path, tmp_path: Path) -> None:
    with model_server(most=0) as server:
        flags = ("--limit", 1, "--timeout", 1, "--retries", 0)
        done = ask(server, small, tmp_path / "out", *flags)
        assert done.returncode == 1
        assert "--resume" in done.stderr


def test_a_hidden_split_is_asked_and_not_scored(server: ModelServer, tmp_path: Path) -> None:
    flags = ("--hidden", 4, "--budget", "swebench=500..900")
    public = make(tmp_path, 40, *flags) / "public"
    done = ask(server, public, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    asked = load_questions(str(public)).table["sample_id"].to_pylist()
    assert [row["sample_id"] for row in predictions(tmp_path / "out")] == asked
    results = read_eval_log(str(log(tmp_path / "out")), header_only=True).results
    assert results is not None
    assert results.scores == []
    check = ["-m", "bagen_data", "validate", tmp_path / "out", "--dataset", public]
    assert FORKS.run(check, environment(tmp_path)).returncode == 0
