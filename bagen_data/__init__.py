"""BAGEN: does an LLM agent know what it is about to spend?

Recorded agent rollouts are replayed prefix by prefix, and an estimator is asked of each prefix: can
this still be finished within the budget, and how much is still needed?
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from bagen_data.errors import BagenError
from bagen_data.versions import BENCHMARK_VERSION, __version__

if TYPE_CHECKING:
    from bagen_data.answers import parse, render
    from bagen_data.loading import load
    from bagen_data.schema import Estimate, Interval

__all__ = [
    "BENCHMARK_VERSION",
    "BagenError",
    "Estimate",
    "Interval",
    "__version__",
    "load",
    "parse",
    "render",
]
_HOMES = {
    "Estimate": "schema",
    "Interval": "schema",
    "load": "loading",
    "parse": "answers",
    "render": "answers",
}
"""The modules that import numpy and pyarrow; each is imported when a name of it is first used."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
