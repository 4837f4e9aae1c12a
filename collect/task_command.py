"""A run of `python -m collect`, for every task alike: what is checked, played and kept."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bagen_data.console import STDERR, shown
from bagen_data.errors import InputError, MissingExtraError, OutputError, WrongUsageError
from bagen_data.family_name import parse_family_name
from bagen_data.models.failure_reasons import correct_first, refusal_reason, to_correct
from bagen_data.progress_bar import progress_bar
from bagen_data.redaction import check_no_secret
from bagen_data.wording import numbered
from collect.collect_options import CollectOptions, refuse_unused
from collect.family_run import Driver, Layout, Play, Wanted, collect, in_processes, in_threads
from collect.scripted_agents import SCRIPTED, find_scripted_agents
from collect.token_count import token_count

if TYPE_CHECKING:
    from collect.model_agent import ModelAgent


_STOPPING = {"budget": "the budget", "forecaster": "the forecaster"}
"""The causes that stop a rollout, in words."""


@dataclass(frozen=True)
class Recording:
    """The way in which the rollouts of a task are played and kept."""

    task: str
    rollouts: int
    """Number of rollouts of the family."""
    settings: Mapping[str, Any]
    """Options of the task, and of its scripted agents."""
    layout: Layout
    scripted: Callable[[CollectOptions], Play]
    modelled: Callable[[CollectOptions, "ModelAgent"], Play]
    continues: Mapping[str, Any] = field(default_factory=dict)
    """The recorded rollouts that are played on; empty where a family begins anew."""
    budget: Mapping[str, Any] = field(default_factory=dict)
    """Limits of a rollout and effects of its budget; empty where there is none."""
    strategies: Collection[str] = ()
    """The strategies that `modelled` plays beside a model that answers turn by turn."""
    strategy: Mapping[str, Any] = field(default_factory=dict)
    """Settings of the agent's strategy; empty where the agent has none."""


def record(options: CollectOptions, recording: Recording) -> None:
    """Collect a family, and say what came of it.

    Raises:
        InputError: a rollout failed; the others are kept.
        OutputError: the family cannot be written, or not any further.
    """
    check(options, recording.task, recording.strategies)
    wanted = Wanted(
        options.out,
        settings_of(options, recording),
        recording.rollouts,
        recording.layout,
        options.resume,
    )
    with _playing(options, recording) as (play, drive), progress_bar() as bar:
        step = bar.add_task(shown(options.out.name).plain, total=recording.rollouts)
        try:
            family = collect(wanted, play, drive, lambda: bar.advance(step))
        except KeyboardInterrupt:
            STDERR.print("what was recorded is kept; go on with --resume")
            raise
        except OSError as error:
            raise OutputError(
                f"{options.out}: {error.strerror or error}; what was recorded is kept; correct "
                "that, then go on with --resume"
            ) from error
    print(
        f"{options.out} holds {numbered(family.rollouts, 'rollout')} of {recording.task} by "
        f"{options.agent}{_stopped(recording, options.out)}"
    )
    if family.failed:
        listed = "\n".join(
            f"  rollout {number}: {refusal_reason(why)}" for number, why in family.failed.items()
        )
        raise InputError(
            f"{numbered(len(family.failed), 'rollout')} could not be recorded:\n{listed}\n"
            f"{correct_first(map(to_correct, family.failed.values()))}"
            "the same command with --resume tries them again"
        )


def _stopped(recording: Recording, folder: Path) -> str:
    """Say how many rollouts of a written family were stopped; empty where it has no budget."""
    if not recording.budget:
        return ""
    stopped = Counter(rollout.get("stopped_by") for _, rollout in recording.layout.read(folder))
    by = [f"{stopped[name]} by {words}" for name, words in _STOPPING.items() if stopped[name]]
    return f"; stopped: {', '.join(by) if by else 'none'}"


def check(options: CollectOptions, task: str, strategies: Collection[str] = ()) -> None:
    """Refuse options that do not fit each other.

    Args:
        options: the options.
        task: the task of the family.
        strategies: the strategies that an agent's name may begin with.

    Raises:
        WrongUsageError: naming the option.
    """
    family = parse_family_name(options.out.name)
    if family is None or family.task != task:
        raise WrongUsageError(
            f"--out {options.out}: expected a folder named {task}-origin-MODEL or "
            f"{task}-train-MODEL, without spaces: a family's name says what it holds"
        )
    for flag, value in (("--agent", options.agent), ("--tokenizer", options.tokenizer)):
        check_no_secret(flag, value)
    if not options.is_scripted:
        if options.strategy and options.strategy not in strategies:
            known = f"one of {', '.join(strategies)}" if strategies else "none"
            raise WrongUsageError(
                f"--agent {options.agent}: {task} has no strategy {options.strategy!r}; expected "
                f"{known}, so give the model alone or another strategy"
            )
        if "/" not in options.model_name:
            raise WrongUsageError(
                f"--agent {options.agent}: expected {SCRIPTED}, {SCRIPTED}/NAME, or a model as "
                "PROVIDER/NAME"
            )
        if options.workers > 1:
            raise WrongUsageError("--workers: is of scripted agents; a model has --connections")
        return
    names = find_scripted_agents(task).NAMES
    if options.script and options.script not in names:
        known = "".join(f", {SCRIPTED}/{name}" for name in names)
        raise WrongUsageError(f"--agent {options.agent}: unknown; there are: {SCRIPTED}{known}")
    refuse_unused(options.model.given(), "scripted agents")


def settings_of(options: CollectOptions, recording: Recording) -> dict[str, Any]:
    """Return all that decides what is played, but the number of rollouts."""
    counting = token_count(options.tokenizer)
    model = {"generation": options.model.generation, "model_args": options.model.model_args}
    return {
        "task": recording.task,
        "agent": options.agent,
        "seed": options.seed,
        "tokens": {"counted with": counting.name, "sha256": counting.sha256},
        "usage": "simulated" if options.is_scripted else "as the API reported it",
        **({} if options.is_scripted else model),
        "options": dict(recording.settings),
        **({"strategy": dict(recording.strategy)} if recording.strategy else {}),
        **({"budget": dict(recording.budget)} if recording.budget else {}),
        **({"continues": dict(recording.continues)} if recording.continues else {}),
    }


@contextmanager
def _playing(options: CollectOptions, recording: Recording) -> Iterator[tuple[Play, Driver]]:
    if options.is_scripted:
        yield recording.scripted(options), in_processes(options.workers)
        return
    try:
        from collect.model_agent import ModelAgent
    except ModuleNotFoundError as error:
        raise MissingExtraError("inspect-ai", "models") from error
    with ModelAgent(options.model_name, options.model) as model:
        yield recording.modelled(options, model), in_threads(options.model.connections)
