"""The leaderboard of a dataset on the Hub, from a Hub on this machine."""

import os
import subprocess
import sys
from pathlib import Path

from tests.fake_hub import COMMIT, fake_hub
from tests.leaderboard.made_submissions import budget_left, build_site, leaderboard, results, submit
from tests.making import REPO


def test_a_dataset_on_the_hub_is_scored_as_its_folder_is(dataset: Path, tmp_path: Path) -> None:
    submit(tmp_path / "in" / "mine", dataset, budget_left, dataset_revision=COMMIT[:7])
    from_folder = build_site(tmp_path / "in", dataset, tmp_path / "from_folder")
    with fake_hub("MLL-Lab/BAGEN", dataset) as endpoint:
        environment = {
            **os.environ,
            "HF_ENDPOINT": endpoint,
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_OFFLINE": "0",
            "HF_HOME": str(tmp_path / "home"),
        }
        flags = ("--submissions", "in", "--dataset", "MLL-Lab/BAGEN", "--out", "from_hub")
        command = [sys.executable, "-m", "leaderboard", "build", *flags, "--no-cache"]
        environment["PYTHONPATH"] = str(REPO)
        done = subprocess.run(
            command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    from_hub = results(tmp_path / "from_hub")
    assert from_hub["dataset"]["id"] == "MLL-Lab/BAGEN"
    assert from_hub["dataset"]["revision"] == COMMIT
    (apart,), (mine,) = from_folder["apart"], from_hub["submissions"]
    assert mine["scores"] == apart["scores"]
    assert leaderboard("export", tmp_path / "from_hub", "--format", "hub") == 0
    registration = (tmp_path / "from_hub-hub" / "eval.yaml").read_text()
    assert "inspect-ai" in registration
    assert leaderboard("export", tmp_path / "from_folder", "--format", "hub") == 1
    assert leaderboard("export", tmp_path / "from_folder", "--format", "eee") == 0
    more = ("--dataset-id", "MLL-Lab/BAGEN")
    assert leaderboard("export", tmp_path / "from_folder", "--format", "hub", *more) == 0
