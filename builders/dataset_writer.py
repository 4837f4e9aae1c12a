"""Write the files of a dataset: each family's data, the references, and what describes them."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bagen_data.array_types import Ints
from bagen_data.dataset_configs import REFERENCE, is_benchmark, reference_path
from bagen_data.executors.job_executor import JobExecutor
from bagen_data.executors.jobs import run_jobs
from bagen_data.locations import Location
from bagen_data.logs.turn_readers import Counting
from bagen_data.published import HUB_ID
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.origin import Family
from bagen_data.stores import staged_file
from bagen_data.tables import (
    BUILD_RECORD,
    CARD,
    CROISSANT,
    MANIFEST,
    seal,
    sha256_of,
    to_json,
)
from builders.build_plan import TEST, RolloutPlan
from builders.build_record import BuildOptions, BuiltFamily, build_record
from builders.card import render_card
from builders.croissant import croissant_text
from builders.data_files import DataFile, PlannedFile, plan_files
from builders.family_writer import FileJob, WrittenFile, write_file
from builders.tables.reference_writer import FamilyReference, NotedSamples, write_reference
from builders.tables.sample_writer import named_sample


@dataclass(frozen=True)
class _Ids:
    """The ids of a family's samples, made a run at a time."""

    task: str
    rollout_model: str
    rollout_ids: Sequence[str]
    """The id of each rollout of the family."""
    place: Ints
    """(n,) the place of each sample's rollout."""
    completed_turns: Ints
    """(n,)."""

    def __len__(self) -> int:
        return len(self.place)

    def __getitem__(self, rows: slice, /) -> list[str]:
        return [
            named_sample(self.task, self.rollout_model, self.rollout_ids[place], k)
            for place, k in zip(
                self.place[rows].tolist(), self.completed_turns[rows].tolist(), strict=True
            )
        ]


def write_families(
    families: Sequence[tuple[FamilyIndex, Sequence[RolloutPlan]]],
    options: BuildOptions,
    executor: JobExecutor,
    out: Location,
    on_progress: Callable[[Family], None],
) -> tuple[list[BuiltFamily], list[DataFile]]:
    """Write the data of families and their references below `out`; each file is a job of its own.

    Args:
        families: each family, and a plan for each of its entries.
        options: how the dataset is built.
        executor: where the files are written.
        out: the folder of the dataset.
        on_progress: called with each family that was written.

    Returns:
        The result of each family, and the files of the references.
    """
    planned = [plan_files(index, plans, options.file_bytes) for index, plans in families]
    jobs = [
        (FileJob.of(file, index, plans, options.prompt), out)
        for (index, plans), files in zip(families, planned, strict=True)
        for file in files
    ]
    results = run_jobs(write_file, jobs, executor, _writing)
    built = []
    references: dict[str, list[tuple[str, FamilyReference]]] = {}
    for (index, plans), files in zip(families, planned, strict=True):
        written = [next(results) for _ in files]
        made = _references(index, files, written)
        for config, reference in made.items():
            path = min(each.file.path for each in written if each.file.config == config)
            references.setdefault(config, []).append((path, reference))
        rows = sum(len(reference.sample_ids) for reference in made.values())
        made_files = [each.file for each in written]
        built.append(BuiltFamily(index, plans, made_files, rows, _example(written)))
        on_progress(index.family)
    in_order = {
        config: [reference for _, reference in sorted(named, key=lambda each: each[0])]
        for config, named in references.items()
    }
    return built, write_references(out, in_order)


def _example(written: Sequence[WrittenFile]) -> dict[str, Any] | None:
    """Return the first benchmark sample of a family's files, shortened; None without one."""
    return next((each.example for each in written if is_benchmark(each.file.config)), None)


def _writing(job: FileJob, *_: object) -> str:
    return f"it wrote {job.file.path}"


def _references(
    index: FamilyIndex, files: Sequence[PlannedFile], written: Sequence[WrittenFile]
) -> dict[str, FamilyReference]:
    """Return a family's reference for each config of its samples; none where all are alike."""
    parts: dict[str, list[NotedSamples]] = {}
    for file, each in zip(files, written, strict=True):
        if each.samples is not None:
            parts.setdefault(file.config, []).append(each.samples)
    family = index.family
    rollout_ids = [entry.rollout_id for entry in index.entries]
    instances = [entry.instance_id for entry in index.entries]
    resources = [resource.name for resource in family.definition().resources]
    references = {}
    for config, own in parts.items():
        samples = NotedSamples.joined(own)
        ids = _Ids(
            family.task,
            family.rollout_model,
            rollout_ids,
            samples.place,
            samples.completed_turns,
        )
        reference = samples.reference(ids, instances, resources)
        if reference is not None:
            references[config] = reference
    return references


def write_references(
    out: Location, references: Mapping[str, Sequence[FamilyReference]]
) -> list[DataFile]:
    """Write the references of each config of samples below `out`, a file a config.

    Args:
        out: the folder of the dataset.
        references: by config, in the order of its files of samples.
    """
    files = []
    for config, families in references.items():
        name = reference_path(config)
        with staged_file(out / name) as path:
            rows, loaded = write_reference(path, families)
            size, sha256 = path.stat().st_size, sha256_of(path)
        files.append(
            DataFile(name, REFERENCE, TEST, rows, bytes=size, sha256=sha256, loaded_bytes=loaded)
        )
    return files


def write_metadata(
    out: Location,
    references: Sequence[DataFile],
    built: Sequence[BuiltFamily],
    options: BuildOptions,
    counting: Counting,
) -> None:
    """Write the manifest, the card and `build.json`, which seals the other two.

    Args:
        out: the folder of the dataset.
        references: the files of the references.
        built: what each family became.
        options: how the dataset was built.
        counting: how tokens were counted.
    """
    files = [file for family in built for file in family.files]
    manifest = [
        {
            "path": file.path,
            "bytes": file.bytes,
            "sha256": file.sha256,
            "rows": file.rows,
            "loaded_bytes": file.loaded_bytes,
            "config": file.config,
            "split": file.split,
        }
        for file in sorted(
            [*files, *references], key=lambda file: (file.config, file.split, file.path)
        )
    ]
    for name, text in metadata_files(manifest, build_record(built, options, counting)).items():
        with staged_file(out / name) as path:
            path.write_bytes(text.encode())


def metadata_files(
    manifest: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
    dataset_id: str | None = None,
) -> dict[str, str]:
    """Return the files that describe a dataset by their names; they say nothing but what is given.

    A built folder's own manifest and record are enough, so a dataset can be published under any
    id: rows, hashes of data files and the content revision stay as they are.

    Args:
        manifest: the lines of `manifest.jsonl`; an address in them is replaced.
        record: `build.json`; the hashes and the seal in it are replaced.
        dataset_id: the id on the Hub that the dataset is published under; None of a folder, whose
            card names no id.

    Returns:
        The texts of the card, the description in Croissant, the manifest, and last of
        `build.json`, which seals the others. The same arguments give the same texts.
    """
    lines = [
        {**file, "url": f"hf://datasets/{dataset_id or HUB_ID}/{file['path']}"} for file in manifest
    ]
    texts = {
        CARD: render_card(lines, record, dataset_id),
        CROISSANT: croissant_text(lines, record, dataset_id),
        MANIFEST: "".join(to_json(line) + "\n" for line in lines),
    }
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    sealed = seal({**record, "files": hashes})
    return texts | {BUILD_RECORD: to_json(sealed, indent=1) + "\n"}
