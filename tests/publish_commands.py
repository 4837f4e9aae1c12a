"""Commands that publish, run as a maintainer runs them, against a Hub on this machine."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.forks import Forks
from tests.loopback_hub import LoopbackHub
from tests.making import REPO, WITHOUT_TRANSFORMERS

FORKS = Forks(
    *("builders.cli", "builders.publish_all", "pyarrow.compute", "huggingface_hub.errors"),
    *("httpx", "truststore", "pandas", "yaml", "rich.console", "tests.short_pauses"),
    environment={**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"},
)
"""The modules that commands share; the Hub's client, which reads its settings when it is imported,
is not one of them."""


@dataclass(frozen=True)
class Maintainer:
    """Somebody with a home, and a token or none."""

    hub: LoopbackHub
    home: Path
    token: str | None = "hf_write"
    more: Mapping[str, str] = field(default_factory=dict)
    """Further variables of the environment."""

    @property
    def environment(self) -> Mapping[str, str]:
        return {**self.hub.environment(self.home, self.token), "TERM": "dumb", **self.more}

    def run(self, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Run `python -m ARGUMENTS`; the token is in nothing that it prints or leaves behind."""
        done = FORKS.run(["-m", *arguments], self.environment)
        if self.token is not None:
            assert self.token not in done.stdout + done.stderr
            assert not [path for path in _files(self.home) if _holds(path, self.token)]
        assert "Traceback" not in done.stderr
        return done

    def start(self, *arguments: object) -> subprocess.Popen[str]:
        """Start `python -m ARGUMENTS`, to be killed."""
        return subprocess.Popen(
            [sys.executable, "-m", *map(str, arguments)],
            cwd=REPO,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def loaded(self, code: str) -> str:
        """Return what a program prints, which reads the Hub."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=self.home,
            env={**self.environment, "PYTHONPATH": WITHOUT_TRANSFORMERS},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def _files(folder: Path) -> list[Path]:
    return [Path(below) / name for below, _, names in os.walk(folder) for name in names]


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and text.encode() in path.read_bytes()
