"""The benchmark of scale runs, and prints every slope and ratio."""

import re
import subprocess
import sys

from tests.making import REPO


def test_it_prints_every_slope_and_ratio() -> None:
    command = [sys.executable, "benchmarks/scale.py", "--small"]
    done = subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True)
    for slope in ("build", "score", "mixed", "board"):
        assert re.search(rf"^{slope} .* s of CPU and -?\d+ MiB for [\d,]+ ", done.stdout, re.M)
    for ratio in ("reading", "build", "workers"):
        assert re.search(rf"^{ratio} +[\d.]+ +\(at most [\d.]+\) ", done.stdout, re.M), done.stdout
