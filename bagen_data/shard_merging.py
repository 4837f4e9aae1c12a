"""Merge the shards of one run into the submission that the run would have given without shards."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bagen_data.errors import InputError, OutputError
from bagen_data.held_folder import HeldFolder, held_folder, put_right
from bagen_data.replaced_set import replaced_set
from bagen_data.shard_record import SHARD, ShardRecord, read_shard_record
from bagen_data.submission_writer import PREDICTIONS, check_out, metadata_text
from bagen_data.submissions import METADATA, Metadata, read_metadata
from bagen_data.tables import sha256_of
from bagen_data.wording import differences

_NAMED = 5
"""Shards that a message names."""


@dataclass(frozen=True)
class MergedShards:
    """The submission that a merge wrote."""

    metadata: Metadata
    predictions: int


@dataclass(frozen=True)
class _Shard:
    folder: Path
    record: ShardRecord
    metadata: Metadata


def merge_shards(folders: Sequence[Path], out: Path) -> MergedShards:
    """Write the predictions of all shards, in the dataset's order, with metadata and logs.

    Predictions are copied line by line, a rollout at a time, so memory does not grow with them.

    Args:
        folders: folders that `bagen predict model --shard` wrote, in any order.
        out: the folder of the submission.

    Raises:
        InputError: a folder is not a complete shard or was changed, shards are of different runs,
            or one is missing or given twice; the message names it.
        OutputError: `out` holds something else, or cannot be written.
    """
    shards = [_read(folder) for folder in folders]
    _check_same_run(shards)
    _check_all_there(shards)
    blocks = _blocks(shards)
    metadata = _merged_metadata(shards)
    _check_apart(out, shards)
    with held_folder(out) as held:
        check_out(out, metadata.estimator)
        _check_logs(out, shards)
        _write(held, shards, blocks, metadata)
    return MergedShards(metadata, shards[0].record.samples)


def _read(folder: Path) -> _Shard:
    if not folder.is_dir():
        raise InputError(f"{folder}: no such folder; expected one of a shard")
    put_right(folder)
    try:
        record = read_shard_record(folder / SHARD)
    except FileNotFoundError as error:
        raise InputError(f"{folder}: {_what_it_is(folder)}") from error
    for name, sha256 in record.files.items():
        _check_unchanged(folder / name, sha256)
    return _Shard(folder, record, read_metadata(folder / METADATA))


def _what_it_is(folder: Path) -> str:
    """Return a sentence on a folder without `shard.json`, and what to do."""
    if (folder / PREDICTIONS).exists():
        return f"is not a shard: {SHARD} is missing; expected what `predict model --shard` wrote"
    if any((folder / "logs").glob("*.eval")):
        return (
            "is not a complete shard: some samples have no answer yet; go on with it by the "
            "command that began it, with --resume"
        )
    return f"is not a shard: {SHARD} is missing; run `bagen predict model --shard I/N --out` on it"


def _check_unchanged(path: Path, sha256: str) -> None:
    try:
        is_same = sha256_of(path) == sha256
    except FileNotFoundError as error:
        raise InputError(f"{path}: is missing; bring it back, or ask the shard anew") from error
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    if not is_same:
        raise _was_changed(path)


def _was_changed(path: Path) -> InputError:
    return InputError(
        f"{path}: was changed: another sha256 than in {SHARD}; bring it back, or ask the shard anew"
    )


def _check_same_run(shards: Sequence[_Shard]) -> None:
    first = shards[0]
    for shard in shards[1:]:
        changed = differences(_common(first), _common(shard))
        if changed:
            raise InputError(
                f"{shard.folder}: is a shard of another run than {first.folder}, which has "
                f"{changed} in it; give shards of one run"
            )


def _common(shard: _Shard) -> dict[str, Any]:
    """Return the facts that are equal in all shards of a run."""
    metadata = shard.metadata.model_dump(mode="json")
    decoding = {name: value for name, value in metadata["decoding"].items() if name != "servers"}
    return {**shard.record.common(), **metadata, "decoding": decoding, "date": None}


def _check_all_there(shards: Sequence[_Shard]) -> None:
    known: dict[int, Path] = {}
    for shard in shards:
        number = shard.record.shard
        if number in known:
            raise InputError(
                f"{shard.folder}: shard {number} is given twice, first as {known[number]}; give "
                "each shard once"
            )
        known[number] = shard.folder
    of = shards[0].record.shards
    missing = [number for number in range(of) if number not in known]
    if missing:
        names = ", ".join(f"{number}/{of}" for number in missing[:_NAMED])
        more = f" and {len(missing) - _NAMED:,} more" if len(missing) > _NAMED else ""
        raise InputError(
            f"shard {names}{more} is missing; expected all {of} shards of the run, from 0/{of} to "
            f"{of - 1}/{of}"
        )


def _blocks(shards: Sequence[_Shard]) -> list[tuple[int, int, int]]:
    """Return start, number of samples and shard of each rollout, in the dataset's order.

    Raises:
        InputError: a sample is in two shards, or in none.
    """
    blocks = sorted(
        (start, samples, place)
        for place, shard in enumerate(shards)
        for start, samples in shard.record.rollouts
    )
    expected = 0
    for start, samples, place in blocks:
        if start != expected or samples < 1:
            how = "are in two shards" if start < expected else "are in no shard"
            raise InputError(
                f"{shards[place].folder / SHARD}: samples {min(start, expected)} to "
                f"{max(start, expected) - 1} {how}; ask this shard anew"
            )
        expected = start + samples
    if expected != shards[0].record.samples:
        raise InputError(
            f"samples {expected} to {shards[0].record.samples - 1} are in no shard; ask the shards "
            "anew"
        )
    return blocks


def _merged_metadata(shards: Sequence[_Shard]) -> Metadata:
    """Return the metadata: as all shards have them, with the last day, and all servers counted."""
    latest = max((shard.metadata for shard in shards), key=lambda each: each.date)
    servers = len({mark for shard in shards for mark in shard.record.servers})
    decoding = {name: value for name, value in latest.decoding.items() if name != "servers"}
    if servers > 1:
        decoding["servers"] = servers
    return latest.model_copy(update={"decoding": decoding})


def _check_apart(out: Path, shards: Sequence[_Shard]) -> None:
    for shard in shards:
        if out.resolve() == shard.folder.resolve():
            raise OutputError(f"{out}: is one of the shards; give another --out")


def _check_logs(out: Path, shards: Sequence[_Shard]) -> None:
    own = {name for shard in shards for name in _logs(shard.record.files)}
    others = [path for path in (out / "logs").glob("*.eval") if f"logs/{path.name}" not in own]
    if others:
        raise OutputError(
            f"{out}: holds the log of another run, {min(others).name}; give another --out"
        )


def _logs(files: Mapping[str, str]) -> Iterator[str]:
    return (name for name in files if name.startswith("logs/"))


def _write(
    held: HeldFolder,
    shards: Sequence[_Shard],
    blocks: Sequence[tuple[int, int, int]],
    metadata: Metadata,
) -> None:
    try:
        with replaced_set(held) as staging:
            _write_predictions(staging / PREDICTIONS, shards, blocks)
            (staging / METADATA).write_text(metadata_text(metadata), encoding="utf-8")
            for shard in shards:
                for name in _logs(shard.record.files):
                    if (staging / name).exists():
                        raise InputError(f"{shard.folder / name}: is in another shard, too")
                    (staging / name).parent.mkdir(exist_ok=True)
                    shutil.copyfile(shard.folder / name, staging / name)
                    if sha256_of(staging / name) != shard.record.files[name]:
                        raise _was_changed(shard.folder / name)
    except OSError as error:
        where = error.filename or held.path
        raise OutputError(f"{where}: cannot be copied: {error.strerror or error}") from error


def _write_predictions(
    path: Path, shards: Sequence[_Shard], blocks: Sequence[tuple[int, int, int]]
) -> None:
    """Copy each rollout's lines from its shard.

    Raises:
        InputError: a file is not the one that was hashed, or does not have the samples it should.
    """
    samples = hashlib.sha256()
    with ExitStack() as stack:
        target = stack.enter_context(path.open("wb"))
        files = [_Lines.opened(shard, stack) for shard in shards]
        for _, count, place in blocks:
            for line in files[place].following(count):
                samples.update(f"{json.loads(line)['sample_id']}\n".encode())
                target.write(line)
        for file in files:
            file.check_end()
    if samples.hexdigest() != shards[0].record.samples_sha256:
        raise InputError(
            f"{shards[0].folder / SHARD}: the samples of all shards are not those of the run, or "
            "are in another order; ask the shards anew"
        )


@dataclass
class _Lines:
    """The predictions of a shard, read once."""

    path: Path
    file: IO[bytes]
    sha256: str
    digest: Any

    @classmethod
    def opened(cls, shard: _Shard, stack: ExitStack) -> "_Lines":
        path = shard.folder / PREDICTIONS
        file = stack.enter_context(path.open("rb"))
        return cls(path, file, shard.record.files[PREDICTIONS], hashlib.sha256())

    def following(self, count: int) -> Iterator[bytes]:
        """Yield so many lines."""
        for _ in range(count):
            line = self.file.readline()
            if not line:
                raise _was_changed(self.path)
            self.digest.update(line)
            yield line

    def check_end(self) -> None:
        """Refuse what is left, and a file that changed since it was hashed first."""
        if self.file.readline() or self.digest.hexdigest() != self.sha256:
            raise _was_changed(self.path)
