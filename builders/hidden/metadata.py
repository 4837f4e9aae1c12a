"""The files beside the data of a hidden split: cards, manifests and build records.

The public record says nothing of the rollouts: neither where they came from, nor how many there
were, nor what became of them. Hashes of files with labels would let somebody check guesses, but
the key's record holds a random salt, and the public one a hash of that record alone.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bagen_data.logs.turn_readers import Counting
from bagen_data.tables import (
    BUILD_RECORD,
    CARD,
    MANIFEST,
    seal,
    sha256_of,
    to_json,
    write_jsonl,
)
from bagen_data.versions import BENCHMARK_VERSION, __version__
from builders.data_files import DataFile
from builders.hidden.hidden_card import KEY_TEXT, render_hidden_card

if TYPE_CHECKING:
    from builders.hidden.hidden_build import HiddenOptions, HiddenTask, ReadFamily


def write_public_metadata(
    public: Path,
    key: Path,
    tasks: Sequence["HiddenTask"],
    options: "HiddenOptions",
    revision: str,
) -> None:
    """Write the public card, manifest and record.

    Args:
        public: the folder, with its data.
        key: the key's folder, with all of its files.
        tasks: the tasks of the split.
        options: what was built.
        revision: of the split.
    """
    manifest = _manifest(public, tasks)
    record = {
        "revision": revision,
        "benchmark_version": BENCHMARK_VERSION,
        "versions": {"bagen-data": __version__},
        "prompt": _prompt(tasks, options),
        "hidden": _hidden(tasks),
        "key_sha256": sha256_of(key / BUILD_RECORD),
    }
    resources = {
        task.task: [resource.name for resource in task.family.definition().resources]
        for task in tasks
    }
    _write(public, manifest, render_hidden_card(manifest, record, resources), record)


def write_key_metadata(
    key: Path,
    tasks: Sequence["HiddenTask"],
    references: Sequence[DataFile],
    options: "HiddenOptions",
    counting: Counting,
) -> str:
    """Write the key's card, manifest and record, which a later publication can be checked by.

    Args:
        key: the folder, with its data.
        tasks: the tasks of the split.
        references: the files of the reference, which follow from labels and stay in the key.
        options: what was built.
        counting: how tokens were counted.

    Returns:
        The revision of the split: a hash of the names of its samples, its prompts and budgets.
    """
    hidden, prompt = _hidden(tasks), _prompt(tasks, options)
    names = [sample.sample_id for task in tasks for sample in task.samples]
    content = {"version": BENCHMARK_VERSION, "hidden": hidden, "prompt": prompt, "names": names}
    revision = hashlib.sha256(to_json(content).encode()).hexdigest()
    tokenizer = counting.tokenizer
    record = {
        "revision": revision,
        "benchmark_version": BENCHMARK_VERSION,
        "versions": {"bagen-data": __version__},
        "salt": secrets.token_hex(32),
        "prompt": prompt,
        "usage": options.build.usage,
        "tokenizer": tokenizer and {"name": tokenizer.name, "sha256": tokenizer.sha256},
        "budget_overrides": dict(sorted(options.build.budgets.items())),
        "limit": options.build.limit,
        "scrub": options.build.scrub,
        "apart_from": list(options.apart_from),
        "hidden": hidden,
        "families": [_family(family) for task in tasks for family in task.families],
    }
    _write(key, _manifest(key, tasks, references), KEY_TEXT, record)
    return revision


def _prompt(tasks: Sequence["HiddenTask"], options: "HiddenOptions") -> dict[str, Any]:
    variant = options.build.prompt
    return {
        "variant": variant,
        "sha256": {task.task: task.family.prompt(variant).sha256 for task in tasks},
    }


def _hidden(tasks: Sequence["HiddenTask"]) -> dict[str, Any]:
    return {
        "samples": {task.task: len(task.samples) for task in tasks},
        "budgets": {task.task: task.ranges.record() for task in tasks},
    }


def _family(family: "ReadFamily") -> dict[str, Any]:
    index = family.index
    return {
        "family": index.family.name,
        "task": index.family.task,
        "rollout_model": index.family.rollout_model,
        "counts": {
            "rollouts": len(index.entries),
            "refused": len(index.refused),
            **({"unusable_labels": len(labels)} if (labels := index.unusable_labels) else {}),
            "duplicates": index.duplicates,
            "without_turns": index.without_turns,
            "published": family.published,
            "without_samples": family.without_probe,
            "samples": family.drawn,
        },
        "sources": [asdict(source) for source in index.sources],
        "refused": [asdict(refusal) for refusal in index.refused],
        **({"unusable_labels": list(map(asdict, labels))} if labels else {}),
        "ignored": [asdict(file) for file in index.ignored],
    }


def _manifest(
    folder: Path, tasks: Sequence["HiddenTask"], references: Sequence[DataFile] = ()
) -> list[dict[str, Any]]:
    samples = [DataFile(task.path, task.task, "test", len(task.samples)) for task in tasks]
    return [
        {
            "path": file.path,
            "bytes": (folder / file.path).stat().st_size,
            "sha256": sha256_of(folder / file.path),
            "rows": file.rows,
            "config": file.config,
            "split": file.split,
        }
        for file in (*samples, *references)
    ]


def _write(
    folder: Path, manifest: Sequence[dict[str, Any]], card: str, record: dict[str, Any]
) -> None:
    write_jsonl(folder / MANIFEST, manifest)
    (folder / CARD).write_text(card, encoding="utf-8")
    record["files"] = {name: sha256_of(folder / name) for name in (CARD, MANIFEST)}
    (folder / BUILD_RECORD).write_text(to_json(seal(record), indent=1) + "\n", encoding="utf-8")
