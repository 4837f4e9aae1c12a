"""A budget for agents of the OpenAI Agents SDK.

    hooks = BudgetHooks(tracker)
    shown = RunConfig(call_model_input_filter=hooks.show_status)
    try:
        result = await Runner.run(agent, question, hooks=hooks, run_config=shown)
    except BudgetStop as stop:
        print(stop.because, stop.run_data)

Agents that a run hands over to are counted. So is an agent that is used as a tool, if it gets
hooks: `as_tool(..., hooks=BudgetHooks(tracker.subagent("researcher")))`.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from bagen_data.errors import MissingExtraError
from bagen_data.live.adapters.observed_conversations import ObservedConversations, reason_to_stop
from bagen_data.live.tracker import BudgetTracker
from bagen_data.logs.message_content import call_text

try:
    from agents import (
        Agent,
        AgentHookContext,
        AgentsException,
        ModelResponse,
        RunContextWrapper,
        RunHooks,
    )
    from agents.items import TResponseInputItem
    from agents.run import CallModelData, ModelInputData
except ModuleNotFoundError as error:
    raise MissingExtraError("openai-agents", "openai-agents") from error


class BudgetStop(AgentsException):
    """The end of a run that the tracker advised; `run_data` holds what there is so far."""

    def __init__(self, because: str) -> None:
        super().__init__(because)
        self.because = because


class BudgetHooks(RunHooks[Any]):
    """Counts each model call of a run, and ends the run with `BudgetStop` where that is advised."""

    def __init__(self, tracker: BudgetTracker, *, stop: bool = True) -> None:
        """Follow a run.

        Args:
            tracker: the tracker, or the view of one agent of several.
            stop: whether the run ends before a request that the tracker advises against.
        """
        self._tracker = tracker
        self._conversations = ObservedConversations(tracker, _plain)
        self._stop = stop
        self._asked: dict[int, tuple[float, list[Any]]] = {}
        """Time and items of the latest request of each run."""
        self._said: dict[int, list[Any]] = {}
        """Items of each run up to its latest response."""

    async def on_llm_start(
        self,
        context: RunContextWrapper[Any],
        agent: Agent[Any],  # noqa: ARG002
        system_prompt: str | None,  # noqa: ARG002
        input_items: list[TResponseInputItem],
    ) -> None:
        """End the run where the tracker advises it."""
        reason = reason_to_stop(self._tracker) if self._stop else None
        if reason:
            raise BudgetStop(reason)
        items: list[Any] = [getattr(item, "original", item) for item in input_items]
        known = self._said.get(id(context), []) if _goes_on(items) else []
        self._asked[id(context)] = time.monotonic(), [*known, *filter(None, items)]

    async def on_llm_end(
        self, context: RunContextWrapper[Any], agent: Agent[Any], response: ModelResponse
    ) -> None:
        """Count a request."""
        began, items = self._asked.pop(id(context), (None, []))
        self._said[id(context)] = [*items, response.output]
        self._conversations.observe(
            items,
            response.output,
            response.usage,
            model=agent.model if isinstance(agent.model, str) else "",
            seconds=None if began is None else time.monotonic() - began,
        )

    async def on_agent_end(
        self,
        context: AgentHookContext[Any],
        agent: Agent[Any],  # noqa: ARG002
        output: Any,  # noqa: ARG002
    ) -> None:
        """Forget a run."""
        self._said.pop(id(context), None)

    def show_status(self, data: CallModelData[Any]) -> ModelInputData:
        """Return a request that ends with the status block; the run's history does not keep it."""
        asked = data.model_data
        if not asked.input:
            return asked
        items: list[Any] = asked.input
        ended = _ended(items[-1], self._tracker.status_block())
        return ModelInputData([*items[:-1], *ended], asked.instructions)


def _goes_on(items: Sequence[Any]) -> bool:
    """Return whether items are only what is new, because the server keeps the conversation."""
    return bool(items) and isinstance(items[0], Mapping) and "output" in items[0]


class _Shown(dict[str, Any]):
    """An item with a status block."""

    def __init__(self, item: Mapping[str, Any], original: Any) -> None:
        super().__init__(item)
        self.original = original
        """The item without the block; None where it is nothing else."""


def _ended(item: Any, status: str) -> list[Any]:
    """Return an item, and the status after its text; as a message of its own after other items."""
    message = dict(item) if isinstance(item, Mapping) else {}
    field = "output" if "output" in message else "content"
    content = None if message.get("role") == "assistant" else message.get(field)
    if isinstance(content, str):
        return [_Shown({**message, field: f"{content}\n\n{status}"}, item)]
    if isinstance(content, list):
        part = {"type": "input_text", "text": status}
        return [_Shown({**message, field: [*content, part]}, item)]
    return [item, _Shown({"role": "user", "content": status}, None)]


def _plain(item: Any) -> dict[str, Any]:
    """Return an item, or the items of a response, as a chat message; reasoning has no text."""
    if isinstance(item, list):
        return _response(item)
    if item.get("type") == "function_call":
        text = call_text(item.get("name"), item.get("arguments"))
        return {"role": "assistant", "content": text}
    if "output" in item and "role" not in item:
        return {"role": "tool", "content": item["output"]}
    return {"role": item.get("role", "assistant"), "content": item.get("content")}


def _response(output: Sequence[Any]) -> dict[str, Any]:
    """Return the items of a response as one assistant message."""
    parts = [part for item in output for part in getattr(item, "content", None) or ()]
    texts = [part.text for part in parts if getattr(part, "type", "") == "output_text"]
    calls = [
        (item.name, item.arguments)
        if item.type == "function_call"
        else (item.type.removesuffix("_call"), "")
        for item in output
        if item.type.endswith("_call")
    ]
    functions = [{"function": {"name": name, "arguments": given}} for name, given in calls]
    return {"role": "assistant", "content": "\n".join(texts), "tool_calls": functions}
