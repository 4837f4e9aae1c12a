"""Build a hidden split: a public folder of questions, and a key that stays with the scorer."""

import random
import secrets
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bagen_data.errors import InputError, OutputError, WrongUsageError
from bagen_data.executors import open_executor
from bagen_data.locations import Location
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.origin import Family
from bagen_data.reading.rollouts import opening_id
from bagen_data.reading.workplace import Workplace
from bagen_data.replaced_folder import replaced_folder
from bagen_data.replay import replay, succeeded
from bagen_data.schema import Budget, Probe, Rollout, Target
from builders.build import counting_of
from builders.build_families import read_families
from builders.build_output import refuse_out_in_family
from builders.build_record import BuildOptions
from builders.dataset_writer import write_references
from builders.family_writer import named_rollouts
from builders.hidden.budget_ranges import (
    AmountRange,
    BudgetRanges,
    budget_ranges,
    stated_ranges,
)
from builders.hidden.draw import CandidateRollout, DrawnProbe, draw_probes
from builders.hidden.metadata import write_key_metadata, write_public_metadata
from builders.hidden.published_rollouts import PublishedRollouts
from builders.tables.question_writer import NamedProbe, write_questions
from builders.tables.reference_writer import FamilyReference, SampleNotes
from builders.tables.sample_writer import SampleWriter

PUBLIC, KEY = "public", "KEY-DO-NOT-PUBLISH"
"""The folders of a hidden split."""
_IGNORED = ".gitignore"
"""Beside the two folders, a file that keeps the key out of a repository."""
_ID_BITS = 128


@dataclass(frozen=True)
class HiddenOptions:
    """Everything that a hidden split depends on, beside chance."""

    build: BuildOptions
    """Options of reading the rollouts, and of the place where the split is written."""
    samples: int
    """The samples of each task."""
    apart_from: Sequence[str] = ()
    """Datasets whose rollouts and instances are left out."""


@dataclass
class ReadFamily:
    """The rollouts of a family, and what became of them."""

    index: FamilyIndex
    candidates: list[CandidateRollout] = field(default_factory=list)
    published: int = 0
    """Rollouts left out because they or their instances are public."""
    without_probe: int = 0
    """Rollouts of one turn, after which nothing remains to be asked."""
    drawn: int = 0
    """Rollouts of which a probe is in the split."""


@dataclass(frozen=True)
class HiddenSample:
    """A row of the split, with its truth."""

    sample_id: str
    rollout: Rollout
    success: bool
    probe: Probe
    target: Target


@dataclass(frozen=True)
class HiddenTask:
    """The samples that one task became."""

    task: str
    families: Sequence[ReadFamily]
    ranges: BudgetRanges
    samples: Sequence[HiddenSample]
    """Samples in the order of their ids."""

    @property
    def path(self) -> str:
        """Return where its data are, in either folder."""
        return f"data/{self.task}/test-hidden.parquet"

    @property
    def family(self) -> Family:
        """Any family of the task: all have its prompt and its resources."""
        return self.families[0].index.family


