"""Print the folder to give as `--include_path`."""

from pathlib import Path

print(Path(__file__).parent)  # noqa: T201
