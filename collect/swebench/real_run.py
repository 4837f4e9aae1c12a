"""A real SWE-bench run: what mini-swe-agent and SWE-bench's evaluation are to be told.

Both run in an environment of their own, with Docker. `prepare` writes a folder that becomes the
family's:

    swebench-origin-MODEL/bagen.yaml     for mini-swe-agent, on top of its own swebench.yaml
    swebench-origin-MODEL/instances.txt  the instances, where they are named
    swebench-origin-MODEL/collect.sh     the commands, in order; it can be run again after a stop
"""

import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bagen_data.errors import InputError, OutputError, WrongUsageError
from bagen_data.fast_json import load_json
from bagen_data.held_folder import held_folder
from bagen_data.replaced_set import replaced_set
from bagen_data.unique_keys import RepeatedKeyError
from collect.environment import RESPONSE_TOKENS
from collect.swebench.minisweagent_import import VERSION
from collect.swebench.swebench_defaults import STEPS, SUBSET, SUBSETS

CONFIG, NAMES, COMMANDS = "bagen.yaml", "instances.txt", "collect.sh"
EVALUATION_VERSION = "5.0.2"
"""Version of the package swebench."""
_INSTALL = f"pip install mini-swe-agent=={VERSION} swebench=={EVALUATION_VERSION}"
_CHECK_SECONDS = 60


@dataclass(frozen=True)
class RealRun:
    """A run on real instances.

    Raises:
        WrongUsageError: a subset that is unknown, or fewer instances than rollouts.
    """

    model: str
    """Name of the model as litellm, which mini-swe-agent calls, has it: PROVIDER/NAME."""
    rollouts: int
    """Number of rollouts; each is of another instance."""
    subset: str = SUBSET
    """Subset of SWE-bench, one of `SUBSETS`."""
    instances: Sequence[str] = ()
    """Ids of the instances; without any, mini-swe-agent draws them with its own fixed seed."""
    workers: int = 4
    """Instances at a time."""
    cost_usd: float | None = None
    """US dollars after which an instance is stopped.

    None: never, and models without a known price will do.
    """

    def __post_init__(self) -> None:
        if self.subset not in SUBSETS:
            raise WrongUsageError(f"--subset {self.subset}: unknown; known: {', '.join(SUBSETS)}")
        if self.rollouts < 1 or self.workers < 1:
            raise WrongUsageError("--rollouts and --workers: expected at least 1")
        if self.instances and self.rollouts > len(self.instances):
            raise WrongUsageError(
                f"--rollouts {self.rollouts}: as many instances are needed, and "
                f"{len(self.instances)} are given: a family has one rollout of each"
            )


