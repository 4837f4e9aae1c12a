"""Boards of any number of submissions: 100 probes of four tasks, and estimators of every skill."""

import json
import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from bagen_data.schema import WAREHOUSE
from bagen_data.tables import sha256_of
from tests.leaderboard.made_submissions import METADATA_OF_NOBODY

REVISION = "0" * 40
_TASKS = {
    "searchr1": ("tokens",),
    "sokoban": ("tokens",),
    "swebench": ("tokens",),
    "warehouse": tuple(resource.name for resource in WAREHOUSE),
}
_ROLLOUTS = 25
"""Rollouts of each task, with one probe each."""
_TURNS = 5


def write_board(folder: Path, submissions: int) -> None:
    """Write a dataset into `dataset`, and submissions to it into `in`."""
    probes = write_dataset(folder / "dataset")
    for number in range(submissions):
        write_submission(folder / "in" / f"s{number:05}", probes, number)


def write_dataset(folder: Path) -> list[dict[str, Any]]:
    """Write a folder that loads as a built dataset does, and return its 100 probes."""
    rng = random.Random(0)
    probes = [
        _probe(rng, task, 1 + number % (_TURNS - 1))
        for task in _TASKS
        for number in range(_ROLLOUTS)
    ]
    folder.mkdir(parents=True)
    write_as_built(folder, pa.Table.from_pylist(probes), REVISION)
    return probes


def write_as_built(folder: Path, samples: pa.Table, revision: str) -> None:
    """Write samples into a folder, with as much of a build's records as loading them needs."""
    file = folder / "samples.parquet"
    pq.write_table(samples, file)
    row = {"path": file.name, "sha256": sha256_of(file), "config": "default", "split": "test"}
    (folder / "manifest.jsonl").write_text(json.dumps(row) + "\n")
    (folder / "build.json").write_text(json.dumps({"revision": revision}))


def _probe(rng: random.Random, task: str, turn: int) -> dict[str, Any]:
    rollout, feasible = f"{rng.getrandbits(64):016x}", rng.random() < 0.5
    resources = []
    for name in _TASKS[task]:
        total = rng.randint(1_000, 20_000)
        used = total * turn // _TURNS
        budget = (1.1 if feasible else 0.9) * total
        amounts = {"budget": budget, "used": float(used), "remaining": float(total - used)}
        resources.append({"resource": name, **amounts})
    return {
        "sample_id": f"{task}/m/{rollout}/{turn}",
        "task": task,
        "rollout_model": "m",
        "rollout_id": rollout,
        "completed_turns": turn,
        "total_turns": _TURNS,
        "feasible": feasible,
        "rollout_success": feasible,
        "instance_id": rollout,
        "resources": resources,
    }


def write_submission(folder: Path, probes: Sequence[Mapping[str, Any]], seed: int) -> None:
    """Write the answers of an estimator whose skill is drawn by the seed."""
    rng = random.Random(seed)
    skill = rng.random()
    folder.mkdir(parents=True)
    with (folder / "predictions.jsonl").open("w", encoding="utf-8") as file:
        for probe in probes:
            response = f"<answer>{_answer(rng, probe, skill)}</answer>"
            usage = {"input_tokens": 3000, "cached_tokens": 0, "output_tokens": len(response)}
            line = {"sample_id": probe["sample_id"], "response": response, "usage": usage}
            file.write(json.dumps(line | {"cost_usd": 0.001 * (1 + seed % 50)}) + "\n")
    metadata = METADATA_OF_NOBODY | {
        "estimator": f"Estimator of somebody, number {seed}",
        "provider": "somebody",
        "model_id": f"somebody/model-{seed}",
        "trained_on": ("none", "train", "benchmark", "other")[seed % 4],
        "constrained": seed % 3 == 0,
        "weights": ("open", "closed")[seed % 2],
        "dataset_revision": REVISION,
    }
    (folder / "metadata.yaml").write_text(yaml.safe_dump(metadata), encoding="utf-8")


def _answer(rng: random.Random, probe: Mapping[str, Any], skill: float) -> str:
    is_right = rng.random() < 0.5 + 0.5 * skill
    if is_right != probe["feasible"]:
        return "impossible"
    parts = []
    for amounts in probe["resources"]:
        middle = amounts["remaining"] * rng.lognormvariate(0, 0.6 - 0.5 * skill)
        reach = middle * rng.uniform(0.05, 0.6)
        parts.append((amounts["resource"], f"[{middle - reach:.1f}, {middle + reach:.1f}]"))
    if len(parts) == 1:
        return parts[0][1]
    return ", ".join(f"{name}:{part}" for name, part in parts)
