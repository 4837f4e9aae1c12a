"""A budget for agents of LangChain.

    agent = create_agent(model, tools, middleware=[BudgetMiddleware(tracker)])

Several agents share a budget if each has a middleware of its own: `tracker.agent("researcher")` is
the tracker of an agent beside this one, and `tracker.subagent("researcher")` of one that is a tool.
"""

import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from bagen_data.errors import MissingExtraError
from bagen_data.live.adapters.observed_conversations import ObservedConversations, reason_to_stop
from bagen_data.live.tracker import BudgetTracker

try:
    from langchain.agents.middleware import (
        AgentMiddleware,
        AgentState,
        ModelRequest,
        ModelResponse,
        hook_config,
    )
    from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
    from langgraph.runtime import Runtime
except ModuleNotFoundError as error:
    raise MissingExtraError("langchain", "langchain") from error

_ROLES = {"human": "user", "ai": "assistant"}
_Message = TypeVar("_Message", bound=BaseMessage)


class BudgetMiddleware(AgentMiddleware):
    """Counts each model call, shows the agent its budget, and ends the run where that is advised.

    A run that is stopped ends with a message of the agent that says why, and keeps what it has.
    """

    def __init__(
        self, tracker: BudgetTracker, *, show_status: bool = True, stop: bool = True
    ) -> None:
        """Follow an agent.

        Args:
            tracker: the tracker, or the view of one agent of several.
            show_status: whether each request ends with the status block; the agent's state does not
                keep it.
            stop: whether the run ends before a request that the tracker advises against.
        """
        super().__init__()
        self._tracker = tracker
        self._conversations = ObservedConversations(tracker, _plain)
        self._show_status = show_status
        self._stop = stop

    @hook_config(can_jump_to=["end"])
    def before_model(self, state: AgentState, runtime: Runtime) -> dict[str, Any] | None:  # noqa: ARG002
        """End the run where the tracker advises it."""
        reason = reason_to_stop(self._tracker) if self._stop else None
        return {"jump_to": "end", "messages": [AIMessage(reason)]} if reason else None

    @hook_config(can_jump_to=["end"])
    async def abefore_model(self, state: AgentState, runtime: Runtime) -> dict[str, Any] | None:
        """End the run where the tracker advises it."""
        return self.before_model(state, runtime)

    def wrap_model_call(
        self, request: ModelRequest, handler: Callable[[ModelRequest], ModelResponse]
    ) -> ModelResponse:
        """Make a request with the status block, and count it."""
        began = time.monotonic()
        return self._observed(request, handler(self._shown(request)), began)

    async def awrap_model_call(
        self,
        request: ModelRequest,
        handler: Callable[[ModelRequest], Awaitable[ModelResponse]],
    ) -> ModelResponse:
        """Make a request with the status block, and count it."""
        began = time.monotonic()
        return self._observed(request, await handler(self._shown(request)), began)

    def _shown(self, request: ModelRequest) -> ModelRequest:
        if not self._show_status:
            return request
        *earlier, last = request.messages or [HumanMessage("")]
        status = self._tracker.status_block()
        extended = [_extended(last, status)] if last.type != "ai" else [last, HumanMessage(status)]
        return request.override(messages=[*earlier, *extended])

    def _observed(
        self, request: ModelRequest, response: ModelResponse, began: float
    ) -> ModelResponse:
        for answer in getattr(response, "result", [response]):
            if isinstance(answer, AIMessage):
                self._conversations.observe(
                    request.messages,
                    answer,
                    answer.usage_metadata or {},
                    model=str(answer.response_metadata.get("model_name", "")),
                    seconds=time.monotonic() - began,
                )
        return response


def _plain(message: BaseMessage) -> dict[str, Any]:
    """Return a message as OpenAI spells it."""
    calls = [
        {"function": {"name": call["name"], "arguments": call["args"]}}
        for call in getattr(message, "tool_calls", ())
    ]
    role = _ROLES.get(message.type, message.type)
    return {"role": role, "content": str(message.text), "tool_calls": calls}


def _extended(message: _Message, text: str) -> _Message:
    """Return a message with a text after its own."""
    content = message.content
    if isinstance(content, str):
        longer: str | list[Any] = f"{content}\n\n{text}".strip()
    else:
        longer = [*content, {"type": "text", "text": text}]
    return message.model_copy(update={"content": longer})
