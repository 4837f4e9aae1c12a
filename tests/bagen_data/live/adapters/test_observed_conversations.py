"""The facts of each request that adapters report to a tracker."""

from typing import Any

from bagen_data.live import BudgetTracker
from bagen_data.live.adapters.observed_conversations import ObservedConversations

USER, SYSTEM = {"role": "user", "content": "Where?"}, {"role": "system", "content": "Be kind."}
CALL = {
    "role": "assistant",
    "content": "Let me see.",
    "tool_calls": [{"function": {"name": "search", "arguments": '{"q": 1}'}}] * 2,
}
FOUND = {"role": "tool", "content": "There."}


class ArgumentTracker(BudgetTracker):
    """A tracker that keeps what it is told."""

    def __init__(self, *budgets: Any) -> None:
        super().__init__(*budgets)
        self.observed: list[tuple[str, str, str]] = []

    def observe(self, **given: Any) -> None:
        self.observed.append((given["user"], given["assistant"], given["context"]))
        super().observe(**given)


def usage(read: int, written: int) -> dict[str, int]:
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written}


def test_a_turn_is_what_is_new_and_the_answer_with_its_calls() -> None:
    tracker = ArgumentTracker({"tokens": 900, "search": 9})
    conversations = ObservedConversations(tracker, dict)
    conversations.observe([SYSTEM, USER], CALL, usage(10, 5))
    answer = {"role": "assistant", "content": "In the drawer."}
    conversations.observe([SYSTEM, USER, CALL, FOUND, FOUND], answer, usage(30, 5))
    calls = 'search({"q": 1})'
    assert tracker.observed == [
        ("Where?", f"Let me see.\n\n{calls}\n\n{calls}", ""),
        ("There.\n\nThere.", "In the drawer.", ""),
    ]
    assert tracker.used == {"tokens": 10 + 5 + 15 + 5, "search": 2}


def test_a_request_that_continues_none_opens_a_conversation() -> None:
    tracker = ArgumentTracker({"tokens": 900})
    conversations = ObservedConversations(tracker, dict)
    other = {"role": "user", "content": "Something else."}
    conversations.observe([USER], CALL, usage(10, 5))
    conversations.observe([other], CALL, usage(8, 5))
    conversations.observe([USER, CALL, FOUND], CALL, usage(20, 5))
    conversations.observe([other, CALL, FOUND], CALL, usage(18, 5))
    assert [context for *_, context in tracker.observed] == ["", "1", "", "1"]
    assert tracker.used == {"tokens": 10 + 5 + 8 + 5 + 5 + 5 + 5 + 5}


def test_a_system_message_may_change() -> None:
    tracker = ArgumentTracker({"tokens": 900})
    conversations = ObservedConversations(tracker, dict)
    conversations.observe([SYSTEM, USER], CALL, usage(10, 5))
    later = {"role": "system", "content": "Be quick."}
    conversations.observe([later, USER, CALL, FOUND], CALL, usage(20, 5))
    assert [context for *_, context in tracker.observed] == ["", ""]


def test_a_last_message_may_have_grown() -> None:
    tracker = ArgumentTracker({"tokens": 900})
    conversations = ObservedConversations(tracker, dict)
    conversations.observe([USER], CALL, usage(10, 5))
    conversations.observe([{"role": "user", "content": "Where? Say it."}], CALL, usage(12, 5))
    assert [user for user, *_ in tracker.observed] == ["Where?", "Say it."]


def test_a_tool_with_the_name_of_a_resource_spends_none_of_it() -> None:
    tracker = BudgetTracker({"tokens": 900})
    response = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"function": {"name": "tokens", "arguments": "{}"}}],
    }
    ObservedConversations(tracker, dict).observe([USER], response, usage(10, 5))
    assert tracker.used == {"tokens": 15}


def test_a_message_of_an_unknown_kind_has_no_text() -> None:
    tracker = ArgumentTracker({"tokens": 900})
    strange = {"role": "user", "content": [{"type": "hologram"}]}
    ObservedConversations(tracker, dict).observe([strange], CALL, usage(10, 5))
    assert tracker.observed[0][0] == ""
    assert tracker.used == {"tokens": 15}
