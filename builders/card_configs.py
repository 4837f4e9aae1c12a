"""The configs of a dataset's card: which files each loads, and what it says it holds."""

import glob
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from keyword import iskeyword
from typing import Any

from bagen_data.dataset_configs import (
    DEFAULT,
    REFERENCE,
    ROLLOUTS,
    is_benchmark,
    is_start,
    is_training,
    task_of,
)
from bagen_data.splits import PARTS
from bagen_data.wording import numbered
from builders.provenance import BENCHMARK_TASKS

_SPLIT_ORDER = ("test", *PARTS, "train")
_MOST_NAMED = 3
"""Rollout models that a description names, at most; more are counted."""


def card_configs(
    manifest: Sequence[Mapping[str, Any]], descriptions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Return `configs:` of a card: `default` (every task's benchmark), then each config there is.

    Each file is named, with the characters of its name that mean something in a glob escaped: a
    file that a rebuild left behind is not loaded, and a model's name is never taken for a pattern.

    A config's description ends with a hash of its data. `datasets` caches a local folder by its
    configs alone, so without it a folder that was built again would load as it was before.

    Args:
        manifest: the lines of `manifest.jsonl`.
        descriptions: what each config holds, in a few words.
    """
    return [
        _config(name, files_by_split(name, manifest), descriptions[name])
        for name in config_order(manifest)
    ]


def config_order(manifest: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the names of a dataset's configs in the order of its card, `default` first.

    >>> config_order([{"config": name} for name in ("rollouts", "sokoban", "searchr1")])
    ['default', 'searchr1', 'sokoban', 'rollouts']
    """
    configs = {file["config"] for file in manifest}
    last = (REFERENCE, ROLLOUTS)
    names = [DEFAULT] if any(map(is_benchmark, configs)) else []
    return names + sorted(configs - set(last)) + [name for name in last if name in configs]


def files_by_split(
    config: str, manifest: Sequence[Mapping[str, Any]]
) -> dict[str, list[Mapping[str, Any]]]:
    """Return the files that a config of the card loads, by split, in the order of the card.

    Args:
        config: `default`, or a config that files of the manifest have.
        manifest: the lines of `manifest.jsonl`.
    """
    files: dict[str, list[Mapping[str, Any]]] = {}
    for file in sorted(manifest, key=lambda file: str(file["config"])):
        if file["config"] == config or (config == DEFAULT and is_benchmark(file["config"])):
            files.setdefault(file["split"], []).append(file)
    return {split: files[split] for split in sorted(files, key=_SPLIT_ORDER.index)}


def _config(
    name: str, by_split: Mapping[str, Sequence[Mapping[str, Any]]], description: str
) -> dict[str, Any]:
    hashes = [file["sha256"] for files in by_split.values() for file in files]
    data = hashlib.sha256("".join(hashes).encode()).hexdigest()
    return {
        "config_name": name,
        "description": f"{description}; data {data[:16]}",
        **({"default": True} if name == DEFAULT else {}),
        "data_files": [
            {"split": split, "path": [glob.escape(str(file["path"])) for file in files]}
            for split, files in by_split.items()
        ],
    }


def example_lines(configs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of Python that load each config, into a variable of its name if it can be.

    >>> list(example_lines([{"config_name": "my-task", "data_files": [{"split": "test"}]}]))
    ['samples = load_dataset(path, "my-task")  # test']
    """
    for config in configs:
        name = config["config_name"]
        if name == DEFAULT:
            yield 'samples = load_dataset(path, split="test")  # every task'
            continue
        splits = ", ".join(files["split"] for files in config["data_files"])
        variable = name if name.isidentifier() and not iskeyword(name) else "samples"
        yield f"{variable} = load_dataset(path, {json.dumps(name)})  # {splits}"


def config_descriptions(
    configs: Sequence[str], families: Sequence[Mapping[str, Any]]
) -> dict[str, str]:
    """Return what each config of a dataset holds, in a few words.

    Args:
        configs: names of the dataset's configs.
        families: of `build.json`.

    >>> counts = {"rollouts": 8, "turns": 43, "without_samples": 0, "samples": 35}
    >>> family = {"task": "sokoban", "role": "benchmark", "rollout_model": "m", "counts": counts}
    >>> config_descriptions(["sokoban"], [family])["sokoban"]
    'Sokoban: a question after each turn of 8 rollouts by m'
    """
    benchmark = [family for family in families if family["role"] == "benchmark"]
    training = [family for family in families if family["role"] != "benchmark"]
    described = {
        DEFAULT: f"All tasks: {_questions(benchmark)}",
        REFERENCE: "For scoring alone: a forecast of each question and start probe of the "
        "benchmark, from the other instances of its family",
        ROLLOUTS: f"Every turn and its usage: {_rollouts(benchmark)} of the benchmark, "
        f"{_rollouts(training)} for training",
    }
    for name in configs:
        if name not in described:
            described[name] = _described(name, benchmark, training)
    return described


def _described(
    config: str, benchmark: Sequence[Mapping[str, Any]], training: Sequence[Mapping[str, Any]]
) -> str:
    task = task_of(config)
    title = task_title(task)
    if is_training(config):
        own = [family for family in training if family["task"] == task]
        return (
            f"{title}, for training: a question before the first and after each turn of "
            f"{_by_models(own)}"
        )
    own = [family for family in benchmark if family["task"] == task]
    if is_start(config):
        return f"{title}: a question before the first turn of {_by_models(own)}"
    return f"{title}: {_questions(own)}"


def task_title(task: str) -> str:
    """Return the name of a task in a sentence; one of somebody's own goes by its own name.

    >>> task_title("swebench"), task_title("wiki")
    ('SWE-bench', 'wiki')
    """
    return BENCHMARK_TASKS.get(task, task)


def _questions(families: Sequence[Mapping[str, Any]]) -> str:
    """Say after which turns questions are; a family with a subset has fewer than it has turns."""
    counts = [family["counts"] for family in families]
    turns = sum(each["turns"] - each["rollouts"] for each in counts)
    samples = sum(each["samples"] for each in counts)
    if samples == turns:
        return f"a question after each turn of {_by_models(families)}"
    return f"{numbered(samples, 'question')} after turns of {_by_models(families)}"


def _by_models(families: Sequence[Mapping[str, Any]]) -> str:
    models = list(dict.fromkeys(family["rollout_model"] for family in families))
    if len(models) > _MOST_NAMED:
        named = f"{len(models)} models"
    else:
        named = " and ".join(filter(None, (", ".join(models[:-1]), *models[-1:])))
    return f"{_rollouts(families)} by {named}"


def _rollouts(families: Sequence[Mapping[str, Any]]) -> str:
    return numbered(sum(family["counts"]["rollouts"] for family in families), "rollout")
