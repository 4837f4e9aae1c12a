"""Run a script as Python does, and fail if a thread of Gloo outlives it: SCRIPT OPTION..."""

import runpy
import sys
import time
from contextlib import suppress
from pathlib import Path

_TRIES = 500


def gloo_threads() -> list[str]:
    """Return the names of the threads of Gloo that stay in this process; none without Linux.

    A thread that was waited for may still be listed for a moment.
    """
    for _ in range(_TRIES):
        if not _listed():
            break
        time.sleep(0.01)
    return _listed()


def _listed() -> list[str]:
    names = []
    for task in Path("/proc/self/task").glob("*"):
        with suppress(OSError):  # the thread has ended since
            names.append((task / "comm").read_text().strip())
    return [name for name in names if "gloo" in name]


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
    if threads := gloo_threads():
        sys.exit(f"{sys.argv[0]}: leaves the threads {', '.join(threads)}; expected none of Gloo")
