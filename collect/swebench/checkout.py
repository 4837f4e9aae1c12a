"""A fresh clone of an instance in a temporary folder that no text names."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bagen_data.errors import InputError
from collect.swebench.instances import Instance

TESTBED = "/testbed"
"""The clone's name for agents and in logs: the one in SWE-bench's images."""
GIT_SECONDS = 120
_TESTBED = re.compile(rf"(?<![\w./-]){TESTBED}(?![\w.-])")
_PERSON, _DATE = ("bagen", "bagen@localhost"), "2026-01-01T00:00:00+00:00"


def plain_environment(home: Path) -> dict[str, str]:
    """Return the environment of commands and of git: the same everywhere but for the search path.

    None of the caller's variables are in it, so none of the caller's keys either.
    """
    python = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join((python, os.environ.get("PATH", os.defpath))),
        "HOME": str(home),
        "TMPDIR": str(home),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PAGER": "cat",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_{role}_NAME": _PERSON[0] for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_EMAIL": _PERSON[1] for role in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{role}_DATE": _DATE for role in ("AUTHOR", "COMMITTER")},
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


@dataclass(frozen=True)
class Clone:
    """A folder that is thrown away."""

    root: Path
    """Root of the clone, which texts call `/`."""

    @property
    def testbed(self) -> Path:
        """The working tree."""
        return self.root / TESTBED[1:]

    @property
    def home(self) -> Path:
        """The home of commands."""
        return self.root / "home"

    @property
    def tmp(self) -> Path:
        """The folder that contained commands see as `/tmp`."""
        return self.root / "tmp"

    @property
    def jail(self) -> Path:
        """An empty folder, where the root of contained commands is mounted."""
        return self.root / "jail"

    def make_folders(self) -> None:
        """Make all folders of the clone, empty."""
        for folder in (self.testbed, self.home, self.tmp, self.jail):
            folder.mkdir()

    @property
    def environment(self) -> dict[str, str]:
        """Environment of commands and of git."""
        return plain_environment(self.home)

    def inward(self, command: str) -> str:
        """Return an agent's command, which knows the clone as `/testbed`, as it is run here."""
        return _TESTBED.sub(lambda _: str(self.testbed), command)

    def outward(self, value: Any) -> Any:
        """Return a text, or all texts of a JSON value, without the temporary folder's name."""
        return replaced(value, {f"{self.root}/": "/", str(self.root): "/"})

    def git(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run git in the working tree."""
        return run_git(self.testbed, self.environment, *arguments, text=text)


@contextmanager
def fresh_clone(instance: Instance) -> Iterator[Clone]:
    """Give a clone at the base commit, with its past and without its future: the fix may be there.

    Raises:
        InputError: the repository does not have that commit.
    """
    with TemporaryDirectory(prefix="bagen-swe-") as folder:
        clone = Clone(Path(folder).resolve())
        clone.make_folders()
        source = run_git(instance.repo, clone.environment, "rev-parse", f"{instance.base_commit}^0")
        commit = source.stdout.strip()
        steps = (
            ("init", "--quiet", "--template=", "--initial-branch=main"),
            ("fetch", "--quiet", "--no-tags", str(instance.repo), commit),
            ("checkout", "--quiet", "-B", "main", commit),
        )
        for step in steps if source.returncode == 0 else ():
            source = clone.git(*step)
            if source.returncode:
                break
        if source.returncode:
            reason = " ".join(source.stderr.split())
            raise InputError(
                f"{instance.instance_id}: {instance.repo} has no commit {instance.base_commit} "
                f"that can be cloned: {reason}"
            )
        (clone.testbed / ".git" / "FETCH_HEAD").unlink()
        yield clone


def run_git(
    folder: Path, environment: Mapping[str, str], *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run git; its exit code is the caller's to look at."""
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=dict(environment),
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=GIT_SECONDS,
        check=False,
    )


def replaced(value: Any, names: Mapping[str, str]) -> Any:
    """Return a JSON value with parts of its texts replaced, in the order given.

    >>> replaced({"output": ["/tmp/x/a.py"]}, {"/tmp/x/": "/"})
    {'output': ['/a.py']}
    """
    if isinstance(value, str):
        for old, new in names.items():
            value = value.replace(old, new)
        return value
    if isinstance(value, Mapping):
        return {key: replaced(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [replaced(item, names) for item in value]
    return value
