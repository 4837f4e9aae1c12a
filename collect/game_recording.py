"""Rollouts of a game of text, by scripted agents or by a model."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bagen_data.errors import WrongUsageError
from collect.collect_options import CollectOptions
from collect.dialogue_layout import Dialogues
from collect.environment import Game
from collect.family_run import Play
from collect.run_budget import run_budget
from collect.scripted_rollouts import Scripted
from collect.task_command import Recording, record

if TYPE_CHECKING:
    from collect.model_agent import ModelAgent


@dataclass(frozen=True)
class Strategy:
    """A way to use a model in the rollouts of a game, other than turn by turn."""

    play: Callable[[CollectOptions, "ModelAgent"], Play]
    settings: Mapping[str, Any]
    """Settings that decide how the strategy plays, for the record."""


def record_game(
    options: CollectOptions,
    game: Game,
    agent_options: Mapping[str, Any] | None = None,
    strategies: Mapping[str, Strategy] | None = None,
) -> None:
    """Record a family of a game.

    Args:
        options: the options of every task.
        game: the game.
        agent_options: options of its scripted agents.
        strategies: the game's strategies by name.

    Raises:
        as `task_command.record`.
    """
    agent_options, strategies = agent_options or {}, strategies or {}
    if options.resume_from is not None:
        if options.strategy:
            raise WrongUsageError(
                f"--resume-from: a rollout cannot be played on by {options.strategy}:; give the "
                "model alone"
            )
        from collect.continuations import record_continuations

        record_continuations(options, game, agent_options)
        return

    budget = run_budget(options.budgeting, game)

    def scripted(options: CollectOptions) -> Play:
        return Scripted(
            game, options.seed, options.script, options.tokenizer, agent_options, budget
        )

    strategy = strategies.get(options.strategy)

    def modelled(options: CollectOptions, model: "ModelAgent") -> Play:
        from collect.model_agent import Modelled

        if strategy:
            return strategy.play(options, model)
        return Modelled(game, options.seed, model, options.tokenizer, budget)

    settings = {**game.settings, **agent_options}
    layout = Dialogues(game.task)
    rollouts = options.number_of_rollouts
    record(
        options,
        Recording(
            game.task,
            rollouts,
            settings,
            layout,
            scripted,
            modelled,
            budget=budget.settings if budget else {},
            strategies=[*strategies],
            strategy=strategy.settings if strategy else {},
        ),
    )