def build_hidden(
    options: HiddenOptions,
    rng: random.Random | None = None,
    on_progress: Callable[[Family], None] = lambda _: None,
) -> list[HiddenTask]:
    """Build a hidden split into the folders `public` and `KEY-DO-NOT-PUBLISH` of `options.out`.

    Args:
        options: what to build.
        rng: the source of randomness; the system's if None. A split of a known seed is not hidden
            from anybody who has the rollouts.
        on_progress: called with each family that was read.

    Returns:
        One entry a task, ordered by name.

    Raises:
        InputError: there is no benchmark family, or a task has too few instances for so many
            samples.
        OutputError: the output folder cannot be written, or holds anything.
    """
    generator = rng or secrets.SystemRandom()
    options = replace(options, build=options.build.seen_by_workers())
    out = _folder_of(options.build.out)
    families = [family for family in options.build.families() if family.role == "benchmark"]
    if not families:
        raise InputError(
            f"--origin {options.build.origin}: holds training families only; a hidden split is of "
            "families named TASK-origin-MODEL"
        )
    stated = _stated(options.build.budgets, families)
    refuse_out_in_family(out, families)
    _refuse_used(out)
    published = PublishedRollouts.of(options.apart_from)
    counting = counting_of(options.build)
    with (
        replaced_folder(out, ()) as staging,
        open_executor(options.build.executor, ("builders",)) as executor,
    ):
        public, key, spools = (_private_folder(staging / name) for name in (PUBLIC, KEY, "spools"))
        workplace = Workplace(executor, spools)
        indexes = read_families(options.build, families, counting, workplace, on_progress)
        tasks = _draw(indexes, stated, published, options.samples, generator)
        for task in tasks:
            _write_task(task, options.build, public, key)
        references = {task.task: _references(task) for task in tasks}
        made = {task: families for task, families in references.items() if families}
        files = write_references(key, made)
        revision = write_key_metadata(key, tasks, files, options, counting)
        write_public_metadata(public, key, tasks, options, revision)
        shutil.rmtree(spools)
        (staging / _IGNORED).write_text(f"/{KEY}/\n", encoding="utf-8")
        _open_to_others(public)
        _close_to_others(key)
    return tasks


def _stated(
    budgets: Mapping[str, str], families: Sequence[Family]
) -> dict[str, dict[str, AmountRange]]:
    tasks = {family.task: family.definition() for family in families}
    for task in budgets:
        if task not in tasks:
            raise InputError(
                f"--budget {task}=...: no family of {task}; found {', '.join(sorted(tasks))}"
            )
    return {task: stated_ranges(task, tasks[task], text) for task, text in budgets.items()}


def _folder_of(out: Location) -> Path:
    """Refuse to leave a key in a store, which others may read; a path is returned as it is."""
    if isinstance(out, Path):
        return out
    raise WrongUsageError(
        f"--out {out}: a hidden split has a key that nobody else may read; expected a folder of "
        "this machine; give one, and upload its folder 'public'"
    )


def _refuse_used(out: Path) -> None:
    """Refuse a folder that holds a hidden split: its key fits no other public part."""
    if (out / KEY).exists():
        raise OutputError(
            f"{out}: holds a hidden split, and predictions of it can be scored with its key alone; "
            "nothing was touched; give another --out"
        )


def _private_folder(path: Path) -> Path:
    path.mkdir(mode=0o700)
    return path


def _open_to_others(folder: Path) -> None:
    """Give a folder the mode that new folders have."""
    example = folder / "data"
    folder.chmod(example.stat().st_mode)


def _close_to_others(folder: Path) -> None:
    for path in folder.rglob("*"):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _draw(
    indexes: Sequence[FamilyIndex],
    stated: Mapping[str, Mapping[str, AmountRange]],
    published: PublishedRollouts,
    samples: int,
    rng: random.Random,
) -> list[HiddenTask]:
    """Draw every task's samples.

    Raises:
        InputError: a task has too few instances; the message names each such task.
    """
    families = [_candidates(number, index, published) for number, index in enumerate(indexes)]
    by_task: dict[str, list[ReadFamily]] = {}
    for family in families:
        by_task.setdefault(family.index.family.task, []).append(family)
    tasks, short = [], []
    for name, own in sorted(by_task.items()):
        candidates = [candidate for family in own for candidate in family.candidates]
        definition = own[0].index.family.definition()
        if not candidates:
            short.append(_shortage(name, own, 0, samples))
            continue
        entries = [indexes[each.family].entries[each.position] for each in candidates]
        try:
            ranges = budget_ranges(
                definition,
                definition.budgets,
                [entry.realised for entry in entries],
                stated.get(name, {}),
            )
        except InputError as error:
            left_out = sum(family.published for family in own)
            raise InputError(f"{name}: {error} ({left_out} rollouts are public)") from error
        drawn = draw_probes(candidates, ranges, samples, rng)
        if len(drawn) < samples:
            short.append(_shortage(name, own, len(drawn), samples))
        for probe in drawn:
            families[probe.candidate.family].drawn += 1
        tasks.append(HiddenTask(name, own, ranges, _named(drawn, indexes, rng)))
    if short:
        raise InputError("too few instances for the hidden split:\n  " + "\n  ".join(short))
    return tasks


