"""Options of a run's budget: how much an agent may spend, what it sees of it, and who stops it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

import typer

from bagen_data.errors import WrongUsageError


@dataclass(frozen=True, kw_only=True)
class BudgetOptions:
    """The options of a budget; none of them has an effect without `--budget`.

    Raises:
        WrongUsageError: the budget has another form, or another option is given without it.
    """

    budget: Annotated[
        str | None,
        typer.Option(
            metavar="RESOURCE=NUMBER,...",
            help="Most that a rollout may spend, such as tokens=2500,search=8: a rollout that "
            "would spend more ends there and has failed. [default: no budget]",
        ),
    ] = None
    tracker: Annotated[
        bool,
        typer.Option(
            "--tracker",
            help="Show the agent what it has used of --budget, and what is left, at the end of "
            "each user message.",
        ),
    ] = False
    stop_with: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Kept forecaster (bagen fit) that may stop a rollout: by the folder's "
            "policy.json, else by the default policy.",
        ),
    ] = None

    def __post_init__(self) -> None:
        others = {"--tracker": self.tracker, "--stop-with": self.stop_with}
        given = [flag for flag, value in others.items() if value]
        if self.budget is None and given:
            raise WrongUsageError(
                f"{', '.join(given)}: needs a budget; give one, such as --budget tokens=2500"
            )
        if self.budget is not None:
            parse_limits(self.budget)

    @property
    def limits(self) -> Mapping[str, float]:
        """The most that may be spent of each resource; empty where there is no budget."""
        return {} if self.budget is None else parse_limits(self.budget)


def parse_limits(text: str) -> dict[str, float]:
    """Return the limits of a `--budget` value by resource.

    Raises:
        WrongUsageError: the value has another form.

    >>> parse_limits("tokens=2500, search=8")
    {'tokens': 2500, 'search': 8}
    """
    limits: dict[str, float] = {}
    for part in text.split(","):
        name, _, stated = (word.strip() for word in part.partition("="))
        number = _number(stated)
        if not name or number is None:
            raise WrongUsageError(
                f"--budget {text}: expected RESOURCE=NUMBER with numbers above 0, several with "
                "commas between, such as tokens=2500,search=8"
            )
        if name in limits:
            raise WrongUsageError(f"--budget {text}: {name} has two limits; give one")
        limits[name] = number
    return limits


def _number(text: str) -> float | None:
    """Return a finite number above 0, whole ones as int; None for another text."""
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number) or number <= 0:
        return None
    return int(number) if number.is_integer() else number
