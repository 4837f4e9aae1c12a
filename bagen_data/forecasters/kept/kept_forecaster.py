"""A forecaster that was fitted, with what is known of it: it can be saved, shared and asked.

>>> from bagen_data.forecasters.kept import load_forecaster
>>> kept = load_forecaster("my-forecaster")               # doctest: +SKIP
>>> kept.forecast(probes)[0].finish                       # doctest: +SKIP
0.71
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats
from bagen_data.errors import InputError
from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.forecasters.learning.column_forecasters import ForecastModel, coherent, forecasts
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.probe_amounts import ProbeAmounts
from bagen_data.schema import GENERAL, WAREHOUSE, Budget, Forecast, Probe, decimals
from bagen_data.versions import __version__

_UNITS = {resource.name: resource.unit for resource in (*GENERAL, *WAREHOUSE)}


@dataclass(frozen=True)
class AmountForecast:
    """Quantiles of remaining amounts by a forecaster that does not know which runs succeed."""

    quantiles: Mapping[str, tuple[float, ...]]
    """Quantiles at `QUANTILE_LEVELS` of what the run will still use, by resource."""
    within_budget: float
    """The probability that what is still used fits what is left, 0 where a budget is exceeded. Of
    several resources it is the least probability of one, which the probability that all fit is at
    most."""

    @property
    def finish(self) -> None:
        """Always None: the forecaster learned from runs whose outcome is not known."""

    @property
    def success(self) -> None:
        """Always None: the forecaster learned from runs whose outcome is not known."""


@dataclass(frozen=True)
class LearnedFrom:
    """The rollouts that a forecaster learned from."""

    dataset: str = ""
    """The dataset as it was given, ORG/NAME or the name of a folder; empty of logs."""
    revision: str | None = None
    """The dataset's content revision."""
    commit: str | None = None
    """The dataset's commit on the Hub."""
    config: str | None = None
    """The config of the samples."""
    splits: tuple[str, ...] = ()
    """The splits of the config."""
    probes: int = 0
    """The number of samples."""
    rollouts: int = 0
    """The number of rollouts."""
    instances: int = 0
    """The number of instances."""
    instance_sha256: tuple[str, ...] = field(default=(), repr=False)
    """The SHA-256 of each instance (`instance_hash`), ascending."""
    seed: int = 0
    """The seed of what was drawn."""


