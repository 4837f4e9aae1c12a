"""Instances and models for these tests, each in one line."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

import pytest

from collect.swebench.instances import Instance
from collect.swebench.local_rollout import LIMITS, Judged, Limits, rollout
from sample.actors.swebench_agents import ScriptedToys, ScriptStep, script_steps, scripted_model
from sample.actors.toy_repositories import Toy, choose_toys, make_repositories, toys

needs_tool = pytest.mark.skipif(
    find_spec("minisweagent") is None, reason="mini-swe-agent is not installed"
)
STEPS = 30
ROLLOUTS = 9
TOY = toys()[0]


def one_instance(folder: Path, toy: Toy = TOY) -> Instance:
    return make_repositories([toy], folder)[0]


def scripted_family(folder: Path) -> Iterator[dict[str, Any]]:
    chosen = choose_toys(0, ROLLOUTS)
    instances = make_repositories(chosen, folder)
    return map(ScriptedToys(chosen, instances, 0, None, Limits(steps=STEPS)), range(ROLLOUTS))


def run_script(name: str, instance: Instance, toy: Toy = TOY, steps: int = 20) -> Judged:
    limits = Limits(steps)
    return rollout(
        instance, scripted_model(name, script_steps(name, toy, Random(1)), limits), limits
    )


def run_commands(instance: Instance, commands: Sequence[str], limits: Limits = LIMITS) -> Judged:
    """Return the turns of an agent that runs these commands, one a turn; the last should submit."""
    steps = [ScriptStep("next", (command,)) for command in commands]
    return rollout(instance, scripted_model("commanded", steps, limits), limits)


def outputs(collected: Judged) -> list[str]:
    """Return the output of the commands."""
    messages = collected.trajectory["messages"]
    return [each["extra"]["raw_output"] for each in messages if each["role"] == "tool"]
