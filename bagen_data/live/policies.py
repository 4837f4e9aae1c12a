"""Policies: when a run is stopped, as data that a JSON file holds.

>>> policy = ThresholdPolicy(stop_below=0.2, patience=2, first_turn=3)
>>> policy.stops(finish=[0.1, 0.5, 0.1, 0.1], success=[0.5, 0.5, 0.5, 0.5])
4
>>> policy.advise([TurnForecast(3, 0.1, 0.5), TurnForecast(4, 0.1, 0.5)]).action
'stop'
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

import numpy as np
import numpy.typing as npt

from bagen_data.array_types import Floats, Mask
from bagen_data.errors import InputError
from bagen_data.live.advice import Advice
from bagen_data.live.policy_record import (
    FORMAT,
    check_amount,
    check_count,
    check_inner_probability,
    check_probability,
    check_text,
    field_values,
    read_record,
    record_text,
    shown,
)
from bagen_data.live.turn_forecast import TurnForecast
from bagen_data.replaced_file import write_file

Outcome = Literal["finish", "success"]
"""`finish`: the run succeeds within every budget. `success`: it succeeds if no budget stops it."""

_LEAST_CHANCE = 1e-12
"""Smaller probabilities count as this one, so that odds are finite."""
_CHANCES: Mapping[Outcome, str] = {
    "finish": "the chance to succeed within the budgets",
    "success": "the chance to succeed",
}


@dataclass(frozen=True)
class ThresholdPolicy:
    """Stop a run whose probability to finish stays below a threshold.

    Raises:
        InputError: a value is out of range.
    """

    kind: ClassVar[str] = "threshold"
    stop_below: float = 0.2
    """Stop where `finish` is below it; 0 never stops, 0 .. 1."""
    patience: int = 1
    """Number of turns in a row at which it has to be."""
    first_turn: int = 3
    """Never stop before this turn is complete, from 1 on."""
    warn_below: float = 0.5
    """Warn where `finish` is below it, 0 .. 1."""
    about: str = ""
    """Sentence that says how the policy was chosen."""

    def __post_init__(self) -> None:
        check_probability("stop_below", self.stop_below)
        check_count("patience", self.patience)
        _check_common(self.first_turn, self.warn_below, self.about)

    def advise(self, history: Sequence[TurnForecast]) -> Advice:
        """Return what to do after the last turn of a run.

        Args:
            history: a forecast of each turn, in order.
        """
        recent = [one.finish for one in history[-self.patience :] if one.completed_turns >= 1]
        is_long_enough = len(recent) == self.patience
        if is_long_enough and history[-1].completed_turns >= self.first_turn:
            chances = [
                chance for chance in recent if chance is not None and chance < self.stop_below
            ]
            if len(chances) == self.patience:
                lasting = f" at {self.patience} turns in a row" if self.patience > 1 else ""
                return Advice(
                    "stop",
                    f"{_CHANCES['finish']} is {_percent(chances[-1])}, below "
                    f"{_percent(self.stop_below)}{lasting}",
                )
        return _warning(history, "finish", self.warn_below)

    def stops(self, finish: npt.ArrayLike, success: npt.ArrayLike) -> int | None:  # noqa: ARG002
        """Return the first turn at which `advise` says stop; None if it never does.

        Args:
            finish: (t,) probabilities after turns 1 .. t; NaN where they are not known.
            success: (t,) the same of success.
        """
        is_low = np.asarray(finish, float) < self.stop_below
        run = 0
        for turn, low in enumerate(is_low.tolist(), 1):
            run = run + 1 if low else 0
            if run >= self.patience and turn >= self.first_turn:
                return turn
        return None

    def save(self, path: Path | str) -> None:
        """Write the policy to a JSON file.

        Raises:
            OSError: the file cannot be written.
        """
        write_file(Path(path), policy_text(self))


@dataclass(frozen=True)
class SequentialPolicy:
    """Stop a run once its evidence against success passes a calibrated threshold.

    The evidence after turn k is `(1 - p) / p` of the forecast probability p of the outcome, divided
    by the same of the base rate. At most a share of `max_false_abort` of the runs that
    would have had the outcome is stopped (`bagen_data/policies/calibration.py` has the conditions).

    Raises:
        InputError: a value is out of range.
    """

    kind: ClassVar[str] = "sequential"
    max_false_abort: float = 0.05
    """Largest share of the runs that would have had the outcome that may be stopped, 0 .. 1."""
    threshold: float | None = None
    """Stop where the evidence is greater; None never stops."""
    base_rate: float = 0.5
    """Share of the calibration's runs that had the outcome, more than 0 and less than 1."""
    outcome: Outcome = "success"
    """The outcome that must not be lost."""
    first_turn: int = 1
    """Never stop before this turn is complete, from 1 on."""
    warn_below: float = 0.5
    """Warn where the probability of the outcome is below it, 0 .. 1."""
    calibrated_on: float = 0.0
    """Weight of the calibration's runs that had the outcome: each instance weighs 1, and its runs
    share it."""
    about: str = ""
    """Sentence that says how the policy was calibrated."""

    def __post_init__(self) -> None:
        check_inner_probability("max_false_abort", self.max_false_abort)
        check_inner_probability("base_rate", self.base_rate)
        check_amount("threshold", self.threshold or 0.0)
        check_amount("calibrated_on", self.calibrated_on)
        if self.outcome not in get_args(Outcome):
            raise InputError(f"outcome is {self.outcome!r}; expected 'finish' or 'success'")
        _check_common(self.first_turn, self.warn_below, self.about)

    @property
    def needed(self) -> int:
        """The weight of runs with the outcome that a calibration needs to stop anything."""
        return weight_needed(self.max_false_abort)

    @property
    def stop_below(self) -> float:
        """The probability of the outcome below which a run is stopped; 0 if none is."""
        if self.threshold is None:
            return 0.0
        odds = self.base_rate / (1 - self.base_rate)
        return odds / (odds + self.threshold)

    def evidence(self, chance: npt.ArrayLike) -> Floats:
        """Return the evidence against the outcome.

        Args:
            chance: probabilities of the outcome, of any shape; NaN gives NaN.
        """
        return evidence_against(chance, self.base_rate)

    def advise(self, history: Sequence[TurnForecast]) -> Advice:
        """Return what to do after the last turn of a run; a stopped run stays stopped.

        Args:
            history: a forecast of each turn, in order.
        """
        chances = [
            np.nan if getattr(one, self.outcome) is None else getattr(one, self.outcome)
            for one in history
            if one.completed_turns >= self.first_turn
        ]
        if self._exceeded(chances).any():
            return Advice(
                "stop",
                f"{_CHANCES[self.outcome]} has fallen to {_percent(float(np.nanmin(chances)))}; at "
                f"most {_percent(self.max_false_abort)} of the runs that succeed look like this",
            )
        return _warning(history, self.outcome, self.warn_below)

    def stops(self, finish: npt.ArrayLike, success: npt.ArrayLike) -> int | None:
        """Return the first turn at which `advise` says stop; None if it never does.

        Args:
            finish: (t,) probabilities after turns 1 .. t; NaN where they are not known.
            success: (t,) the same of success.
        """
        chances = np.asarray(finish if self.outcome == "finish" else success, float)
        exceeded = np.flatnonzero(self._exceeded(chances[self.first_turn - 1 :]))
        return int(exceeded[0]) + self.first_turn if len(exceeded) else None

    def save(self, path: Path | str) -> None:
        """Write the policy to a JSON file.

        Raises:
            OSError: the file cannot be written.
        """
        write_file(Path(path), policy_text(self))

    def _exceeded(self, chances: npt.ArrayLike) -> Mask:
        if self.threshold is None:
            return np.zeros(np.shape(chances), bool)
        return self.evidence(chances) > self.threshold


