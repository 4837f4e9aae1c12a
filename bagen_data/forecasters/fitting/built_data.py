"""The probes that a config of a built dataset gives a forecaster to learn from."""

from collections.abc import Sequence
from typing import NamedTuple

from bagen_data.dataset_configs import holds_samples, is_start, is_training, task_of
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters.fitting.teaching_data import (
    TeachingData,
    TeachingSource,
    check_teaching,
    nothing_to_learn,
    probes_within,
    single_turn_notes,
)
from bagen_data.forecasters.learning.examples import Example, load_examples
from bagen_data.forecasters.learning.predictions import TRAINING_SPLITS
from bagen_data.hub import is_hidden, load_samples, splits
from bagen_data.locations import HubPath
from bagen_data.repositories.dataset_places import dataset_name, locate
from bagen_data.schema import Resource
from bagen_data.wording import numbered

_HELDOUT = "heldout"


def built_data(dataset: str, config: str, rollout_model: str | None = None) -> TeachingData:
    """Return what a config teaches: all parts of `<task>_train` but `heldout`, or one family.

    Args:
        dataset: a folder that `python -m builders build` wrote, its URL, or ORG/NAME or
            ORG/NAME@REV.
        config: a task's benchmark config, or its `<task>_train`.
        rollout_model: only rollouts of this model; None takes all.

    Raises:
        WrongUsageError: the config has no probes to learn from, or several families of which none
            was chosen, or none of the model that was chosen.
        InputError: the dataset cannot be read or has no labels, or the config does not exist or has
            too little to learn from.
        StoreError: the Hub or a store does not answer.
    """
    place = locate(dataset)
    pinned = dataset_name(place)
    _check_config(pinned, dataset, config)
    parts = splits(pinned, config)
    taught = tuple(part for part in (*TRAINING_SPLITS, "test") if part in parts)
    loaded = [load_examples(pinned, config, part) for part in taught or ("test",)]
    where = f"{dataset}, config {config}"
    every = _of_model([each for part in loaded for each in part.examples], rollout_model, where)
    examples, heldout = every, list[Example]()
    if is_training(config):
        examples = probes_within(every)
        if _HELDOUT in parts:
            heldout = load_examples(pinned, config, _HELDOUT).examples
    else:
        _check_one_family(every, where)
    resources = _resources(pinned, config, taught[0], every)
    if not examples:
        longest = max((each.total_turns for each in every), default=0)
        raise nothing_to_learn(where, resources, longest)
    unseen = _unseen(heldout, every, rollout_model)
    single = {each.rollout for each in every if each.total_turns == 1}
    data = TeachingData(
        source=TeachingSource(
            dataset=place.repository if isinstance(place, HubPath) else None,
            revision=loaded[0].revision,
            commit=place.commit if isinstance(place, HubPath) else None,
            config=config,
            splits=taught,
        ),
        resources=resources,
        examples=examples,
        rollout_models=tuple(sorted({_model(each) for each in examples})),
        heldout=probes_within(unseen.examples),
        notes=(*single_turn_notes(len(single)), *unseen.notes),
    )
    return check_teaching(data, where)


class _Unseen(NamedTuple):
    """Held-out examples that are a test of what was learned."""

    examples: list[Example]
    notes: tuple[str, ...]


def _unseen(
    heldout: Sequence[Example], taught: Sequence[Example], rollout_model: str | None
) -> _Unseen:
    """Return the held-out examples of the model, of instances that nothing was learned from."""
    known = {each.instance_id for each in taught}
    own = [each for each in heldout if rollout_model in (None, _model(each))]
    unseen = [each for each in own if each.instance_id not in known]
    seen = {each.rollout for each in own} - {each.rollout for each in unseen}
    if not seen:
        return _Unseen(unseen, ())
    note = (
        f"{numbered(len(seen), 'rollout')} of split {_HELDOUT} left out: their instances are in "
        "other splits too."
    )
    return _Unseen(unseen, (note,))


def _check_config(pinned: str, dataset: str, config: str) -> None:
    if not holds_samples(config) or is_start(config) or config == "default":
        raise WrongUsageError(
            f"--config {config}: has no probes of one task to learn from; expected a task, such as "
            f"swebench, or its training config, such as swebench_train"
        )
    if is_hidden(pinned):
        raise InputError(
            f"{dataset}: is a hidden split, without labels to learn from; give a dataset with "
            f"config {task_of(config)}_train"
        )


def _of_model(examples: list[Example], rollout_model: str | None, where: str) -> list[Example]:
    if rollout_model is None:
        return examples
    known = sorted({_model(each) for each in examples})
    if rollout_model not in known:
        raise WrongUsageError(
            f"--rollout-model {rollout_model}: {where} has no rollouts of it; expected one of "
            f"{', '.join(known)}"
        )
    return [each for each in examples if _model(each) == rollout_model]


def _check_one_family(examples: Sequence[Example], where: str) -> None:
    models = sorted({_model(each) for each in examples})
    if len(models) > 1:
        raise WrongUsageError(
            f"{where}: has the families of {', '.join(models)}; choose the one to learn from with "
            "--rollout-model NAME"
        )


def _model(example: Example) -> str:
    return example.family.partition("/")[2]


def _resources(
    pinned: str, config: str, split: str, examples: Sequence[Example]
) -> tuple[Resource, ...]:
    """Return what the examples spend, in their order, with the units that the dataset states."""
    lists = load_samples(pinned, config, split).table["resources"].combine_chunks().flatten()
    names, units = (lists.field(name).to_pylist() for name in ("resource", "unit"))
    unit = dict(zip(names, units, strict=True))
    spent = dict.fromkeys(name for each in examples for name in each.probe.budget.limits)
    return tuple(Resource(name, unit.get(name, name)) for name in spent)
