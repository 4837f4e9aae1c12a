"""Datasets that a leaderboard can be built of."""

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from bagen_data.errors import InputError
from bagen_data.versions import BENCHMARK_VERSION
from leaderboard.benchmark_samples import load_benchmark
from tests.bagen_data.scoring.scoring_cases import sample
from tests.leaderboard.made_boards import write_as_built
from tests.leaderboard.made_submissions import build_site, leaderboard, write_metadata, write_rows
from tests.making import REPO


def built(folder: Path, task: str) -> str:
    derived: dict[str, Any] = {
        "task": task,
        "rollout_model": "m",
        "rollout_id": "r",
        "completed_turns": 1,
    }
    folder.mkdir(parents=True, exist_ok=True)
    derived |= {"total_turns": 2, "rollout_success": True, "instance_id": "i"}
    samples = pa.Table.from_pylist([sample(f"{task}/m/r/1", **derived)])
    write_as_built(folder, samples, "ffffffff")
    return str(folder)


def test_a_task_of_ones_own_has_a_leaderboard(tmp_path: Path) -> None:
    assert load_benchmark(built(tmp_path, "chess")).tasks == ["chess"]


@pytest.mark.parametrize("command", ["build", "baselines", "validate"])
def test_a_dataset_of_another_version_is_refused_by_name(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores of another version would stand among those of this one."""
    dataset = Path(built(tmp_path / "dataset", "chess"))
    record = {"revision": "ffffffff", "benchmark_version": "1.0"}
    (dataset / "build.json").write_text(json.dumps(record))
    write_metadata(tmp_path / "in" / "mine", dataset)
    write_rows(tmp_path / "in" / "mine" / "chess.jsonl", [])
    more = {
        "build": ("--submissions", tmp_path / "in", "--out", tmp_path / "out"),
        "baselines": ("--out", tmp_path / "out"),
        "validate": (tmp_path / "in" / "mine",),
    }
    assert leaderboard(command, *more[command], "--dataset", dataset) == 1
    error = " ".join(capsys.readouterr().err.split())
    assert "was built for BAGEN '1.0'" in error
    assert f"expected BAGEN {BENCHMARK_VERSION!r}; build it anew" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("task", ["overall", "predictions", "a-b", "x" * 51])
def test_a_task_whose_name_means_something_else_is_refused(task: str, tmp_path: Path) -> None:
    """`overall` is the group of all tasks, `predictions` a file of any."""
    with pytest.raises(InputError, match=f"task '{task}' cannot"):
        load_benchmark(built(tmp_path, task))


def test_what_rollouts_took_is_known_or_none(tmp_path: Path) -> None:
    """A dataset that counts tokens alone does not know what a rollout cost."""
    amounts = [
        {"resource": name, "budget": 9.0, "used": used, "remaining": left}
        for name, used, left in (("tokens", 100.0, 300.0), ("cost_usd", 0.25, 0.5))
    ]
    rows = [
        sample(f"chess/m/{name}/1", resources=amounts, rollout_id=name, instance_id=name)
        for name in "ab"
    ]
    more = {"task": "chess", "rollout_model": "m", "completed_turns": 1, "total_turns": 2}
    samples = pa.Table.from_pylist([row | more | {"rollout_success": True} for row in rows])
    write_as_built(tmp_path, samples, "ffffffff")
    about = load_benchmark(str(tmp_path)).summary()["tasks"]["chess"]
    assert about["rollout_means"] == {"chess/m": {"tokens": 400.0, "cost_usd": 0.75}}
    tokens_alone = load_benchmark(built(tmp_path / "t", "chess")).summary()["tasks"]["chess"]
    assert tokens_alone["rollout_means"] == {"chess/m": {"tokens": 600.0, "cost_usd": None}}


def test_a_tasks_page_shows_tokens_and_cost_of_its_families(dataset: Path, tmp_path: Path) -> None:
    build_site(REPO / "leaderboard" / "submissions", dataset, tmp_path / "site")
    page = (tmp_path / "site" / "tasks" / "searchr1.html").read_text()
    assert "What the recorded rollouts used" in page
    row = page[page.index('<th scope="row">Search-R1, scripted</th>') :].partition("</tr>")[0]
    assert row.endswith("<td>\N{EN DASH}</td>")
    assert ">0<" not in row
    assert "What the recorded rollouts used" not in (tmp_path / "site" / "index.html").read_text()
