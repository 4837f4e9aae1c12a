"""Find a kept forecaster by its name: a folder, or ORG/NAME or ORG/NAME@REV on the Hub."""

from pathlib import Path

from bagen_data.forecasters.kept.forecaster_files import read_folder
from bagen_data.forecasters.kept.kept_forecaster import KeptForecaster


def load_forecaster(name: str | Path) -> KeptForecaster:
    """Return a forecaster that was saved; nothing of its files is run.

    Args:
        name: a folder.

    Raises:
        InputError: there is no such forecaster, or it cannot be used.
    """
    return read_folder(Path(name))
