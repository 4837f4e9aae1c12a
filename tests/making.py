"""Small real data for tests, each in one line."""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from bagen_data.dataset_configs import is_benchmark, is_training
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.family_reading import read_family
from bagen_data.reading.origin import find_families
from bagen_data.reading.reading_options import ReadingOptions
from bagen_data.schema import Budget, Rollout, Turn
from builders.cli import main
from collect.cli import main as collect_main

REPO = Path(__file__).parent.parent
SAMPLE = REPO / "sample" / "origin"
WITHOUT_TRANSFORMERS = os.pathsep.join([str(REPO / "tests" / "without_transformers"), str(REPO)])
"""The PYTHONPATH of a process in which `evaluate` imports neither `transformers` nor PyTorch.

It does so for an evaluator that no test needs, and takes six seconds.
"""
SHARED = REPO.parent / "shared" / "rollouts"
SHARED_LOGS = REPO.parent / "shared" / "logs"

needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="no recorded rollouts beside the clone"
)
needs_shared_logs = pytest.mark.skipif(
    not SHARED_LOGS.is_dir(), reason="no logs of other tools beside the clone"
)


def token_turn(read: int, written: int, user: str = "look", assistant: str = "go") -> Turn:
    usage = {"input_tokens": read, "output_tokens": written, "tokens": read + written}
    return Turn(user, assistant, usage)


def rollout(
    turns: Sequence[tuple[int, int]], success: bool = True, task: str = "sokoban"
) -> Rollout:
    made = tuple(token_turn(*turn, f"look {k}", f"go {k}") for k, turn in enumerate(turns, 1))
    return Rollout(task, "m", "r", "i", "", made, success)


def warehouse_rollout(cash: Sequence[int], success: bool = True) -> Rollout:
    turns = tuple(
        Turn(
            f"day {14 * k}",
            f"order {k}",
            {"time_weeks": 2, "warehouse_item_weeks": 100 + k, "cumulative_cost_usd": 1_000 + k},
            {"cash_usd": amount},
        )
        for k, amount in enumerate(cash)
    )
    return Rollout("warehouse", "m", "r", "i", "", turns, success, {"cash_usd": 500})


WAREHOUSE_BUDGET = Budget(
    {"time_weeks": 99, "warehouse_item_weeks": 9_999, "cumulative_cost_usd": 99_999},
    {"target_cash_usd": 10},
)


def recorded_for(task: str, length: int) -> tuple[Rollout, Budget]:
    if task == "warehouse":
        return warehouse_rollout(range(500, 500 + length)), WAREHOUSE_BUDGET
    return rollout([(9 + k, 5 + k) for k in range(length)], task=task), Budget({"tokens": 99})


