"""The options that `python -m collect` has for every task."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from bagen_data.errors import WrongUsageError
from bagen_data.models.model_options import ModelOptions
from collect.agent_name import read_agent_name
from collect.budget_options import BudgetOptions
from collect.scripted_agents import SCRIPTED


@dataclass(frozen=True, kw_only=True)
class CollectOptions:
    """The options of every task."""

    agent: Annotated[
        str,
        typer.Option(
            help="Agent: scripted, scripted/NAME, or a model: PROVIDER/NAME as of Inspect; for "
            "Search-R1 "
            "also bats:, sequential: or parallel: before the model."
        ),
    ]
    rollouts: Annotated[
        int | None, typer.Option(min=1, help="Number of rollouts of the family.")
    ] = None
    resume_from: Annotated[
        str | None,
        typer.Option(
            help="Recorded rollouts to play on: a family's folder for all of them, or "
            "FOLDER:NUMBER or FOLDER:INSTANCE for one."
        ),
    ] = None
    turn: Annotated[
        list[int] | None,
        typer.Option(min=1, help="Last turn of --resume-from that is replayed; any number."),
    ] = None
    continuations: Annotated[
        int | None, typer.Option(min=1, help="Continuations of each rollout at each --turn.")
    ] = None
    out: Annotated[Path, typer.Option(help="Folder: ORIGIN/TASK-origin-MODEL or -train-MODEL.")]
    seed: Annotated[
        int,
        typer.Option(
            min=0,
            help="Seed of instances and of scripted agents; of --continuations, of agents alone.",
        ),
    ] = 0
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with what is in --out, or add to it.")
    ] = False
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="A tokenizer's folder or Hub id: counts what scripted agents use, and what fits "
            "into a request; words and marks are counted if left out."
        ),
    ] = None
    workers: Annotated[int, typer.Option(min=1, help="Processes of scripted agents.")] = 1
    budgeting: BudgetOptions = field(default_factory=BudgetOptions)
    """The limits of a rollout."""
    model: ModelOptions
    """Options of requests to a model, if the agent is one."""

    def __post_init__(self) -> None:
        played_on = {"turn": self.turn or None, "continuations": self.continuations}
        if self.resume_from is None:
            refuse_unused(played_on, "rollouts that begin anew", "give --resume-from, or leave out")
            if self.rollouts is None:
                raise WrongUsageError("--rollouts is missing; expected how many to record")
            return
        refuse_unused({"rollouts": self.rollouts}, "--resume-from, which has --continuations")
        refuse_unused({"budget": self.budgeting.budget}, "--resume-from, which replays as recorded")
        missing = [f"--{name}" for name, value in played_on.items() if value is None]
        if missing:
            raise WrongUsageError(f"--resume-from: {' and '.join(missing)} must be given, too")

    @property
    def budget(self) -> Mapping[str, float]:
        """The most that a rollout may spend of each resource; empty where there is no budget."""
        return self.budgeting.limits

    @property
    def number_of_rollouts(self) -> int:
        """Number of rollouts of a family that begins anew."""
        return self.rollouts or 0

    @property
    def strategy(self) -> str:
        """Use of the model in a rollout; empty where it answers turn by turn."""
        return read_agent_name(self.agent).strategy

    @property
    def model_name(self) -> str:
        """The model as Inspect knows it, without the strategy."""
        return read_agent_name(self.agent).model

    @property
    def script(self) -> str | None:
        """The name of the scripted agent; None for whichever."""
        return self.agent.partition("/")[2] or None

    @property
    def is_scripted(self) -> bool:
        """Return whether no model is asked."""
        return self.agent.partition("/")[0] == SCRIPTED


def refuse_unused(options: Mapping[str, object], where: str, what_to_do: str = "leave out") -> None:
    """Refuse options that would be left unused.

    Args:
        options: the options by name; None or an empty list where one was not given.
        where: the thing with which the options are of no use, as the message names it.
        what_to_do: the end of the message.

    Raises:
        WrongUsageError: naming those that were given.
    """
    given = [name for name, value in options.items() if value not in (None, [])]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise WrongUsageError(f"{flags}: of no use with {where}; {what_to_do}")
