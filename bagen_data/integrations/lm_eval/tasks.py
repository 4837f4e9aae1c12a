"""What the YAML files of this folder name: the task's class, and a function for each metric."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lm_eval.api.task import ConfigurableTask

import bagen_data
from bagen_data.replay import gold_estimate
from bagen_data.schema import Target
from bagen_data.scoring import score
from bagen_data.scoring.all_scores import HEADLINE_SCORES

METRICS = HEADLINE_SCORES


@dataclass(frozen=True, eq=False)
class Answered:
    """A sample without its prompt, and the response to it."""

    sample: Mapping[str, Any]
    response: str

    def __str__(self) -> str:
        """What the harness writes into its log of samples, once for each metric."""
        return str(self.sample["sample_id"])


def process_results(doc: Mapping[str, Any], results: Sequence[str | None]) -> dict[str, Answered]:
    """The same answer under each metric: only a whole task has a score."""
    sample = {name: value for name, value in doc.items() if name != "prompt"}
    return dict.fromkeys(METRICS, Answered(sample, results[0] or ""))


def _scored() -> Callable[[list[Answered]], dict[str, float | None]]:
    """Scores a task once, though the harness asks for one metric at a time."""
    last: tuple[list[Answered], dict[str, float | None]] = ([], {})

    def scores(answered: list[Answered]) -> dict[str, float | None]:
        nonlocal last
        known, values = last
        if len(known) != len(answered) or any(map(_differ, known, answered)):
            responses = [
                {"sample_id": each.sample["sample_id"], "response": each.response}
                for each in answered
            ]
            report = score([each.sample for each in answered], responses, resamples=0)
            values = {name: report.overall[name].value for name in METRICS}
            last = answered, values
        return values

    return scores


def _differ(one: Answered, other: Answered) -> bool:
    return one is not other


_scores = _scored()


def _metric(name: str) -> Callable[[list[Answered]], float | None]:
    def aggregate(answered: list[Answered]) -> float | None:
        return _scores(answered)[name]

    aggregate.__name__ = aggregate.__qualname__ = name
    return aggregate


valid_rate, macro_f1, fail_f1, accuracy, hit_rate, coverage, reward, rl_reward, interval_skill = (
    map(_metric, METRICS)
)


class BagenTask(ConfigurableTask):  # type: ignore[misc]  # its module has no types
    """Asks with the recorded chat; reads `--metadata dataset=DIR` where it is given."""

    VERSION = bagen_data.BENCHMARK_VERSION

    def __init__(self, config: dict[str, Any]) -> None:
        # The harness looks for the name `config`, and its own class refuses the key `class`.
        super().__init__(config={name: each for name, each in config.items() if name != "class"})

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **_: Any) -> None:
        """Load the samples, and write down from where."""
        metadata = self.config.metadata or {}
        self.config.dataset_path = str(metadata.get("dataset") or self.config.dataset_path)
        self.DATASET_PATH = self.config.dataset_path
        self.dataset = bagen_data.load(
            self.config.dataset_path, self.config.dataset_name, **(dataset_kwargs or {})
        )

    def fewshot_docs(self) -> None:
        """None; the harness would read the whole split into memory for them."""

    def doc_to_text(self, doc: Mapping[str, Any], doc_to_text: Any = None) -> str:  # noqa: ARG002
        """The question, for the log."""
        return str(doc["prompt"][-1]["content"])

    def doc_to_target(self, doc: Mapping[str, Any], doc_to_target: Any = None) -> str:  # noqa: ARG002
        """The best possible answer, for the log."""
        remaining = {amounts["resource"]: amounts["remaining"] for amounts in doc["resources"]}
        return bagen_data.render(gold_estimate(Target(doc["feasible"], remaining)))

    def build_all_requests(self, **options: Any) -> None:
        """As the harness does, but never from its cache, which would mix up two datasets."""
        super().build_all_requests(**{**options, "cache_requests": False})

    def fewshot_context(  # noqa: PLR0913, PLR0917  the harness's own
        self,
        doc: Mapping[str, Any],
        num_fewshot: int = 0,
        system_instruction: str | None = None,
        apply_chat_template: bool = False,
        fewshot_as_multiturn: bool = False,  # noqa: ARG002
        chat_template: Callable[..., str] | None = None,
        gen_prefix: str | None = None,
    ) -> str:
        """The recorded chat, in the model's template.

        Raises:
            ValueError: without a template, or with anything that would change the prompt.
        """
        if not apply_chat_template or chat_template is None:
            raise ValueError(f"{self.task_name} asks with a chat; give --apply_chat_template")
        if system_instruction or num_fewshot or gen_prefix:
            raise ValueError(
                f"{self.task_name} has a fixed prompt; leave out --system_instruction, few-shot "
                "examples and gen_prefix"
            )
        messages = [{"role": each["role"], "content": each["content"]} for each in doc["prompt"]]
        return chat_template(messages, add_generation_prompt=True)
