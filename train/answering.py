"""Answer the questions of a split, and go on where an earlier run was stopped."""

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.progress import track

from bagen_data.console import STDERR
from bagen_data.replaced_file import write_file
from bagen_data.tables import to_json
from bagen_data.unique_keys import parse_json
from train.fitted_prompts import Messages, PromptFitter, reworded
from train.generation import Decoding, GeneratedAnswer, generator

if TYPE_CHECKING:
    from bagen_data.hub import LoadedSamples

PARTIAL = "answers.partial"
"""What was answered so far, beside the submission until all is."""


@dataclass(frozen=True)
class QuestionOptions:
    """The questions of one split, in one form."""

    dataset: str
    config: str
    split: str
    variant: str
    max_prompt_tokens: int


@dataclass(frozen=True)
class ResumableAnswers:
    """Answers that are kept as they come, and not asked for again."""

    out: Path
    """The folder they are kept in; the caller holds it (`held_folder`)."""
    questions: QuestionOptions
    decoding: Decoding
    tokenizer: Any
    backend: str

    def answers(self, samples: "LoadedSamples") -> tuple[list[dict[str, Any]], str]:
        """An answer to each sample, in their order, and the variant of the prompts.

        A prompt that cannot fit has an empty one. The variant is `none` where there are several.
        """
        prompts, variants = self._prompts(samples)
        predictions = self._kept(samples.source["revision"])
        waiting = [name for name, prompt in prompts.items() if prompt and name not in predictions]
        if waiting:
            generate = generator(self.backend, self.decoding, self.tokenizer)
            answers = track(
                generate([prompts[name] for name in waiting]),
                "answering",
                total=len(waiting),
                console=STDERR,
                disable=not STDERR.is_terminal,
            )
            with self._partial.open("a", encoding="utf-8") as file:
                for position, answer in answers:
                    row = _prediction(waiting[position], answer)
                    predictions[row["sample_id"]] = row
                    file.write(to_json(row) + "\n")
                    file.flush()
        unanswered = GeneratedAnswer("", 0, 0)
        rows = [predictions.get(name) or _prediction(name, unanswered) for name in prompts]
        return rows, variants.pop() if len(variants) == 1 else "none"

    def forget(self) -> None:
        """Remove what was kept, once the submission is written."""
        self._partial.unlink(missing_ok=True)

    @property
    def _partial(self) -> Path:
        return self.out / PARTIAL

    def _prompts(self, samples: "LoadedSamples") -> tuple[dict[str, Messages], set[str]]:
        """By sample; empty where it cannot fit."""
        limit = self.questions.max_prompt_tokens
        fitter = PromptFitter(self.tokenizer, limit, self.decoding.template)
        prompts: dict[str, Messages] = {}
        variants: set[str] = set()
        shortened = 0
        names = ["sample_id", "task", "prompt", "prompt_variant", "resources"]
        columns = samples.table.select(names)
        for row in columns.to_pylist():
            messages, variant = reworded(row, self.questions.variant)
            variants.add(variant)
            prompt = fitter.fit(messages)
            prompts[row["sample_id"]] = prompt.messages if prompt else []
            shortened += bool(prompt and prompt.dropped_turns)
        too_long = sum(not prompt for prompt in prompts.values())
        if shortened or too_long:
            STDERR.print(
                f"{shortened:,} of {len(prompts):,} prompts lost their oldest turns to fit "
                f"{limit:,} tokens; {too_long:,} cannot fit and stay unanswered"
            )
        return prompts, variants

    def _kept(self, revision: str | None) -> dict[str, dict[str, Any]]:
        """Predictions of an earlier run of the same weights and questions, by sample."""
        settings = to_json(
            {
                "asked": asdict(self.questions),
                "decoding": asdict(self.decoding),
                "weights": _weights(self.decoding.model),
                "revision": revision,
            }
        )
        lines = self._partial.read_text("utf-8").split("\n") if self._partial.is_file() else [""]
        complete = lines[1:-1] if lines[0] == settings else []  # the last one may be cut off
        write_file(self._partial, "\n".join([settings, *complete, ""]))
        return {row["sample_id"]: row for row in map(parse_json, complete)}


def _prediction(name: str, answer: GeneratedAnswer) -> dict[str, Any]:
    usage = {
        "input_tokens": answer.input_tokens,
        "cached_tokens": 0,
        "output_tokens": answer.output_tokens,
    }
    return {"sample_id": name, "response": answer.text, "usage": usage}


def _weights(model: str) -> list[list[Any]]:
    """What tells weights in a folder from those that were there before."""
    return [
        [path.name, path.stat().st_size, path.stat().st_mtime_ns]
        for path in sorted(Path(model).glob("*.safetensors"))
    ]
