from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from bagen_data.live import BudgetTracker
from bagen_data.live.message_reading import read_message
from bagen_data.logs.message_content import message_content

CALL = {"id": "1", "type": "function", "function": {"name": "look", "arguments": '{"at": 3}'}}
SHELL = {"type": "function", "function": {"name": "bash", "arguments": '{"command": "ls"}'}}
CHAT = {"role": "assistant", "content": "Let me see.", "tool_calls": [CALL, SHELL]}
TEXT = 'Let me see.\n\nlook({"at": 3})\n\n```bash\nls\n```'


def _openai_chat() -> Any:
    types = pytest.importorskip("openai.types.chat")
    calls = [CALL, {**SHELL, "id": "2"}]
    return types.ChatCompletionMessage.model_validate({**CHAT, "tool_calls": calls})


def _openai_responses() -> Any:
    responses = pytest.importorskip("openai.types.responses")
    text = {"type": "output_text", "text": "Let me see.", "annotations": []}
    calls = [
        responses.ResponseFunctionToolCall(
            type="function_call", call_id=name, name=name, arguments=arguments
        )
        for name, arguments in (("look", '{"at": 3}'), ("bash", '{"command": "ls"}'))
    ]
    said = responses.ResponseOutputMessage(
        id="m", type="message", role="assistant", status="completed", content=[text]
    )
    thought = responses.ResponseReasoningItem(id="r", type="reasoning", summary=[])
    return [thought, said, *calls]


def _anthropic() -> Any:
    types = pytest.importorskip("anthropic.types")
    return [
        types.TextBlock(type="text", text="Let me see.", citations=None),
        types.ToolUseBlock(type="tool_use", id="1", name="look", input={"at": 3}),
        types.ToolUseBlock(type="tool_use", id="2", name="bash", input={"command": "ls"}),
    ]


def _gemini() -> Any:
    types = pytest.importorskip("google.genai.types")
    return types.Content(
        role="model",
        parts=[
            types.Part(text="hm", thought=True),
            types.Part(text="Let me see."),
            types.Part(function_call=types.FunctionCall(name="look", args={"at": 3})),
            types.Part(function_call=types.FunctionCall(name="bash", args={"command": "ls"})),
        ],
    )


def _langchain() -> Any:
    messages = pytest.importorskip("langchain_core.messages")
    calls = [
        {"name": "look", "args": {"at": 3}, "id": "1"},
        {"name": "bash", "args": {"command": "ls"}, "id": "2"},
    ]
    return messages.AIMessage("Let me see.", tool_calls=calls)


def _inspect() -> Any:
    model = pytest.importorskip("inspect_ai.model")
    tool = pytest.importorskip("inspect_ai.tool")
    calls = [
        tool.ToolCall(id="1", function="look", arguments={"at": 3}),
        tool.ToolCall(id="2", function="bash", arguments={"command": "ls"}),
    ]
    return model.ChatMessageAssistant(content="Let me see.", tool_calls=calls)


@pytest.mark.filterwarnings("ignore")  # of the packages, as they are imported
@pytest.mark.parametrize(
    "make",
    [
        lambda: CHAT,
        lambda: [CHAT],
        *(_openai_chat, _openai_responses, _anthropic, _gemini, _langchain, _inspect),
    ],
)
def test_a_message_reads_as_in_a_log(make: Callable[[], Any]) -> None:
    assert message_content(CHAT, "message").text == TEXT
    assert read_message(make(), "assistant") == (TEXT, 2)


def test_results_of_tools_are_one_text() -> None:
    results = [
        {"role": "tool", "tool_call_id": "1", "content": "a\nb"},
        {"role": "user", "content": [{"type": "text", "text": "go on"}]},
    ]
    assert read_message(results, "user").text == "a\nb\n\ngo on"
    blocks = [{"type": "tool_result", "tool_use_id": "1", "content": "a"}]
    assert read_message(blocks, "user").text == "a"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (7, "7"),
        ("so", "so"),
        (["a", "b"], "a\nb"),
        (SimpleNamespace(content="so"), "so"),
        ({"content": [{"type": "hologram"}]}, str({"content": [{"type": "hologram"}]})),
    ],
)
def test_anything_is_read(value: Any, text: str) -> None:
    assert read_message(value, "assistant").text == text


def test_the_calls_of_a_message_are_counted() -> None:
    tracker = BudgetTracker({"tool_calls": 9})
    tracker.observe(user="look", assistant=CHAT)
    tracker.observe(user="look", assistant=TEXT)
    tracker.observe(user="look", assistant=TEXT, tool_calls=2)
    tracker.observe(user="look", assistant={"content": None, "tool_calls": [CALL]})
    assert tracker.used == {"tool_calls": 5}
    assert tracker.turns == 4
