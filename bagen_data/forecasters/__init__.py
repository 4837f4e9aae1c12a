"""The forecasters, one file each, which answer probes without a language model.

A forecaster is a module `bagen_data/forecasters/<name>.py` with a `FORECASTER`. Nothing registers
it: the file name does. `learning/` holds what several of them use.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from bagen_data.errors import InputError, WrongUsageError

if TYPE_CHECKING:
    from bagen_data.forecasters.learning.column_forecasters import Fit, ForecastModel
    from bagen_data.forecasters.learning.examples import Example
    from bagen_data.schema import Estimate, Probe

Answer = Callable[[Sequence["Probe"]], list["Estimate"]]
"""Answers probes of one task, at least one, in their order."""
Learn = Callable[[Sequence["Example"], int], Answer]
"""Learns from examples of one task, at least one, and a seed; the same teach it the same."""

ALPHA = 0.2
"""Forecasters that aim at a coverage give central intervals of 1 - alpha."""

FOLDS = 10
"""Parts of a family's instances, each of which is predicted from the others."""

BaselineQuestion = Literal["interval", "forecast"]
"""The questions that forecasters answer."""
SeenSamples = Literal["refused", "answered"]
"""The treatment of samples whose instance a kept forecaster learned from."""

_SIMPLEST_FIRST = (
    *("always_infeasible", "always_feasible", "over_budget"),
    *("extrapolation", "quantiles", "median_22", "conformal", "reward_optimal"),
    *("climatology", "aft", "forest"),
)
"""The order of tables; forecasters that are not listed follow by name."""


@dataclass(frozen=True)
class Forecaster:
    """A way to answer probes without a language model, and the facts that metadata state of it."""

    learn: Learn
    """The function that learns to answer with intervals."""
    learns: bool = True
    """Whether the forecaster needs examples."""
    settings: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    """Values that the metadata give as its decoding parameters."""
    learn_forecasts: Learn | None = None
    """The function that learns to answer with forecasts; None if it answers with intervals only."""
    folds: int | None = FOLDS
    """Parts of a family's instances where each part is predicted from the others; None: each
    instance is a part."""
    fit: "Fit | None" = None
    """The function that fits the model of its forecasts; None if it answers with intervals only."""
    fit_amounts: "Fit | None" = None
    """The function that fits amounts alone, from rollouts whose outcome is not known."""
    model: "type[ForecastModel] | None" = None
    """The class of what `fit` and `fit_amounts` return; None where it cannot be kept."""
    needs_scikit_learn: bool = False
    """Whether the forecaster learns with scikit-learn, which is an extra."""

    def check_packages(self) -> None:
        """Refuse to go on without the packages that it learns with.

        Raises:
            MissingExtraError: scikit-learn is needed and not installed.
        """
        if self.needs_scikit_learn:
            from bagen_data.forecasters.learning.learners import scikit_learn

            scikit_learn("__version__")

    @property
    def question(self) -> BaselineQuestion:
        """The question it answers by default: for a forecast where it gives one."""
        return "interval" if self.learn_forecasts is None else "forecast"

    def learner(self, question: BaselineQuestion) -> Learn | None:
        """Return the function that learns to answer a question; None if it cannot answer it."""
        return self.learn if question == "interval" else self.learn_forecasts

    @classmethod
    def of_rule(cls, answer: Answer) -> Self:
        """Return a forecaster that learns nothing: it reads only the amounts that a probe shows."""
        return cls(lambda *_: answer, learns=False)


def known_forecasters() -> list[str]:
    """Return the names of all forecasters, from the simplest on; none is imported for it."""
    names = sorted(path.stem for path in Path(__file__).parent.glob("[!_]*.py"))
    place = {name: number for number, name in enumerate(_SIMPLEST_FIRST)}
    return sorted(names, key=lambda name: place.get(name, len(place)))


def find_forecaster(name: str) -> Forecaster:
    """Return the forecaster of this name.

    Raises:
        WrongUsageError: no forecaster has this name; the message lists the known ones.
        InputError: its module has no `FORECASTER`.
    """
    known = known_forecasters()
    if name not in known:
        raise WrongUsageError(
            f"no baseline is called {name}; expected one of {', '.join(known)}, or the folder of a "
            "forecaster that 'bagen fit' wrote"
        )
    forecaster = getattr(import_module(f"{__name__}.{name}"), "FORECASTER", None)
    if not isinstance(forecaster, Forecaster):
        raise InputError(
            f"bagen_data/forecasters/{name}.py: has no FORECASTER; a module that is not a "
            "forecaster has a name with _ before it"
        )
    return forecaster
