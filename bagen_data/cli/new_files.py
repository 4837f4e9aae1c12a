"""Files that a command is to write, checked before it works."""

import os
from pathlib import Path

from bagen_data.errors import OutputError


def check_new_file(option: str, path: Path) -> None:
    """Refuse a file that could not be written once the work is done; make nothing.

    Args:
        option: the option that names the file, such as `--out`.
        path: the file, which may exist.

    Raises:
        OutputError: it is a folder, or its folder does not exist or cannot be written.
    """
    folder = path.parent
    if path.is_dir():
        problem = "is a folder; expected the path of a file"
    elif not folder.is_dir():
        problem = f"cannot be written: the folder {folder} is missing; make it first"
    elif not path.exists() and not os.access(folder, os.W_OK | os.X_OK):
        problem = f"cannot be written: nothing may be written into {folder}; give another folder"
    else:
        return
    raise OutputError(f"{option} {path}: {problem}")
