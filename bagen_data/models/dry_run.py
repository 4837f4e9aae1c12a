"""A preview of asking a model: counts, an estimated cost, what is missing, and some prompts."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from rich.console import Console
from rich.text import Text

from bagen_data.console import shown, stdout_console
from bagen_data.errors import InputError, MissingExtraError, WrongUsageError
from bagen_data.models.asked_rollouts import AskedRollouts, asked_rollouts
from bagen_data.models.asked_samples import load_asked
from bagen_data.models.model_run import ModelRun, Price
from bagen_data.prompt_variants import Variant, question_of, thinks
from bagen_data.schema import Question
from bagen_data.wording import numbered

CHARACTERS_A_TOKEN = 4
"""About, of English text and code; a model's own tokenizer says exactly."""
ANSWER_TOKENS: Mapping[Question, int] = {"interval": 30, "point": 20, "forecast": 60}
"""Tokens of an answer to each question, roughly; reasoning that is not asked for comes on top."""
THOUGHT_TOKENS = 270
"""Tokens of a short thought, roughly."""
_SHOWN = 3
"""Prompts that are shown."""
SCREEN_LINES = 25
"""Most lines of a prompt that are shown where it is cut."""
SCREEN_CHARACTERS = 1_500
"""Most characters of a prompt that are shown where it is cut."""


