"""Forecasters that were fitted and are kept: saved in a folder, shared on the Hub, and loaded.

>>> from bagen_data.forecasters.kept import load_forecaster
>>> load_forecaster("my-forecaster").resources                # doctest: +SKIP
('tokens',)
"""

from bagen_data.forecasters.kept.forecaster_lookup import load_forecaster
from bagen_data.forecasters.kept.kept_forecaster import (
    AmountForecast,
    KeptForecaster,
    LearnedFrom,
    instance_hash,
    keep,
    learned_of,
)

__all__ = [
    "AmountForecast",
    "KeptForecaster",
    "LearnedFrom",
    "instance_hash",
    "keep",
    "learned_of",
    "load_forecaster",
]
