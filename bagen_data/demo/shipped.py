"""The dataset that ships in the package."""

import shutil
from pathlib import Path

from bagen_data.errors import OutputError
from bagen_data.folder_staging import is_beside
from bagen_data.replaced_folder import bring_back, replaced_folder
from bagen_data.tables import MANIFEST

SHIPPED = Path(__file__).parent / "dataset"
"""The folder of the shipped dataset, which every command takes as `--dataset`."""
COPY = "dataset"
"""The name of its copy in the folder of a demonstration."""


def copy_dataset(out: Path) -> Path:
    """Copy the shipped dataset into the folder of a demonstration, and return the copy's path.

    Args:
        out: the folder, which is made if it is absent. An earlier copy in it is replaced, and
            everything beside the copy is left as it is.

    Raises:
        OutputError: `out` holds something and is not the folder of a demonstration, cannot be
            written, or another process writes the copy.
    """
    copy = out / COPY
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is not a folder; give another --out")
    if out.is_dir():
        bring_back(copy)
        others = [path.name for path in out.iterdir() if not is_beside(path.name)]
        if others and not (copy / MANIFEST).is_file():
            raise OutputError(
                f"{out}: holds files, and not the sample of an earlier 'bagen demo'; nothing was "
                "touched; give an empty or new folder as --out"
            )
    sources = [path for path in sorted(SHIPPED.rglob("*")) if path.is_file()]
    names = [path.relative_to(SHIPPED).as_posix() for path in sources]
    with replaced_folder(copy, names) as staging:
        for source, name in zip(sources, names, strict=True):
            target = staging / name
            target.parent.mkdir(parents=True, exist_ok=True)
            try:
                shutil.copyfile(source, target)
            except OSError as error:
                raise OutputError(f"{copy}: cannot be written: {error.strerror}") from error
    return copy
