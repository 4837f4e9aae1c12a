"""The agent's shell: mini-swe-agent's local environment, in a clone."""

import shlex
from typing import Any

from collect.swebench.checkout import TESTBED, Clone, replaced
from collect.swebench.minisweagent_import import load_mini_swe_agent


class Shell:
    """A mini-swe-agent environment.

    Its commands see the clone as `/testbed`, have no input, and none of this process's environment.
    """

    def __init__(self, clone: Clone, command_seconds: int) -> None:
        """Say where, and how long a command may take: after that its process group is killed."""
        load_mini_swe_agent()
        from minisweagent.environments.local import LocalEnvironment

        self._clone = clone
        self._local = LocalEnvironment(cwd=str(clone.testbed), timeout=command_seconds)
        self.config = self._local.config
        assignments = (f"{name}={value}" for name, value in clone.environment.items())
        self._prefix = shlex.join(("exec", "env", "-i", *assignments, "bash", "-c"))

    def execute(self, action: dict[str, Any], cwd: str = "") -> dict[str, Any]:
        """Run a command; the agent reads what is returned.

        Raises:
            minisweagent.exceptions.Submitted: it was the command that ends the rollout.
        """
        command = str(action["command"])
        wrapped = f"{self._prefix} {shlex.quote(self._clone.inward(command))} </dev/null"
        output = self._local.execute({**action, "command": wrapped}, cwd)
        shown: dict[str, Any] = self._clone.outward(replaced(output, {wrapped: command}))
        return shown

    def get_template_vars(self, **kwargs: Any) -> dict[str, Any]:
        """What the prompts may name."""
        return {"cwd": TESTBED, **kwargs}

    def serialize(self) -> dict[str, Any]:
        """For the trajectory."""
        return dict(self._local.serialize())
