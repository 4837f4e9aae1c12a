"""`bagen predict model` with several servers, which share the rollouts."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log

from bagen_data.submissions import read_metadata
from tests.model_server import ModelServer, model_server
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
    stopped,
)

SAMPLES, PER_ROLLOUT = 60, 10


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("data"), SAMPLES)


@pytest.fixture(scope="module")
def whole(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The answers and requests of a run on one server."""
    out = tmp_path_factory.mktemp("whole") / "out"
    with model_server() as server:
        assert ask(server, dataset, out).returncode == 0
    return out


@dataclass(frozen=True)
class SharedRun:
    """A run that three servers shared, with one connection each."""

    out: Path
    shares: list[dict[int, list[int]]]
    """The probes of each rollout that each server was asked."""


@pytest.fixture(scope="module")
def shared(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> SharedRun:
    """Return a run on three servers; each is a process, which imports for seconds."""
    out = tmp_path_factory.mktemp("shared") / "out"
    with ExitStack() as stack:
        servers = [stack.enter_context(model_server()) for _ in range(3)]
        done = ask_all(servers, dataset, out, "--connections", 1)
        assert done.returncode == 0, done.stderr
        return SharedRun(out, [rollouts_of(server, dataset) for server in servers])


@pytest.fixture
def three() -> Iterator[list[ModelServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(model_server()) for _ in range(3)]


def ask_all(
    servers: list[ModelServer], dataset: Path, out: Path, *more: object
) -> "subprocess.CompletedProcess[str]":
    return FORKS.run(command(dataset, out, *addresses(*servers), *more), environment(out))


def rollouts_of(server: ModelServer, dataset: Path) -> dict[int, list[int]]:
    """Return the probes that a server was asked, by rollout, in the order of the requests."""
    place = {prompt: number for number, prompt in enumerate(prompts(dataset))}
    asked: dict[int, list[int]] = {}
    for prompt in server.order:
        asked.setdefault(place[prompt] // PER_ROLLOUT, []).append(place[prompt] % PER_ROLLOUT)
    return asked


def test_servers_share_whole_rollouts_and_answer_as_one(whole: Path, shared: SharedRun) -> None:
    out, shares = shared.out, shared.shares
    assert sorted(name for share in shares for name in share) == list(range(6))
    assert [len(share) for share in shares] == [2, 2, 2]
    for probes in (probes for share in shares for probes in share.values()):
        assert probes == list(range(PER_ROLLOUT))  # short prefix first
    assert (out / "predictions.jsonl").read_bytes() == (whole / "predictions.jsonl").read_bytes()
    one, many = (read_metadata(each / "metadata.yaml") for each in (whole, out))
    assert many.decoding == one.decoding | {"servers": 3}
    finished, alone = (read_eval_log(str(log(each))) for each in (out, whole))
    assert finished.status == "success"
    assert finished.results
    assert alone.results
    assert finished.results.scores[0].metrics == alone.results.scores[0].metrics
    assert [each.id for each in finished.samples or ()] == [each.id for each in alone.samples or ()]
    assert finished.stats.model_usage == alone.stats.model_usage


def test_no_address_is_in_what_is_written(
    dataset: Path, three: list[ModelServer], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert ask_all(three[:2], dataset, out, "--limit", 20, "--shard", "0/2").returncode == 0
    ports = [server.url.split(":")[2].partition("/")[0] for server in three[:2]]
    content = read_eval_log(str(log(out))).model_dump_json()
    for text in (content, *(path.read_text() for path in out.iterdir() if path.is_file())):
        assert "127.0.0.1" not in text
        assert not any(f":{port}" in text for port in ports)


def test_a_dead_server_is_named_with_its_rollouts_and_a_rerun_without_it_completes(
    dataset: Path, whole: Path, three: list[ModelServer], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    dead = three[1]
    dead.fail = lambda number: 503 if number > 5 else 0
    failed = ask_all(three[:2], dataset, out, "--retries", 0)
    assert failed.returncode == 1
    (line,) = [line for line in failed.stderr.splitlines() if line.strip().startswith("--base-url")]
    assert dead.url in line
    assert "25 of 30 samples have no answer, of swebench/m/" in line
    assert "the server says 503" in line
    assert "without the --base-url of a server that is gone" in failed.stderr
    assert not (out / "predictions.jsonl").exists()
    assert len(three[0].answered) == 30
    left = [three[0], three[2]]
    done = ask_all(left, dataset, out, "--resume")
    assert done.returncode == 0, done.stderr
    assert sum(len(server.answered) for server in left) == SAMPLES - 5
    assert (out / "predictions.jsonl").read_bytes() == (whole / "predictions.jsonl").read_bytes()
    assert read_metadata(out / "metadata.yaml").decoding["servers"] == 3  # of both runs
    assert len(read_eval_log(str(log(out))).samples or ()) == SAMPLES


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_stopped_run_goes_on_with_each_rollout_where_it_was(
    how: int, dataset: Path, whole: Path, three: list[ModelServer], tmp_path: Path
) -> None:
    out, two = tmp_path / "out", three[:2]
    for server in two:
        server.most = 13
    process = FORKS.start(command(dataset, out, *addresses(*two)), environment(out))
    said = stopped(process, how, lambda: all(len(server.answered) == 13 for server in two))
    first = [set(rollouts_of(server, dataset)) for server in two]
    if how == signal.SIGINT:
        assert process.returncode == 130
        first_line, said = said.split("\n", 1)
        assert first_line == "openai-api/local/rule on swebench: 60 samples to ask"
        begin, kept, end = said.partition(f" of 60 samples are answered and kept in {out}/logs; ")
        assert kept, said
        assert end == "go on with: the same command with --resume\n"
        # an answer that a server has sent may still be on its way
        assert 0 < int(begin.removeprefix("interrupted; ")) <= 26
    time.sleep(0.5)  # what asked for a dead process is dead soon after it
    for server in two:
        server.most = None
    done = ask_all(two[::-1], dataset, out, "--resume")
    assert done.returncode == 0, done.stderr
    second = [set(rollouts_of(server, dataset)) for server in two]
    assert all(before <= after for before, after in zip(first, second, strict=True))
    assert not second[0] & second[1]
    assert (out / "predictions.jsonl").read_bytes() == (whole / "predictions.jsonl").read_bytes()


def test_a_process_that_dies_is_a_failure_of_its_server(
    dataset: Path, three: list[ModelServer], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    servers = three[:2]
    servers[0].most = 10
    process = FORKS.start(command(dataset, out, *addresses(*servers)), environment(out))
    while len(servers[0].answered) < 10 or len(servers[1].answered) < 30:
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:  # the one that is through has ended or is about to
        is_tracker = b"resource_tracker" in Path(f"/proc/{child}/cmdline").read_bytes()
        if not is_tracker:
            os.kill(int(child), signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode == 1
    assert f"--base-url {servers[0].url}" in said
    assert "was ended by signal 9" in said


def test_a_server_given_twice_is_refused(dataset: Path, tmp_path: Path) -> None:
    flags = ("--base-url", "http://a/v1", "--base-url", "http://a/v1/")
    done = FORKS.run(command(dataset, tmp_path / "out", *flags), environment(tmp_path / "out"))
    assert done.returncode == 2
    assert "--base-url http://a/v1/: appears twice" in done.stderr


def test_a_finished_run_is_not_asked_again(dataset: Path, shared: SharedRun) -> None:
    out = shared.out
    before = {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}
    with model_server() as server:
        assert ask(server, dataset, out, "--connections", 1, "--resume").returncode == 0
        assert server.requests == 0
    assert {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()} == before
    assert len(predictions(out)) == SAMPLES
    assert read_metadata(out / "metadata.yaml").decoding["servers"] == 3
