"""A budget for agents of mini-swe-agent.

    class BudgetAgent(BudgetAware, DefaultAgent):
        pass

    agent = BudgetAgent(model, environment, tracker=tracker, **settings)

It can be put in front of any class of agent that is made of the default one.
"""

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bagen_data.errors import RolloutError
from bagen_data.live.adapters.observed_conversations import ObservedConversations, reason_to_stop
from bagen_data.live.tracker import BudgetTracker
from bagen_data.log_formats.mini_swe_agent import UNPARSED, chat_messages
from bagen_data.usage_objects import provider_usage

if TYPE_CHECKING:
    from minisweagent.agents.default import DefaultAgent
else:
    DefaultAgent = object


class BudgetAware(DefaultAgent):  # type: ignore[misc]
    """Counts each query, shows the agent its budget, and ends the run where that is advised.

    A run that is stopped ends as one does that exceeds a limit of the agent: with the exit status
    `LimitsExceeded`, and a message that says why.
    """

    def __init__(
        self,
        *arguments: Any,
        tracker: BudgetTracker,
        show_status: bool = True,
        stop: bool = True,
        **settings: Any,
    ) -> None:
        """Make an agent.

        Args:
            arguments: arguments of the agent.
            tracker: the tracker, or the view of one agent of several.
            show_status: whether each observation ends with the status block.
            stop: whether the run ends before a query that the tracker advises against.
            settings: keyword arguments of the agent.
        """
        super().__init__(*arguments, **settings)
        self._tracker = tracker
        self._conversations = ObservedConversations(tracker, dict)
        self._show_status = show_status
        self._stop = stop

    def query(self) -> dict[str, Any]:
        """Query the model, and count what it answers."""
        from minisweagent.exceptions import FormatError, LimitsExceeded

        reason = reason_to_stop(self._tracker) if self._stop else None
        if reason:
            extra = {"exit_status": "LimitsExceeded", "submission": ""}
            raise LimitsExceeded({"role": "exit", "content": reason, "extra": extra})
        asked, began = list(self.messages), time.monotonic()
        try:
            message: dict[str, Any] = super().query()
        except FormatError as error:
            self._observe([*asked, *error.messages], time.monotonic() - began)
            raise
        self._observe([*asked, message], time.monotonic() - began)
        return message

    def execute_actions(self, message: dict[str, Any]) -> list[dict[str, Any]]:
        """Run the commands of a message, and show the budget below what they gave."""
        observations: list[dict[str, Any]] = super().execute_actions(message)
        if self._show_status and observations:
            last = observations[-1]
            field = "output" if "output" in last else "content"
            status = self._tracker.status_block()
            if isinstance(last.get(field), str):
                last[field] += f"\n\n{status}"
            elif isinstance(last.get(field), list):
                last[field] = [*last[field], {"type": "text", "text": status}]
        return observations

    def _observe(self, messages: list[dict[str, Any]], seconds: float) -> None:
        """Count the last response of a trajectory."""
        try:
            chat = chat_messages(messages)
        except RolloutError:
            chat = []
        places = [n for n, message in enumerate(chat) if message.get("role") == "assistant"]
        last = places[-1] if places else 0
        response = chat[last] if places else {}
        extra = messages[-1].get("extra") or {}
        billed = (response.get("extra") or {}).get("response")
        answer = billed if isinstance(billed, Mapping) else response
        usage = _priced(answer.get("usage") or {}, extra.get("cost"))
        self._conversations.observe(
            chat[:last],
            response,
            usage if UNPARSED not in response else _not_replayed(usage),
            model=str(answer.get("model") or ""),
            seconds=seconds,
        )


def _priced(usage: Mapping[str, Any], cost: Any) -> Mapping[str, Any]:
    """Return a usage object with the cost that the agent counts, unless it states one."""
    is_known = isinstance(cost, int | float) and cost > 0
    return {**usage, "cost_usd": cost} if usage and is_known and "cost" not in usage else usage


def _not_replayed(usage: Mapping[str, Any]) -> Any:
    """Return a usage object whose output no later request repeats, as if it were reasoning."""
    try:
        requests = provider_usage(usage)
    except RolloutError:
        return usage
    return [
        {
            "input_tokens": each.input_tokens,
            "output_tokens": each.output_tokens,
            "output_tokens_details": {"reasoning_tokens": each.output_tokens},
            "total_tokens": each.input_tokens + each.output_tokens,
            "cost_usd": each.cost_usd,
        }
        for each in requests
    ]
