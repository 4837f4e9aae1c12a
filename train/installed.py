"""Says what has to be installed, where it is not: scripts import this first."""

import importlib.util
import sys

for _package in ("typer", "trl", "peft", "datasets"):
    if importlib.util.find_spec(_package) is None:
        sys.exit(f"{_package} is not installed; in the clone: pip install -e '.[train]'")
