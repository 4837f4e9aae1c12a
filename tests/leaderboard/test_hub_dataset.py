"""The leaderboard of a dataset on the Hub, from a Hub on this machine."""

import subprocess
import sys
from pathlib import Path

from tests.leaderboard.made_submissions import budget_left, build_site, leaderboard, results, submit
from tests.loopback_hub import loopback_hub


def test_a_dataset_on_the_hub_is_scored_as_its_folder_is(dataset: Path, tmp_path: Path) -> None:
    with loopback_hub() as hub:
        commit = hub.upload("MLL-Lab/BAGEN", dataset)
        submit(tmp_path / "in" / "mine", dataset, budget_left, dataset_revision=commit[:7])
        from_folder = build_site(tmp_path / "in", dataset, tmp_path / "from_folder")
        flags = ("--submissions", "in", "--dataset", "MLL-Lab/BAGEN", "--out", "from_hub")
        done = subprocess.run(
            [sys.executable, "-m", "leaderboard", "build", *flags, "--no-cache"],
            cwd=tmp_path,
            env=hub.environment(tmp_path / "home"),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    from_hub = results(tmp_path / "from_hub")
    assert from_hub["dataset"]["id"] == "MLL-Lab/BAGEN"
    assert from_hub["dataset"]["revision"] == from_folder["dataset"]["revision"]
    assert from_hub["dataset"]["commit"] == commit
    (apart,), (mine,) = from_folder["apart"], from_hub["submissions"]
    assert mine["scores"] == apart["scores"]
    assert leaderboard("export", tmp_path / "from_hub", "--format", "hub") == 0
    registration = (tmp_path / "from_hub-hub" / "eval.yaml").read_text()
    assert "inspect-ai" in registration
    assert leaderboard("export", tmp_path / "from_folder", "--format", "hub") == 1
    assert leaderboard("export", tmp_path / "from_folder", "--format", "eee") == 0
    more = ("--dataset-id", "MLL-Lab/BAGEN")
    assert leaderboard("export", tmp_path / "from_folder", "--format", "hub", *more) == 0
