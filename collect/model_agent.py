"""Any model as an agent; providers, retries and limits are Inspect's."""

import asyncio
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from inspect_ai.model import (
    ChatMessage,
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    ContentReasoning,
    GenerateConfig,
    Model,
    ModelOutput,
)
from inspect_ai.tool import ToolInfo
from tenacity import RetryError

from bagen_data.models.model_options import ModelOptions
from bagen_data.models.providers import find_model
from collect.agents import Message, Reply
from collect.dialogue_layout import record
from collect.environment import Game
from collect.play import play
from collect.run_budget import RunBudget
from collect.token_count import token_count


class ModelAgent:
    """A model that any number of threads may ask. A context manager: its end ends all requests."""

    def __init__(self, name: str, options: ModelOptions) -> None:
        """Find the model.

        Args:
            name: PROVIDER/NAME, as Inspect has it.
            options: how it is asked.

        Raises:
            InputError: an unknown provider or option, or a package or a key is missing.
        """
        self._model = find_model(name, options, options.limits, flag="--agent")
        self._loop = asyncio.new_event_loop()
        self._asking = threading.Lock()
        self._is_over = False
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self._asking:  # threads that still play must not ask a loop that answers no more
            self._is_over = True
        asyncio.run_coroutine_threadsafe(_end(self._model), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def generate(
        self, messages: Sequence[ChatMessage], most: int, tools: Sequence[ToolInfo] = ()
    ) -> ModelOutput:
        """Return the model's answer to a chat, of at most so many tokens.

        Raises:
            Exception: the provider's, once the retries are over.
            RuntimeError: the context is over.
        """
        with self._asking:
            if self._is_over:
                raise RuntimeError("no more requests: the collection has ended")
            asked = asyncio.run_coroutine_threadsafe(
                self._model.generate(
                    list(messages), tools=list(tools), config=GenerateConfig(max_tokens=most)
                ),
                self._loop,
            )
        try:
            return asked.result()
        except RetryError as error:
            raise error.last_attempt.exception() or error from error


async def _end(model: Model) -> None:
    """End all requests, and close the model's connections."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await model.api.aclose()
    await asyncio.sleep(0)  # a closed connection is let go in the loop's next round


@dataclass(frozen=True)
class ModelConversation:
    """The model as an agent of one environment."""

    model: ModelAgent
    most: int
    """Most tokens of a response."""

    def reply(self, messages: Sequence[Message]) -> Reply:
        """Ask the model, and return its reply."""
        return reply_of(self.model.generate([_chat(each) for each in messages], self.most))


def _chat(message: Message) -> ChatMessage:
    role, text = message["role"], message["content"]
    if role == "system":
        return ChatMessageSystem(content=text)
    if role == "user":
        return ChatMessageUser(content=text)
    return ChatMessageAssistant(content=text)


def reply_of(output: ModelOutput) -> Reply:
    """Return the reply of a model, with its usage as reported.

    Raises:
        ValueError: the provider reported no usage.
    """
    usage = usage_of(output)
    return Reply(
        text=_whole(output.completion),
        input_tokens=usage["prompt_tokens"],
        output_tokens=usage["completion_tokens"],
        raw=_whole(_with_reasoning(output)),
        usage=usage,
    )


def _whole(text: str) -> str:
    """Return a text without halves of characters, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")


def usage_of(output: ModelOutput) -> dict[str, Any]:
    """Return the usage of one request, in the names of OpenAI's chat API.

    The input includes its cached part.

    Raises:
        ValueError: the provider reported none.
    """
    usage = output.usage
    cached = usage.input_tokens_cache_read or 0 if usage else 0
    cache_write = usage.input_tokens_cache_write or 0 if usage else 0
    read = usage.input_tokens + cached + cache_write if usage else 0
    if usage is None or not read:
        raise ValueError("the model reported no usage; expected token counts with each answer")
    counts: dict[str, Any] = {
        "prompt_tokens": read,
        "completion_tokens": usage.output_tokens,
        "total_tokens": read + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": cached,
            **({"cache_write_tokens": cache_write} if cache_write else {}),
        },
    }
    if usage.reasoning_tokens is not None:
        counts["completion_tokens_details"] = {"reasoning_tokens": usage.reasoning_tokens}
    return counts


def _with_reasoning(output: ModelOutput) -> str:
    """Return the text after the reasoning that the model shows apart; empty if it shows none."""
    content = output.message.content if output.choices else ""
    if isinstance(content, str):
        return ""
    thoughts = [part.reasoning for part in content if isinstance(part, ContentReasoning)]
    if not any(thoughts):
        return ""
    return "\n".join(("<think>", *thoughts, "</think>", output.completion))


@dataclass(frozen=True)
class Modelled:
    """Player of rollouts by number, with a model."""

    game: Game
    seed: int
    model: ModelAgent
    tokenizer: str | None = None
    """Tokenizer that counts what of the history fits into a request; words and marks if None."""
    budget: RunBudget | None = None
    """The limits of the rollout; None where it has no budget."""

    def __call__(self, number: int) -> dict[str, Any]:
        """Play the rollout of a number."""
        agent = ModelConversation(self.model, self.game.rules.response_tokens)
        environment = self.game.environment(self.seed, number)
        count = token_count(self.tokenizer).count
        guard = self.budget.guard(self.game.task, environment, count) if self.budget else None
        played = play(environment, agent, self.game.rules, count, guard)
        return record(number, played, None)
