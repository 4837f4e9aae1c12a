"""`bagen predict model` as a command against servers on loopback, and what it writes."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bagen_data.hub import load_samples
from tests.forks import Fork, Forks
from tests.making import build, trajectory, write_json
from tests.model_server import KEY, MODEL, ModelServer, digest

SAMPLES, TURNS = 120, 11


def make(folder: Path, samples: int = SAMPLES, *flags: object, turns: int = TURNS) -> Path:
    """A swebench family of that many samples; a rollout has one fewer than turns."""
    family = folder / "origin" / "swebench-origin-m"
    names = [f"a__a-{number}" for number in range(samples // (turns - 1))]
    for number, name in enumerate(names):
        sizes = [(30, 50 + number + k) for k in range(turns)]
        write_json(family / "run" / name / f"{name}.traj.json", trajectory(name, sizes))
    judged = {"resolved_ids": names[::2], "unresolved_ids": names[1::2]}
    write_json(family / "report.json", judged)
    assert build(folder / "origin", folder / "built", *flags) == 0
    return folder / "built"


def addresses(*servers: ModelServer) -> list[str]:
    """The options that name servers."""
    return [part for server in servers for part in ("--base-url", server.url)]


def command(dataset: Path, out: Path, *more: object) -> list[str]:
    """The command without the options that name servers."""
    model = (f"openai-api/local/{MODEL}", "--temperature", 0)
    flags = ("--dataset", dataset, "--config", "swebench", "--out", out)
    return ["-m", "bagen_data", "predict", "model", *map(str, (*model, *flags, *more))]


def environment(out: Path | None = None, key: str | None = KEY) -> dict[str, str]:
    names = ("PATH", "LANG", "PYTHONPATH", "TMPDIR", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    known = {name: os.environ[name] for name in names if name in os.environ}
    home = {"HOME": str(out.parent)} if out else {}
    return known | home | ({"LOCAL_API_KEY": key} if key else {})


FORKS = Forks("tests.asking", environment=environment())
"""Shared by all test files that ask models."""


def start(server: ModelServer, dataset: Path, out: Path, *more: object) -> Fork:
    return FORKS.start(command(dataset, out, *addresses(server), *more), environment(out))


def ask(
    server: ModelServer, dataset: Path, out: Path, *more: object
) -> "subprocess.CompletedProcess[str]":
    return FORKS.run(command(dataset, out, *addresses(server), *more), environment(out))


def stopped(process: Fork, how: int, when: Callable[[], bool]) -> str:
    """Send a signal as soon as something holds; returns what the process said.

    The process must not be able to end before it: see `ModelServer.most`.
    """
    while not when():
        assert process.poll() is None, process.communicate()
        time.sleep(0.01)
    process.send_signal(how)
    return without_progress(process.communicate()[1])


def without_progress(said: str) -> str:
    """Leave out lines of progress, which only a slow run prints."""
    return re.sub(r"(?m)^(?:.* done|no answer for .* still waiting)\n", "", said)


def predictions(out: Path) -> list[dict[str, Any]]:
    lines = (out / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def prompts(dataset: Path) -> list[str]:
    """The name that servers have for each prompt, in the dataset's order."""
    table = load_samples(str(dataset), "swebench", also=("prompt",)).table
    return [digest(prompt) for prompt in table["prompt"].to_pylist()]


def log(out: Path) -> Path:
    (path,) = (out / "logs").glob("*.eval")
    return path
