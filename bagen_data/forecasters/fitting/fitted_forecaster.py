"""Fit a forecaster, measure it on instances that it has not seen, and write its folder."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np

from bagen_data.errors import OutputError, WrongUsageError
from bagen_data.forecasters import Answer, Learn, find_forecaster, known_forecasters
from bagen_data.forecasters.fitting.forecaster_card import LIBRARY, CardFacts, render_card
from bagen_data.forecasters.fitting.known_limits import known_limits
from bagen_data.forecasters.fitting.teaching_data import TeachingData
from bagen_data.forecasters.fitting.unseen_scores import (
    UnseenScores,
    cross_fitted_scores,
    heldout_scores,
    number_of_parts,
)
from bagen_data.forecasters.kept.forecaster_files import FILES, forecaster_files
from bagen_data.forecasters.kept.kept_forecaster import (
    KeptForecaster,
    keep,
    learned_of,
    within_budget,
)
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.column_forecasters import (
    Fit,
    ForecastModel,
    coherent,
    forecasts,
)
from bagen_data.forecasters.learning.examples import Example
from bagen_data.replaced_folder import replaced_folder
from bagen_data.schema import Estimate, Probe
from bagen_data.versions import __version__
from bagen_data.wording import numbered

_FITTED_WITH = ("numpy", "scikit-learn")
"""Packages whose version may change the fitted arrays."""


@dataclass(frozen=True)
class FittedForecaster:
    """A fitted forecaster, the data it learned from, and its scores on unseen instances."""

    kept: KeptForecaster
    data: TeachingData
    cross_fitted: UnseenScores
    heldout: UnseenScores | None
    limits: tuple[str, ...]
    """Limits of the forecaster, one sentence each."""

    @property
    def summary(self) -> str:
        """The beginning of a sentence: the forecaster, its task, and what it learned from."""
        data = self.data
        unknowing = "" if data.knows_success else ", which does not know success"
        return (
            f"the {self.kept.kind} forecaster of {data.task}{unknowing}, learned from "
            f"{numbered(len(data.rollouts), 'rollout')} of "
            f"{numbered(len(data.instance_ids), 'instance')},"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return plain numbers, lists and dicts, as JSON takes them."""
        learned = vars(self.kept.learned_from) | {"rollout_models": list(self.data.rollout_models)}
        return {
            "kind": self.kept.kind,
            "task": self.kept.task,
            "resources": list(self.kept.resources),
            "budgets": dict(self.kept.budgets),
            "knows_success": self.data.knows_success,
            "learned_from": learned,
            "refused": [f"{each.where}: {each.reason}" for each in self.data.refused],
            "notes": list(self.data.notes),
            "limits": list(self.limits),
            "skill": dict(self.kept.skill),
        }


def check_forecaster(name: str) -> None:
    """Check that a forecaster of this name can be fitted, before any data are read.

    Raises:
        WrongUsageError: no forecaster has the name, or it cannot be kept.
    """
    if name not in known_forecasters() or not (_kept_fit(name, True) or _kept_fit(name, False)):
        _fit_of(name, knows_success=True)


def number_of_fits(name: str, data: TeachingData) -> int:
    """Return the number of times that `fit` learns: each part, the held-out ones, and for good.

    Raises:
        WrongUsageError: the forecaster cannot be fitted; see `fit`.
    """
    _fit_of(name, data.knows_success)
    parts = number_of_parts(find_forecaster(name), data.examples)
    return parts + bool(data.heldout) + 1


