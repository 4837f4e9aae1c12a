"""The task's class, and a function for each metric, as the YAML files of this folder name them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from lm_eval.api.task import ConfigurableTask

import bagen_data
from bagen_data.errors import InputError
from bagen_data.gold_answers import gold_answer
from bagen_data.prompt_rewording import reworded
from bagen_data.prompt_variants import Variant, asking, find_question, find_variant, question_of
from bagen_data.repositories.dataset_names import at_revision
from bagen_data.repositories.dataset_places import pinned
from bagen_data.sample_references import COLUMN, load_forecasts, references_of
from bagen_data.schema import Question
from bagen_data.scoring.all_scores import HEADLINE_SCORES, SCORES
from bagen_data.scoring.match_predictions import match_predictions, reader_in_memory
from bagen_data.scoring.measure import Group, Measured, measure
from bagen_data.scoring.resampling import FEWEST_INSTANCES, Resampling
from bagen_data.scoring.sample_table import SampleTable
from bagen_data.scoring.score import ALPHA

METRICS = HEADLINE_SCORES
STANDARD_ERROR = "_stderr"
"""The end of a metric's name that is the standard error of another one, as the harness has it."""
RESAMPLES = 1_000
"""Resamples of instances, for standard errors."""
_NOT_KNOWN = "N/A"
"""The harness's sign for a standard error that is not known."""
_GROUPED = ("brier_skill", "macro_f1_open", "valid_rate")
"""The scores that the groups of tasks average, which must be numbers."""
_GROUPED_FORECASTS = ("wis_skill",)
"""The scores that the group of forecasts averages beside them."""


@dataclass(frozen=True, eq=False)
class Answered:
    """A sample without its prompt, and the response to it."""

    sample: Mapping[str, Any]
    response: str

    def __str__(self) -> str:
        """Return the sample's id: the harness writes it into its log of samples once a metric."""
        return str(self.sample["sample_id"])


def process_results(doc: Mapping[str, Any], results: Sequence[str | None]) -> dict[str, Answered]:
    """Return the same answer under each metric: only a whole task has a score.

    Standard errors come last, as the harness has put its own, which it does not know, there before.
    """
    sample = {name: value for name, value in doc.items() if name != "prompt"}
    names = (*METRICS, *(f"{name}{STANDARD_ERROR}" for name in METRICS))
    return dict.fromkeys(names, Answered(sample, results[0] or ""))


def task_scores(answered: Sequence[Answered]) -> Group:
    """Return every score of a task, with its resamples."""
    samples = [each.sample for each in answered]
    responses = [
        {"sample_id": each.sample["sample_id"], "response": each.response} for each in answered
    ]
    table = SampleTable.of(samples, references_of(samples))
    question = question_of(samples[0]["prompt_variant"])
    matched = match_predictions(table, reader_in_memory(responses), "predictions", question)
    return measure(table, matched, Resampling(RESAMPLES), ALPHA).overall


def _scored() -> Callable[[list[Answered]], Group]:
    """Return a function that scores a task once, though the harness asks metric by metric."""
    last: tuple[list[Answered], Group] = ([], {})

    def scores(answered: list[Answered]) -> Group:
        nonlocal last
        known, values = last
        if len(known) != len(answered) or any(map(_differ, known, answered)):
            values = task_scores(answered)
            last = answered, values
        return values

    return scores


def _differ(one: Answered, other: Answered) -> bool:
    return one is not other


_scores = _scored()


def _metric(name: str) -> Callable[[list[Answered]], float | None]:
    def aggregate(answered: list[Answered]) -> float | None:
        value = float(_scores(answered)[name].values[0])
        if not math.isnan(value):
            return value
        is_forecast = question_of(answered[0].sample["prompt_variant"]) == "forecast"
        is_grouped = name in _GROUPED or (is_forecast and name in _GROUPED_FORECASTS)
        return value if is_grouped else None

    aggregate.__name__ = aggregate.__qualname__ = name
    return aggregate


def _standard_error_metric(name: str) -> Callable[[list[Answered]], float | str]:
    def aggregate(answered: list[Answered]) -> float | str:
        error = standard_error(_scores(answered)[name])
        return _NOT_KNOWN if error is None else error

    aggregate.__name__ = aggregate.__qualname__ = f"{name}{STANDARD_ERROR}"
    return aggregate


