"""The names of two estimators, which head their columns of a comparison."""

from collections.abc import Sequence
from pathlib import Path

from bagen_data.prediction_files import ALL_TASKS
from bagen_data.submissions import METADATA, read_metadata


def names_of_two(paths: Sequence[Path], folders: Sequence[Path]) -> tuple[str, str]:
    """Return names that differ: by metadata, else by file or folder, else by the ends of the paths.

    Args:
        paths: the files or folders of both estimators' predictions.
        folders: the folders of these files, where metadata may be.

    Raises:
        InputError: metadata cannot be read.
    """
    kinds: list[list[str]] = []
    if all((folder / METADATA).exists() for folder in folders):
        kinds.append([read_metadata(folder / METADATA).estimator for folder in folders])
    stems = [path.name.partition(".")[0] for path in paths]
    is_named = [
        path != folder and stem != ALL_TASKS
        for path, folder, stem in zip(paths, folders, stems, strict=True)
    ]
    kinds.append(
        [
            stem if named else folder.resolve().name
            for stem, named, folder in zip(stems, is_named, folders, strict=True)
        ]
    )
    parts = [
        (path if named else folder).resolve().parts
        for path, named, folder in zip(paths, is_named, folders, strict=True)
    ]
    lengths = range(1, 1 + max(map(len, parts)))
    kinds.extend(["/".join(each[-length:]) for each in parts] for length in lengths)
    first = kinds[0][0]
    return next(
        ((one, other) for one, other in kinds if one != other), (f"{first} (1)", f"{first} (2)")
    )