@dataclass(frozen=True, eq=False)
class KeptForecaster:
    """A model learned from one task's rollouts, with its source.

    Forecasts are the same to the bit whether a probe is asked alone or among others, before and
    after the forecaster is saved and loaded.
    """

    kind: str
    """The name of the forecaster that learned, such as `forest`."""
    task: str
    units: Mapping[str, str]
    """Units of the amounts, by resource in the order of forecasts."""
    budgets: Mapping[str, float]
    """Usual budgets, by resource: the median of those of the rollouts it learned from."""
    model: ForecastModel = field(repr=False)
    """The learned model."""
    conditions: Mapping[str, float] = field(default_factory=dict)
    """Usual least values of a run's final state, by `target_<state>`, medians as well;
    empty where success depends on no state."""
    learned_from: LearnedFrom = field(default_factory=LearnedFrom)
    skill: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Skill and calibration on unseen instances, a JSON object; empty where not measured."""
    card: str = field(default="", repr=False)
    """The text of README.md, which the Hub shows; a short one is written where it is empty."""
    package_version: str = __version__
    """The version of bagen-data that made it."""

    @property
    def resources(self) -> tuple[str, ...]:
        """The resources that it forecasts, in the order of its forecasts."""
        return tuple(self.units)

    @property
    def knows_success(self) -> bool:
        """Whether the model learned from outcomes; otherwise its forecasts are of amounts alone."""
        return self.model.knows_success

    def foretell(self, asked: AskedColumns) -> ForecastColumns:
        """Return coherent forecasts of n probes; without outcomes, their probabilities are NaN.

        Raises:
            InputError: the probes have other resources, or features of another version.
        """
        if asked.amounts.resources != self.resources:
            raise InputError(
                f"the {self.kind} forecaster of {self.task}: forecasts {', '.join(self.resources)},"
                f" and is asked about {', '.join(asked.amounts.resources)}; ask about its resources"
                ", in this order"
            )
        if self.model.names and asked.names != self.model.names:
            raise InputError(
                f"the {self.kind} forecaster of {self.task}: reads other features than it "
                "is given; ask it about a probe of its task"
            )
        return coherent(self.model.foretell(asked), asked.amounts)

    def forecasts(self, asked: AskedColumns) -> list[Forecast | AmountForecast]:
        """Return the forecasts of n probes one by one.

        Raises:
            InputError: as `foretell`.
        """
        columns = self.foretell(asked)
        if self.knows_success:
            return [*forecasts(columns, self.resources)]
        within = within_budget(columns.quantiles, asked.amounts)
        quantiles = np.moveaxis(columns.quantiles, -1, 0).tolist()
        return [
            AmountForecast(dict(zip(self.resources, map(tuple, own), strict=True)), chance)
            for own, chance in zip(quantiles, within.tolist(), strict=True)
        ]

    def forecast(self, probes: Sequence[Probe]) -> list[Forecast | AmountForecast]:
        """Return the forecast of each probe.

        Raises:
            InputError: a probe is of another task, or has another kind of budget.
        """
        if not probes:
            return []
        for number, probe in enumerate(probes):
            if probe.task != self.task:
                raise InputError(
                    f"probes[{number}]: is of task {probe.task}, and the {self.kind} forecaster "
                    f"answers {self.task} only; give a forecaster that was fitted on {probe.task}"
                )
            self.check_budget(probe.budget, f"probes[{number}]")
        return self.forecasts(AskedColumns.of(probes))

    def check_budget(self, budget: Budget, where: str) -> None:
        """Refuse a budget of other resources, or with other conditions, than it learned from.

        Args:
            budget: the limits of a run, and the least values of its final state.
            where: the beginning of the message.

        Raises:
            InputError: the budget has others, or its resources are in another order.
        """
        for what, own, given in (
            ("resources", self.resources, tuple(budget.limits)),
            ("conditions", tuple(sorted(self.conditions)), tuple(sorted(budget.conditions))),
        ):
            if own != given:
                raise InputError(
                    f"{where}: its budget has the {what} {', '.join(given) or 'none'}, and the "
                    f"{self.kind} forecaster of {self.task} learned from {', '.join(own) or 'none'}"
                    "; give these, in this order, or fit it again"
                )

    def save(self, folder: Path | str) -> None:
        """Write the forecaster into a folder: all of its three files, or none.

        Raises:
            InputError: a part of it cannot be kept, or is larger than what is loaded again.
            OutputError: the folder holds other files, or cannot be written.
        """
        from bagen_data.forecasters.kept.forecaster_files import save_forecaster

        save_forecaster(self, Path(folder))

    def push_to_hub(
        self,
        repository: str,
        *,
        message: str = "Upload a forecaster",
        private: bool = False,
        create_pr: bool = False,
    ) -> str:
        """Send the forecaster to a model repository of the Hub, by one commit; return its address.

        Args:
            repository: ORG/NAME; it is created where it does not exist.
            message: first line of the commit's message, and title of a pull request.
            private: whether a repository that is created is private.
            create_pr: whether a pull request is opened and the branch `main` left alone.

        Raises:
            WrongUsageError: `repository` is not ORG/NAME.
            InputError: a part of it cannot be kept, the token is missing, or the Hub refuses.
            StoreError: the Hub does not answer.
        """
        from bagen_data.forecasters.kept.pushing import push

        return push(self, repository, message, private=private, create_pr=create_pr).address

    @classmethod
    def from_pretrained(cls, name: str | Path, *, revision: str | None = None) -> "KeptForecaster":
        """Return a forecaster of a folder or of the Hub; nothing of its files is run.

        Args:
            name: a folder, or ORG/NAME.
            revision: a branch, tag or commit of the Hub; the newest commit if None.

        Raises:
            InputError: the forecaster does not exist, or cannot be used.
            StoreError: the Hub does not answer.
        """
        from bagen_data.forecasters.kept.forecaster_lookup import load_forecaster

        return load_forecaster(name if revision is None else f"{name}@{revision}")

    @property
    def sha256(self) -> str:
        """The SHA-256 of forecaster.json as it is saved, which names the arrays by theirs."""
        from bagen_data.forecasters.kept.forecaster_files import RECORD, forecaster_files

        return hashlib.sha256(forecaster_files(self)[RECORD]).hexdigest()


def keep(
    kind: str,
    model: ForecastModel,
    examples: Sequence[Example],
    learned_from: LearnedFrom | None = None,
    skill: Mapping[str, Any] | None = None,
) -> KeptForecaster:
    """Return a forecaster that can be saved.

    Args:
        kind: the name of the forecaster that learned.
        model: the model that its `fit` or `fit_amounts` returned.
        examples: the examples it learned from, one or more of one task; its usual budget is theirs.
        learned_from: facts of these examples; counted if None.
        skill: its skill on instances it had not seen, as JSON.
    """
    budgets = {example.rollout: example.probe.budget for example in examples}.values()
    return KeptForecaster(
        kind=kind,
        task=examples[0].task,
        units={name: _UNITS.get(name, name) for name in model.resources},
        budgets={
            name: _whole(median(each.limits[name] for each in budgets), name)
            for name in model.resources
        },
        conditions={
            name: float(median(each.conditions[name] for each in budgets))
            for name in examples[0].probe.budget.conditions
            if all(name in each.conditions for each in budgets)
        },
        model=model,
        learned_from=learned_from or learned_of(examples),
        skill=skill or {},
    )


def learned_of(examples: Iterable[Example], **known: Any) -> LearnedFrom:
    """Return what is to be said of examples, counted, with fields that are known of their source.

    Args:
        examples: the examples that were learned from.
        known: further fields of `LearnedFrom`, such as `dataset`.
    """
    examples = list(examples)
    hashes = {instance_hash(one.task, one.instance_id) for one in examples}
    return LearnedFrom(
        probes=len(examples),
        rollouts=len({one.rollout for one in examples}),
        instances=len(hashes),
        instance_sha256=tuple(sorted(hashes)),
        **known,
    )


def instance_hash(task: str, instance_id: str) -> str:
    """Return the SHA-256 of `task/instance_id`, by which an instance is known without its name."""
    return hashlib.sha256(f"{task}/{instance_id}".encode("utf-8", "surrogatepass")).hexdigest()


def within_budget(quantiles: Floats, amounts: ProbeAmounts) -> Floats:
    """Return (n,) the probability that what is still used fits what is left.

    Each resource's is read off its quantiles as the scores of budget curves read it
    (`scoring.forecast_formulas.chance_within`). How resources depend on each other is not known, so
    the least of them is given: the probability that all fit is at most that.

    Args:
        quantiles: (r, 5, n) at `QUANTILE_LEVELS`.
        amounts: amounts of the n probes.
    """
    from bagen_data.scoring.forecast_formulas import chance_within

    left = np.maximum(amounts.left, 0)
    chances = [chance_within(own, rest) for own, rest in zip(quantiles, left, strict=True)]
    return np.where(amounts.is_open, np.minimum.reduce(chances), 0.0)


def _whole(amount: float, resource: str) -> float:
    """Return an amount in the digits of its resource, whole where these are none."""
    digits = decimals(resource)
    return round(amount, digits) if digits else float(round(amount))