def fit(
    name: str, data: TeachingData, seed: int, learned: Callable[[], None] = lambda: None
) -> FittedForecaster:
    """Fit a forecaster on all examples, and score it on instances that were kept from it.

    Args:
        name: one of `known_forecasters()` that can be kept.
        data: the data that it learns from.
        seed: seed of the folds and of learning.
        learned: is called after each time of learning, for a progress bar.

    Raises:
        WrongUsageError: no forecaster has the name, it cannot be kept, or it learns no amounts
            without outcomes.
        MissingExtraError: it needs scikit-learn, which is not installed.
    """
    learn_model = _counted(_fit_of(name, data.knows_success), learned)
    forecaster = find_forecaster(name)
    learn = forecast_learner(learn_model, data.knows_success)
    cross_fitted = cross_fitted_scores(forecaster, learn, data.examples, seed)
    heldout = None
    if data.heldout:
        heldout = heldout_scores(learn, data.examples, data.heldout, seed)
    source = data.source
    learned_from = learned_of(
        data.examples,
        dataset=source.dataset or "",
        revision=source.revision,
        commit=source.commit,
        config=source.config,
        splits=source.splits,
        seed=seed,
    )
    skill = {"cross_fitted": cross_fitted.to_dict()}
    if heldout:
        skill["heldout"] = heldout.to_dict()
    kept = keep(
        name,
        learn_model(data.examples, seed),
        data.examples,
        learned_from=learned_from,
        skill=skill,
    )
    units = {each.name: each.unit for each in data.resources}
    limits = tuple(known_limits(data, cross_fitted))
    facts = CardFacts(
        forecaster=name,
        seed=seed,
        data=data,
        budgets=kept.budgets,
        conditions=kept.conditions,
        cross_fitted=cross_fitted,
        heldout=heldout,
        limits=limits,
        versions=_versions(),
    )
    kept = replace(kept, units=units, card=render_card(facts))
    return FittedForecaster(kept, data, cross_fitted, heldout, limits)


def forecast_learner(learn_model: Fit, knows_success: bool) -> Learn:
    """Return a function that learns answers to the question for a forecast.

    Without outcomes `finish` of an answer is the probability that what is still used fits what is
    left, and `success` is 1: each rollout counts as one.
    """

    def learn(examples: Sequence[Example], seed: int) -> Answer:
        model = learn_model(examples, seed)

        def answer(probes: Sequence[Probe]) -> list[Estimate]:
            asked = AskedColumns.of(probes)
            columns = coherent(model.foretell(asked), asked.amounts)
            if not knows_success:
                within = within_budget(columns.quantiles, asked.amounts)
                columns = replace(columns, finish=within, success=np.ones(len(within)))
            return [each.estimate() for each in forecasts(columns, asked.amounts.resources)]

        return answer

    return learn


@contextmanager
def new_folder(out: Path | None) -> Iterator[Callable[[FittedForecaster], None]]:
    """Hold a folder for a forecaster before it is fitted; yield the function that writes it.

    The folder appears whole when the block ends, and not at all if it fails.

    Args:
        out: the folder; None keeps nothing.

    Raises:
        OutputError: the folder holds other files, cannot be written, or another process writes it.
    """
    if out is None:
        yield lambda _: None
        return
    with replaced_folder(out, FILES) as staging:

        def save(fitted: FittedForecaster) -> None:
            try:
                for name, content in forecaster_files(fitted.kept).items():
                    (staging / name).write_bytes(content)
            except OSError as error:
                raise OutputError(f"{out}: cannot be written: {error.strerror or error}") from error

        yield save


def _fit_of(name: str, knows_success: bool) -> Fit:
    """Return the function that fits the model of a forecaster that is kept.

    Raises:
        WrongUsageError: no forecaster has the name, it cannot be kept, or it learns nothing without
            outcomes.
    """
    is_known = name in known_forecasters()
    learn_model = _kept_fit(name, knows_success) if is_known else None
    if learn_model is None:
        kept = [each for each in known_forecasters() if _kept_fit(each, knows_success)]
        why = "cannot be kept" if knows_success else "learns nothing from rollouts without outcomes"
        why = why if is_known else "is not a forecaster"
        raise WrongUsageError(f"--forecaster {name}: {why}; expected one of {', '.join(kept)}")
    return learn_model


def _counted(learn_model: Fit, learned: Callable[[], None]) -> Fit:
    """Return a fit that calls `learned` each time after it has learned."""

    def learn(examples: Sequence[Example], seed: int) -> ForecastModel:
        model = learn_model(examples, seed)
        learned()
        return model

    return learn


def _kept_fit(name: str, knows_success: bool) -> Fit | None:
    forecaster = find_forecaster(name)
    if forecaster.model is None:
        return None
    return forecaster.fit if knows_success else forecaster.fit_amounts


def _versions() -> dict[str, str]:
    versions = {LIBRARY: __version__}
    for package in _FITTED_WITH:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            continue  # climatology needs no scikit-learn
    return versions
