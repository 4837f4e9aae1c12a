"""Record origin rollouts: one command a task.

\b
    python -m builders collect sokoban --agent scripted --rollouts 8 --seed 0 \\
        --out out/origin/sokoban-origin-scripted
    python -m builders build --origin out/origin --out out/dataset

A family is resumed, or added to, by the same command with --resume.
"""  # noqa: D301  \b keeps the lines as they are

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from builders.collect.command import Common, Recording, add_command
from builders.collect.dialogues import Dialogues
from builders.collect.environment import Game
from builders.collect.run import Play
from builders.collect.scripted import Scripted
from builders.collect.searchr1 import game as searchr1_game
from builders.collect.sokoban import game as sokoban_game
from builders.collect.warehouse.game import Warehouse

SAMPLE = Path(__file__).parents[2] / "sample" / "search"
"""A small corpus and its questions."""
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


def searchr1(
    questions: Annotated[
        Path, typer.Option(help="JSONL or Parquet: question, answer, perhaps id.")
    ] = SAMPLE / "questions.jsonl",
    corpus: Annotated[
        Path, typer.Option(help="JSONL or Parquet: title and text, or contents.")
    ] = SAMPLE / "corpus.jsonl",
    first: Annotated[
        int, typer.Option(min=0, help="Of the seed's order: what others begin with is left out.")
    ] = 0,
    documents: Annotated[int, typer.Option(min=1, help="That a search shows.")] = 3,
) -> Recording:
    """Search-R1: one search[...] or finish[...] a turn, over a corpus of yours, 10 turns."""
    return of_game(searchr1_game.searchr1(questions, corpus, first, documents))


def warehouse() -> Recording:
    """Warehouse: Acme, a small supply chain, for 22 weeks in 11 turns."""
    return of_game(Warehouse())


for task in (sokoban, searchr1, warehouse):
    add_command(app, task.__name__, task)
