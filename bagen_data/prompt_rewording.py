"""Turn built prompts into other variants: another question, or another form of the answer.

A prompt of a dataset ends with its question, whose text depends on the task, the resources and the
variant alone. So the end is replaced, and what is before it, the recorded chat and the state of the
run, stays as it is.
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.errors import TemplateError
from bagen_data.general_prompt import general_prompt, has_words
from bagen_data.prompt_variants import VARIANTS, Variant, question_of
from bagen_data.prompts import (
    Prompt,
    answer_forms,
    answer_template,
    known_prompts,
    load_prompt,
)
from bagen_data.wording import in_a_clone

Messages = list[dict[str, str]]
"""A chat, as rows of the dataset have it."""


def in_variant(question: str, task: str, names: Sequence[str], variant: Variant) -> str:
    """Return the last message of a prompt with the question of another variant.

    The prompt of a task whose templates are not here can be put into the other form of the same
    question: with a thought, or without.

    Args:
        question: the last message of a prompt, in any variant.
        task: the task's name, as in the dataset.
        names: the resources that an answer names, in the order of the sample's.
        variant: the wanted one.

    Raises:
        TemplateError: the message ends with the question of no variant.
    """
    for endings in (_endings(task, tuple(names)), _forms(tuple(names), variant)):
        if variant in endings:
            for ending in endings.values():
                if question.endswith(ending):
                    return question.removesuffix(ending) + endings[variant]
    raise TemplateError(
        f"a prompt of {task} ends with {question[-80:]!r}; expected the question of one of the "
        f"variants {', '.join(VARIANTS)}; build the dataset with "
        + in_a_clone(f"python -m builders build --prompt {variant}")
    )


def reworded(row: Mapping[str, Any], variant: Variant) -> Messages:
    """Return the prompt of a row of the dataset in a variant.

    Args:
        row: with `task`, `prompt` and `resources`.
        variant: the wanted one.

    Raises:
        TemplateError: as `in_variant`.
    """
    messages: Messages = list(row["prompt"])
    names = [part["resource"] for part in row["resources"]]
    question = in_variant(messages[-1]["content"], row["task"], names, variant)
    return [*messages[:-1], {**messages[-1], "content": question}]


def reworded_table(table: pa.Table, variant: Variant) -> pa.Table:
    """Return samples, or questions of a hidden split, with all prompts in one variant.

    Args:
        table: with at least `task`, `prompt`, `prompt_variant` and `resources`.
        variant: the wanted one.

    Raises:
        TemplateError: as `in_variant`.
    """
    batches = [_reworded_batch(batch, variant) for batch in table.to_batches(max_chunksize=1_024)]
    return pa.Table.from_batches(batches, table.schema)


def _reworded_batch(batch: pa.RecordBatch, variant: Variant) -> pa.RecordBatch:
    columns = dict(zip(batch.schema.names, batch.columns, strict=True))
    prompts = columns["prompt"]
    messages = prompts.flatten()
    offsets = pc.subtract(prompts.offsets, prompts.offsets[0])
    last = pc.subtract(offsets[1:], 1)
    contents = messages.field("content")
    is_last = pc.is_in(pa.array(range(len(messages)), last.type), last)
    questions = _reworded_questions(columns, contents.take(last).to_pylist(), variant)
    replaced = pc.replace_with_mask(contents, is_last, pa.array(questions, contents.type))
    parts = [
        replaced if field.name == "content" else messages.field(field.name)
        for field in messages.type
    ]
    columns["prompt"] = pa.ListArray.from_arrays(
        offsets, pa.StructArray.from_arrays(parts, fields=list(messages.type)), type=prompts.type
    )
    variants = pa.array([variant] * len(batch), pa.string())
    columns["prompt_variant"] = variants.cast(columns["prompt_variant"].type)
    return pa.RecordBatch.from_arrays(list(columns.values()), schema=batch.schema)


def _reworded_questions(
    columns: Mapping[str, Any], questions: Sequence[str], variant: Variant
) -> Iterator[str]:
    rows = zip(
        questions, columns["task"].to_pylist(), columns["resources"].to_pylist(), strict=True
    )
    for question, task, resources in rows:
        yield in_variant(question, task, [part["resource"] for part in resources], variant)


@lru_cache
def _endings(task: str, names: tuple[str, ...]) -> Mapping[Variant, str]:
    """Return the question of each variant that a task's templates have; none without templates."""
    if task not in known_prompts() and not has_words(names):
        return {}
    prompts = (_prompt(task, names, variant) for variant in VARIANTS)
    return {prompt.variant: prompt.ending(names) for prompt in prompts if prompt}


def _prompt(task: str, names: tuple[str, ...], variant: Variant) -> Prompt | None:
    """Return a prompt; None if its file has no part for the question."""
    try:
        if task in known_prompts():
            return load_prompt(task, variant)
        return general_prompt(names, variant)
    except TemplateError:
        return None


@lru_cache
def _forms(names: tuple[str, ...], variant: Variant) -> Mapping[Variant, str]:
    """Return the output forms of the variants that ask the same question."""
    same = (each for each in VARIANTS if question_of(each) == question_of(variant))
    return {each: answer_forms(each, answer_template(each), names) for each in same}
