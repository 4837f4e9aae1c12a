"""BAGEN as a task of Inspect: any model, one command.

    inspect eval bagen_data/bagen -T config=swebench --model openai/gpt-5.2

`bagen predict model` is the short way to the same. Answers are scored by `bagen_data.scoring`, so
these are the numbers of `bagen score`; `bagen predictions-from-log` makes a submission of the log.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import (
    ChatMessageAssistant,
    ChatMessageSystem,
    ChatMessageUser,
    GenerateConfig,
    GenerateConfigArgs,
    ModelOutput,
    get_model,
)
from inspect_ai.scorer import Metric, SampleScore, Score, Scorer, Target, Value, metric, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from bagen_data.answers import grammar, parse, render
from bagen_data.gold_answers import gold_answer
from bagen_data.models.asked_prompts import asked_prompts, messages_of
from bagen_data.models.asked_samples import AskedSamples, load_asked
from bagen_data.models.model_options import CONNECTIONS, MAX_TOKENS, RETRIES
from bagen_data.models.redacted_model import error_chain, redact_answers
from bagen_data.models.request_events import asking_sample
from bagen_data.prompt_variants import question_of
from bagen_data.published import HUB_ID
from bagen_data.repositories.dataset_names import at_revision
from bagen_data.sample_references import COLUMN as REFERENCE_COLUMN
from bagen_data.sample_references import references_of
from bagen_data.schema import Question
from bagen_data.scoring import score
from bagen_data.scoring.all_scores import HEADLINE_SCORES
from bagen_data.versions import BENCHMARK_VERSION

_MESSAGES = {
    "system": ChatMessageSystem,
    "user": ChatMessageUser,
    "assistant": ChatMessageAssistant,
}
_TOO_LONG = re.compile(r"context.{0,3}length|maximum context|context window", re.IGNORECASE)
"""Messages of providers about a prompt that is too long."""


@task
def bagen(  # noqa: PLR0913, PLR0917  Inspect gives them by name
    dataset: str = HUB_ID,
    config: str = "default",
    split: str = "test",
    constrained: bool = False,
    variant: str | None = None,
    samples: str | Sequence[str] | None = None,
    revision: str | None = None,
) -> Task:
    """Ask for an estimate after every turn of recorded rollouts.

    Args:
        dataset: a folder that `python -m builders build` wrote, or a dataset on the Hub, as
            ORG/NAME or ORG/NAME@REV.
        config: a task, `<task>_start` or `<task>_train`; `default` is every task's benchmark.
        split: `test`; `sft`, `rl` or `heldout` of a `<task>_train`.
        constrained: hold decoding to the answer grammar, as a regular expression that a vLLM
            server takes.
        variant: of the question, e.g. `forecast_think`; that of the dataset if None.
        samples: ids of the samples to ask, in the dataset's order; all if None.
        revision: REV, where `dataset` does not name it: a branch, tag, commit or content revision.

    A hidden split has no labels, so its answers are collected and not scored.
    """
    chosen = [samples] if isinstance(samples, str) else samples
    dataset = at_revision(dataset, revision)
    asked = load_asked(dataset, config, split, variant, chosen)
    return Task(
        dataset=MemoryDataset(list(_samples(asked)), name=f"{dataset} {config} {split}"),
        solver=ask(constrained),
        scorer=estimate() if asked.has_labels else None,
        config=GenerateConfig(
            max_connections=CONNECTIONS,
            max_retries=RETRIES,
            max_tokens=MAX_TOKENS,
        ),
        version=BENCHMARK_VERSION,
        metadata={
            "bagen": asked.source | {"prompt_variant": asked.variant, "constrained": constrained}
        },
    )


@solver
def ask(constrained: bool = False) -> Solver:
    """Make one request for each sample, with the recorded chat.

    A prompt that is too long for the model has an empty answer: trying again would not help.
    """

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        redact_answers(get_model())
        options: GenerateConfigArgs = {}
        if constrained:
            resources = [amounts["resource"] for amounts in state.metadata["resources"]]
            pattern = grammar(resources, state.metadata["prompt_variant"])
            options["extra_body"] = {"structured_outputs": {"regex": pattern}}
        with asking_sample(str(state.sample_id)):
            try:
                state = await generate(state, tool_calls="none", **options)
            except Exception as error:  # of whatever client the model has
                if not _TOO_LONG.search(str(error)):
                    for each in error_chain(error):  # Inspect formats frames for 0.3 s a sample;
                        each.__traceback__ = None  # those of the client are in its model event
                    raise
                state.output = ModelOutput.from_content(str(state.model), "", "model_length")
        return state

    return solve


@metric
def bagen_scores() -> Metric:
    """The scores of `bagen_data.scoring` over the samples that were answered."""

    def compute(scores: list[SampleScore]) -> Value:
        if not scores:
            return dict.fromkeys(HEADLINE_SCORES)
        scores = list({each.sample_id: each for each in scores}.values())  # a crash repeats some
        samples = [dict(each.sample_metadata or {}) for each in scores]
        responses = [str((each.score.metadata or {})["response"]) for each in scores]
        answers = [
            {"sample_id": sample["sample_id"], "response": response}
            for sample, response in zip(samples, responses, strict=True)
        ]
        report = score(
            samples,
            answers,
            reference=references_of(samples),
            question=_question(samples[0]),
            resamples=0,
        )
        return {name: report.overall[name].value for name in HEADLINE_SCORES}

    return compute


@scorer(metrics=[bagen_scores()])
def estimate() -> Scorer:
    """Score whether feasible or infeasible was judged correctly; an invalid answer is wrong."""

    async def judge(state: TaskState, target: Target) -> Score:  # noqa: ARG001
        resources = [amounts["resource"] for amounts in state.metadata["resources"]]
        question = _question(state.metadata)
        response = state.output.completion
        answer = parse(response, resources, question)
        truth = "feasible" if state.metadata["feasible"] else "infeasible"
        return Score(
            value=answer.verdict == truth,
            answer=answer.reason if answer.verdict == "invalid" else render(answer, question),
            metadata={"response": response},
        )

    return judge


def _samples(asked: AskedSamples) -> Iterator[Sample]:
    columns = [name for name in asked.table.column_names if name != "prompt"]
    references = asked.references()
    for batch in asked.table.to_batches(max_chunksize=1_024):
        rows = batch.select(columns).to_pylist()
        ids = asked_prompts(pa.Table.from_batches([batch]))
        chats = messages_of(batch["prompt"])
        for facts, prompt, chat in zip(rows, ids, chats, strict=True):
            yield Sample(
                id=prompt.id,
                input=[_MESSAGES[role](content=content) for role, content in chat],
                target=_target(facts),
                metadata={**facts, REFERENCE_COLUMN: references.get(facts["sample_id"])},
            )


def _question(facts: Mapping[str, Any]) -> Question:
    """Return the question about a sample; an interval, where its facts do not say."""
    return question_of(facts.get("prompt_variant", "none"))


def _target(facts: Mapping[str, Any]) -> str:
    """Return the best possible answer; nothing for a sample without labels."""
    return gold_answer(facts, _question(facts)) if "feasible" in facts else ""
