"""Commands of a model: run contained where this machine can, else with a warning."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bagen_data.console import STDERR
from bagen_data.errors import WrongUsageError
from collect.own_process import hide_environment
from collect.swebench.containment import Isolation, MachineContainment, find_containment
from collect.swebench.instances import Instance
from collect.swebench.visible_files import unseen_paths


@dataclass(frozen=True)
class CommandOptions:
    """The paths that commands of a model may see."""

    show: Sequence[Path] = ()
    """Paths that contained commands and hidden tests may read besides."""
    show_tests: Sequence[Path] = ()
    """Paths that contained hidden tests may read besides, and commands may not."""
    i_know: bool = False
    """Whether the warning is left out where nothing contains commands."""

    def given(self) -> dict[str, object]:
        """Return the options that were given, by name."""
        return {
            "show": list(self.show),
            "show_tests": list(self.show_tests),
            "i_know": self.i_know or None,
        }

    def isolate(self, instances: Sequence[Instance]) -> Isolation:
        """Hide this process's keys, and find out what contains commands here.

        Call it before any process of a rollout is started.

        Raises:
            WrongUsageError: a path to show is missing, or a test command names one that contained
                tests would not see.
        """
        are_keys_hidden = hide_environment()
        shown, shown_to_tests = _paths("--show", self.show), _paths("--show-tests", self.show_tests)
        search = find_containment()
        if search.containment is not None:
            _check_test_commands(instances, (*shown, *shown_to_tests))
        elif not self.i_know:
            STDERR.print(_warning(search, are_keys_hidden=are_keys_hidden), markup=False)
        return search.isolation(shown, shown_to_tests)


def _paths(flag: str, paths: Sequence[Path]) -> tuple[Path, ...]:
    for path in paths:
        if not path.exists():
            raise WrongUsageError(f"{flag} {path}: is missing; expected a file or a folder")
    return tuple(path.resolve() for path in paths)


def _check_test_commands(instances: Sequence[Instance], shown: Sequence[Path]) -> None:
    for each in instances:
        unseen = unseen_paths(each.test_command, shown)
        if unseen:
            raise WrongUsageError(
                f"{each.instance_id}: test_command names {unseen[0]}, which contained tests do not "
                f"see; give --show-tests {unseen[0]}, or --show where the agent may read it too"
            )


def _warning(search: MachineContainment, *, are_keys_hidden: bool) -> str:
    if os.geteuid() == 0:
        reach = "as root: nothing keeps them from any file, process or key of this machine"
    elif are_keys_hidden:
        reach = (
            "as you: the keys of this process are out of their sight, but your files, the network "
            "and your other processes, with the shell that you started this from, are not"
        )
    else:
        reach = "as you: nothing keeps them from your files, your processes or the network"
    return (
        f"warning: the model's commands are not contained here, and run {reach}. "
        f"{'; '.join(search.problems)}. Install bubblewrap, or use a machine that holds no keys; "
        "--i-know silences this."
    )
