"""Continuations of recorded rollouts of a game: the same turns again, then others.

The recorded messages of the agent are given to a fresh environment of the recorded instance, whose
observations must be the recorded ones. From there an agent plays on.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from bagen_data.errors import InputError
from bagen_data.fast_json import load_json
from collect.agent_name import read_agent_name
from collect.agents import Agent, Counter, Reply, ScriptedAgent
from collect.collect_options import CollectOptions
from collect.dialogue_layout import Dialogues, record
from collect.environment import Environment, Game, Rules
from collect.family_run import Play
from collect.play import play
from collect.played_on import (
    OTHER_ENVIRONMENT,
    check_agent,
    difference,
    provenance,
    warn_of_equal,
)
from collect.recorded_family import FLAG, Start, read_recorded, starts_of
from collect.replayed_agents import ReplayedAgent, RestoredAgent, recorded_reply
from collect.scripted_agents import find_scripted_agents
from collect.task_command import Recording, check
from collect.task_command import record as record_family
from collect.token_count import token_count

if TYPE_CHECKING:
    from collect.model_agent import ModelAgent


def record_continuations(
    options: CollectOptions, game: Game, agent_options: Mapping[str, Any]
) -> None:
    """Record a family of continuations of recorded rollouts of a game.

    Args:
        options: the options of every task, `resume_from` among them.
        game: the game, with the options that the rollouts were recorded with.
        agent_options: options of its scripted agents.

    Raises:
        InputError: the rollouts cannot be played on; or as `task_command.record`.
        WrongUsageError, OutputError: as `task_command.record`.
    """
    check(options, game.task)
    layout = Dialogues(game.task)
    family = read_recorded(options.resume_from or "", game.task, layout)
    if read_agent_name(str(family.settings.get("agent"))).strategy:
        raise InputError(
            f"{FLAG} {family.folder}: was recorded by {family.settings['agent']}, which asks in "
            "several conversations, so it cannot be played on turn by turn; give another family"
        )
    lengths = {number: len(each["turns"]) for number, each in family.rollouts.items()}
    starts = starts_of(family, options.turn or (), lengths)
    seed = int(family.settings.get("seed", 0))
    agents = _ScriptedAgents(game, seed, options.seed, options.script, agent_options)

    def scripted(options: CollectOptions) -> Play:
        return ContinuedScripted(game, seed, starts, agents, options.tokenizer)

    def modelled(options: CollectOptions, model: "ModelAgent") -> Play:
        return ContinuedModelled(game, seed, starts, model, options.seed, options.tokenizer)

    recording = Recording(
        game.task,
        len(starts) * (options.continuations or 0),
        {**game.settings, **agent_options},
        layout,
        scripted,
        modelled,
        provenance(family, layout.path(family.folder), starts),
    )
    check_agent(family, options, recording)
    count = cache(token_count(options.tokenizer).count)
    for start in starts:
        environment = game.environment(seed, start.number)
        replayed = ReplayedAgent(_replies(start))
        is_scripted = options.is_scripted
        agent = agents.agent(start, 0, environment, count) if is_scripted else replayed
        check_start(game.rules, start, environment, agent, count)
    record_family(options, recording)
    warn_of_equal([_played_on(each) for _, each in layout.read(options.out)])


def _replies(start: Start) -> list[Reply]:
    return [recorded_reply(turn) for turn in start.record["turns"][: start.turn]]


def check_start(
    rules: Rules, start: Start, environment: Environment, agent: Agent, count: Counter
) -> None:
    """Replay the recorded turns, and refuse them where the environment gives something else.

    Args:
        rules: the rules of the game.
        start: the rollout and the turn.
        environment: a fresh one, of the recorded seed and number.
        agent: gives the recorded replies.
        count: tokens of a text.

    Raises:
        InputError: the message names the turn, what was recorded, and what the environment gave.
    """
    if environment.instance_id != start.record["instance_id"]:
        raise InputError(
            f"{FLAG} {start.place}: the instance is recorded as {start.record['instance_id']}, and "
            f"the environment gives {environment.instance_id}; {OTHER_ENVIRONMENT}"
        )
    played = play(environment, agent, replace(rules, turns=start.turn), count)
    own = load_json(orjson.dumps(record(start.number, played, None)))["turns"]
    recorded = start.record["turns"]
    for place, turn in enumerate(recorded[: start.turn]):
        if place == len(own):
            raise InputError(
                f"{FLAG} {start.place}: turn {place}: the rollout is recorded to go on, and "
                f"ends in the environment; {OTHER_ENVIRONMENT}"
            )
        _check_turn(start, place + 1, turn, own[place])
    text = played.turns[-1].observation.text
    if played.turns[-1].observation.done:
        text = "(the end)"
    if text != recorded[start.turn]["user_prompt"]:
        raise difference(
            start, start.turn, "observation", recorded[start.turn]["user_prompt"], text
        )


def _check_turn(
    start: Start, number: int, recorded: Mapping[str, Any], own: Mapping[str, Any]
) -> None:
    for name in sorted(recorded.keys() | own.keys(), key=lambda name: (name != "messages", name)):
        if recorded.get(name) != own.get(name):
            raise difference(start, number, name, recorded.get(name), own.get(name))


@dataclass(frozen=True)
class _ScriptedAgents:
    """Maker of the scripted agents of recorded rollouts."""

    game: Game
    recorded_seed: int
    seed: int
    """Seed of what is drawn after the recorded turns."""
    name: str | None
    options: Mapping[str, Any] = field(default_factory=dict)

    def agent(self, start: Start, number: int, environment: Environment, count: Counter) -> Agent:
        """Return the agent of a continuation."""
        task = self.game.task
        rng = random.Random(f"agent {task} {self.recorded_seed} {start.number}")
        script = find_scripted_agents(task).script(self.name, environment, rng, **self.options)
        seed = start.seed(self.seed, number)
        return RestoredAgent(start.place, _replies(start), ScriptedAgent(script, count), rng, seed)


@dataclass(frozen=True)
class ContinuedScripted:
    """Player of continuations by number, with the scripted agents that were recorded."""

    game: Game
    recorded_seed: int
    starts: Sequence[Start]
    agents: _ScriptedAgents
    tokenizer: str | None = None
    """The tokenizer that counts usage; words and marks if None."""

    def __call__(self, number: int) -> dict[str, Any]:
        """Return the continuation of a number: continuations go round the starts."""
        again, place = divmod(number, len(self.starts))
        start = self.starts[place]
        counting = token_count(self.tokenizer)
        count = cache(counting.count)
        environment = self.game.environment(self.recorded_seed, start.number)
        agent = self.agents.agent(start, again, environment, count)
        played = play(environment, agent, self.game.rules, count)
        rollout = record(number, played, counting.name)
        return rollout | _identity(start, again, self.agents.seed)


@dataclass(frozen=True)
class ContinuedModelled:
    """Player of continuations by number, with a model."""

    game: Game
    recorded_seed: int
    starts: Sequence[Start]
    model: "ModelAgent"
    seed: int
    """Seed for the record: a model's draws are its provider's."""
    tokenizer: str | None = None
    """Tokenizer that counts what of the history fits into a request; words and marks if None."""

    def __call__(self, number: int) -> dict[str, Any]:
        """Return the continuation of a number: continuations go round the starts."""
        from collect.model_agent import ModelConversation

        again, place = divmod(number, len(self.starts))
        start = self.starts[place]
        environment = self.game.environment(self.recorded_seed, start.number)
        model = ModelConversation(self.model, self.game.rules.response_tokens)
        agent = ReplayedAgent(_replies(start), model)
        played = play(environment, agent, self.game.rules, token_count(self.tokenizer).count)
        return record(number, played, None) | _identity(start, again, self.seed)


def _identity(start: Start, number: int, seed: int) -> dict[str, Any]:
    """Return the fields of a record that tell a continuation from its rollout."""
    return {
        "instance_id": str(start.name(number)),
        "continues": start.provenance(number, seed),
    }


def _played_on(record: Mapping[str, Any]) -> tuple[tuple[int, int], bytes]:
    """Return the start of a continuation, and what was played after it."""
    source = record["continues"]
    start = (source["rollout"], source["turn"])
    texts = [turn["parsed_response"] for turn in record["turns"][source["turn"] :]]
    return start, orjson.dumps(texts)
