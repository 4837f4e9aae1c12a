"""Rollouts of scripted agents: the real tool, with a model whose answers are known beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from random import Random
from typing import Any

import orjson

from collect.scripted_agents import SCRIPTED
from collect.swebench.agent_prompts import OBSERVATION
from collect.swebench.instances import Instance
from collect.swebench.local_rollout import LIMITS, Limits, rollout
from collect.swebench.tool import load_tool
from collect.swebench.trajectory_layout import record
from collect.token_count import token_count
from sample.actors.repair_scripts import Script, script_of
from sample.actors.repair_steps import Moves, Step
from sample.actors.toy_repositories import Toy, choose_toys, make_repositories

__all__ = ["NAMES", "ScriptedToys", "choose_toys", "make_repositories"]
NAMES: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScriptedToys:
    """Plays rollouts by number: the same seed and number give the same bytes."""

    toys: Sequence[Toy]
    instances: Sequence[Instance]
    """Of the toys, in their order."""
    seed: int
    tokenizer: str | None = None
    """Whose tokens the simulated usage is counted in; words and marks if None."""
    limits: Limits = LIMITS

    def __call__(self, number: int) -> dict[str, Any]:
        """The rollout of that number, as the family keeps it."""
        rng = Random(f"swebench {self.seed} {number}")
        script = script_of(self.seed, number)
        model = scripted_model(script, Moves(self.toys[number], rng), self.limits.steps)
        played = rollout(self.instances[number], model, self.limits)
        return record(number, with_simulated_usage(played.trajectory, self.tokenizer), SCRIPTED)


def scripted_model(script: Script, moves: Moves, steps: int) -> Any:
    """mini-swe-agent's deterministic model, with the answers of a script.

    Args:
        script: what it does.
        moves: for a fresh rollout of its toy.
        steps: the most answers there are.
    """
    load_tool()
    from minisweagent.models.test_models import DeterministicToolcallModel

    taken = islice(script(moves), steps)
    return DeterministicToolcallModel(
        outputs=[_answer(step, number) for number, step in enumerate(taken, 1)],
        model_name=f"{SCRIPTED}/{script.__name__}",
        observation_template=OBSERVATION,
        cost_per_call=0.0,
    )


def with_simulated_usage(trajectory: Mapping[str, Any], tokenizer: str | None) -> dict[str, Any]:
    """A scripted trajectory with the usage of a model that reads the whole history each time.

    Texts and commands are counted, and nothing for the names of tools and roles.
    """
    told: dict[str, Any] = orjson.loads(orjson.dumps(trajectory))
    counting = token_count(tokenizer)
    told["info"]["simulated_usage"] = counting.name
    count = cache(counting.count)
    del told["info"]["config"]["model"]["outputs"]  # the messages are the same
    read = 0
    for message in told["messages"]:
        texts = [message["content"], *(each["command"] for each in _actions(message))]
        size = sum(count(text) for text in texts if text)
        if message["role"] == "assistant":
            usage = {
                "prompt_tokens": read,
                "completion_tokens": size,
                "total_tokens": read + size,
            }
            message["extra"]["response"] = {"usage": usage}
        read += size
    return told


def _actions(message: dict[str, Any]) -> list[dict[str, Any]]:
    return list(message.get("extra", {}).get("actions", ()))


def _answer(step: Step, number: int) -> dict[str, Any]:
    """An assistant's message in mini-swe-agent's form."""
    names = [f"call_{number}_{place}" for place in range(1, len(step.commands) + 1)]
    calls = list(zip(names, step.commands, strict=True))
    return {
        "role": "assistant",
        "content": step.thought,
        "tool_calls": [
            {
                "id": name,
                "type": "function",
                "function": {
                    "name": "bash",
                    "arguments": orjson.dumps({"command": command}).decode(),
                },
            }
            for name, command in calls
        ],
        "extra": {
            "actions": [{"command": command, "tool_call_id": name} for name, command in calls],
            "cost": 0.0,
        },
    }
