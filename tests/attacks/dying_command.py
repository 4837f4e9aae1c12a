"""A command of the project that dies, or whose disk is full, at a chosen moment.

    python -m tests.attacks.dying_command PLAN MODULE ARGUMENT...

The plan is JSON: see `PlannedFault`. The moments of a run are the calls that change files below a
folder: a file is opened to be written, made, linked, renamed or removed, and folders are exchanged.
The process kills itself just before the chosen one, so that all moments together are all states
that a kill at any time can leave, but for how far a single file has been written.
"""

import json
import os
import resource
import signal
import sys
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

CRASHED = 70
"""The exit code of a command that ended in a traceback."""
_CHANGES = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.truncate"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT


@dataclass(frozen=True)
class PlannedFault:
    """The fault that the command is to meet."""

    below: str
    """The folder whose changes are moments."""
    dies_at: int = 0
    """The moment of the kill, from 1; 0 for never."""
    most_bytes: int = -1
    """Bytes that a file may have, as on a disk that is nearly full; -1 for any number."""
    listed_in: str = ""
    """A file for the events of all moments, elsewhere; empty for none."""
    exchanges: bool = True
    """Whether the file system can exchange folders."""

    def command(self, *arguments: object) -> list[str]:
        """Return the arguments of `tests.forks.Forks.start`."""
        plan = json.dumps(asdict(self))
        return ["-m", "tests.attacks.dying_command", plan, *map(str, arguments)]


def main(plan: PlannedFault, module: str, arguments: list[str]) -> int:
    """Run `python -m MODULE ARGUMENT...`; returns its exit code."""
    command = import_module(module)
    if not plan.exchanges:
        for name in ("bagen_data.replaced_folder", "bagen_data.replaced_set"):
            vars(import_module(name))["exchange"] = lambda *_: False
    if plan.most_bytes >= 0:
        resource.setrlimit(resource.RLIMIT_FSIZE, (plan.most_bytes, plan.most_bytes))
    killer = _Killer(plan)
    sys.addaudithook(killer)
    try:
        command.main(arguments)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        return CRASHED
    if plan.listed_in:
        Path(plan.listed_in).write_text("\n".join(killer.moments))
    return code


class _Killer:
    """Kills this process at a moment."""

    def __init__(self, plan: PlannedFault) -> None:
        self._plan = plan
        self._process = os.getpid()
        self.moments: list[str] = []
        """The moments so far, by their events."""

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Count one event, if it is a moment of this process and not of one that it forked."""
        if self._is_moment(event, arguments) and os.getpid() == self._process:
            self.moments.append(event)
            if len(self.moments) == self._plan.dies_at:
                os.kill(self._process, signal.SIGKILL)

    def _is_moment(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event == "ctypes.dlsym":
            return arguments[1] == "renameat2"
        if event not in _CHANGES and not (event == "open" and arguments[2] & _WRITES):
            return False
        return isinstance(arguments[0], str) and arguments[0].startswith(self._plan.below)


if __name__ == "__main__":
    sys.exit(main(PlannedFault(**json.loads(sys.argv[1])), sys.argv[2], sys.argv[3:]))
