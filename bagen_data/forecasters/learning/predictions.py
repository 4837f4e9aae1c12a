"""Answer a split with a forecaster."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeVar

import numpy as np

from bagen_data.answers import render
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters import BaselineQuestion, Forecaster, Learn, find_forecaster
from bagen_data.forecasters.learning.examples import Example, LoadedExamples, load_examples
from bagen_data.forecasters.learning.hidden_probes import AskedProbe, load_hidden_probes
from bagen_data.hub import is_hidden, splits
from bagen_data.repositories.dataset_places import pinned
from bagen_data.schema import Estimate

_Asked = TypeVar("_Asked", bound=Example | AskedProbe)

Load = Callable[[str, str | None, str], LoadedExamples]
"""`load_examples`, or what remembers what it has loaded."""
TRAINING_SPLITS = ("sft", "rl")
"""Splits of a `<task>_train` to learn from; the held-out one is for trying what was learned."""


@dataclass(frozen=True)
class ForecastRequest:
    """A forecaster, and the samples it is to answer."""

    path: str
    """A folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV."""
    config: str | None
    """A task or `<task>_train`; every task's benchmark if None."""
    split: str
    """`test`; `heldout` of a `<task>_train`."""
    forecaster: str
    """Name of the forecaster, one of `known_forecasters()`."""
    seed: int = 0
    cross_validate: bool = False
    """Learn of each family from the family itself: of some instances from the others."""
    learn_from: str | None = None
    """A dataset with `<task>_train` configs to learn from; `path` itself if None."""
    question: BaselineQuestion | None = None
    """The question that is answered; the forecaster's own (`Forecaster.question`) if None."""


@dataclass(frozen=True)
class Predicted:
    """Answers, and what was learned for them."""

    rows: list[dict[str, str]]
    """`sample_id` and `response`, in the dataset's order."""
    trained_on: str
    """`none`, `train` or `benchmark`, as in the metadata of a submission."""
    settings: Mapping[str, bool | int | float | str]
    """Settings with which the answers were made, as the metadata give them."""
    question: BaselineQuestion
    """The question that was answered."""
    revision: str | None
    """Revision of the dataset."""


def predict(request: ForecastRequest, load: Load = load_examples) -> Predicted:
    """Answer every sample of a split.

    Args:
        request: a forecaster and samples.
        load: function that reads the samples; `functools.cache(load_examples)` for several
            forecasters.

    Raises:
        WrongUsageError: no forecaster has the name, it does not answer the question, it learns
            nothing although `cross_validate` is asked for, or it would be asked what it learned
            from.
        InputError: the dataset cannot be used, or has nothing to learn from.
    """
    forecaster = find_forecaster(request.forecaster)
    question = request.question or forecaster.question
    learn = _learner(request.forecaster, forecaster, question)
    _check(request, forecaster)
    forecaster.check_packages()
    request = replace(request, path=pinned(request.path))
    answers: dict[str, Estimate] = {}
    asked: Sequence[Example | AskedProbe]
    if is_hidden(request.path):
        _check_hidden(request, forecaster)
        hidden = load_hidden_probes(request.path, request.config, request.split)
        asked, revision = hidden.probes, hidden.revision
    else:
        loaded = load(request.path, request.config, request.split)
        asked, revision = loaded.examples, loaded.revision
        if request.cross_validate:
            for own in _by(loaded.examples, "family"):
                answers |= cross_validated(learn, own, request.seed, forecaster.folds)
    if not request.cross_validate:
        for questions in _by(asked, "task"):
            known = []
            if forecaster.learns:
                known = _training(request, questions, load)
            answers |= answered(learn, known, questions, request.seed)
    rows = []
    for each in asked:
        response = render(answers[each.sample_id], question)
        rows.append({"sample_id": each.sample_id, "response": response})
    trained_on, settings = "none", dict(forecaster.settings)
    if forecaster.learns:
        is_benchmark = request.cross_validate and request.split == "test"
        trained_on = "benchmark" if is_benchmark else "other" if request.learn_from else "train"
        settings["seed"] = request.seed
    if request.cross_validate:
        settings["cross_validated_folds"] = forecaster.folds or "one per instance"
    return Predicted(rows, trained_on, settings, question, revision)


def _learner(name: str, forecaster: Forecaster, question: BaselineQuestion) -> Learn:
    learn = forecaster.learner(question)
    if learn is None:
        raise WrongUsageError(
            f"--question {question}: {name} answers with intervals only; leave --question out, or "
            "take a baseline that forecasts, such as climatology"
        )
    return learn


