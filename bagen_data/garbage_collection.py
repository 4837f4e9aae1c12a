"""Hold Python's garbage collector back: for a family's reading or writing, and at an exit."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause the collector: JSON values hold no cycles, and walking them would double the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def skip_last_collection() -> None:
    """Let this process exit without a search for cycles of objects, all of which end with it.

    After Inspect or PyTorch was imported, that search takes longer than a short command. A file
    that only such a cycle holds open is not flushed.
    """
    atexit.register(gc.freeze)