def requests(sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(input, output) per request, inputs repeating the history, from fresh sizes."""
    history, pairs = 0, []
    for fresh, output in sizes:
        pairs.append((history + fresh, output))
        history += fresh + output
    return pairs


def dialogue(
    sizes: Sequence[tuple[int, int]] = ((30, 50), (10, 70), (20, 40)),
    rollout_success: Any = True,
    name: str = "a",
    **changes: Any,
) -> dict[str, Any]:
    """An evaluation dialogue; `changes` are fields of turn 2."""
    turns: list[dict[str, Any]] = [
        {
            "turn_idx": k,
            "user_prompt": f"state {name} {k}",
            "raw_response": f"move {k}",
            "parsed_response": f"move {k}",
            "api_input_tokens": read,
            "api_output_tokens": written,
            "success": False,
            "actions": ["Up"],
        }
        for k, (read, written) in enumerate(requests(sizes), 1)
    ]
    turns[-1]["success"] = rollout_success
    if changes:
        turns[1].update(changes)
    return {"env_id": 0, "rollout_success": rollout_success, "turns": turns}


def chat(contents: Sequence[str], success: Any = True, **more: Any) -> dict[str, Any]:
    """A messages record; contents alternate from a user message."""
    roles = ("user", "assistant")
    messages = [{"role": roles[k % 2], "content": text} for k, text in enumerate(contents)]
    return {"custom_id": "traj_0", "messages": messages, "metadata": {"success": success}} | more


def trajectory(
    instance: str, sizes: Sequence[tuple[int, int]] = ((30, 50), (10, 70), (20, 40))
) -> dict[str, Any]:
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "fix it"},
        {"role": "user", "content": f"issue {instance}"},
    ]
    for k, (read, written) in enumerate(requests(sizes), 1):
        usage = {"prompt_tokens": read, "completion_tokens": written}
        messages += [
            {"role": "assistant", "content": f"ls {k}", "extra": {"response": {"usage": usage}}},
            {"role": "tool", "content": f"output {k}"},
        ]
    messages.append({"role": "exit", "content": "patch"})
    return {
        "trajectory_format": "mini-swe-agent-1.1",
        "instance_id": instance,
        "messages": messages,
    }


def warehouse(
    name: str = "a", steps: int = 4, final_cash: float = 900.4, **changes: Any
) -> dict[str, Any]:
    """A warehouse dialogue; `changes` are fields of the record."""
    turns = [
        {
            "user_prompt": f"scenario {name}, day {14 * k}",
            "raw_response": f"order {k}",
            "financials": {
                "cash": final_cash - 100 * (steps - 1 - k),
                "cumulative_cost": 50.0 * (k + 1),
                "cumulative_inventory_weeks": 20.0 * (k + 1),
            },
        }
        for k in range(steps)
    ]
    return {
        "success": "True",
        "initial_state": {"day": 0, "cash": 500},
        "final_state": {"day": 14 * steps, "cash": final_cash},
        "turns": turns,
    } | changes


def write_json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def write_lines(path: Path, rows: Sequence[Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def write_trajectories(family: Path, names: Sequence[str], resolved: Sequence[str]) -> None:
    for name in names:
        write_json(family / "run" / name / f"{name}.traj.json", trajectory(name))
    failed = [name for name in names if name not in resolved]
    report = {"resolved_ids": list(resolved), "unresolved_ids": failed}
    write_json(family / "report.json", report)


def read(family: Path, counting: Counting | None = None) -> FamilyIndex:
    """Read one family folder."""
    spools = Path(os.environ["TMPDIR"]) / f"spools-{os.getpid()}"
    spools.mkdir(exist_ok=True)
    return read_family(
        find_families(family)[0],
        spools,
        ReadingOptions(counting or Counting()),
    )


def exit_code(command: Callable[[Sequence[str]], None], *arguments: object) -> int:
    """Return the exit code of a command line, run in this process."""
    try:
        command([str(argument) for argument in arguments])
    except SystemExit as end:
        return int(end.code or 0)
    return 0


def run(*arguments: object) -> int:
    """Run `python -m builders ...` in this process; returns the exit code."""
    return exit_code(main, *arguments)


def collect(*arguments: object) -> int:
    """Run `python -m collect ...` in this process; returns the exit code."""
    return exit_code(collect_main, *arguments)


def build(origin: Path, out: Path, *flags: object) -> int:
    return run("build", "--origin", origin, "--out", out, *flags)


def make_tokenizer(folder: Path) -> Path:
    """A small byte-level tokenizer, trained on the spot."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=500, initial_alphabet=alphabet, show_progress=False)
    lines = (SHARED / "sokoban-origin-llama3.1-8b" / "rollouts.jsonl").open(encoding="utf-8")
    with lines:
        tokenizer.train_from_iterator(lines, trainer)
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def build_record(out: Path) -> dict[str, Any]:
    record: dict[str, Any] = json.loads((out / "build.json").read_text(encoding="utf-8"))
    return record


def counts(out: Path, family: int = 0) -> dict[str, Any]:
    """The counts of one family of a build."""
    family_counts: dict[str, Any] = build_record(out)["families"][family]["counts"]
    return family_counts


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def rows_of(built: Path, task: str = "*") -> list[dict[str, Any]]:
    """Rows of a config, or of all samples but start probes."""
    paths = sorted(built.glob(f"data/{task}/*.parquet"))
    return [
        row
        for path in paths
        if task != "*" or is_benchmark(path.parent.name) or is_training(path.parent.name)
        for row in pq.read_table(path).to_pylist()
    ]