def read_names(path: Path) -> tuple[str, ...]:
    """Return instance ids from a file: JSONL with `instance_id`, or one id a line.

    Raises:
        InputError: the file cannot be read, holds none, or one twice.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    names = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            name = (
                load_json(line.encode())["instance_id"] if line.lstrip().startswith("{") else line
            )
        except RepeatedKeyError as error:
            raise InputError(f"{path}:{number}: {error}") from error
        except (ValueError, KeyError) as error:
            raise InputError(f"{path}:{number}: expected an object with instance_id") from error
        names.append(str(name).strip())
    if not names or len(set(names)) < len(names):
        raise InputError(f"{path}: expected instance ids, each of them once")
    return tuple(names)


def prepare(run: RealRun, folder: Path) -> Path:
    """Write what the run needs.

    Args:
        run: the run to prepare.
        folder: the family's folder, as `swebench-origin-MODEL`; made if it is not there.

    Returns:
        The file with the commands.

    Raises:
        OutputError: the folder cannot be written.
    """
    names = run.instances[: run.rollouts]
    texts = {CONFIG: _config(run), COMMANDS: _commands(run)}
    if names:
        texts[NAMES] = "".join(f"{name}\n" for name in names)
    try:
        with held_folder(folder) as held, replaced_set(held) as staging:
            for name, text in texts.items():
                (staging / name).write_text(text, encoding="utf-8")
            (staging / COMMANDS).chmod(0o755)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written: {error.strerror or error}") from error
    return folder / COMMANDS


def missing_tools() -> list[str]:
    """Return what this machine lacks to run the commands here; empty if they can be run.

    A caller that only prepared has done what it was asked for where tools are missing: it says what
    to run, and exits 0.
    """
    checks = (
        ("mini-swe-agent", ("mini-extra", "swebench", "--help")),
        ("a running Docker that this user may use", ("docker", "info")),
        ("swebench", ("python3", "-c", "import swebench.harness.run_evaluation")),
    )
    return [
        f"{what} (`{shlex.join(command)}` {failure})"
        for what, command in checks
        if (failure := _failure(*command))
    ]


def run_here(commands: Path) -> None:
    """Run the commands; what they print is seen.

    Raises:
        InputError: one of them failed.
    """
    done = subprocess.run(["bash", str(commands)], check=False)
    if done.returncode:
        raise InputError(
            f"{commands}: ended with exit code {done.returncode}; correct what it says above, then "
            "run it again: instances that are done are not done again"
        )


def how_to_run(commands: Path, missing: Sequence[str]) -> str:
    """Return the message for a person where the commands cannot be run."""
    return (
        f"prepared {commands.parent}; this machine lacks: {'; '.join(missing)}\n"
        "On a machine with Docker, copy the folder there and run:\n"
        "  python3 -m venv swe && . swe/bin/activate\n"
        f"  {_INSTALL}\n"
        "  export OPENAI_API_KEY=...   # or the key of the model's provider\n"
        f"  bash {shlex.quote(str(commands))}"
    )


def _config(run: RealRun) -> str:
    model: dict[str, Any] = {
        "model_name": run.model,
        "model_kwargs": {"max_tokens": RESPONSE_TOKENS},
    }
    if run.cost_usd is None:
        model["cost_tracking"] = "ignore_errors"
    config = {
        "agent": {"step_limit": STEPS, "cost_limit": run.cost_usd or 0.0},
        "model": model,
    }
    head = (
        "# For mini-extra swebench, after its own swebench.yaml: what differs from it.\n"
        f"# At most {RESPONSE_TOKENS} tokens a response and {STEPS} turns; "
        + ("no cost limit.\n" if run.cost_usd is None else "a cost limit in US dollars.\n")
    )
    return head + yaml.safe_dump(config, sort_keys=False)


def _commands(run: RealRun) -> str:
    names = run.instances[: run.rollouts]
    which = (
        ["--filter", f"^({'|'.join(re.escape(name) for name in names)})$"]
        if names
        else ["--shuffle", "--slice", f"0:{run.rollouts}"]
    )
    collect = ["mini-extra", "swebench", "--subset", run.subset, "--split", "test", *which]
    collect += ["-c", "swebench.yaml", "-c", CONFIG, "--output", "run"]
    collect += ["--workers", str(run.workers)]
    evaluate = ["python3", "-m", "swebench.harness.run_evaluation"]
    evaluate += ["--dataset_name", SUBSETS[run.subset], "--split", "test"]
    evaluate += ["--max_workers", str(run.workers), "--run_id", "bagen"]
    return f"""\
#!/usr/bin/env bash
# Record {run.rollouts} rollouts of SWE-bench ({run.subset}) and have them evaluated.
# It needs Docker, the key of the model's provider, and:
#   {_INSTALL}
# It costs money, and some 100 GB of disk for images. Run again, it goes on where it stopped.
set -euo pipefail
cd "$(dirname "${{BASH_SOURCE[0]}}")"
family=$PWD

# 1. Rollouts: run/INSTANCE/INSTANCE.traj.json and run/preds.json. swebench.yaml is the tool's own.
{shlex.join(collect)}

# 2. Evaluation. Its logs are JSON, too, and no rollouts: they stay out of the family's folder.
work="${{TMPDIR:-/tmp}}/$(basename "$family")-evaluation"
mkdir -p "$work"
cd "$work"
{shlex.join(evaluate)} \\
  --predictions_path "$family/run/preds.json" --report_dir "$work/report"
cp "$work"/report/*.json "$family/report.json"
echo "evaluated; logs are in $work"

# 3. Then, in the clone of this project:
echo "next: python -m builders build --origin $family --out OUT"
"""


def _failure(*command: str) -> str:
    """Return how a command fails; empty if it does not."""
    if shutil.which(command[0]) is None:
        return "is not there"
    try:
        done = subprocess.run(
            command,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_CHECK_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return "does not answer"
    return f"ends with exit code {done.returncode}" if done.returncode else ""
