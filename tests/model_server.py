"""A real OpenAI-compatible server on loopback, that answers by rule and fails when told to."""

import hashlib
import json
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.serving import serving

KEY, MODEL = "key-of-the-test", "rule"
SOON = {"Retry-After-Ms": "1"}
"""Headers after which the client of OpenAI tries again at once, not in half a second or more."""
Messages = list[dict[str, Any]]


@dataclass
class ModelServer:
    """The server's answers to a client, and the requests that it got."""

    url: str = ""
    key: str = KEY
    """The key that requests must have."""
    model: str = MODEL
    """The model that requests must name."""
    answer: Callable[[int], str] = lambda number: f"<answer>[0, {number}]</answer>"
    """Returns the answer to a number that depends on the whole prompt alone."""
    respond: Callable[[list[dict[str, Any]]], str] | None = None
    """Returns the answer to the messages of a request; `answer` does if None."""
    fail: Callable[[int], int] = lambda _: 0
    """The status of the n-th request, 0 for a good one."""
    said: str = ""
    """The message of what fails."""
    is_malformed: bool = False
    """Whether the body of a failed request is not JSON."""
    headers: dict[str, str] = field(default_factory=dict)
    """Further headers of each answer."""
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    """Beside the text of each answer."""
    commands: list[str] = field(default_factory=list)
    """Each answer to a chat calls a tool named bash with the next; an empty one is no call."""
    call: Callable[[Messages], tuple[str, dict[str, Any]] | None] = lambda _: None
    """The name and arguments of the tool that the answer to some messages calls, or None."""
    output_tokens: Callable[[str], int] = len
    """The tokens of an answer's text."""
    states_usage: bool = True
    """Whether answers have a usage object."""
    most: int | None = None
    """Requests that are answered; later ones wait until it is raised or the server ends."""
    asked: Counter[str] = field(default_factory=Counter)
    """Number of times that each prompt was asked, answered or not."""
    order: list[str] = field(default_factory=list)
    """The prompts in the order in which they came."""
    answered: Counter[str] = field(default_factory=Counter)
    """Number of times that each prompt was answered well."""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    usages: list[dict[str, Any]] = field(default_factory=list)
    """The usage objects of the answers, in the order in which they were made."""
    kept: dict[str, Messages] = field(default_factory=dict)
    """Conversations by the response that they end with, without system messages."""
    connections: set[socket.socket] = field(default_factory=set)
    """Open connections to clients."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    requests: int = 0
    is_over: bool = False

    def hold(self, number: int) -> None:
        """Return once the n-th request may be answered."""
        while not self.is_over and self.most is not None and number > self.most:
            time.sleep(0.01)


class _LoopbackServer(ThreadingHTTPServer):
    daemon_threads = False  # the end waits for each thread, and each closes its connection

    def __init__(self, state: ModelServer) -> None:
        super().__init__(("127.0.0.1", 0), _handler(state))
        self.state = state

    def process_request(self, request: Any, client_address: Any) -> None:
        self.state.connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.state.connections.discard(request)

    def server_close(self) -> None:
        self.state.is_over = True
        for connection in list(self.state.connections):
            with suppress(OSError):  # its client closed it
                connection.shutdown(socket.SHUT_RDWR)
        super().server_close()

    def handle_error(self, *_: object) -> None:
        """Print nothing: clients of these tests are killed."""


@contextmanager
def model_server(**options: Any) -> Iterator[ModelServer]:
    """Serves until the block ends."""
    state = ModelServer(**options)
    httpd = _LoopbackServer(state)
    state.url = f"http://127.0.0.1:{httpd.server_port}/v1"
    with serving(httpd):
        yield state


def digest(messages: list[dict[str, Any]]) -> str:
    """Return the digest of a prompt."""
    texts = [[message["role"], _text(message["content"])] for message in messages]
    return hashlib.sha256(json.dumps(texts).encode()).hexdigest()


def _text(content: Any) -> str:
    return content if isinstance(content, str) else "".join(part["text"] for part in content or ())


def _calls(state: ModelServer, messages: Messages) -> list[dict[str, Any]]:
    """Return the tool calls of the answer to some messages."""
    number = sum(message["role"] == "assistant" for message in messages)
    commands = [("bash", {"command": command}) for command in state.commands[number : number + 1]]
    called = [
        *(call for call in commands if call[1]["command"]),
        *(call for call in [state.call(messages)] if call is not None),
    ]
    return state.tool_calls or [
        {
            "id": f"c{number}",
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for name, arguments in called
    ]


def _spoken(state: ModelServer, body: dict[str, Any]) -> Messages:
    """Return the messages of a request, also of one that goes on where a kept response ended."""
    if "messages" in body:
        return list(body["messages"])
    given = body["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    instructions = body.get("instructions") or ""
    return [
        {"role": "system", "content": instructions},
        *state.kept.get(body.get("previous_response_id") or "", ()),
        *(
            {
                "role": item.get("role", item.get("type")),
                "content": item.get("content", item.get("output")),
            }
            for item in items
        ),
    ]


def _chat_answer(text: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
    reply: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        reply["tool_calls"] = calls
    choice = {"index": 0, "message": reply, "finish_reason": "stop"}
    return {"object": "chat.completion", "created": 0, "choices": [choice]}


def _chat_usage(read: int, written: int) -> dict[str, Any]:
    return {
        "prompt_tokens": read,
        "completion_tokens": written,
        "total_tokens": read + written,
        "prompt_tokens_details": {"cached_tokens": read // 2},
    }


def _response_answer(text: str, calls: list[dict[str, Any]]) -> dict[str, Any]:
    """Return an answer of the Responses API."""
    said = {"type": "output_text", "text": text, "annotations": []}
    output: list[dict[str, Any]] = [
        {
            "id": "m",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [said],
        }
    ]
    output += [
        {"type": "function_call", "call_id": call["id"], "id": call["id"], **call["function"]}
        for call in calls
    ]
    return {
        "object": "response",
        "created_at": 0,
        "status": "completed",
        "output": output,
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
    }


def _response_usage(read: int, written: int) -> dict[str, Any]:
    return {
        "input_tokens": read,
        "input_tokens_details": {"cached_tokens": read // 2, "cache_write_tokens": 0},
        "output_tokens": written,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": read + written,
    }


def _handler(state: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Print nothing."""

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            messages = _spoken(state, body)
            prompt = digest(messages)
            with state.lock:
                state.requests += 1
                number = state.requests
                state.asked[prompt] += 1
                state.order.append(prompt)
                state.bodies.append(body)
            status = state.fail(number)
            if self.headers["Authorization"] != f"Bearer {state.key}":
                status = 401
            elif body["model"] != state.model:
                status = 404
            if status:
                self.reply(
                    status,
                    {
                        "error": {
                            "message": state.said or f"the server says {status}",
                            "code": status,
                        }
                    },
                )
                return
            state.hold(number)
            text = state.respond(messages) if state.respond else state.answer(int(prompt[:4], 16))
            words = sum(len(_text(each["content"]).split()) for each in messages)
            is_chat = "messages" in body
            counted = (_chat_usage if is_chat else _response_usage)(
                words, state.output_tokens(text)
            )
            answer = {
                "id": f"r{number}",
                "model": state.model,
                **(_chat_answer if is_chat else _response_answer)(text, _calls(state, messages)),
            }
            spoken = [each for each in messages if each["role"] != "system"]
            state.kept[answer["id"]] = [*spoken, {"role": "assistant", "content": text}]
            if state.states_usage:
                answer["usage"] = counted
                with state.lock:
                    state.usages.append(counted)
            sent = self.stream(answer) if body.get("stream") else self.reply(200, answer)
            if sent:
                with state.lock:
                    state.answered[prompt] += 1

        def stream(self, answer: dict[str, Any]) -> bool:
            """Send the text of an answer in pieces of five characters."""
            text = answer["choices"][0]["message"]["content"]
            pieces = [text[start : start + 5] for start in range(0, len(text), 5)]
            deltas: list[dict[str, Any]] = [
                {"index": 0, "delta": {"role": "assistant", "content": piece}} for piece in pieces
            ]
            deltas.append({"index": 0, "delta": {}, "finish_reason": "stop"})
            parts = [{**answer, "choices": [delta], "usage": None} for delta in deltas]
            parts.append({**answer, "choices": []})
            events = [json.dumps({**part, "object": "chat.completion.chunk"}) for part in parts]
            data = "".join(f"data: {event}\n\n" for event in (*events, "[DONE]")).encode()
            return self.send(200, "text/event-stream", data)

        def reply(self, status: int, content: dict[str, Any]) -> bool:
            data = json.dumps(content).encode()
            if status != 200 and state.is_malformed:
                data = f"<html>{state.said}".encode()
            return self.send(status, "application/json", data)

        def send(self, status: int, kind: str, data: bytes) -> bool:
            try:
                self.send_response(status)
                for name, value in state.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                return False  # the client was killed
            return True

    return Handler
