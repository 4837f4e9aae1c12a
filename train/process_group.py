"""The end of a run's processes: none leaves a thread behind that needs Python."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from traceback import clear_frames


@contextmanager
def ended_process_group() -> Iterator[None]:
    """End the process group that PyTorch has after the block, and wait for its threads.

    A thread of Gloo releases the tensors of its last collective some time after it. If Python
    exits meanwhile, the thread is ended in a destructor of C++, which aborts the process. A group
    waits for its threads once nothing refers to it, and the wrapped model of a trainer does: the
    block's function has to have returned, so use this as a decorator.

    After an error, a group of another backend than Gloo is left to the process's end: NCCL would
    wait for the other processes, which may be in the middle of a collective.
    """
    try:
        yield
    except BaseException as error:
        _clear(error)
        _end("gloo")
        raise
    _end()


def _end(*backends: str) -> None:
    """End the process group if it is of one of these backends; of any backend if none is named."""
    from torch import distributed

    if not distributed.is_available() or not distributed.is_initialized():
        return
    if backends and distributed.get_backend() not in backends:
        return
    gc.collect()  # a trainer and its model refer to each other
    distributed.destroy_process_group()


def _clear(error: BaseException | None) -> None:
    """Clear the variables of the functions that an error passed, which may hold a trainer."""
    while error is not None:
        clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
