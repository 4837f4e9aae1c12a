"""Any model of Inspect's as a model of mini-swe-agent's."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import orjson
from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageTool,
    ChatMessageUser,
    ModelOutput,
)
from inspect_ai.tool import ToolCall, ToolInfo, ToolParams
from inspect_ai.util import JSONSchema

from collect.environment import RESPONSE_TOKENS
from collect.model_agent import usage_of
from collect.swebench.agent_prompts import BAD_CALL, NO_CALL, OBSERVATION
from collect.swebench.containment import Isolation
from collect.swebench.instances import Instance
from collect.swebench.local_rollout import LIMITS, OPEN, Limits, rollout
from collect.swebench.minisweagent_import import load_mini_swe_agent
from collect.swebench.trajectory_layout import record

_TOOL = "bash"
BASH = ToolInfo(
    name=_TOOL,
    description="Run a command in a new bash shell, and read what it prints.",
    parameters=ToolParams(
        properties={"command": JSONSchema(type="string", description="What is run.")},
        required=["command"],
    ),
)
"""The one tool of the model."""


class Generator(Protocol):
    """A model that can be asked, such as `collect.model_agent.ModelAgent`."""

    def generate(
        self, messages: Sequence[ChatMessage], most: int, tools: Sequence[ToolInfo] = ()
    ) -> ModelOutput:
        """Return the answer to a chat, of at most so many tokens."""


@dataclass(frozen=True)
class Config:
    """A model's entry in a trajectory."""

    model_name: str
    response_tokens: int = RESPONSE_TOKENS


class InspectModel:
    """A mini-swe-agent model; it keeps nothing between requests."""

    def __init__(self, name: str, generator: Generator) -> None:
        """Take the model that answers, and its name in the trajectory."""
        load_mini_swe_agent()
        self.config = Config(name)
        self._generator = generator

    def query(self, messages: list[dict[str, Any]], **_: Any) -> dict[str, Any]:
        """Return the assistant's message, with the commands to run and the usage as reported.

        Raises:
            minisweagent.exceptions.FormatError: there is no command in it. The answer itself and
                what is wrong with it go into the trajectory: it has been paid for.
            ValueError: the provider reported no usage.
        """
        from minisweagent.exceptions import FormatError

        output = self._generator.generate(chat(messages), self.config.response_tokens, [BASH])
        calls = list(output.message.tool_calls or ()) if output.choices else []
        message: dict[str, Any] = {
            "role": "assistant",
            "content": output.completion,
            "tool_calls": [_written(call) for call in calls],
            "extra": {
                "actions": [],
                "response": {"model": output.model, "usage": usage_of(output)},
                "cost": 0.0,
            },
        }
        if not calls:
            del message["tool_calls"]
            text = NO_CALL.format(most=self.config.response_tokens)
            raise FormatError(message, {"role": "user", "content": text, "extra": {}})
        problems = [_problem(call) for call in calls]
        if any(problems):
            first = next(filter(None, problems))
            raise FormatError(message, *_refused(calls, BAD_CALL.format(problem=first)))
        message["extra"]["actions"] = [
            {"command": call.arguments["command"], "tool_call_id": call.id} for call in calls
        ]
        return message

    def format_message(self, **kwargs: Any) -> dict[str, Any]:
        """Return a message as it is kept."""
        return kwargs

    def format_observation_messages(
        self,
        message: dict[str, Any],
        outputs: list[dict[str, Any]],
        template_vars: dict[str, Any] | None = None,
    ) -> list[dict[str, Any]]:
        """Return the results of a message's commands, as messages."""
        from minisweagent.models.utils.actions_toolcall import (
            format_toolcall_observation_messages,
        )

        formatted: list[dict[str, Any]] = format_toolcall_observation_messages(
            actions=message["extra"]["actions"],
            outputs=outputs,
            observation_template=OBSERVATION,
            template_vars=template_vars,
        )
        return formatted

    def get_template_vars(self, **kwargs: Any) -> dict[str, Any]:
        """Return the variables that the prompts may name."""
        return {"model_name": self.config.model_name, **kwargs}

    def serialize(self) -> dict[str, Any]:
        """Return the model's entry for the trajectory."""
        kind = f"{type(self).__module__}.{type(self).__name__}"
        return {"info": {"config": {"model": asdict(self.config), "model_type": kind}}}


@dataclass(frozen=True)
class ModelledLocal:
    """Player of rollouts by number, with a model."""

    instances: Sequence[Instance]
    name: str
    """Name of the model, as the family lists it."""
    generator: Generator
    limits: Limits = LIMITS
    isolation: Isolation = OPEN

    def __call__(self, number: int) -> dict[str, Any]:
        """Play the rollout of a number, and return it as the family keeps it."""
        model = InspectModel(self.name, self.generator)
        played = rollout(self.instances[number], model, self.limits, self.isolation)
        return record(number, played.trajectory, self.name)


def chat(messages: Iterable[Mapping[str, Any]]) -> list[ChatMessage]:
    """Return a trajectory's messages as Inspect has them; an answer without content is left out."""
    made: list[ChatMessage] = []
    for message in messages:
        role, content = message["role"], message["content"] or ""
        calls = [_read(call) for call in message.get("tool_calls") or ()]
        if role == "system":
            made.append(ChatMessageSystem(content=content))
        elif role == "tool":
            made.append(
                ChatMessageTool(
                    content=content, tool_call_id=message["tool_call_id"], function=_TOOL
                )
            )
        elif role == "user":
            made.append(ChatMessageUser(content=content))
        elif content or calls:
            made.append(ChatMessageAssistant(content=content, tool_calls=calls or None))
    return made


def _problem(call: ToolCall) -> str:
    """Return why a call cannot be carried out; empty if it can."""
    if call.function != _TOOL:
        return f"There is no tool named {call.function}"
    if call.parse_error:
        return "The arguments of your call are no JSON object"
    if not isinstance(call.arguments.get("command"), str):
        return "Your call has no command"
    return ""


def _refused(calls: Sequence[ToolCall], text: str) -> list[dict[str, Any]]:
    """Return one answer to each call, as the providers ask for."""
    return [
        {"role": "tool", "tool_call_id": call.id, "content": text, "extra": {}} for call in calls
    ]


def _written(call: ToolCall) -> dict[str, Any]:
    arguments = orjson.dumps(call.arguments).decode()
    return {
        "id": call.id,
        "type": "function",
        "function": {"name": call.function, "arguments": arguments},
    }


def _read(call: Mapping[str, Any]) -> ToolCall:
    function = call["function"]
    return ToolCall(
        id=call["id"], function=function["name"], arguments=orjson.loads(function["arguments"])
    )
