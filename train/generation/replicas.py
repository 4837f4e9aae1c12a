"""Several engines answer at once, each in a process with GPUs of its own.

The prompts of one rollout go to one engine, which reuses what they share. Answers come back as they
are made. The processes end with this one, whatever ends it.
"""

import heapq
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from bagen_data.errors import WorkerDiedError
from bagen_data.worker_processes import how_it_ended
from train.fitted_prompts import Messages
from train.generation.decoding import Answers, Decoding, GeneratedAnswer
from train.generation.engines import Engines

_SCRIPT = Path(__file__).with_name("replica.py")
_CHUNK = 1 << 16
_PATIENCE = 1.0
"""Seconds without an answer after which processes are looked after."""
LOG = "replica-{}.log"
"""The file of what an engine's process printed, in the folder of answers until all is answered."""


@dataclass(frozen=True)
class RolloutPrompts:
    """Prompts, and the rollout that each is of."""

    prompts: Sequence[Messages]
    rollouts: Sequence[str]
    """(n,) names; a rollout's prompts begin alike."""

    def shares(self, number: int) -> list[list[int]]:
        """Return the positions of the prompts of each engine, for up to so many engines.

        Rollouts stay whole. The one with the most text goes first, each to the engine that has the
        least so far; an engine has its prompts in their order.

        >>> RolloutPrompts([[], [], []], ["a", "b", "a"]).shares(5)
        [[0, 2], [1]]
        """
        places: dict[str, list[int]] = {}
        for place, rollout in enumerate(self.rollouts):
            places.setdefault(rollout, []).append(place)
        texts = {name: sum(map(self._size, own)) for name, own in places.items()}
        engines = [(0, n) for n in range(min(number, len(places)))]
        shares: list[list[int]] = [[] for _ in engines]
        for name in sorted(places, key=lambda name: -texts[name]):
            size, engine = heapq.heappop(engines)
            shares[engine] += places[name]
            heapq.heappush(engines, (size + texts[name], engine))
        return [sorted(share) for share in shares]

    def _size(self, place: int) -> int:
        return 1 + sum(len(message["content"]) for message in self.prompts[place])