def _shortage(task: str, families: Sequence[ReadFamily], drawn: int, samples: int) -> str:
    published = sum(family.published for family in families)
    short = sum(family.without_probe for family in families)
    refused = sum(len(family.index.refused) for family in families)
    fewer = f"--hidden {drawn} or less, " if drawn else ""
    return (
        f"{task}: {drawn} instances can give a sample; expected {samples}; {published} rollouts "
        f"are public, {short} have one turn only, {refused} were refused; give {fewer}more "
        "rollouts, or another --budget"
    )


def _candidates(number: int, index: FamilyIndex, published: PublishedRollouts) -> ReadFamily:
    task = index.family.definition()
    family = ReadFamily(index)
    prefixes = task.prefixes([entry.total_turns for entry in index.entries])
    nothing = Budget({resource.name: 0 for resource in task.resources})
    rollouts = zip(named_rollouts(index), prefixes, strict=True)
    for position, (rollout, turns) in enumerate(rollouts):
        opening = opening_id(rollout.turns[0].user)
        if published.holds(rollout, opening):
            family.published += 1
        elif not turns:
            family.without_probe += 1
        else:
            used = {
                k: probe.used
                for k, (probe, _) in zip(turns, replay(rollout, nothing, turns), strict=True)
            }
            family.candidates.append(
                CandidateRollout(number, position, rollout.instance_id, opening, used)
            )
    return family


def _named(
    drawn: Sequence[DrawnProbe], indexes: Sequence[FamilyIndex], rng: random.Random
) -> list[HiddenSample]:
    """Give each probe a random name, and return them in the order of these names."""
    by_place = {(each.candidate.family, each.candidate.position): each for each in drawn}
    numbers = sorted({each.candidate.family for each in drawn})
    samples = []
    for number in numbers:
        for position, rollout in enumerate(named_rollouts(indexes[number])):
            if (number, position) in by_place:
                samples.append(_sample(by_place[number, position], rollout, rng))
    return sorted(samples, key=lambda sample: sample.sample_id)


def _sample(drawn: DrawnProbe, rollout: Rollout, rng: random.Random) -> HiddenSample:
    ((probe, target),) = replay(rollout, drawn.budget, [drawn.completed_turns])
    name = f"{rollout.task}/{rng.getrandbits(_ID_BITS):0{_ID_BITS // 4}x}"
    return HiddenSample(name, rollout, succeeded(rollout, drawn.budget), probe, target)


def _write_task(task: HiddenTask, options: BuildOptions, public: Path, key: Path) -> None:
    prompt = task.family.prompt(options.prompt)
    resources = task.family.definition().resources
    for folder in (public, key):
        (folder / task.path).parent.mkdir(parents=True)
    questions = [NamedProbe(sample.sample_id, sample.probe) for sample in task.samples]
    write_questions(public / task.path, questions, prompt, resources)
    with SampleWriter(key / task.path, prompt, resources) as writer:
        for sample in task.samples:
            writer.add(
                sample.rollout,
                len(sample.rollout.turns),
                sample.success,
                [(sample.probe, sample.target)],
                _constant(sample.sample_id),
            )


def _references(task: HiddenTask) -> list[FamilyReference]:
    """Return the reference of each family of a task that has samples of two instances or more."""
    by_model: dict[str, list[HiddenSample]] = {}
    for sample in task.samples:
        by_model.setdefault(sample.rollout.rollout_model, []).append(sample)
    names = [resource.name for resource in task.family.definition().resources]
    references = []
    for _, samples in sorted(by_model.items()):
        notes = SampleNotes(names)
        for place, sample in enumerate(samples):
            notes.add(place, sample.success, [(sample.probe, sample.target)])
        ids = [sample.sample_id for sample in samples]
        instances = [sample.rollout.instance_id for sample in samples]
        references.append(notes.columns().reference(ids, instances, names))
    return [reference for reference in references if reference]


def _constant(name: str) -> Callable[[Rollout, int], str]:
    return lambda *_: name
