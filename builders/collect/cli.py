"""Record origin rollouts: one command a task.

\b
    python -m builders collect sokoban --agent scripted --rollouts 8 --seed 0 \\
        --out out/origin/sokoban-origin-scripted
    python -m builders build --origin out/origin --out out/dataset

A family is resumed, or added to, by the same command with --resume.
"""  # noqa: D301  \b keeps the lines as they are

from functools import partial
from typing import Annotated, Any

import typer

from builders.collect.command import Common, Recording, add_command
from builders.collect.dialogues import Dialogues
from builders.collect.environment import Game
from builders.collect.run import Play
from builders.collect.scripted import Scripted
from builders.collect.sokoban import game as sokoban_game

app = typer.Typer(help=__doc__, no_args_is_help=True, rich_markup_mode=None)


def of_game(game: Game[Any]) -> Recording:
    """How a game of text is recorded."""
    return Recording(
        game.task,
        game.told,
        game.scripts,
        Dialogues(game.task),
        partial(_scripted, game),
        partial(_modelled, game),
    )


def _scripted(game: Game[Any], common: Common) -> Play:
    return Scripted(game, common.seed, common.script, common.tokenizer)


def _modelled(game: Game[Any], common: Common, model: Any) -> Play:
    from builders.collect.model_agent import Modelled

    return Modelled(game, common.seed, model, common.tokenizer)


def sokoban(
    size: Annotated[str, typer.Option(help="ROWSxCOLUMNS, with the outer wall.")] = "6x6",
    boxes: Annotated[int, typer.Option(help="On a level.")] = 1,
    error_rate: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Of scripted agents' moves; each draws its own else."),
    ] = None,
) -> Recording:
    """Sokoban: levels by reverse play, each solvable; at most 3 moves a turn, and 10 turns."""
    return of_game(sokoban_game.sokoban(size, boxes, error_rate))


add_command(app, "sokoban", sokoban)
