"""Real runs of Inspect with a scripted model: each writes a log, without a network."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import inspect_ai
from inspect_ai import Task
from inspect_ai.dataset import Sample
from inspect_ai.model import (
    ChatMessage,
    Model,
    ModelOutput,
    ModelUsage,
    get_model,
)

Answer = Callable[[Sequence[ChatMessage]], ModelOutput]


class Script:
    """A model that counts a token a word, and answers with what a function of its input says."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.usages: list[ModelUsage] = []

    def model(self) -> Model:
        return get_model("mockllm/model", custom_outputs=self._output, memoize=False)

    def _output(self, input: list[ChatMessage], *_: Any) -> ModelOutput:  # noqa: A002
        output = self._answer(input)
        read = words(input)
        written = words([output.choices[0].message])
        output.usage = ModelUsage(
            input_tokens=read, output_tokens=written, total_tokens=read + written
        )
        self.usages.append(output.usage)
        return output


def words(messages: Sequence[ChatMessage]) -> int:
    """Words of texts, and 3 for each tool call."""
    calls = sum(3 * len(getattr(message, "tool_calls", None) or ()) for message in messages)
    return calls + sum(len(message.text.split()) for message in messages)


def says(text: str) -> ModelOutput:
    return ModelOutput.from_content("mockllm/model", text)


def call(name: str, **arguments: Any) -> ModelOutput:
    return ModelOutput.for_tool_call("mockllm/model", name, arguments)


def run(folder: Path, task: Task, model: Model, **options: Any) -> Path:
    """Run a task, and return its log file."""
    (log,) = inspect_ai.eval(
        task,
        model=model,
        log_dir=str(folder),
        display="none",
        log_level_transcript="error",
        log_level="error",
        score_display=False,
        **{"fail_on_error": False, "log_format": "eval"} | options,
    )
    return Path(log.location)


def samples(*questions: str) -> list[Sample]:
    return [Sample(id=f"q{n}", input=text, target="7") for n, text in enumerate(questions, 1)]
