"""The bundled sample, built once, and the process that scores boards."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from leaderboard import build_results
from tests.leaderboard.shared_worker import SharedWorker
from tests.making import SAMPLE, build


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("leaderboard") / "built"
    assert build(SAMPLE, out) == 0
    return out


@pytest.fixture(scope="session")
def shared_worker() -> Iterator[SharedWorker]:
    with SharedWorker() as worker:
        yield worker


@pytest.fixture(scope="module", autouse=True)
def _boards_share_a_worker(shared_worker: SharedWorker) -> Iterator[None]:
    """Score boards that are built in this process by one worker that stays."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(build_results, "ScoringProcesses", shared_worker.processes)
        yield
