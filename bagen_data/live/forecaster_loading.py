"""Forecasters as trackers take them."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bagen_data.forecasters.kept import KeptForecaster


def load_forecaster(name: str | Path) -> "KeptForecaster":
    """Return a kept forecaster, as `bagen_data.forecasters.kept.load_forecaster` does."""
    from bagen_data.forecasters.kept import load_forecaster as load

    return load(name)
