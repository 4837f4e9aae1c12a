"""`bagen predict model` with several servers, which share the rollouts."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from inspect_ai.log import read_eval_log

from bagen_data.submissions import read_metadata
from tests.forks import FORKED_CHILDREN, Fork
from tests.model_server import SOON, ModelServer, model_server
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

SAMPLES, PER_ROLLOUT = 40, 5


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("data"), SAMPLES, turns=PER_ROLLOUT + 1)


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
    urls: list[str]
    """The addresses of the servers."""


@pytest.fixture(scope="module")
def shared(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> SharedRun:
    """Return a run on three servers."""
    out = tmp_path_factory.mktemp("shared") / "out"
    with ExitStack() as stack:
        servers = [stack.enter_context(model_server()) for _ in range(3)]
        done = ask_all(servers, dataset, out, "--connections", 1)
        assert done.returncode == 0, done.stderr
        shares = [rollouts_of(server, dataset) for server in servers]
        return SharedRun(out, shares, [server.url for server in servers])


@pytest.fixture
def three() -> Iterator[list[ModelServer]]:
    with ExitStack() as stack:
        yield [stack.enter_context(model_server()) for _ in range(3)]


def ask_all(
    servers: list[ModelServer], dataset: Path, out: Path, *more: object
) -> "subprocess.CompletedProcess[str]":
    asked = command(dataset, out, *addresses(*servers), *more)
    return FORKS.run((FORKED_CHILDREN, *asked), environment(out))


def start_all(servers: list[ModelServer], dataset: Path, out: Path, *more: object) -> Fork:
    asked = command(dataset, out, *addresses(*servers), *more)
    return FORKS.start((FORKED_CHILDREN, *asked), environment(out))


def rollouts_of(server: ModelServer, dataset: Path) -> dict[int, list[int]]:
    """Return the probes that a server was asked, by rollout, in the order of the requests."""
    place = {prompt: number for number, prompt in enumerate(prompts(dataset))}
    asked: dict[int, list[int]] = {}
    for prompt in server.order:
        asked.setdefault(place[prompt] // PER_ROLLOUT, []).append(place[prompt] % PER_ROLLOUT)
    return asked


def test_servers_share_whole_rollouts_and_answer_as_one(whole: Path, shared: SharedRun) -> None:
    out, shares = shared.out, shared.shares
    assert sorted(name for share in shares for name in share) == list(range(8))
    assert sorted(len(share) for share in shares) == [2, 3, 3]
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
    dataset: Path, shared: SharedRun, three: list[ModelServer], tmp_path: Path
) -> None:
    """The output of several servers, and that of a shard of theirs.

    The processes that ask the shard start as those of users do; they are forks in other tests.
    """
    shard = tmp_path / "out"
    flags = (*addresses(*three[:2]), "--limit", 20, "--shard", "0/2")
    done = FORKS.run(command(dataset, shard, *flags), environment(shard))
    assert done.returncode == 0, done.stderr
    two = [server.url for server in three[:2]]
    for out, urls in ((shared.out, shared.urls), (shard, two)):
        ports = [url.split(":")[2].partition("/")[0] for url in urls]
        content = read_eval_log(str(log(out))).model_dump_json()
        for text in (content, *(path.read_text() for path in out.iterdir() if path.is_file())):
            assert "127.0.0.1" not in text
            assert not any(f":{port}" in text for port in ports)


def test_a_dead_server_is_named_with_its_rollouts_and_a_rerun_without_it_completes(
    dataset: Path, whole: Path, three: list[ModelServer], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    dead = three[1]
    dead.fail, dead.headers = (lambda number: 503 if number > 5 else 0), SOON
    failed = ask_all(three[:2], dataset, out, "--retries", 0)
    assert failed.returncode == 1
    (line,) = [line for line in failed.stderr.splitlines() if line.strip().startswith("--base-url")]
    assert dead.url in line
    assert "15 of 20 samples have no answer, of swebench/m/" in line
    assert "the server says 503" in line
    assert "without the --base-url of a server that is gone" in failed.stderr
    assert not (out / "predictions.jsonl").exists()
    assert len(three[0].answered) == 20
    left = [three[0], three[2]]
    done = ask_all(left, dataset, out, "--resume")
    assert done.returncode == 0, done.stderr
    assert sum(len(server.answered) for server in left) == SAMPLES - 5
    assert (out / "predictions.jsonl").read_bytes() == (whole / "predictions.jsonl").read_bytes()
    assert read_metadata(out / "metadata.yaml").decoding["servers"] == 3  # of both runs
    assert len(read_eval_log(str(log(out))).samples or ()) == SAMPLES


def test_a_stopped_run_goes_on_with_each_rollout_where_it_was(
    dataset: Path, whole: Path, three: list[ModelServer], tmp_path: Path
) -> None:
    """A run is interrupted, resumed and killed, and resumed; its servers change places."""
    out, two = tmp_path / "out", three[:2]
    for server in two:
        server.most = 13
    process = start_all(two, dataset, out)
    wait_until(process, lambda: all(len(each.answered) == 13 for each in two))
    at_work = descendants(process.pid)
    assert len(at_work) >= 4  # a process a server, one to fork them from, and a resource tracker
    said = stopped(process, signal.SIGINT, lambda: True)
    assert process.returncode == 130
    wait_for_end(at_work)
    first_line, said = said.split("\n", 1)
    assert first_line == "openai-api/local/rule on swebench: 40 samples to ask"
    begin, kept, end = said.partition(f" of 40 samples are answered and kept in {out}/logs; ")
    assert kept, said
    assert end == "go on with: the same command with --resume\n"
    # an answer that a server has sent may still be on its way
    assert 0 < int(begin.removeprefix("interrupted; ")) <= 26
    first = [set(rollouts_of(server, dataset)) for server in two]
    for server in two:
        server.most = server.requests + 3
    process = start_all(two[::-1], dataset, out, "--resume")
    wait_until(process, lambda: all(each.requests > (each.most or 0) for each in two))
    at_work = descendants(process.pid)
    assert len(at_work) >= 4
    stopped(process, signal.SIGKILL, lambda: True)
    wait_for_end(at_work)
    second = [set(rollouts_of(server, dataset)) for server in two]
    for server in two:
        server.most = None
    done = ask_all(two, dataset, out, "--resume")
    assert done.returncode == 0, done.stderr
    third = [set(rollouts_of(server, dataset)) for server in two]
    assert all(before <= after for before, after in zip(first, second, strict=True))
    assert all(before <= after for before, after in zip(second, third, strict=True))
    assert not third[0] & third[1]
    assert (out / "predictions.jsonl").read_bytes() == (whole / "predictions.jsonl").read_bytes()


def test_a_process_that_dies_is_a_failure_of_its_server(
    dataset: Path, three: list[ModelServer], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    servers = three[:2]
    servers[0].most = 10
    process = start_all(servers, dataset, out)
    wait_until(process, lambda: [len(each.answered) for each in servers] == [10, 20])
    for child in children(process.pid):  # the one that is through has ended or is about to
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
            os.kill(child, signal.SIGKILL)
    said = process.communicate()[1]
    assert process.returncode == 1
    assert f"--base-url {servers[0].url}" in said
    assert "was ended by signal 9" in said


def wait_until(process: Fork, holds: Callable[[], bool]) -> None:
    """Wait until something holds, while the process runs."""
    while not holds():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)


def wait_for_end(processes: list[int]) -> None:
    """Wait until processes have ended, which they do when the one that started them has."""
    until = time.monotonic() + 60
    while any(is_running(each) for each in processes):
        assert time.monotonic() < until, [each for each in processes if is_running(each)]
        time.sleep(0.01)


def is_running(pid: int) -> bool:
    """Return whether a process runs; one that nobody has waited for does not."""
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def descendants(pid: int) -> list[int]:
    """Return the ids of the processes that a process, or one of these, has started."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def children(pid: int) -> list[int]:
    """Return the ids of the processes that a process has started, and that still run."""
    try:
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        return [
            int(each)
            for each in " ".join((task / "children").read_text() for task in threads).split()
        ]
    except (FileNotFoundError, ProcessLookupError):
        return []


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
