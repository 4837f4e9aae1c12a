"""What forecasters are fitted on in tests."""

from collections.abc import Iterable
from dataclasses import replace

from bagen_data.forecasters.fitting.teaching_data import Source, TeachingData
from bagen_data.forecasters.learning.examples import Example
from bagen_data.schema import TOKENS
from tests.bagen_data.forecasters.simulated import family


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
    known = {"source": Source(), "rollout_models": ("m",)} | more
    return TeachingData(resources=(TOKENS,), examples=list(examples), **known)  # type: ignore[arg-type]


def with_outcomes(examples: Iterable[Example], success: bool, feasible: bool) -> list[Example]:
    """The same examples, all with one outcome."""
    return [
        replace(each, success=success, target=replace(each.target, feasible=feasible))
        for each in examples
    ]
