"""Checks of a sweep, made before the first of its runs begins."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from inspect import signature
from typing import Any

from bagen_data.errors import InputError
from train.sweeps.sweep_plan import SweepPlan, SweepRun, read_options


def check_options(plan: SweepPlan) -> None:
    """Check that the scripts have every option, before the first of them runs.

    Raises:
        WrongUsageError: one is mistyped; the message names the run and the nearest option.
    """
    from train.evaluate import evaluate
    from train.training_options import GRPOOptions, SFTOptions, check_names, names_of

    evaluate_options = list(signature(evaluate).parameters)
    check_names(plan.evaluate, evaluate_options, "evaluate")
    stages = {"sft": names_of(SFTOptions), "grpo": names_of(GRPOOptions), "none": []}
    for planned in plan.runs:
        name, stage = planned.name, planned.stage
        check_names(planned.options, stages[stage], f"options of run {name!r}")
        check_names(planned.evaluate, evaluate_options, f"evaluate of run {name!r}")


@dataclass(frozen=True)
class NeededSplit:
    """A split that a run reads."""

    dataset: str
    config: str
    split: str


def check_data(plan: SweepPlan, chosen: frozenset[str]) -> None:
    """Check that the datasets have every config and split that runs read.

    Args:
        plan: of the sweep.
        chosen: the names of the runs to check.

    Raises:
        InputError: one is missing; the message names the run.
    """
    from bagen_data.hub import splits
    from bagen_data.repositories.dataset_places import pinned

    places: dict[str, str] = {}
    known: dict[tuple[str, str], Sequence[str]] = {}
    for planned in plan.runs:
        for needed in needed_splits(plan, planned) if planned.name in chosen else ():
            if needed.dataset not in places:
                places[needed.dataset] = pinned(needed.dataset)
            key = (needed.dataset, needed.config)
            if key not in known:
                known[key] = splits(places[needed.dataset], needed.config)
            if needed.split not in known[key]:
                raise InputError(
                    f"run {planned.name!r}: {needed.dataset} has no split {needed.split} of config "
                    f"{needed.config}; a <task>_train is built by 'python -m builders build' from "
                    "rollouts in folders named TASK-train-MODEL. Give another --dataset, or choose "
                    "other runs with --only"
                )


def needed_splits(plan: SweepPlan, planned: SweepRun) -> Iterator[NeededSplit]:
    """Yield the splits that a run is trained and evaluated on."""
    evaluated = plan.evaluation(planned)
    yield NeededSplit(
        _dataset(evaluated),
        str(evaluated.get("config", "sokoban_train")),
        str(evaluated.get("split", "heldout")),
    )
    if planned.stage == "none":
        return
    file = plan.sft if planned.stage == "sft" else plan.grpo
    options = {**read_options(file), **planned.options}
    part = "sft" if planned.stage == "sft" else "rl"
    for config in _names(options.get("train_on", ["sokoban_train"])):
        yield NeededSplit(_dataset(options), config, part)
    for config in _names(options.get("evaluate_on", [])):
        yield NeededSplit(_dataset(options), config, "heldout")


def _dataset(options: Mapping[str, Any]) -> str:
    from bagen_data.published import HUB_ID
    from bagen_data.repositories.dataset_names import at_revision

    return at_revision(str(options.get("dataset", HUB_ID)), options.get("dataset_revision"))


def _names(value: Any) -> list[str]:
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
