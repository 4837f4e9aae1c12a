"""`bagen` as `pip install bagen-data` brings it: without the packages of extras, or a network."""

import os
import subprocess
import sys
from pathlib import Path

from tests.making import REPO

EXTRAS = (
    *("altair", "datasets", "detect_secrets", "distributed", "evaluate", "fsspec", "genai_prices"),
    *("inspect_ai", "jinja2", "langchain", "pandas", "ray", "scipy", "sklearn", "torch"),
    *("transformers", "vl_convert"),
)
"""Packages that no default dependency brings."""
_CODE = f"""
import socket, sys

class Absent:
    def find_spec(self, name, *_):
        if name in {EXTRAS}:
            raise ModuleNotFoundError(name, name=name)

def refuse(*_):
    raise OSError("no network here")

sys.meta_path.insert(0, Absent())
socket.socket.connect = refuse
sys.argv[0] = "bagen"
from bagen_data.cli import main
main()
"""


def bare_bagen(
    folder: Path, *arguments: object, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command of `bagen` in a folder."""
    return subprocess.run(
        [sys.executable, "-c", _CODE, *map(str, arguments)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(REPO), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
