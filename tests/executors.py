"""Executors of every engine that is installed, for tests; nothing of them outlives a module."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.making import REPO

ENGINES = ("local:1", "local:3", "dask", "ray")
"""Engines that `cluster` can start; the first two need nothing."""


@contextmanager
def cluster(engine: str, *, in_threads: bool = False) -> Iterator[str]:
    """Give the `--executor` of an engine that runs; skip if it is not installed.

    Args:
        engine: one of `ENGINES`.
        in_threads: whether Dask has one worker in this process, which starts in no time; otherwise
            it has two processes.
    """
    if engine == "dask":
        with _dask(in_threads) as address:
            yield f"dask:{address}"
    elif engine == "ray":
        pytest.importorskip("ray", reason="Ray is not installed (the extra 'ray')")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("PYTHONPATH", str(REPO))  # workers import the functions of tests
            yield "ray"
    else:
        yield engine


@contextmanager
def _dask(in_threads: bool) -> Iterator[str]:
    distributed = pytest.importorskip(
        "distributed", reason="Dask is not installed (the extra 'dask')"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of event loops and of files that Dask leaves to the end
        with distributed.LocalCluster(
            n_workers=1 if in_threads else 2,
            threads_per_worker=1,
            processes=not in_threads,
            protocol="tcp://",
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
        ) as started:
            yield started.scheduler_address
