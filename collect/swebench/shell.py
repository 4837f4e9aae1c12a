"""The agent's shell: an environment of mini-swe-agent's, in a clone."""

import subprocess
from typing import Any

from bagen_data.redaction import without_known_keys
from collect.swebench.checkout import TESTBED, Clone
from collect.swebench.command_process import kill_group, start
from collect.swebench.containment import Containment
from collect.swebench.minisweagent_import import load_mini_swe_agent

_SUBMISSION = "COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"
"""First line of the output that ends a rollout; the rest is the patch."""


class Shell:
    """A mini-swe-agent environment.

    Its commands see the clone as `/testbed`, have no input, and none of this process's environment.
    It reports what mini-swe-agent's local environment would, which gives each command all of this
    process's variables.
    """

    def __init__(self, clone: Clone, command_seconds: int, containment: Containment) -> None:
        """Prepare a shell.

        Args:
            clone: where commands run.
            command_seconds: how long a command may take: after that its processes are killed.
            containment: starts the commands.
        """
        load_mini_swe_agent()
        from minisweagent.environments.local import LocalEnvironment

        self._clone = clone
        self._seconds = command_seconds
        self._containment = containment
        self._local = LocalEnvironment(cwd=str(clone.testbed), timeout=command_seconds)
        self.config = self._local.config

    def execute(self, action: dict[str, Any]) -> dict[str, Any]:
        """Run a command; the agent reads what is returned, without this process's keys.

        Raises:
            minisweagent.exceptions.Submitted: it was the command that ends the rollout.
        """
        from minisweagent.exceptions import Submitted

        output = without_known_keys(self._output(str(action["command"])))
        lines = output["output"].lstrip().splitlines(keepends=True)
        if lines and lines[0].strip() == _SUBMISSION and output["returncode"] == 0:
            patch = "".join(lines[1:])
            extra = {"exit_status": "Submitted", "submission": patch}
            raise Submitted({"role": "exit", "content": patch, "extra": extra})
        shown: dict[str, Any] = self._clone.outward(output)
        return shown

    def _output(self, command: str) -> dict[str, Any]:
        printed = ""
        try:
            process = start(self._containment.launch(self._clone, command), subprocess.PIPE)
            try:
                printed, _ = process.communicate(timeout=self._seconds)
            except subprocess.TimeoutExpired:
                kill_group(process)
                printed, _ = process.communicate()
                raise subprocess.TimeoutExpired(command, self._seconds) from None
        except (OSError, ValueError, subprocess.TimeoutExpired) as error:
            return {
                "output": printed,
                "returncode": -1,
                "exception_info": f"An error occurred while executing the command: {error}",
                "extra": {"exception_type": type(error).__name__, "exception": str(error)},
            }
        return {"output": printed, "returncode": process.returncode, "exception_info": ""}

    def get_template_vars(self, **kwargs: Any) -> dict[str, Any]:
        """Return the variables that the prompts may name."""
        return {"cwd": TESTBED, **kwargs}

    def serialize(self) -> dict[str, Any]:
        """Return the shell's entry for the trajectory."""
        return dict(self._local.serialize())
