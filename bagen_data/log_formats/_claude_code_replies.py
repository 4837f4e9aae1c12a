"""Responses of Claude Code, put together from their lines."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bagen_data.log_formats._session import (
    Response,
    known_content,
)
from bagen_data.logs import log_fields
from bagen_data.logs.message_content import MessageContent
from bagen_data.usage import Request
from bagen_data.usage_objects import COMPACTED, provider_usage


@dataclass
class ClaudeCodeReply:
    """A response as its lines tell it."""

    id: str
    is_named: bool
    """Whether the id is the provider's own."""
    thread: str
    """The name of the conversation: empty for the session's own, else the subagent's."""
    compactions: int
    """The compaction that the response's context began with; 0 where it is the first."""
    response: Response
    model: str = ""
    blocks: list[dict[str, Any]] = field(default_factory=list)
    """Blocks of the response's content, each once."""
    usage: Mapping[str, Any] | None = None
    """The last usage that its lines state."""
    is_open: bool = False
    """Whether the last line says that the response was not complete."""
    cost_usd: float | None = None

    def add(self, message: Mapping[str, Any], record: Mapping[str, Any]) -> None:
        """Add a line of the response."""
        content = message.get("content")
        for block in content if isinstance(content, list) else [content]:
            self._add_block({"type": "text", "text": block} if isinstance(block, str) else block)
        if isinstance(message.get("usage"), Mapping):
            self.usage = message["usage"]
        is_streaming = message.get("stop_reason", "absent") is None
        self.is_open = is_streaming or record.get("isAbortedMidStream") is True
        self.model = self.model or str(message.get("model") or "")
        price = log_fields.stated_price(record.get("costUSD"), "costUSD")
        self.cost_usd = self.cost_usd if price is None else price

    def _add_block(self, block: Any) -> None:
        if not isinstance(block, dict):
            return
        if block.get("type") in ("thinking", "redacted_thinking"):
            text = block.get("thinking") or ""
            block = {"type": "thinking", "thinking": text}
            self.response.uncounted = self.response.uncounted or (
                "" if text else "encrypted thinking"
            )
        for position, known in enumerate(self.blocks):
            if _is_later_state(known, block):
                self.blocks[position] = block
                return
        self.blocks.append(block)

    def finish(self, where: str) -> MessageContent:
        """Read the content and the usage.

        Raises:
            RolloutError: one of them cannot be used.
        """
        skipped: Counter[str] = Counter()
        message = {"role": "assistant", "content": self.blocks}
        content = known_content(message, where, skipped)
        self.blocks = []
        self.response.requests = self._requests(content)
        return content

    def has_compaction(self) -> bool:
        """Return whether the provider compacted the conversation within the response."""
        kinds = (self.usage or {}).get("iterations") or ()
        return any(isinstance(each, Mapping) and each.get("type") == "compaction" for each in kinds)

    def _requests(self, content: MessageContent) -> list[Request] | None:
        requests = provider_usage(self.usage) if self.usage is not None else ()
        written = sum(request.output_tokens for request in requests)
        if not requests or _is_placeholder(content, written, self.is_open):
            return None
        if self.is_open and self.response.uncounted:
            return None  # no words say how long the thinking was
        own = []
        extra = self.compactions
        for request in requests:
            if request.context == COMPACTED and extra == self.compactions:
                extra += 1
            name = request.context if request.context != COMPACTED else ""
            own.append(
                replace(
                    request,
                    context=" ".join(
                        filter(None, (self.thread, str(extra) if extra else "", name))
                    ),
                    cost_usd=self.cost_usd if len(requests) == 1 else request.cost_usd,
                    model=request.model or self.model,
                )
            )
        return own


def _is_later_state(known: Mapping[str, Any], block: Mapping[str, Any]) -> bool:
    """Return whether a block is a known one again, or a later state of it."""
    if known.get("type") != block.get("type"):
        return False
    if known.get("type") == "tool_use" and known.get("id") is not None:
        return bool(known["id"] == block.get("id"))
    name = str(block.get("type"))
    earlier, later = known.get(name), block.get(name)
    if isinstance(earlier, str) and isinstance(later, str):
        return bool(earlier) and later.startswith(earlier)
    return known == block


def _is_placeholder(content: MessageContent, written: int, is_open: bool) -> bool:
    """Return whether an output is less than the response's words can be, a stream's beginning."""
    words = len(f"{content.text} {content.reasoning}".split())
    if is_open:
        return written <= _FIRST_TOKENS or written < words
    return bool(written) and written * _WORDS_A_TOKEN < words


_FIRST_TOKENS = 29
"""The most output tokens that a stream's first event was seen to state, before the rest came:
https://github.com/anthropics/claude-code/issues/22671."""
_WORDS_A_TOKEN = 4
"""More words than any tokenizer puts into one token."""