Policy = ThresholdPolicy | SequentialPolicy
_KINDS: Mapping[str, type[ThresholdPolicy] | type[SequentialPolicy]] = {
    each.kind: each for each in (ThresholdPolicy, SequentialPolicy)
}


def policy_text(policy: Policy) -> str:
    """Return a policy as the JSON text that its file holds."""
    return record_text(policy.kind, policy)


def evidence_against(chance: npt.ArrayLike, base_rate: float) -> Floats:
    """Return the odds against an outcome, relative to those of the base rate.

    For exact probabilities this is a martingale from 1 on under the outcome, so it ever reaches c
    with probability 1 / c at most (Ville, 1939).

    >>> evidence_against([0.5, 0.1], base_rate=0.5).round(3).tolist()
    [1.0, 9.0]
    """
    chances = np.maximum(np.asarray(chance, float), _LEAST_CHANCE)
    evidence: Floats = (1 - chances) / chances * (base_rate / (1 - base_rate))
    return evidence


def weight_needed(max_false_abort: float) -> int:
    """Return the least number n of successes with `ceil((n + 1) * (1 - max_false_abort)) <= n`.

    >>> weight_needed(0.05), weight_needed(0.1), weight_needed(0.5)
    (19, 9, 1)
    """
    return math.ceil((1 - max_false_abort) / max_false_abort - 1e-9)


def load_policy(path: Path | str) -> Policy:
    """Read a policy that `save` or `bagen policy --out` wrote.

    Raises:
        InputError: the file cannot be read, or does not hold a policy of this version.
    """
    try:
        return _of_record(read_record(path))
    except InputError as error:
        raise InputError(
            f"{path}: {error}; expected the file of a policy, which "
            "'bagen policy FORECASTER --out FILE' writes"
        ) from error


def _of_record(record: dict[str, Any]) -> Policy:
    stated, name = record.pop("format", None), record.pop("kind", None)
    if type(stated) is not int or stated != FORMAT:
        raise InputError(f"format is {shown(stated)}, and this version reads {FORMAT}")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise InputError(f"kind is {shown(name)}, and the known ones are {', '.join(_KINDS)}")
    return kind(**field_values(kind, record))


def _warning(history: Sequence[TurnForecast], outcome: Outcome, warn_below: float) -> Advice:
    chance = getattr(history[-1], outcome) if history else None
    if chance is None:
        return Advice("continue", "nothing is forecast yet")
    if chance < warn_below:
        return Advice("warn", f"{_CHANCES[outcome]} is {_percent(chance)}")
    return Advice("continue", f"{_CHANCES[outcome]} is {_percent(chance)}")


def _check_common(first_turn: int, warn_below: float, about: str) -> None:
    check_count("first_turn", first_turn)
    check_probability("warn_below", warn_below)
    check_text("about", about)


def _percent(chance: float) -> str:
    return f"{100 * chance:.3g}%"
