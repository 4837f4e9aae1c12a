"""A budget for agents of Inspect: an agent around another one, and a limit.

    Task(dataset, solver=budget_aware(react(), lambda: BudgetTracker({"tokens": 50_000})))

    with apply_limits([BudgetLimit(tracker)], catch_errors=True) as scope:
        state = await agent(state)

Both count every model call made inside, those of subagents and tools too. They may stand inside
each other: a call counts for each budget once.
"""

from collections.abc import Callable
from contextvars import Token
from types import TracebackType
from typing import Any

from bagen_data.errors import MissingExtraError
from bagen_data.live.adapters.observed_conversations import ObservedConversations, reason_to_stop
from bagen_data.live.tracker import BudgetTracker
from bagen_data.log_formats._inspect_messages import plain_message

try:
    from inspect_ai.agent import Agent, AgentState, agent
    from inspect_ai.log import transcript
    from inspect_ai.model import ChatMessage
    from inspect_ai.util import Limit, LimitExceededError, apply_limits
except ModuleNotFoundError as error:
    raise MissingExtraError("inspect-ai", "models") from error

from bagen_data.live.adapters.inspect_requests import (
    FOLLOWERS,
    LAST_REQUEST,
    Follower,
    InspectRequest,
    count_without_usage,
    enclosing_tools,
    register_hooks,
)


@agent
def budget_aware(
    followed: Agent,
    new_tracker: Callable[[], BudgetTracker],
    *,
    show_status: bool = True,
    stop: bool = True,
) -> Agent:
    """Return an agent that knows its budget.

    A run that is stopped returns the state as it is, with the reason as `budget_stop` in its
    output's metadata. The transcript gets the reason, too, and the last status.

    Args:
        followed: the agent that does the work.
        new_tracker: the maker of trackers; it is called once a run, so once for each sample.
        show_status: whether each request ends with the status block, which the conversation keeps.
        stop: whether the run ends before a request that the tracker advises against.
    """

    async def execute(state: AgentState) -> AgentState:
        """Do the work within the budget."""
        tracker = new_tracker()
        limit = BudgetLimit(tracker, stop=stop, conversation=state if show_status else None)
        with apply_limits([limit], catch_errors=True) as scope:
            state = await followed(state)
        because = None if scope.limit_error is None else scope.limit_error.message
        if because is not None:
            state.output.metadata = {**(state.output.metadata or {}), "budget_stop": because}
        transcript().info({"status": tracker.status_block(), "stopped": because}, source="bagen")
        return state

    return execute


class BudgetLimit(Limit):
    """A limit that is exceeded where a tracker advises to stop, before the next request is made."""

    def __init__(
        self, tracker: BudgetTracker, *, stop: bool = True, conversation: AgentState | None = None
    ) -> None:
        """Make a limit for one block.

        Args:
            tracker: the tracker, or the view of one agent of several.
            stop: whether the limit can be exceeded; it only counts otherwise.
            conversation: the state whose last message gets the status block; None for no status.
        """
        super().__init__()
        self.tracker = tracker
        self._conversations = ObservedConversations(tracker, plain_message)
        self._stop = stop
        self._conversation = conversation
        self._tools: set[str] = set()
        """The tools that the block runs inside of, by their spans, if any."""
        self._outer: Token[tuple[Follower, ...]] | None = None

    def __enter__(self) -> "BudgetLimit":
        self._check_reuse()
        register_hooks()
        self._tools = enclosing_tools()
        self._outer = FOLLOWERS.set((*FOLLOWERS.get(), self))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            count_without_usage(LAST_REQUEST.get())
        if self._outer is not None:
            FOLLOWERS.reset(self._outer)

    @property
    def limit(self) -> float:
        """The first budget of the tracker."""
        return self.usage + next(iter(self.tracker.remaining.values()))

    @property
    def usage(self) -> float:
        """The amount used of the first budget."""
        return next(iter(self.tracker.used.values()))

    def before(self, request: InspectRequest) -> None:
        """Raise LimitExceededError where the tracker advises it, else show the status."""
        because = reason_to_stop(self.tracker) if self._stop else None
        if because:
            raise LimitExceededError(
                "custom", value=self.usage, limit=self.limit, message=because, source=self
            )
        if self._conversation is not None:
            request.show(self.tracker.status_block(), self._conversation)

    def after(self, request: InspectRequest, response: ChatMessage | None, usage: Any) -> None:
        """Count a request."""
        self._conversations.observe(
            request.kept,
            response,
            usage,
            model=request.model,
            seconds=request.seconds,
            is_subagents=not request.tools <= self._tools,
        )
