"""Folders with a list of the files that we wrote, so that we replace only those."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bagen_data.replaced_folder import replaced_folder


@contextmanager
def replaced_ours(out: Path, manifest: str) -> Iterator[Path]:
    """Give a folder to write into that becomes `out` when the block ends, or vanishes if it fails.

    Args:
        out: absent, empty, or a folder of which its manifest names every file.
        manifest: the name of that file, a path a line; it is written last.

    Raises:
        OutputError: `out` holds other files, is not a folder, or cannot be written.
    """
    with replaced_folder(out, _written_before(out / manifest)) as staging:
        yield staging
        written = [path for path in staging.rglob("*") if path.is_file()]
        names = sorted(path.relative_to(staging).as_posix() for path in written)
        (staging / manifest).write_text("".join(f"{name}\n" for name in names), encoding="utf-8")


def _written_before(manifest: Path) -> list[str]:
    """Return the files that a manifest names, and the manifest; empty if it cannot be read."""
    try:
        return [manifest.name, *manifest.read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        return []
