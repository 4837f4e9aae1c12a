"""Loading by Hub id, from a Hub on this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.loopback_hub import loopback_hub
from tests.making import REPO, SAMPLE, build
from tests.publish_commands import FORKS

LOAD = """
import json, bagen_data
by_default = bagen_data.load(config="swebench", split="test")
stream = bagen_data.load("MLL-Lab/BAGEN", "warehouse", split="test", streaming=True)
here = bagen_data.load({folder!r}, "swebench", split="test")
rows = sum(1 for _ in stream)
print(json.dumps([len(by_default), rows, next(iter(stream))["task"], by_default[:] == here[:]]))
"""


SCORE = """
import json
from bagen_data.hub import load_samples
from bagen_data.scoring import score
there, here = (load_samples(path, "swebench") for path in ("MLL-Lab/BAGEN", {folder!r}))
ids = there.table["sample_id"].to_pylist()
answers = [{{"sample_id": each, "response": "<answer>[9, 999]</answer>"}} for each in ids]
alike = score(there.table, answers) == score(here.table, answers)
print(json.dumps([there.source, alike]))
for wrong in (("MLL-Lab/BAGEN", "chess"), ("MLL-Lab/CHESS", "chess")):
    try:
        load_samples(*wrong)
    except Exception as error:
        print(json.dumps([type(error).__name__, wrong[0] in str(error)]))
"""


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hub") / "out"
    assert build(SAMPLE, out) == 0
    return out


def beside_a_hub(code: str, out: Path, home: Path) -> list[Any]:
    """The lines of JSON that the code prints where the Hub has what was built."""
    with loopback_hub() as hub:
        hub.upload("MLL-Lab/BAGEN", out)
        stale = (out / "data/warehouse/test-scripted.parquet").read_bytes()
        hub.commit("MLL-Lab/BAGEN", {"data/warehouse/test-older.parquet": stale})
        done = subprocess.run(
            [sys.executable, "-c", code.format(folder=str(out))],
            cwd=REPO,
            env=hub.environment(home),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_hub_id_gives_what_the_folder_gives(out: Path, tmp_path: Path) -> None:
    assert beside_a_hub(LOAD, out, tmp_path) == [[94, 80, "warehouse", True]]


def test_samples_to_score_come_from_a_hub_id_too(out: Path, tmp_path: Path) -> None:
    [(source, alike), *errors] = beside_a_hub(SCORE, out, tmp_path)
    assert alike
    assert source["path"] == "MLL-Lab/BAGEN"
    assert (source["config"], source["split"], source["samples"]) == ("swebench", "test", 94)
    assert source["revision"]
    assert errors == [["InputError", True]] * 2


def test_a_hub_that_cannot_be_reached_is_one_line(tmp_path: Path) -> None:
    folder = REPO / "leaderboard/submissions/A_EXAMPLE"
    done = FORKS.run(
        ["-m", "leaderboard", "validate", folder, "--dataset", "MLL-Lab/BAGEN"],
        {**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)},
    )
    assert done.returncode == 1
    assert done.stderr.startswith("MLL-Lab/BAGEN: the Hub does not answer after 6 tries")
    assert len(done.stderr.splitlines()) == 1
