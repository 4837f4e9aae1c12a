"""Loading by Hub id, from a Hub on this machine."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.fake_hub import fake_hub
from tests.making import REPO, SAMPLE, build

LOAD = """
import json, bagen_data
by_default = bagen_data.load(config="swebench", split="test")
stream = bagen_data.load("MLL-Lab/BAGEN", "warehouse", split="test", streaming=True)
here = bagen_data.load({folder!r}, "swebench", split="test")
print(json.dumps([len(by_default), next(iter(stream))["task"], by_default[:] == here[:]]))
"""


def test_a_hub_id_gives_what_the_folder_gives(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(SAMPLE, out) == 0
    with fake_hub("MLL-Lab/BAGEN", out) as endpoint:
        environment = os.environ | {
            "HF_ENDPOINT": endpoint,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
        }
        done = subprocess.run(
            [sys.executable, "-c", LOAD.format(folder=str(out))],
            cwd=REPO,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [60, "warehouse", True]
