"""A rollout: mini-swe-agent's default agent on a local instance, and the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from collect.swebench.agent_prompts import INSTANCE, SYSTEM
from collect.swebench.checkout import fresh_clone
from collect.swebench.containment import Isolation
from collect.swebench.hidden_tests import evaluate
from collect.swebench.instances import Instance
from collect.swebench.minisweagent_import import load_mini_swe_agent
from collect.swebench.shell import Shell
from collect.swebench.swebench_defaults import STEPS


@dataclass(frozen=True)
class Limits:
    """The limits that hold for every agent."""

    steps: int = STEPS
    command_seconds: int = 60
    """Most seconds of each of the agent's commands."""
    test_seconds: int = 300
    """Most seconds of the hidden tests."""


LIMITS = Limits()
"""The limits of the benchmark's rollouts."""


@dataclass(frozen=True)
class Judged:
    """A rollout and its outcome, which its trajectory has, too."""

    trajectory: Mapping[str, Any]
    """Trajectory as mini-swe-agent saves it, without times and paths of this machine."""
    resolved: bool
    reason: str
    """Reason why the instance is resolved, or is not."""
    model_patch: str
    """Patch as it was submitted; empty where nothing was."""


OPEN = Isolation()
"""The containment of commands whose author is known: none, they run as the user."""


def rollout(
    instance: Instance, model: Any, limits: Limits = LIMITS, isolation: Isolation = OPEN
) -> Judged:
    """Let an agent work on an instance, and judge what it submits.

    **Runs the shell commands that the model writes on this machine.**

    Args:
        instance: the instance to work on.
        model: a mini-swe-agent model.
        limits: the limits of the rollout.
        isolation: the containment of the commands, and of the hidden tests, which run what the
            model wrote.

    Raises:
        InputError: mini-swe-agent is missing, or the instance cannot be set up.
        Exception: whatever the model raises.
    """
    load_mini_swe_agent()
    from minisweagent.agents.default import DefaultAgent

    with fresh_clone(instance) as clone:
        agent = DefaultAgent(
            model,
            Shell(clone, limits.command_seconds, isolation.commands),
            system_template=SYSTEM,
            instance_template=INSTANCE,
            step_limit=limits.steps,
            cost_limit=0,
        )
        agent.run(instance.problem_statement.strip())
        saved = clone.outward(_without_times(agent.serialize()))
    patch = saved["info"]["submission"]
    verdict = evaluate(instance, patch, limits.test_seconds, isolation.tests)
    saved["info"]["evaluation"] = {"resolved": verdict.resolved, "reason": verdict.reason}
    trajectory = {**saved, "instance_id": instance.instance_id}
    return Judged(trajectory, verdict.resolved, verdict.reason, patch)


def _without_times(value: Any) -> Any:
    """Return a JSON value without the fields that are called `timestamp`."""
    if isinstance(value, Mapping):
        return {key: _without_times(item) for key, item in value.items() if key != "timestamp"}
    if isinstance(value, list):
        return [_without_times(item) for item in value]
    return value