def _check(request: ForecastRequest, forecaster: Forecaster) -> None:
    if request.cross_validate and not forecaster.learns:
        raise WrongUsageError(f"{request.forecaster} learns nothing; leave out --cross-validate")
    if request.learn_from and (request.cross_validate or not forecaster.learns):
        raise WrongUsageError(
            f"--learn-from {request.learn_from}: is of no use with a baseline that learns nothing, "
            "or with --cross-validate; leave one out"
        )
    if forecaster.learns and not request.cross_validate and request.split in TRAINING_SPLITS:
        raise WrongUsageError(
            f"--split {request.split}: {request.forecaster} learns from it; predict test or "
            "heldout, or give --cross-validate"
        )


def _check_hidden(request: ForecastRequest, forecaster: Forecaster) -> None:
    if request.cross_validate:
        raise WrongUsageError(
            f"--cross-validate: {request.path} is a hidden split, without labels to learn from; "
            "give --learn-from DATASET instead"
        )
    if forecaster.learns and request.learn_from is None:
        raise WrongUsageError(
            f"{request.forecaster} learns, and {request.path} is a hidden split, without labels; "
            "give --learn-from DATASET, with _train configs of the same tasks"
        )


def _training(
    request: ForecastRequest,
    asked: Sequence[Example | AskedProbe],
    load: Load,
) -> list[Example]:
    """Return what there is to learn from, but probes with nothing remaining.

    Start probes are learned about from start probes, and others from others.
    """
    path = pinned(request.learn_from) if request.learn_from else request.path
    config = f"{asked[0].task}_train"
    has_turns = any(each.probe.turns for each in asked)
    examples = [
        example
        for split in splits(path, config)
        if split in TRAINING_SPLITS
        for example in load(path, config, split).examples
        if bool(example.probe.turns) == has_turns and any(example.target.remaining.values())
    ]
    if not examples:
        raise InputError(
            f"{path}: {request.forecaster} learns from config {config}, which is not "
            "there, or has nothing to learn from; give --cross-validate to predict each rollout of "
            "a family from the family's others"
        )
    return examples


def cross_validated(
    learn: Learn, examples: Sequence[Example], seed: int, folds: int | None
) -> dict[str, Estimate]:
    """Return answers by sample, each instance's learned from the instances of other parts.

    Args:
        learn: function that learns answers from examples.
        examples: one or more, of one task; an instance is left out with its rollouts of every
            family.
        seed: seed of the parts and of learning.
        folds: parts at most; None: each instance is a part.

    Raises:
        InputError: all examples are of one instance.
    """
    instances = {example.instance_id for example in examples}
    if len(instances) < 2:
        family = examples[0].family
        raise InputError(
            f"{family}: has one instance only; --cross-validate needs others to learn from"
        )
    fold = parts_of_instances(instances, folds, seed)
    answers: dict[str, Estimate] = {}
    for part in sorted(set(fold.values())):
        own = [each for each in examples if fold[each.instance_id] == part]
        others = [each for each in examples if fold[each.instance_id] != part]
        answers |= answered(learn, others, own, seed)
    return answers


def parts_of_instances(instances: Collection[str], parts: int | None, seed: int) -> dict[str, int]:
    """Return the part of each instance, 0 .. parts - 1, by its id.

    Args:
        instances: ids, each once or more often.
        parts: parts at most; None: each instance is a part.
        seed: seed of the draw.
    """
    known = sorted(set(instances))
    order = np.random.default_rng(seed).permutation(len(known))
    number = min(parts or len(known), len(known))
    return {known[place]: rank % number for rank, place in enumerate(order)}


def answered(
    learn: Learn,
    known: Sequence[Example],
    asked: Sequence[Example | AskedProbe],
    seed: int,
) -> dict[str, Estimate]:
    """Return answers by sample to examples or probes of one task, learned from other examples.

    Raises:
        InputError: the forecaster gave other answers than were asked for.
    """
    answer = learn(known, seed)
    estimates = answer([example.probe for example in asked])
    if len(estimates) != len(asked):
        raise InputError(f"the forecaster gave {len(estimates)} answers to {len(asked)} probes")
    for each, one in zip(asked, estimates, strict=True):
        resources = each.probe.budget.limits.keys()
        if not isinstance(one, Estimate) or one.intervals.keys() not in (resources, set()):
            raise InputError(
                f"{each.sample_id}: the forecaster answered {one}; expected an Estimate with an "
                f"interval for each of {', '.join(resources)}, or infeasible"
            )
    return {each.sample_id: one for each, one in zip(asked, estimates, strict=True)}


def _by(asked: Sequence[_Asked], name: str) -> Iterator[list[_Asked]]:
    """Yield the examples or probes of each task or family."""

    def key(each: _Asked) -> str:
        return str(getattr(each, name))

    for _, own in groupby(sorted(asked, key=key), key):
        yield list(own)
