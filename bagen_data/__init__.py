"""BAGEN: does an LLM agent know what it is about to spend?

Recorded agent rollouts are replayed prefix by prefix, and an estimator is asked of each prefix: can
this still be finished within the budget, and how much is still needed?
"""

from bagen_data.answers import parse, render
from bagen_data.errors import BagenError
from bagen_data.hub import load
from bagen_data.schema import Estimate, Interval
from bagen_data.versions import BENCHMARK_VERSION, __version__

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
