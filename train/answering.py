"""Answer the questions of a split, and go on where an earlier run was stopped."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import track

from bagen_data.console import STDERR, shown
from bagen_data.errors import WorkerDiedError
from bagen_data.replaced_file import write_file
from bagen_data.tables import to_json
from bagen_data.unique_keys import parse_json
from bagen_data.wording import differences, numbered
from train.base_model import base_of
from train.content_digests import model_files, weights_digest
from train.fitted_prompts import AS_BUILT, FittedPrompt, PromptFitter, reworded
from train.generation import Answers, Decoding, Engines, GeneratedAnswer, generator
from train.generation.replicas import LOG, RolloutPrompts, replicated

if TYPE_CHECKING:
    from bagen_data.hub import LoadedSamples

PARTIAL = "answers.partial"
"""The file of the answers so far, in the submission's folder until every question is answered."""
_STEP = 256
"""Tokens that an engine's context is a multiple of."""


@dataclass(frozen=True)
class QuestionOptions:
    """The questions of one split, in one form."""

    dataset: str
    config: str
    split: str
    variant: str
    max_prompt_tokens: int
    prompt_form: str = AS_BUILT
    """The form of the prompts, one of `PROMPT_FORMS`."""


@dataclass(frozen=True)
class ResumableAnswers:
    """Answers that are kept as they come, and not asked for again."""

    out: Path
    """The folder that the answers are kept in; the caller holds it (`held_folder`)."""
    questions: QuestionOptions
    decoding: Decoding
    tokenizer: Any
    engines: Engines = field(default_factory=lambda: Engines("transformers"))
    """The engines that answer; how many there are does not change what is kept."""
    commit: str | None = None
    """The model's commit, if it is a model of the Hub."""

    def answers(self, samples: "LoadedSamples") -> tuple[list[dict[str, Any]], str]:
        """Return an answer to each sample, in their order, and the variant of the prompts.

        A prompt that cannot fit has an empty one. The variant is `none` where there are several.
        """
        prompts, variants = self._prompts(samples)
        predictions = self._kept(samples.source["revision"])
        waiting = {
            name: prompt
            for name, prompt in prompts.items()
            if prompt is not None and name not in predictions
        }
        if waiting:
            names = list(waiting)
            with (
                self._partial.open("a", encoding="utf-8") as file,
                closing(self._generated(waiting)) as generated,
            ):
                for position, answer in track(
                    generated,
                    "answering",
                    total=len(waiting),
                    console=STDERR,
                    disable=not STDERR.is_terminal,
                ):
                    row = _prediction(names[position], answer)
                    predictions[row["sample_id"]] = row
                    file.write(to_json(row) + "\n")
                    file.flush()
        unanswered = GeneratedAnswer("", 0, 0)
        rows = [predictions.get(name) or _prediction(name, unanswered) for name in prompts]
        return rows, variants.pop() if len(variants) == 1 else "none"

    def _generated(self, waiting: Mapping[str, FittedPrompt]) -> Answers:
        """Yield the position of each prompt and its answer.

        Raises:
            WorkerDiedError: an engine has failed.
        """
        answered = 0
        try:
            with closing(self._engines_at_work(waiting)) as answers:
                for each in answers:
                    yield each
                    answered += 1
        except (
            WorkerDiedError,
            RuntimeError,
        ) as error:  # RuntimeError is PyTorch's, as where memory runs out
            reason = str(error).strip().partition("\n")[0]
            raise WorkerDiedError(
                f"{self.decoding.model}: {reason}; {answered:,} answers of this run and all of "
                f"earlier ones are kept in {self._partial}: {len(waiting) - answered:,} are left; "
                "give the same command to go on, with fewer --replicas if memory ran out"
            ) from error

    def _engines_at_work(self, waiting: Mapping[str, FittedPrompt]) -> Answers:
        """Answer with one engine of transformers here, else with a process for each engine."""
        engines = self.engines
        prompts = [prompt.messages for prompt in waiting.values()]
        if engines.backend == "transformers" and len(engines.devices) == 1:
            return generator(engines.backend, self.decoding, self.tokenizer)(prompts)
        rollouts = [name.rpartition("/")[0] for name in waiting]
        asked = RolloutPrompts(prompts, rollouts)
        return replicated(engines, self.decoding, asked, self._longest(waiting), self.out)

    def _longest(self, waiting: Mapping[str, FittedPrompt]) -> int:
        """Return the most tokens of a prompt and its answer, rounded up if the context has room."""
        room = self.decoding.max_new_tokens
        needed = max(prompt.tokens for prompt in waiting.values()) + room
        return min(-(-needed // _STEP) * _STEP, self.questions.max_prompt_tokens + room)

    def forget(self) -> None:
        """Remove the kept answers, and the logs of engines: the submission is made."""
        self._partial.unlink(missing_ok=True)
        for log in self.out.glob(LOG.format("*")):
            log.unlink()

    @property
    def _partial(self) -> Path:
        return self.out / PARTIAL

    def _prompts(self, samples: "LoadedSamples") -> tuple[dict[str, FittedPrompt | None], set[str]]:
        """Return the prompt of each sample, None where it cannot fit, and the prompts' variants."""
        limit = self.questions.max_prompt_tokens
        fitter = PromptFitter(self.tokenizer, limit, self.decoding.template)
        prompts: dict[str, FittedPrompt | None] = {}
        variants: set[str] = set()
        shortened = 0
        names = ("sample_id", "task", "prompt", "prompt_variant", "resources", "completed_turns")
        columns = samples.table.select(list(names))
        for row in columns.to_pylist():
            messages, variant = reworded(row, self.questions.variant, self.questions.prompt_form)
            variants.add(variant)
            prompt = fitter.fit(messages)
            prompts[row["sample_id"]] = prompt
            shortened += bool(prompt and prompt.dropped_turns)
        too_long = sum(not prompt for prompt in prompts.values())
        if shortened or too_long:
            STDERR.print(
                f"{shortened:,} of {len(prompts):,} prompts lost their oldest turns to fit "
                f"{limit:,} tokens; {too_long:,} cannot fit and stay unanswered"
            )
        return prompts, variants

    def _kept(self, revision: str | None) -> dict[str, dict[str, Any]]:
        """Return predictions of an earlier run of the same weights and questions, by sample.

        Answers of another evaluation are not kept, and a message says so.
        """
        settings = {
            "asked": asdict(self.questions),
            "decoding": asdict(self.decoding),
            "model": _model_digests(self.decoding.model, self.commit),
            "revision": revision,
        }
        first, *lines = self._partial_lines()
        complete = lines[:-1]  # the last one may be cut off
        before = _object(first)
        changes = differences(before, json.loads(to_json(settings)))
        if changes and complete:
            others = changes if before else "settings that cannot be read"
            STDERR.print(
                shown(
                    f"{self._partial}: {numbered(len(complete), 'answer')} of an evaluation with "
                    f"{others}; these are not kept, and all questions are asked again"
                )
            )
        rows = () if changes else map(_object, complete)
        kept = {
            row["sample_id"]: row
            for row in rows
            if {"sample_id", "response", "usage"} <= row.keys()
        }
        lines = [to_json(settings), *map(to_json, kept.values()), ""]
        write_file(self._partial, "\n".join(lines))
        return kept

    def _partial_lines(self) -> list[str]:
        if not self._partial.is_file():
            return [""]
        return self._partial.read_text("utf-8", errors="replace").split("\n")


def _prediction(name: str, answer: GeneratedAnswer) -> dict[str, Any]:
    usage = {
        "input_tokens": answer.input_tokens,
        "cached_tokens": 0,
        "output_tokens": answer.output_tokens,
    }
    return {"sample_id": name, "response": answer.text, "usage": usage}


def _object(line: str) -> dict[str, Any]:
    """Return the object of a line; an empty one where the line is not whole, as after a crash."""
    try:
        value = parse_json(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _model_digests(model: str, commit: str | None) -> dict[str, Any]:
    """Return digests that tell a model from another one under the same name, with its adapter's."""
    base = base_of(model)
    return {
        "commit": commit,
        "weights": weights_digest(model),
        "files": model_files(model),
        "base": None if base == model else [weights_digest(base), model_files(base)],
    }
