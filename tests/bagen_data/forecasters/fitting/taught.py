"""Rollouts that forecasters are fitted on in tests."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bagen_data.forecasters.fitting.teaching_data import TeachingData, TeachingSource
from bagen_data.forecasters.learning.examples import Example
from bagen_data.schema import TOKENS
from tests.bagen_data.forecasters.simulated_examples import family
from tests.making import chat, requests, write_lines


def examples_of(rollouts: int, seed: int = 0, model: str = "m") -> list[Example]:
    """A simulated family of chess by a model; its instances have the names 0, 1, 2 and so on."""
    return [_of_model(each, model) for each in family(rollouts, seed)]


def _of_model(each: Example, model: str) -> Example:
    name = f"chess/{model}"
    instance = each.instance_id.partition("-")[2]
    return replace(
        each,
        sample_id=f"{name}/{each.sample_id}",
        family=name,
        rollout=f"{name}/{each.rollout}",
        instance_id=instance,
    )


def taught(examples: Iterable[Example], **more: object) -> TeachingData:
    known = {"source": TeachingSource(), "rollout_models": ("m",)} | more
    return TeachingData(resources=(TOKENS,), examples=list(examples), **known)  # type: ignore[arg-type]


def with_outcomes(examples: Iterable[Example], success: bool, feasible: bool) -> list[Example]:
    """The same examples, all with one outcome."""
    return [
        replace(each, success=success, target=replace(each.target, feasible=feasible))
        for each in examples
    ]


def counted(
    name: str,
    success: object = None,
    sizes: Sequence[tuple[int, int]] = ((30, 50), (10, 70), (20, 40)),
    model: str = "",
) -> dict[str, Any]:
    """A conversation with a provider's usage beside each answer."""
    record = chat([f"{name} {word}" for word in ("look", "go") * len(sizes)], success)
    for message, (given, written) in zip(record["messages"][1::2], requests(sizes), strict=True):
        message["usage"] = {"prompt_tokens": given, "completion_tokens": written}
    return record | {"custom_id": name} | ({"model": model} if model else {})


def write_logs(folder: Path, rollouts: int, success: object = None) -> Path:
    """Write conversations of three to five turns, each of an instance of its own."""
    rows = []
    for number in range(rollouts):
        sizes = [(30, 50 + 7 * number + k) for k in range(3 + number % 3)]
        rows.append(counted(f"session {number}", success, sizes))
    write_lines(folder / "a.jsonl", rows)
    return folder


def usage(turns: int, cost: int) -> list[dict[str, int]]:
    """Requests whose inputs repeat the history."""
    return [
        {"api_input_tokens": 10 + k * (10 + cost), "api_output_tokens": cost} for k in range(turns)
    ]


def write_family(origin: Path, name: str, firsts: list[str], turns: int = 4) -> None:
    """Write rollouts that begin with these messages; every other one succeeds."""
    rows = []
    for number, first in enumerate(firsts):
        contents = [part for k in range(turns) for part in (f"{first} {k}", f"go {name} {k}")]
        rows.append(chat(contents, number % 2 == 0, per_turn_api_tokens=usage(turns, 20 + number)))
    write_lines(origin / name / "rollouts.jsonl", rows)
