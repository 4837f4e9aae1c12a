"""A family that is played once for all tests here."""

from pathlib import Path

import pytest

from collect.swebench.trajectory_layout import Trajectories
from tests.collect.swebench.played_toys import scripted_family


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origin") / "swebench-origin-scripted"
    Trajectories().write(folder, scripted_family(tmp_path_factory.mktemp("toys") / "toys"))
    return folder