def show_plan(run: ModelRun, price: Price | None, *, is_whole: bool = False) -> None:
    """Print what all would take, then three prompts: the first, a middle and the last one.

    No request is made.

    Args:
        run: the run.
        price: of the model's tokens; unknown if None.
        is_whole: whether prompts are shown whole; else each is cut to a screen.

    Raises:
        InputError: the run itself could not begin, as the model's package or key is missing; all
            else has been printed.
    """
    asked = load_asked(run.dataset, run.config, run.split, run.variant)
    table = asked.table.slice(0, run.limit)
    if run.shard:
        table = _of_shard(table, asked_rollouts(asked, run.limit).shard(run.shard))
    problem = what_is_missing(run)
    console = stdout_console(soft_wrap=True)
    console.print(_rule("not asked, as this is a dry run", console.width))
    for line in _lines(run, table, asked.variant, price):
        console.print(shown(line))
    console.print(shown(f"ready: {f'no, {problem}' if problem else 'yes'}"))
    places = sorted({0, len(table) // 2, len(table) - 1})[:_SHOWN]
    for row in table.take(pa.array(places)).to_pylist():
        console.print(_rule(row["sample_id"], console.width))
        _show_prompt(console, row["prompt"], is_whole=is_whole)
    if problem:
        raise InputError(f"the run would fail: {problem}")


def _rule(title: str, width: int) -> Text:
    """Return a line of dashes with a title in it, which is never cut."""
    return Text(f" {shown(title).plain} ".center(width, "-"))


def what_is_missing(run: ModelRun) -> str:
    """Return what the run needs and is not there, and how to get it; empty if nothing is missing.

    Weights are not loaded, and no request is made.
    """
    try:
        from bagen_data.models.ask import first_model
        from bagen_data.models.providers import check_package, is_local
    except ModuleNotFoundError as error:
        if error.name != "inspect_ai":
            raise
        return str(MissingExtraError("inspect-ai", "models"))

    try:
        if is_local(run.model):
            check_package(run.model, run.servers[0] if run.servers else None)
        else:
            first_model(run)
    except WrongUsageError:
        raise
    except InputError as error:
        return str(error)
    return ""


def _show_prompt(
    console: Console, messages: Sequence[Mapping[str, str]], *, is_whole: bool
) -> None:
    """Print a prompt; where it is cut, its first messages give way to the end, the question."""
    text = "\n\n".join(f"[{each['role']}]\n{each['content']}" for each in messages)
    parts = [text] if is_whole else cut_to_screen(text)
    for number, part in enumerate(parts):
        if number:
            left = len(text) - sum(map(len, parts))
            console.print(f"... {left:,} more characters; --full shows them ...", style="bold")
        console.print(shown(part))
    console.print()


def cut_to_screen(text: str) -> list[str]:
    """Return a text as it is, or its begin and its end, which are a screen together.

    The end is whole lines, where its last line is not too long.

    >>> cut_to_screen("short"), [len(part) for part in cut_to_screen("x" * 9_000)]
    (['short'], [500, 1000])
    """
    lines = text.splitlines(keepends=True)
    if len(lines) <= SCREEN_LINES and len(text) <= SCREEN_CHARACTERS:
        return [text]
    first = SCREEN_LINES // 3
    begin = "".join(lines[:first])[: SCREEN_CHARACTERS // 3]
    last = min(SCREEN_LINES - 1 - first, len(lines))
    end = text[len(begin) :]
    end = "".join(end.splitlines(keepends=True)[-last:])
    most = SCREEN_CHARACTERS * 2 // 3
    if len(end) > most:
        cut = end[-most:]
        end = cut.partition("\n")[2].strip("\n") or cut
    return [begin, end]


def _lines(run: ModelRun, table: pa.Table, variant: Variant, price: Price | None) -> Iterator[str]:
    characters, repeated = prompt_characters(table)
    read, cached = characters // CHARACTERS_A_TOKEN, repeated // CHARACTERS_A_TOKEN
    answer = ANSWER_TOKENS[question_of(variant)] + (THOUGHT_TOKENS if thinks(variant) else 0)
    written = answer * len(table)
    names = table["sample_id"].to_pylist()
    if "rollout_id" in table.column_names:
        names = [name.rpartition("/")[0] for name in names]
    rollouts = len(set(names))  # a hidden split has a sample a rollout
    settings = ", ".join(f"{name} {value}" for name, value in run.options.generation.items())
    yield f"model: {run.model}{', ' + settings if settings else ''}"
    yield f"dataset: {run.dataset}, config {run.config}, split {run.split}"
    yield f"samples: {len(table):,} of {numbered(rollouts, 'rollout')}, rollout by rollout"
    if run.shard:
        yield f"shard: {run.shard}; the samples and the cost are those of this shard"
    if len(run.servers) > 1:
        yield f"servers: {len(run.servers)}, which share the rollouts evenly"
    yield f"question: {variant}"
    yield f"input: about {read:,} tokens, at {CHARACTERS_A_TOKEN} characters each"
    yield f"prefix cache: about {cached:,} of these tokens repeat the prompt before"
    yield f"output: about {written:,} tokens, without reasoning that is not asked for"
    if price is None:
        yield "cost: unknown; give --price input=...,cached=...,output=... in US dollars a million"
        return
    full = (read * price.input + written * price.output) / 1e6
    reused = full - cached * (price.input - price.input_cache_read) / 1e6
    yield f"cost: about {full:,.2f} US dollars, or {reused:,.2f} if caches serve all they can"


def _of_shard(table: pa.Table, rollouts: AskedRollouts) -> pa.Table:
    is_asked = np.zeros(len(table), dtype=bool)
    for rollout in rollouts.rollouts:
        is_asked[rollout.start : rollout.start + len(rollout.ids)] = True
    return table.filter(pa.array(is_asked))


def prompt_characters(table: pa.Table) -> tuple[int, int]:
    """Count the characters of all prompts, and those that the prompt before begins with, too."""
    characters = repeated = 0
    before: list[bytes] = []
    for batch in table.select(["prompt"]).to_batches(max_chunksize=256):
        for prompt in batch["prompt"].to_pylist():
            own = [_key(message) for message in prompt]
            sizes = [len(message["content"]) for message in prompt]
            same = next(
                (n for n, (old, new) in enumerate(zip(before, own, strict=False)) if old != new),
                min(len(before), len(own)),
            )
            characters += sum(sizes)
            repeated += sum(sizes[:same])
            before = own
    return characters, repeated


def _key(message: dict[str, Any]) -> bytes:
    return hashlib.sha256(f"{message['role']}\0{message['content']}".encode()).digest()
