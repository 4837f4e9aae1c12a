"""Datasets in a store that are replaced: the old one, the new one, or none, and never a mixture.

A store can neither rename a folder nor exchange two. So a build is written below a staging prefix,
and put in place file by file, the manifest last. Readers believe a manifest only: where there is
none, nothing was committed, or a build is on its way.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress

from bagen_data.errors import BagenError, OutputError
from bagen_data.folder_staging import TOKEN_PATTERN, new_token
from bagen_data.locations import StoreUrl
from bagen_data.store_locks import LOCK, StoreLock, held_store
from bagen_data.stores import (
    StoredFile,
    copy,
    list_files,
    read_bytes,
    remove,
    remove_folder,
    write_bytes,
)
from bagen_data.tables import BUILD_RECORD, CARD, MANIFEST

_LAST = (CARD, BUILD_RECORD, MANIFEST)
_STAGING = re.compile(rf"(?P<name>\.building-{TOKEN_PATTERN})(/.+|(?P<ending>\.json))", re.DOTALL)
"""A file of a staging prefix, or the list beside it of files that are being replaced."""
_SHOWN = 5


@contextmanager
def replaced_store(out: StoreUrl, may_replace: Iterable[str]) -> Iterator[StoreUrl]:
    """Give a prefix to write below that becomes `out` when the block ends, or vanishes if it fails.

    Killed at any moment, `out` is the old dataset, the new one, or has no manifest; what the killed
    run left is removed by the next one. Before the old manifest is removed, the names of all files
    that are replaced are listed beside the prefix, so that files of a half-placed build are known.
    One process at a time writes to `out`, as far as a store allows it: see `store_locks`. Workers
    on other machines write below the prefix; what one writes after the run was killed is removed
    by the run after the next.

    Args:
        out: absent, empty, or a folder whose files are all named in `may_replace`.
        may_replace: paths relative to `out`, with `/`.

    Raises:
        OutputError: `out` holds other files, cannot be written, or another process is writing it.
        StoreError: the store does not answer.
    """
    ours = set(may_replace)
    staging = out / f".building-{new_token()}"
    with ExitStack() as stack:
        try:
            _refuse_foreign(out, ours)
            lock = stack.enter_context(held_store(out))
            _refuse_foreign(out, ours)  # the one before us may have changed it
            _remove_leftovers(out)
        except OSError as error:
            raise _unwritable(out, error) from error
        stack.callback(_remove_staging, staging)
        yield staging
        try:
            _place(staging, out, ours, lock)
        except OSError as error:
            raise _unwritable(out, error) from error


@contextmanager
def scratch_prefix(staging: StoreUrl) -> Iterator[StoreUrl]:
    """Give a prefix beside a staging one, whose files never become the dataset's.

    What a worker that was given up writes there after the block is removed by the next run.
    """
    prefix = StoreUrl(f"{staging.url.rpartition('/')[0]}/.building-{new_token()}")
    try:
        yield prefix
    finally:
        _remove_staging(prefix)


def own_names(names: Iterable[str]) -> set[str]:
    """Return which files of a dataset's folder are of builds that are on their way or were killed.

    >>> own_names([".building.lock", ".building-1/a", "build.json"])
    {'.building.lock'}
    """
    return {name for name in names if name == LOCK or _STAGING.fullmatch(name)}


def _unwritable(out: StoreUrl, error: OSError) -> OutputError:
    return OutputError(f"{out}: cannot be written: {error.strerror or error}")


def _refuse_foreign(out: StoreUrl, ours: set[str]) -> None:
    files = list_files(out)
    foreign = sorted(files.keys() - ours - own_names(files) - _half_placed(out, files))
    if foreign:
        listed = ", ".join(foreign[:_SHOWN]) + (" ..." if len(foreign) > _SHOWN else "")
        raise OutputError(
            f"{out}: holds {len(foreign)} file(s) that no build wrote ({listed}); nothing was "
            "touched; give an empty or new folder as --out"
        )


def _half_placed(out: StoreUrl, files: Mapping[str, StoredFile]) -> set[str]:
    """Return the files that killed runs were replacing."""
    paths: set[str] = set()
    for name in files:
        match = _STAGING.fullmatch(name)
        if match and match["ending"]:
            with suppress(FileNotFoundError, ValueError, KeyError, TypeError):  # its run has ended
                paths.update(json.loads(read_bytes(out / name))["files"])
    return paths


def _remove_leftovers(out: StoreUrl) -> None:
    """Remove what killed runs left; where they were replacing files, these too."""
    files = list_files(out)
    if MANIFEST not in files:
        for path in sorted(_half_placed(out, files) & files.keys()):
            remove(out / path)
    staged = {match["name"] for name in files if (match := _STAGING.fullmatch(name))}
    for name in sorted(staged):
        remove_folder(out / name)
        remove(out / f"{name}.json")


def _remove_staging(staging: StoreUrl) -> None:
    with suppress(BagenError, OSError):  # the next run removes it
        remove_folder(staging)


def _place(staging: StoreUrl, out: StoreUrl, ours: set[str], lock: StoreLock) -> None:
    """Put a build in place: its data, the card and the record, and the manifest last."""
    new = list_files(staging)
    if missing := [name for name in _LAST if name not in new]:
        raise OutputError(f"{staging}: holds no {missing[0]}; expected a whole build; run again")
    old = [path for path in list_files(out) if path in ours]
    lock.check()
    names = StoreUrl(f"{staging}.json")
    write_bytes(names, json.dumps({"files": sorted({*new, *old})}).encode())
    remove(out / MANIFEST)
    for path in old:
        if path not in new:
            remove(out / path)
    for path in (*sorted(new.keys() - {*_LAST}), CARD, BUILD_RECORD):
        copy(staging / path, out / path)
    _check_sizes(out, {path: facts for path, facts in new.items() if path != MANIFEST})
    lock.check()
    copy(staging / MANIFEST, out / MANIFEST)
    with suppress(BagenError, OSError):  # the build is in place; the next run removes the rest
        remove_folder(staging)
        remove(names)


def _check_sizes(out: StoreUrl, expected: Mapping[str, StoredFile]) -> None:
    placed = list_files(out)
    for path, facts in expected.items():
        if path not in placed or placed[path].bytes != facts.bytes:
            present = f"{placed[path].bytes:,} bytes" if path in placed else "no file"
            raise OutputError(
                f"{out / path}: {present}; expected the {facts.bytes:,} bytes that were copied "
                "there; run again when nothing else writes there"
            )
