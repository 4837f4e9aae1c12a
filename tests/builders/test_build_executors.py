"""A build on every executor: the same bytes, whatever works."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.executors import ENGINES, cluster
from tests.making import SAMPLE, build, contents, dialogue, write_json


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the sample beside a family of a task without a file, and a broken file."""
    folder = tmp_path_factory.mktemp("executors") / "origin"
    for path in SAMPLE.rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(SAMPLE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    rows = [dialogue([(9, 5)] * (2 + n % 5), name=f"row {n}") for n in range(50)]
    write_json(folder / "sokoban-train-m" / "a.json", rows)
    (folder / "sokoban-train-m" / "broken.json").write_text("{", "utf-8")
    return folder


@pytest.fixture(scope="module")
def expected(origin: Path) -> dict[str, bytes]:
    out = origin.parent / "expected"
    assert build(origin, out) == 0
    return contents(out)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_same_bytes_on_every_executor(
    engine: str,
    origin: Path,
    expected: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    capsys: Any,
) -> None:
    monkeypatch.chdir(origin.parent)  # workers have another current folder
    out = Path(f"out-{engine.replace(':', '-')}")
    with cluster(engine) as executor:
        assert build(Path("origin"), out, "--executor", executor) == 0
        assert contents(out) == expected
        capsys.readouterr()
        assert build(Path("origin"), out, "--executor", executor, "--strict") == 1
        assert "broken.json" in capsys.readouterr().err
        assert contents(out) == expected
    assert not [path.name for path in origin.parent.iterdir() if path.name.startswith(".out")]


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--executor", "spark"), "--executor spark: expected local, local:N"),
        (("--executor", "local:2", "--workers", "2"), "--workers 2: is short for --executor"),
    ],
)
def test_what_fits_no_executor_is_wrong_usage(
    flags: tuple[str, ...], message: str, tmp_path: Path, capsys: Any
) -> None:
    assert build(SAMPLE, tmp_path / "out", *flags) == 2
    assert message in " ".join(capsys.readouterr().err.split())
    assert not os.listdir(tmp_path)
