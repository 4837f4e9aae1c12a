"""A process that changes a file between contents, in one of many ways, until it is ended.

python tests/attacks/file_swapper.py WAY TARGET CONTENT CONTENT ...
"""

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path


def replace(target: Path, content: Path) -> None:
    """Put a whole file in the place of the other."""
    staging = target.with_name(f".{target.name}.new")
    staging.write_bytes(content.read_bytes())
    staging.replace(target)


def rewrite(target: Path, content: Path) -> None:
    """Write over the file from its beginning, and cut what is left."""
    data = content.read_bytes()
    with open(os.open(target, os.O_WRONLY | os.O_CREAT, 0o666), "wb") as file:
        file.write(data[: len(data) // 2])
        file.flush()
        file.write(data[len(data) // 2 :])
        file.truncate()


def empty(target: Path, content: Path) -> None:
    """Cut the file to nothing and write it anew, in two parts."""
    data = content.read_bytes()
    with target.open("wb") as file:
        file.flush()
        file.write(data[: len(data) // 2])
        file.flush()
        file.write(data[len(data) // 2 :])


def backdate(target: Path, content: Path) -> None:
    """Write over the file, and set the time of the change back."""
    rewrite(target, content)
    os.utime(target, ns=(10**18, 10**18))


def vanish(target: Path, content: Path) -> None:
    """Remove the file, and bring it back later."""
    target.unlink(missing_ok=True)
    pause()
    replace(target, content)


def link(target: Path, content: Path) -> None:
    """Put a link to a file elsewhere in the place of the file, and the file back."""
    staging = target.with_name(f".{target.name}.link")
    staging.symlink_to(target.parents[2] / "secret.jsonl")
    staging.replace(target)
    pause()
    replace(target, content)


def pipe(target: Path, content: Path) -> None:
    """Put a pipe without a writer in the place of the file, and the file back."""
    staging = target.with_name(f".{target.name}.pipe")
    os.mkfifo(staging)
    staging.replace(target)
    pause()
    replace(target, content)


def move_folder(target: Path, content: Path) -> None:
    """Move the whole folder away, put a link to another one there, and bring it back."""
    folder = target.parent
    away = folder.with_name(f".{folder.name}")
    folder.rename(away)
    folder.symlink_to(folder.parents[1] / "secret")
    pause()
    folder.unlink()
    away.rename(folder)
    replace(target, content)


Way = Callable[[Path, Path], None]
WAYS: dict[str, Way] = {
    way.__name__: way
    for way in (replace, rewrite, empty, backdate, vanish, link, pipe, move_folder)
}


def pause() -> None:
    """Wait long enough to be read now and then, and mostly not."""
    time.sleep(random.choice((0, 0.001, 0.01, 0.05)))


def main(way: str, target: str, *contents: str) -> None:
    """Change the file until somebody ends the process."""
    print("ready", flush=True)
    while True:
        for content in contents:
            WAYS[way](Path(target), Path(content))
            pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
