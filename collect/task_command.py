"""What `python -m collect` does for every task alike: its options, and a run with them."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bagen_data.console import STDERR
from bagen_data.errors import InputError, MissingExtraError, OutputError, WrongUsageError
from bagen_data.family_name import parse_family_name
from bagen_data.models.model_options import ModelOptions
from collect.family_run import Driver, Layout, Play, Wanted, collect, in_processes, in_threads
from collect.scripted_agents import SCRIPTED, find_scripted_agents
from collect.token_count import token_count

if TYPE_CHECKING:
    from collect.model_agent import ModelAgent


@dataclass(frozen=True, kw_only=True)
class Common:
    """The options of every task."""

    agent: Annotated[
        str, typer.Option(help="scripted, scripted/NAME, or a model: PROVIDER/NAME as of Inspect.")
    ]
    rollouts: Annotated[int, typer.Option(min=1, help="How many the family is to have.")]
    out: Annotated[Path, typer.Option(help="ORIGIN/TASK-origin-MODEL or ORIGIN/TASK-train-MODEL.")]
    seed: Annotated[int, typer.Option(min=0, help="Of instances, and of scripted agents.")] = 0
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
    model: ModelOptions
    """How a model is asked, if the agent is one."""

    @property
    def script(self) -> str | None:
        """The name of the scripted agent; None for whichever."""
        return self.agent.partition("/")[2] or None

    @property
    def is_scripted(self) -> bool:
        """Whether no model is asked."""
        return self.agent.partition("/")[0] == SCRIPTED


@dataclass(frozen=True)
class Recording:
    """How the rollouts of a task are played and kept."""

    task: str
    settings: Mapping[str, Any]
    """All options of the task, and of its scripted agents."""
    layout: Layout
    scripted: Callable[[Common], Play]
    modelled: Callable[[Common, "ModelAgent"], Play]


def record(common: Common, recording: Recording) -> None:
    """Collect a family, and say what came of it.

    Raises:
        InputError: a rollout failed; the others are kept.
        OutputError: the family cannot be written, or not any further.
    """
    check(common, recording.task)
    wanted = Wanted(
        common.out, _settings(common, recording), common.rollouts, recording.layout, common.resume
    )
    with _playing(common, recording) as (play, drive), _progress(common) as on_rollout:
        try:
            found = collect(wanted, play, drive, on_rollout)
        except KeyboardInterrupt:
            STDERR.print("what was recorded is kept; go on with --resume")
            raise
        except OSError as error:
            raise OutputError(
                f"{common.out}: {error.strerror or error}; what was recorded is kept, mend that, "
                "then go on with --resume"
            ) from error
    print(f"{found.rollouts:,} rollouts of {recording.task} by {common.agent} are in {common.out}")
    if found.failed:
        listed = "\n".join(f"  rollout {number}: {why}" for number, why in found.failed.items())
        raise InputError(
            f"{len(found.failed)} rollouts failed and are not among them:\n{listed}\n"
            "the same command with --resume tries them again"
        )


def check(common: Common, task: str) -> None:
    """Refuse options that do not fit each other.

    Args:
        common: the options.
        task: of the family.

    Raises:
        WrongUsageError: naming the option.
    """
    family = parse_family_name(common.out.name)
    if family is None or family.task != task:
        raise WrongUsageError(
            f"--out {common.out}: expected a folder named {task}-origin-MODEL or "
            f"{task}-train-MODEL, without spaces: a family's name says what it holds"
        )
    if not common.is_scripted:
        if "/" not in common.agent:
            raise WrongUsageError(
                f"--agent {common.agent}: expected {SCRIPTED}, {SCRIPTED}/NAME, or a model as "
                "PROVIDER/NAME"
            )
        if common.workers > 1:
            raise WrongUsageError("--workers: is of scripted agents; a model has --connections")
        return
    names = find_scripted_agents(task).NAMES
    if common.script and common.script not in names:
        known = "".join(f", {SCRIPTED}/{name}" for name in names)
        raise WrongUsageError(f"--agent {common.agent}: unknown; there are: {SCRIPTED}{known}")
    refuse_unused(common.model.given(), "scripted agents")


def refuse_unused(options: Mapping[str, object], where: str) -> None:
    """Refuse options that would be left unused.

    Args:
        options: by name; None or an empty list where one was not given.
        where: of what they are of no use with.

    Raises:
        WrongUsageError: naming those that were given.
    """
    given = [name for name, value in options.items() if value not in (None, [])]
    if given:
        flags = ", ".join(f"--{name.replace('_', '-')}" for name in given)
        raise WrongUsageError(f"{flags}: of no use with {where}; leave out")


def _settings(common: Common, recording: Recording) -> dict[str, Any]:
    """All that decides what is played, but how many rollouts."""
    counting = token_count(common.tokenizer)
    model = {"generation": common.model.generation, "model_args": common.model.model_args}
    return {
        "task": recording.task,
        "agent": common.agent,
        "seed": common.seed,
        "tokens": {"counted with": counting.name, "sha256": counting.sha256},
        "usage": "simulated" if common.is_scripted else "as the API reported it",
        **({} if common.is_scripted else model),
        "options": dict(recording.settings),
    }


@contextmanager
def _playing(common: Common, recording: Recording) -> Iterator[tuple[Play, Driver]]:
    if common.is_scripted:
        yield recording.scripted(common), in_processes(common.workers)
        return
    try:
        from collect.model_agent import ModelAgent
    except ModuleNotFoundError as error:
        raise MissingExtraError("inspect-ai", "models") from error
    with ModelAgent(common.agent, common.model) as model:
        yield recording.modelled(common, model), in_threads(common.model.connections)


@contextmanager
def _progress(common: Common) -> Iterator[Callable[[], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns,
        TimeElapsedColumn(),
        console=STDERR,
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as progress:
        bar = progress.add_task(escape(common.out.name), total=common.rollouts)
        yield lambda: progress.advance(bar)
