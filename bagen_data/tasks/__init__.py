"""The tasks, one file each: what a task is, and how it is found.

A task is a module `bagen_data/tasks/<task>.py` with a `TASK`, and a prompt
`bagen_data/prompts/<task>.txt`. Nothing registers it: the two file names do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path

from bagen_data.answers import check_resource_name
from bagen_data.budgets import Realised
from bagen_data.errors import InputError
from bagen_data.logs.turn_readers import TurnReader, token_turns
from bagen_data.prompts import known_prompts
from bagen_data.replay import benchmark_prefixes
from bagen_data.schema import Budget, Resource

BudgetRule = Callable[[Sequence[Realised]], list[Budget]]
"""A function from what a family's rollouts came to, in file order, to the budget of each."""

PrefixRule = Callable[[Sequence[int]], list[list[int]]]
"""A function from the turns T of each rollout of a family to the k of each that become benchmark
samples."""


RESERVED = ("default", "general", "overall", "reference", "rollouts")
"""Names of configs, of scores and of the general task, which no task can have."""


def is_reserved(name: str) -> bool:
    """Return whether no task can have a name: one of `RESERVED`, or a task's own further config."""
    return name.lower() in RESERVED or name.lower().endswith(("_train", "_start"))


def every_prefix(total_turns: Sequence[int]) -> list[list[int]]:
    """Return every k = 1 .. T-1 of each rollout."""
    return [list(benchmark_prefixes(turns)) for turns in total_turns]


@dataclass(frozen=True)
class Task:
    """An environment of the benchmark, or a user's own."""

    resources: tuple[Resource, ...]
    """The resources that the task's agents spend; one alone is answered with a bare interval."""
    budgets: BudgetRule
    """The rule of budgets where no `--budget` is given."""
    turns: TurnReader = token_turns
    """Reads what each turn spent; it must supply every resource."""
    prefixes: PrefixRule = every_prefix
    """The rule of which probes of a family are in the benchmark."""
    least_turns: int = 1
    """Turns of a rollout, below which it takes no part: it gets neither a budget nor a sample."""
    context_limit: int | None = None
    """Tokens of one request, above which an idle turn counts as cut off."""
    seeds: Mapping[str, int] = field(default_factory=dict)
    """The seeds of the task's random rules, for the record."""
    named_by_instance: bool = False
    """A rollout is named by its instance instead of a hash of its content."""

    def __post_init__(self) -> None:
        names = [resource.name for resource in self.resources]
        for name in names:
            check_resource_name(name)
        if not names or len(set(names)) < len(names):
            raise ValueError(f"a task's resources are {names}; expected one or more, each once")
        missing = sorted(set(names) - self.turns.resources)
        if missing:
            raise ValueError(
                f"a task spends {', '.join(missing)}, and its turn reader supplies "
                f"{', '.join(sorted(self.turns.resources))}; give turns=turn_count(...), "
                "logged_amounts(...) or together(...) of bagen_data/logs/turn_readers.py, or a "
                "TurnReader of its own"
            )


def known_tasks() -> list[str]:
    """The names of all tasks, sorted."""
    here = Path(__file__).parent
    return [
        name
        for name in known_prompts()
        if (here / f"{name}.py").is_file() and not is_reserved(name)
    ]


def find_task(name: str) -> Task:
    """Return the task of that name.

    Raises:
        InputError: there is none, and the message lists the known ones; or its module cannot be
            imported, or has no `TASK`.
    """
    if name not in known_tasks():
        raise InputError(f"unknown task '{name}'; known: {', '.join(known_tasks())}")
    try:
        task = import_module(f"{__name__}.{name}").TASK
    except Exception as error:  # whatever a user's own module raises
        raise InputError(
            f"bagen_data/tasks/{name}.py: cannot be used: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(task, Task):
        raise InputError(
            f"bagen_data/tasks/{name}.py: TASK is {type(task).__name__}; expected Task"
        )
    return task
