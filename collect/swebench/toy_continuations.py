"""Continuations of scripted rollouts on toys, whose commands print the same again."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from bagen_data.fast_json import load_json
from collect.collect_options import CollectOptions
from collect.family_run import Play
from collect.played_on import check_agent, difference, provenance, warn_of_equal
from collect.recorded_family import RecordedFamily, Start, read_recorded, starts_of
from collect.scripted_agents import find_scripted_agents
from collect.swebench.local_rollout import Limits
from collect.swebench.minisweagent_import import load_mini_swe_agent
from collect.swebench.trajectory_layout import PREDICTIONS, RUN, Trajectories
from collect.task_command import Recording, check, record

TASK = "swebench"


def record_toy_continuations(options: CollectOptions, settings: Mapping[str, Any]) -> None:
    """Record continuations of a scripted family of toys.

    Args:
        options: the options of every task, `resume_from` among them.
        settings: the task's own, which must be the recorded ones: `local` and `steps`.

    Raises:
        InputError, WrongUsageError, OutputError: as `collect.continuations`.
    """
    check(options, TASK)
    load_mini_swe_agent()
    layout = Trajectories()
    family = read_recorded(options.resume_from or "", TASK, layout)
    lengths = {number: _turns(each) for number, each in family.rollouts.items()}
    starts = starts_of(family, options.turn or (), lengths)
    with TemporaryDirectory(prefix="bagen-toys-") as folder:
        toys = _toys(family, options, settings, Path(folder))

        def scripted(options: CollectOptions) -> Play:
            continued: Callable[..., Play] = find_scripted_agents(TASK).ContinuedToys
            return continued(toys, starts, options.seed)

        recording = Recording(
            TASK,
            len(starts) * (options.continuations or 0),
            settings,
            layout,
            scripted,
            _no_model,
            provenance(family, family.folder / RUN / PREDICTIONS, starts),
        )
        check_agent(family, options, recording)
        replayed = find_scripted_agents(TASK).ContinuedToys(toys, starts, options.seed)
        for start in starts:
            _check_start(start, replayed.prefix(start))
        record(options, recording)
    warn_of_equal([_played_on(each) for _, each in layout.read(options.out)])


def _no_model(_options: CollectOptions, _model: object) -> Play:
    raise AssertionError("a model's commands are not played on")


def _toys(
    family: RecordedFamily, options: CollectOptions, settings: Mapping[str, Any], folder: Path
) -> Any:
    """Return the scripted toys of the recorded family, in repositories that are made again."""
    agents = find_scripted_agents(TASK)
    seed = int(family.settings.get("seed", 0))
    toys = agents.choose_toys(seed, max(family.rollouts) + 1, settings["local"]["first"])
    instances = agents.make_repositories(toys, folder)
    limits = Limits(steps=settings["steps"])
    return agents.ScriptedToys(toys, instances, seed, options.tokenizer, limits)


def _turns(trajectory: Mapping[str, Any]) -> int:
    return sum(message["role"] == "assistant" for message in trajectory["messages"])


def _check_start(start: Start, replayed: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a rollout whose commands do not print what is recorded.

    Raises:
        InputError: the message names the turn.
    """
    turn = 0
    for recorded, own in zip(
        start.record["messages"], load_json(orjson.dumps(replayed)), strict=False
    ):
        turn += recorded["role"] == "assistant"
        for name in ("role", "content", "tool_calls", "extra"):
            if recorded.get(name) != own.get(name):
                raise difference(start, turn, name, recorded.get(name), own.get(name))


def _played_on(trajectory: Mapping[str, Any]) -> tuple[tuple[int, int], bytes]:
    """Return the start of a continuation, and what was played after it."""
    source = trajectory["info"]["continues"]
    said = [each for each in trajectory["messages"] if each["role"] == "assistant"]
    texts = [(each["content"], each.get("tool_calls")) for each in said[source["turn"] :]]
    return (source["rollout"], source["turn"]), orjson.dumps(texts)