def standard_error(measured: Measured) -> float | None:
    """Return the standard error of a score: the spread of its resamples, whole instances each.

    As for `bagen score`'s intervals, the variance of n instances' resamples is too small by
    (n - 1) / n, which is put right, and fewer than ten instances give none.
    """
    instances = measured.instances
    if math.isnan(measured.values[0]) or instances < FEWEST_INSTANCES:
        return None
    return float(np.nanstd(measured.values[1:])) * math.sqrt(instances / (instances - 1))


def __getattr__(name: str) -> Callable[[list[Answered]], float | str | None]:
    """Return the function of a metric, which the YAML files name as `tasks.<score>`."""
    score = name.removesuffix(STANDARD_ERROR)
    if score not in SCORES:
        raise AttributeError(f"{__name__} has no score {name!r}")
    return _metric(name) if name == score else _standard_error_metric(score)


@dataclass(frozen=True)
class AskedRows:
    """The question, the variant and the references with which a task asks its samples."""

    question: Question
    """The question that the task's name says."""
    variant: Variant | None
    """The wanted variant; None leaves a thought as the dataset has it."""
    references: Mapping[str, Mapping[str, Any]]
    """The reference's forecast of each sample that has one, by the sample's id."""

    @classmethod
    def of(cls, metadata: Mapping[str, Any], dataset: str, config: str) -> "AskedRows":
        """Read the choice of a variant from a task's metadata, and the dataset's reference.

        Raises:
            InputError: `question` or `variant` is unknown, or they ask for different things.
        """
        question = find_question(metadata["question"])
        variant = find_variant(metadata["variant"]) if "variant" in metadata else None
        if variant and question_of(variant) != question:
            raise InputError(
                f"--metadata variant={variant}: asks for a {question_of(variant)}, and the task "
                f"for a {question}; give {asking(question, variant)}, or another task"
            )
        return cls(question, variant, load_forecasts(dataset, config))

    def asked(self, rows: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
        """Return some rows, by column, with prompts in this variant and the reference."""
        wanted = [self.variant or asking(self.question, built) for built in rows["prompt_variant"]]
        prompts = [
            reworded({name: column[place] for name, column in rows.items()}, variant)
            if variant != find_variant(rows["prompt_variant"][place])
            else rows["prompt"][place]
            for place, variant in enumerate(wanted)
        ]
        references = [self.references.get(name) for name in rows["sample_id"]]
        return {**rows, "prompt": prompts, "prompt_variant": wanted, COLUMN: references}


class BagenTask(ConfigurableTask):  # type: ignore[misc]  # its module has no types
    """A task that asks with the recorded chat.

    `--metadata` may give `dataset`, `revision` and `variant`.
    """

    VERSION = bagen_data.BENCHMARK_VERSION

    def __init__(self, config: dict[str, Any]) -> None:
        # The harness looks for the name `config`, and its own class refuses the key `class`.
        super().__init__(config={name: each for name, each in config.items() if name != "class"})

    def download(self, dataset_kwargs: dict[str, Any] | None = None, **_: Any) -> None:
        """Load the samples in the variant to ask, and write down from where.

        Raises:
            InputError: the dataset is missing, or the variant asks another question.
        """
        metadata = self.config.metadata or {}
        named = str(metadata.get("dataset") or self.config.dataset_path)
        self.config.dataset_path = pinned(at_revision(named, metadata.get("revision")))
        self.DATASET_PATH = self.config.dataset_path
        loaded = bagen_data.load(
            self.config.dataset_path, self.config.dataset_name, **(dataset_kwargs or {})
        )
        path, name = self.config.dataset_path, self.config.dataset_name
        self.dataset = loaded.with_transform(AskedRows.of(metadata, path, name).asked)

    def fewshot_docs(self) -> None:
        """Return None; for few-shot examples the harness would read the whole split into memory."""

    def doc_to_text(self, doc: Mapping[str, Any], doc_to_text: Any = None) -> str:  # noqa: ARG002
        """Return the question, for the log."""
        return str(doc["prompt"][-1]["content"])

    def doc_to_target(self, doc: Mapping[str, Any], doc_to_target: Any = None) -> str:  # noqa: ARG002
        """Return the best possible answer, for the log."""
        return gold_answer(doc, question_of(doc["prompt_variant"]))

    def build_all_requests(self, **options: Any) -> None:
        """Build all requests, never from the harness's cache, which would mix up two datasets."""
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
        """Return the recorded chat in the model's template.

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
