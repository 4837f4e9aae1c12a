"""Containment of commands that a model writes, and of tests of what it wrote.

A contained command sees its clone, the system's programs and Python: no process but its own, no
network, no home, no other file. Two programs can do that, and the first that works here is used:

    bwrap     bubblewrap, with namespaces
    unshare   util-linux, with the same namespaces, which `namespace_entry.py` furnishes
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory
from typing import Protocol

from collect.swebench.checkout import TESTBED, Clone, plain_environment
from collect.swebench.visible_files import HOME, Bind, binds

_TRIAL = "git --version && python3 -c 'import json' && test -w . && test ! -e /proc/$OUTER_PID/root"
"""A script that a contained shell must be able to run: the outer process has no name there."""
_TRIAL_SECONDS = 30
_ENTRY = str(Path(__file__).with_name("namespace_entry.py"))
"""The script that furnishes namespaces; its modules are those of Linux."""


@dataclass(frozen=True)
class Launch:
    """The way in which a command is started."""

    argv: tuple[str, ...]
    folder: Path
    environment: dict[str, str]


class Containment(Protocol):
    """A way to start shell commands of a clone."""

    def launch(self, clone: Clone, command: str) -> Launch:
        """Return how a command is started in a clone."""


@dataclass(frozen=True)
class Uncontained:
    """Commands run as the user: nothing keeps them from files, processes and the network."""

    def launch(self, clone: Clone, command: str) -> Launch:
        """Return how a command is started in a clone."""
        argv = ("bash", "-c", clone.inward(command))
        return Launch(argv, clone.testbed, clone.environment)


UNCONTAINED = Uncontained()


@dataclass(frozen=True)
class Bubblewrap:
    """Commands run in the namespaces of `bwrap`."""

    program: str
    shown: tuple[Path, ...] = ()
    """Further paths that commands may read."""

    def launch(self, clone: Clone, command: str) -> Launch:
        """Return how a command is started in a clone."""
        namespaces = ("--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL")
        places = (part for each in binds(clone, self.shown) for part in self._option(each))
        own = ("--dev", "/dev", "--proc", "/proc", "--remount-ro", "/proc", "--chdir", TESTBED)
        argv = (self.program, *namespaces, *own, *places, "bash", "-c", command)
        return _contained(clone, argv)

    def _option(self, bind: Bind) -> tuple[str, str, str]:
        kind = "--bind" if bind.is_writable else "--ro-bind"
        return kind, str(bind.source), str(bind.target)


@dataclass(frozen=True)
class Namespaces:
    """Commands run in the namespaces of `unshare`."""

    program: str
    shown: tuple[Path, ...] = ()
    """Further paths that commands may read."""

    def launch(self, clone: Clone, command: str) -> Launch:
        """Return how a command is started in a clone."""
        unshare = (
            *(self.program, "--user", "--map-root-user", "--mount", "--pid", "--fork"),
            *("--kill-child=KILL", "--net", "--ipc", "--uts"),
        )
        places = [
            (str(each.source), str(each.target), each.is_writable)
            for each in binds(clone, self.shown)
        ]
        room = json.dumps({"root": str(clone.jail), "folder": TESTBED, "binds": places})
        entry = (sys.executable, "-I", "-S", _ENTRY, room)
        return _contained(clone, (*unshare, *entry, "bash", "-c", command))


@dataclass(frozen=True)
class Isolation:
    """Containment of the commands of an agent, and of hidden tests."""

    commands: Containment = UNCONTAINED
    tests: Containment = UNCONTAINED


@dataclass(frozen=True)
class MachineContainment:
    """The containment of a machine."""

    containment: Bubblewrap | Namespaces | None
    """The first containment that works; None where neither program works."""
    problems: tuple[str, ...]
    """Reasons why the programs before the one that works, or all, do not work."""

    def isolation(self, shown: Sequence[Path], shown_to_tests: Sequence[Path]) -> Isolation:
        """Return the containment of commands and of tests, with what either may read besides."""
        if self.containment is None:
            return Isolation()
        commands = replace(self.containment, shown=tuple(shown))
        return Isolation(commands, replace(commands, shown=(*shown, *shown_to_tests)))


def find_containment() -> MachineContainment:
    """Try the programs in turn."""
    problems = []
    kinds: dict[str, type[Bubblewrap] | type[Namespaces]] = {
        "bwrap": Bubblewrap,
        "unshare": Namespaces,
    }
    for name, kind in kinds.items():
        program = which(name)
        if program is None:
            problems.append(f"{name} is not installed")
            continue
        containment = kind(program)
        problem = _trial(containment)
        if not problem:
            return MachineContainment(containment, tuple(problems))
        problems.append(f"{name} does not work: {problem}")
    return MachineContainment(None, tuple(problems))


def _trial(containment: Containment) -> str:
    """Run what a shell must be able to do; return what went wrong, empty if nothing did."""
    with TemporaryDirectory(prefix="bagen-trial-") as folder:
        clone = Clone(Path(folder).resolve())
        clone.make_folders()
        launch = containment.launch(clone, _TRIAL.replace("$OUTER_PID", str(os.getpid())))
        try:
            done = subprocess.run(
                launch.argv,
                cwd=launch.folder,
                env=launch.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_TRIAL_SECONDS,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return (said[-1] if said else f"exit code {done.returncode}") if done.returncode else ""


def _contained(clone: Clone, argv: tuple[str, ...]) -> Launch:
    return Launch(argv, clone.root, plain_environment(Path(HOME)))
