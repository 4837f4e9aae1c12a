"""The place that a dataset is written to: a folder of this machine, or one of a store."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from bagen_data.errors import InputError, OutputError
from bagen_data.locations import Location, StoreUrl
from bagen_data.reading.origin import Family
from bagen_data.replaced_folder import replaced_folder
from bagen_data.replaced_store import replaced_store, scratch_prefix
from bagen_data.stores import fetched, remove_parts
from bagen_data.tables import BUILD_RECORD, MANIFEST, METADATA, is_sealed, read_jsonl, sha256_of
from bagen_data.unique_keys import parse_json


@contextmanager
def replaced_output(out: Location, may_replace: Iterable[str]) -> Iterator[Path | StoreUrl]:
    """Give a place to write into that becomes `out` when the block ends, or vanishes if it fails.

    Args:
        out: absent, empty, or a folder whose files are all named in `may_replace`.
        may_replace: paths relative to `out`, with `/`.

    Raises:
        OutputError: `out` holds other files, or cannot be written.
        StoreError: a store does not answer.
    """
    if isinstance(out, StoreUrl):
        with replaced_store(out, may_replace) as url:
            yield url
        return
    with replaced_folder(out, may_replace) as folder:
        yield folder
        remove_parts(folder)


@contextmanager
def spool_folder(staging: Location) -> Iterator[Path]:
    """Give a folder of this machine for rollouts on their way, which is gone after the block."""
    if isinstance(staging, StoreUrl):
        with TemporaryDirectory(prefix="bagen-spools-") as folder:
            yield Path(folder)
        return
    spools = staging / "spools"
    spools.mkdir()
    yield spools
    shutil.rmtree(spools)


@contextmanager
def shared_spool_folder(staging: Location) -> Iterator[Location]:
    """Give a place beside a build's files for rollouts that workers of other machines read, too."""
    if isinstance(staging, StoreUrl):
        with scratch_prefix(staging) as spools:
            yield spools
        return
    with spool_folder(staging) as spools:
        yield spools


def previous_files(out: Location) -> set[str]:
    """The files of an earlier build in `out`, which a new one may replace; else nothing.

    Only a build is believed: its record must bear its seal, and the manifest be the one it names.

    Raises:
        StoreError: a store does not answer.
    """
    try:
        with fetched(out / BUILD_RECORD) as path:
            record = parse_json(path.read_bytes())
        with fetched(out / MANIFEST) as path:
            if not is_sealed(record) or record["files"][MANIFEST] != sha256_of(path):
                return set()
            if "hidden" in record:  # its other part would fit it no more
                return set()
            rows = read_jsonl(path)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, InputError):
        return set()
    return {*METADATA, *(str(row.get("path")) for row in rows)}


def refuse_out_in_family(out: Location, families: Sequence[Family]) -> None:
    """Refuse an output folder that lies where rollouts are read."""
    for family in families:
        if _lies_in(out, family.folder):
            raise OutputError(
                f"{out}: lies in {family.folder.name}, whose files are read; give another --out"
            )


def _lies_in(out: Location, folder: Location) -> bool:
    if isinstance(out, StoreUrl):
        return isinstance(folder, StoreUrl) and out.is_within(folder)
    return isinstance(folder, Path) and out.resolve().is_relative_to(folder.resolve())