@dataclass(eq=False)
class _Replica:
    """The process of an engine."""

    number: int
    """The engine's number, from 1."""
    share: Sequence[int]
    """Positions of the engine's prompts."""
    process: "subprocess.Popen[bytes]"
    log: Path
    """The file of what the process prints."""
    answered: int = 0
    _begun: bytes = b""
    """The beginning of a line that is not whole yet."""

    @property
    def has_ended(self) -> bool:
        """Return whether the process has ended."""
        return self.process.poll() is not None

    def send(self, job: Mapping[str, Any]) -> None:
        """Send the process its job.

        The pipe stays open: the process ends when the pipe does, as at the end of this one.
        """
        jobs = _pipe(self.process.stdin)
        with suppress(BrokenPipeError):  # it died, which is heard next
            jobs.write(json.dumps(job).encode() + b"\n")
            jobs.flush()

    def heard(self) -> list[tuple[int, GeneratedAnswer]] | None:
        """Return the answers that have come, or None at the end."""
        data = os.read(_pipe(self.process.stdout).fileno(), _CHUNK)
        if not data:
            return None
        *lines, self._begun = (self._begun + data).split(b"\n")
        answers = []
        for line in lines:
            place, *answer = json.loads(line)
            answers.append((self.share[place], GeneratedAnswer(*answer)))
        self.answered += len(answers)
        return answers

    def end(self) -> int:
        """Wait for the process to end, end what it started and left, and return its exit code."""
        exit_code = self.process.wait()
        self.kill()
        for pipe in (self.process.stdin, self.process.stdout):
            with suppress(OSError):  # a job that it did not read
                _pipe(pipe).close()
        return exit_code

    def kill(self) -> None:
        """End the process and all that it started."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise RuntimeError("a process was started without pipes")
    return stream


def replicated(
    engines: Engines, decoding: Decoding, asked: RolloutPrompts, longest: int, folder: Path
) -> Answers:
    """Yield the position of each prompt and its answer, in any order.

    Args:
        engines: which, and on which GPUs.
        decoding: how.
        asked: the prompts.
        longest: the most tokens of a prompt and its answer.
        folder: what the processes print goes there, and stays where one of them fails.

    Raises:
        WorkerDiedError: a process ended before its last answer. Answers that have come until then,
            from any process, were yielded.
    """
    shares = asked.shares(len(engines.devices))
    replicas: list[_Replica] = []
    try:
        for number, share in enumerate(shares, 1):
            log = folder / LOG.format(number)
            environment = _environment(engines.devices[number - 1], len(shares))
            replicas.append(_Replica(number, share, _started(environment, log), log))
        for replica in replicas:
            replica.send(
                {
                    "decoding": asdict(decoding),
                    "backend": engines.backend,
                    "longest": longest,
                    "tensor_parallel": engines.tensor_parallel,
                    "prompts": [asked.prompts[place] for place in replica.share],
                }
            )
        yield from _heard(replicas, engines)
    except WorkerDiedError:
        _end(replicas)
        raise
    except BaseException:
        _end(replicas)
        _forget(replicas)
        raise
    _end(replicas)
    _forget(replicas)


def _end(replicas: Sequence[_Replica]) -> None:
    for replica in replicas:
        replica.kill()
    for replica in replicas:
        replica.end()


def _forget(replicas: Sequence[_Replica]) -> None:
    for replica in replicas:
        replica.log.unlink(missing_ok=True)


def _heard(replicas: Sequence[_Replica], engines: Engines) -> Answers:
    """Yield answers until all are there, or one process has died and the others have been ended."""
    death: str | None = None
    with selectors.DefaultSelector() as selector:
        for replica in replicas:
            selector.register(_pipe(replica.process.stdout), selectors.EVENT_READ, replica)
        while waiting := dict(selector.get_map()):
            ready = [key for key, _ in selector.select(_PATIENCE)]
            # What a process forked may hold its pipe open after its end.
            ended = [key for key in waiting.values() if not ready and key.data.has_ended]
            for key in [*ready, *ended]:
                replica = key.data
                answers = replica.heard() if key in ready else None
                if answers is not None:
                    yield from answers
                    continue
                selector.unregister(key.fileobj)
                exit_code = replica.end()
                if death is None and replica.answered < len(replica.share):
                    death = _how_it_died(replica, exit_code, len(replicas), engines)
                    for other in replicas:
                        if not other.has_ended:
                            other.kill()
    if death is not None:
        raise WorkerDiedError(death)


def _how_it_died(dead: _Replica, exit_code: int, number: int, engines: Engines) -> str:
    gpus = engines.devices[dead.number - 1]
    where = f" (GPU {gpus})" if gpus else ""
    with dead.log.open("rb") as file:
        lines = file.read().decode("utf-8", "replace").strip().splitlines()
    reason = f": {lines[-1].strip()}" if lines else ""
    return (
        f"engine {dead.number} of {number}{where} {how_it_ended(exit_code)} after "
        f"{dead.answered:,} of {len(dead.share):,} answers{reason}; its output is in {dead.log}"
    )


def _started(environment: Mapping[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a process in a session of its own: Ctrl-C reaches this one, which ends it."""
    with log.open("wb") as errors:
        return subprocess.Popen(  # noqa: S603  our own script
            [sys.executable, str(_SCRIPT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=environment,
            start_new_session=True,
        )


def _environment(devices: str, number: int) -> dict[str, str]:
    """Return the environment of an engine: its GPUs, or its share of the CPU's cores."""
    if devices:
        return {**os.environ, "CUDA_VISIBLE_DEVICES": devices}
    cores = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return {"OMP_NUM_THREADS": str(max(1, cores // number)), **os.environ}
