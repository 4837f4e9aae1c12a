"""Read families in shards, each in a job of its own, and merge them in the order of the files."""

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from bagen_data.errors import BagenError
from bagen_data.executors.job_executor import JobExecutor, ThisProcess
from bagen_data.executors.jobs import run_jobs
from bagen_data.garbage_collection import paused_collector
from bagen_data.locations import Location
from bagen_data.reading.events import Event, LogEvent, ShardIndex
from bagen_data.reading.family_header import (
    FamilyHeader,
    loaded_header,
    read_header,
    remove_header,
    stored_header,
)
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.family_source import FamilySource
from bagen_data.reading.line_ranges import FilePart
from bagen_data.reading.merging import Merge
from bagen_data.reading.noticed import Looks
from bagen_data.reading.origin import Family, with_named_model
from bagen_data.reading.reading_options import ReadingOptions
from bagen_data.reading.rollout_spool import SpoolWriter
from bagen_data.reading.shard_reader import ShardReader
from bagen_data.reading.shards import FamilyShard, cut_shards
from bagen_data.reading.witness import SeenLog, Witness
from bagen_data.reading.workplace import Workplace
from bagen_data.stores import remove_file
from bagen_data.usage import UsageChoice


def read_family(family: Family, spools: Location, options: ReadingOptions) -> FamilyIndex:
    """Read one family in this process.

    Args:
        family: which.
        spools: a folder for rollouts that do not stay in memory.
        options: how it is read.

    Raises:
        InputError: the family's logs do not name one model, or a label names two rollouts.
    """
    (index,) = read_in_shards([family], Workplace(ThisProcess(), spools), options)
    return index


def read_in_shards(
    families: Sequence[Family],
    workplace: Workplace,
    options: ReadingOptions,
    on_read: Callable[[Family], None] = lambda _: None,
) -> list[FamilyIndex]:
    """Read families, in their order; the indexes are the same for any workplace and shards.

    A family whose bare counts all fit single turns alone is read once more, as such.

    Args:
        families: the families.
        workplace: where they are read.
        options: how the families are read.
        on_read: called with each family that was read.

    Raises:
        InputError: the logs of a family do not name one model, or a label names two rollouts; the
            first such family's error.
    """
    executor = workplace.executor
    readings = _prepared(families, workplace, options)
    stated = options.counting.convention
    again: list[_FamilyReading] = []
    failed: BagenError | None = None
    for reading, shards in zip(readings, _shards(readings, stated, options, executor), strict=True):
        try:
            reading.take(shards)
            if _counts_turns(reading.index):
                again.append(reading)
            else:
                _stop_mixture(reading.index)
                reading.name_model(on_read)
        except BagenError as error:
            if not again:
                raise
            failed = error
            break
    for reading in again:
        reading.remove_spools()
    for reading, shards in zip(again, _shards(again, "turn", options, executor), strict=True):
        reading.take_again(shards)
        reading.name_model(on_read)
    if failed is not None:
        raise failed
    for reading in readings:
        remove_header(reading.stored)
    return [reading.index for reading in readings]


def read_witnessed(
    family: Family,
    spools: Location,
    options: ReadingOptions,
    witness: Witness,
    source: FamilySource | None = None,
) -> FamilyIndex:
    """Read a family in this process, whatever models its logs name, before a witness.

    Args:
        family: which.
        spools: a folder for rollouts that do not stay in memory.
        options: how it is read.
        witness: sees each log, and twice where the family is read twice.
        source: what reads the files; the reader of such a folder if None.

    Raises:
        InputError: a label names two rollouts.
    """
    scratch = spools if isinstance(spools, Path) else None
    header = read_header(family, scratch, options, source)
    index = _read_before(witness, header, options.counting.convention, spools / "rollouts")
    if not _counts_turns(index):
        _stop_mixture(index)
        return index
    again = _read_before(witness, header, "turn", spools / "rollouts")
    _stop_changed(index, again)
    return again


