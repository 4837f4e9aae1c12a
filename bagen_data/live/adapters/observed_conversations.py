"""The conversations of a run, from the messages of its requests."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple

from bagen_data.live.tracker import BudgetTracker
from bagen_data.logs.conversation import Key, continues, joined
from bagen_data.logs.message_content import message_content

Plain = Callable[[Any], Mapping[str, Any]]
"""Turns a framework's message into one as OpenAI spells it: `role`, `content`, `tool_calls`."""
_SYSTEM = ("system", "developer")
_COUNTED_ALREADY = {"cost_usd", "seconds", "tokens", "tool_calls", "turns"}
"""Resources that a tracker counts itself, so that no tool of such a name is added to them."""


class _Said(NamedTuple):
    """A message as a tracker reads it."""

    role: str = ""
    text: str = ""
    tools: tuple[str, ...] = ()
    """Name of the tool of each call."""


class ObservedConversations:
    """Tells a tracker of each request, in the context of the conversation that it continues.

    A request continues another one if its messages begin with those of the other. One that
    continues none opens a context: a subagent's first request, or the first after a compaction.
    """

    def __init__(self, tracker: BudgetTracker, plain: Plain) -> None:
        self._tracker, self._subagents = tracker, tracker.subagent("subagents")
        self._plain = plain
        self._asked: dict[str, tuple[Key, ...]] = {}
        """Messages of the latest request by context."""
        self._lock = Lock()

    def observe(  # noqa: PLR0913
        self,
        messages: Sequence[Any],
        response: Any,
        usage: Any,
        *,
        model: str = "",
        seconds: float | None = None,
        is_subagents: bool = False,
    ) -> None:
        """Take a request and its response.

        Args:
            messages: the request's messages, without a status block that is not kept.
            response: the assistant message; each tool call counts for the resource of its name.
            usage: the usage object of the response; empty where the provider states none.
            model: the model that answered.
            seconds: the time that the request took.
            is_subagents: whether a turn of the agent waits for it, and pays for it.
        """
        heard = map(self._read, messages)
        keys = tuple((each.role, each.text, "") for each in heard if each.role not in _SYSTEM)
        said = self._read(response)
        tracker = self._subagents if is_subagents else self._tracker
        with self._lock:
            context, known = self._continued(keys)
            self._asked[context] = keys
            tracker.count(**Counter(name for name in said.tools if name not in _COUNTED_ALREADY))
            tracker.observe(
                user=_new_text(keys, known),
                assistant=said.text,
                usage=usage,
                context=context,
                seconds=seconds,
                tool_calls=len(said.tools),
                model=model,
            )

    def _continued(self, keys: tuple[Key, ...]) -> tuple[str, tuple[Key, ...]]:
        """Return the context that a request belongs to, and its messages that were asked before."""
        fitting = [name for name, before in self._asked.items() if continues(keys, before)]
        if not fitting:
            return (str(len(self._asked)) if self._asked else ""), ()
        name = max(fitting, key=lambda name: len(self._asked[name]))
        return name, self._asked[name]

    def _read(self, message: Any) -> _Said:
        """Return what a message says; nothing where it is of a kind that is not known."""
        try:
            plain = self._plain(message)
            text = message_content(plain, "message").text
            return _Said(str(plain["role"]), text, tuple(map(_tool, plain.get("tool_calls") or ())))
        except Exception:  # whatever stands in the message of a framework
            return _Said()


def reason_to_stop(tracker: BudgetTracker) -> str | None:
    """Return why the tracker advises to stop; None if it does not."""
    advice = tracker.advice()
    return f"Stopped to save the budget: {advice.because}" if advice.action == "stop" else None


def _new_text(keys: tuple[Key, ...], known: tuple[Key, ...]) -> str:
    """Return what the agent heard since an earlier request, whose last message may have grown."""
    grown = keys[len(known) - 1][1][len(known[-1][1]) :] if known else ""
    new = (text for role, text, _ in keys[len(known) :] if role != "assistant")
    return joined([grown.strip(), *new])


def _tool(call: Mapping[str, Any]) -> str:
    function = call["function"]
    return str(function if isinstance(function, str) else function["name"])  # Inspect's spelling