def _read_before(
    witness: Witness, header: FamilyHeader, convention: UsageChoice, spool: Location
) -> FamilyIndex:
    """Read a family once before a witness, all of it in one part."""
    files = header.files
    merge = Merge(header, header.looks)
    with paused_collector(), SpoolWriter(spool) as writer:
        reader = _reader(header, convention, witness, writer)
        for read in reader.read(map(FilePart, witness.files(files.paths))):
            refusal = merge.take(read.event)
            if isinstance(read.event, LogEvent):
                reading = None if refusal else read.reading
                witness.after(SeenLog(read.event.where, read.format, read.log, reading, refusal))
            if merge.is_full:
                break
        merge.end_part(writer.close(), reader.formats, reader.named, files.taken_looks())
    return merge.finish()


@dataclass(frozen=True)
class ShardJob:
    """A shard to be read, by this process or another one."""

    family: str
    """The name of its family, for messages."""
    header: Location
    """The file of the family's header."""
    shard: FamilyShard
    convention: UsageChoice
    """The meaning of bare input counts."""
    spool: Location
    """The file that takes the rollouts where they are many."""


def read_shard(job: ShardJob) -> ShardIndex:
    """Read a shard; doing so again gives the same."""
    header = loaded_header(job.header)
    counter = None
    if header.options.limit is not None and job.shard.number == 0:
        counter = Merge(header, header.looks)
    events: list[Event] = []
    with paused_collector(), SpoolWriter(job.spool) as spool:
        reader = _reader(header, job.convention, Witness(), spool)
        for read in reader.read(job.shard.parts):
            events.append(read.event)
            if counter is not None:
                counter.take(read.event)
                if counter.is_full:
                    break
        part = spool.close()
    named, looks = frozenset(reader.named), header.files.taken_looks()
    return ShardIndex(events, frozenset(reader.formats), named, looks, part)


def _reader(
    header: FamilyHeader, convention: UsageChoice, witness: Witness, spool: SpoolWriter
) -> ShardReader:
    options, family = header.options, header.files.family
    counting = replace(options.counting, convention=convention)
    return ShardReader(
        header.files,
        header.outcomes,
        witness.task(family),
        counting,
        options.is_scrubbed,
        options.limits,
        witness,
        spool,
    )


def _cut_file(header: Location, path: str) -> tuple[FilePart, ...]:
    """Cut a file into ranges of lines, if it is one that can be cut."""
    loaded = loaded_header(header)
    return loaded.files.cut(path, loaded.options.sizes.shard)


@dataclass
class _FamilyReading:
    """A family that is being read."""

    header: FamilyHeader
    stored: Location
    """The header's file."""
    spools: Location
    """The folder of all spools."""
    number: int
    """The family's number, with which its spools' names begin."""
    shards: Sequence[FamilyShard]
    index: FamilyIndex
    """Empty until the family was read."""
    looks: Looks
    """The files that were looked at so far."""

    def jobs(self, convention: UsageChoice) -> list[ShardJob]:
        """Return the jobs that read the family with a meaning of bare input counts."""
        name = self.header.files.family.name
        return [
            ShardJob(name, self.stored, shard, convention, self._spool(shard))
            for shard in self.shards
        ]

    def _spool(self, shard: FamilyShard) -> Location:
        return self.spools / f"{self.number}-{shard.number}"

    def take(self, shards: Iterable[ShardIndex]) -> None:
        """Merge the family's shards into its index, in their order.

        Raises:
            InputError: a label names two rollouts.
        """
        merge = Merge(self.header, self.looks)
        for shard in shards:
            merge.take_shard(shard)
            if merge.is_full:
                break
        self.index, self.looks = merge.finish(), merge.looks

    def take_again(self, shards: Iterable[ShardIndex]) -> None:
        """Merge the shards of a second reading, which must be of the same files."""
        before = self.index
        self.take(shards)
        _stop_changed(before, self.index)

    def name_model(self, on_read: Callable[[Family], None]) -> None:
        """Give the family the model that its logs name, and tell that it was read.

        Raises:
            InputError: the logs do not name one model.
        """
        self.index.family = with_named_model(self.index.family, self.index.models)
        on_read(self.index.family)

    def remove_spools(self) -> None:
        """Remove the files of rollouts that are to be read again."""
        for shard in self.shards:
            remove_file(self._spool(shard))


def _prepared(
    families: Sequence[Family], workplace: Workplace, options: ReadingOptions
) -> list[_FamilyReading]:
    """Return families whose files are listed, and cut into shards."""
    executor, spools = workplace.executor, workplace.spools
    scratch = spools if isinstance(spools, Path) else None
    headers = [read_header(family, scratch, options) for family in families]
    stored = [stored_header(header, spools) for header in headers]
    sizes = [{path: header.files.size(path) for path in header.files.paths} for header in headers]
    big = [
        (number, path)
        for number, own in enumerate(sizes)
        for path, size in own.items()
        if size >= options.sizes.cut
    ]
    cut_jobs = [(stored[number], path) for number, path in big]
    cuts: dict[int, dict[str, tuple[FilePart, ...]]] = {}
    for (number, path), parts in zip(
        big, run_jobs(_cut_file, cut_jobs, executor, _cutting), strict=True
    ):
        cuts.setdefault(number, {})[path] = parts
    return [
        _FamilyReading(
            header,
            stored[number],
            spools,
            number,
            cut_shards(
                header.files.paths, sizes[number], cuts.get(number, {}), options.sizes.shard
            ),
            FamilyIndex(header.files.family),
            header.looks,
        )
        for number, header in enumerate(headers)
    ]


def _shards(
    readings: Sequence[_FamilyReading],
    convention: UsageChoice,
    options: ReadingOptions,
    executor: JobExecutor,
) -> Iterator[Iterator[ShardIndex]]:
    """Yield the shards of each family as they were read; of a family that is full, not all."""
    jobs = [reading.jobs(convention) for reading in readings]
    if options.limit is None:
        every = _read_shards([job for own in jobs for job in own], executor)
        for own in jobs:
            yield islice(every, len(own))
        return
    firsts = list(_read_shards([own[0] for own in jobs if own], executor))
    for own in jobs:
        first = [firsts.pop(0)] if own else []
        others = _read_shards(own[1:], executor)
        yield chain(first, others)
        others.close()  # the family may be full before its end


def _read_shards(
    jobs: Sequence[ShardJob], executor: JobExecutor
) -> Generator[ShardIndex, None, None]:
    yield from run_jobs(read_shard, [(job,) for job in jobs], executor, _reading)


def _reading(job: ShardJob) -> str:
    return f"it read {job.family}"


def _cutting(_header: Location, path: str) -> str:
    return f"it looked for the lines of {path}"


def _counts_turns(index: FamilyIndex) -> bool:
    """Return whether the bare counts of a family's rollouts are all of single turns alone."""
    fits = index.bare_counts
    is_request = all("request" in conventions for conventions in fits)
    return not is_request and all("turn" in conventions for conventions in fits)


def _stop_mixture(index: FamilyIndex) -> None:
    """Stop a family whose rollouts contradict each other about what their counts mean."""
    fits = index.bare_counts
    if all("request" in conventions for conventions in fits):
        return
    kinds = {
        "whole requests (request)": next((fits[c] for c in fits if c == {"request"}), ""),
        "single turns (turn)": next((fits[c] for c in fits if c == {"turn"}), ""),
        "now the one, now the other": next((fits[c] for c in fits if not c), ""),
    }
    examples = "; ".join(f"{where} counts {kind}" for kind, where in kinds.items() if where)
    index.stop(
        f"input counts of this family mean different things: {examples}; declare what they mean "
        "with --usage request or --usage turn, or sort the rollouts into families"
    )


def _stop_changed(before: FamilyIndex, again: FamilyIndex) -> None:
    """Stop a family whose files were others when they were read again."""
    if again.sources != before.sources:
        again.stop("files were changed while it was read; run again when nothing writes to it")
