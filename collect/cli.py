"""Record origin rollouts: one command a task.

\b
    python -m collect sokoban --agent scripted --rollouts 8 --seed 0 \\
        --out out/origin/sokoban-origin-scripted
    python -m builders build --origin out/origin --out out/dataset

A family is resumed, or added to, by the same command with --resume. Recorded rollouts are played on
from a turn with --resume-from, for `bagen ceiling`. With --budget a rollout ends where it would
spend more, and `compare` shows what families of one task came to.
"""  # noqa: D301  \b keeps the lines as they are

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from bagen_data.command_line import new_app, run
from bagen_data.errors import WrongUsageError
from bagen_data.logs.log_options import ModelPrices, PriceDay
from bagen_data.option_groups import spread_options
from collect.collect_options import CollectOptions, refuse_unused
from collect.searchr1.search_defaults import ATTEMPTS, DOCUMENTS
from collect.swebench.swebench_defaults import LOCAL_HELP, STEPS, SUBSET, SUBSETS, TOYS

SAMPLE = Path(__file__).parents[1] / "sample" / "search"
"""A small corpus and its questions."""
app = new_app(__doc__)


@app.command()
@spread_options
def sokoban(
    options: CollectOptions,
    size: Annotated[
        str, typer.Option(help="Size of a level, with its outer wall: ROWSxCOLUMNS.")
    ] = "6x6",
    boxes: Annotated[int, typer.Option(help="Boxes on a level.")] = 1,
    error_rate: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Chance that a scripted agent's move is wrong; drawn if left out.",
        ),
    ] = None,
) -> None:
    """Sokoban: levels by reverse play, each solvable; at most 3 moves a turn, and 10 turns."""
    from collect.game_recording import record_game
    from collect.sokoban.sokoban_game import sokoban as sokoban_game

    game = sokoban_game(size, boxes)
    if not options.is_scripted:
        refuse_unused({"error_rate": error_rate}, "a model")
    record_game(options, game, {"error_rate": error_rate})


@app.command()
@spread_options
def searchr1(
    options: CollectOptions,
    questions: Annotated[
        Path,
        typer.Option(
            help="Questions, in JSONL or Parquet: question, answer, perhaps id.  "
            "[default: the clone's sample/search/questions.jsonl]",
            show_default=False,
        ),
    ] = SAMPLE / "questions.jsonl",
    corpus: Annotated[
        Path,
        typer.Option(
            help="Documents, in JSONL or Parquet: title and text, or contents.  "
            "[default: the clone's sample/search/corpus.jsonl]",
            show_default=False,
        ),
    ] = SAMPLE / "corpus.jsonl",
    first: Annotated[
        int,
        typer.Option(min=0, help="Questions to leave out at the beginning of the seed's order."),
    ] = 0,
    documents: Annotated[
        int, typer.Option(min=1, help="Documents that a search shows.")
    ] = DOCUMENTS,
    attempts: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Most attempts of a bats, sequential or parallel agent at a question.  "
            f"[default: {ATTEMPTS}]",
        ),
    ] = None,
) -> None:
    """Search-R1: one search[...] or finish[...] a turn, over a corpus of yours, 10 turns.

    bats:PROVIDER/MODEL plans by its budget, checks what it proposes, and begins again.
    sequential:PROVIDER/MODEL and parallel:PROVIDER/MODEL give the answer of most attempts.
    """
    from collect.game_recording import record_game
    from collect.searchr1.search_game import searchr1 as search_game
    from collect.searchr1.strategies import strategies_of, strategy_options

    for flag, path in (("--questions", questions), ("--corpus", corpus)):
        if path.parent == SAMPLE and not path.is_file():
            raise WrongUsageError(
                f"{flag}: the bundled {path.name} is in the clone's folder sample/, which is not "
                "beside collect/ here; give a file of your own"
            )
    if not options.strategy:
        refuse_unused({"attempts": attempts}, "an agent that answers once")
    game = search_game(questions, corpus, first, documents)
    most = attempts or ATTEMPTS
    record_game(
        strategy_options(options),
        game,
        strategies=strategies_of(game, most),
    )


@app.command()
@spread_options
def swebench(
    options: CollectOptions,
    local: Annotated[str | None, typer.Option(help=f"{LOCAL_HELP} Or: {TOYS}.")] = None,
    steps: Annotated[int, typer.Option(min=1, help="Turns of a local rollout.")] = STEPS,
    first: Annotated[
        int, typer.Option(min=0, help="Toys to leave out at the beginning of the seed's order.")
    ] = 0,
    subset: Annotated[
        str, typer.Option(help=f"Subset of SWE-bench: {', '.join(SUBSETS)}.")
    ] = SUBSET,
    instances: Annotated[
        Path | None, typer.Option(help="Names of SWE-bench's instances, one a line or JSONL.")
    ] = None,
    cost_usd: Annotated[
        float | None, typer.Option(min=0, help="Cost in US dollars that stops an instance.")
    ] = None,
    show: Annotated[
        list[Path] | None,
        typer.Option(help="Path that contained commands and tests may read, too; any number."),
    ] = None,
    show_tests: Annotated[
        list[Path] | None,
        typer.Option(help="Path that contained tests may read, and no command; any number."),
    ] = None,
    i_know: Annotated[
        bool, typer.Option("--i-know", help="Do not warn where nothing contains commands.")
    ] = False,
) -> None:
    """SWE-bench, by mini-swe-agent: on local repositories, or prepared for real instances.

    A scripted agent works on toy repositories. A model works on yours (--local FILE) or on the toys
    (--local toys); its commands then run on this machine, contained by bwrap or unshare where one
    of them works. Without --local, a run on SWE-bench itself is prepared, and run where Docker is
    there.
    """
    from collect.swebench.model_commands import CommandOptions
    from collect.swebench.swebench_command import SweBench

    commands = CommandOptions(tuple(show or ()), tuple(show_tests or ()), i_know)
    SweBench(local, steps, first, subset, instances, cost_usd, commands)(options)


@app.command()
@spread_options
def warehouse(options: CollectOptions) -> None:
    """Warehouse: Acme, a small supply chain, for 22 weeks in 11 turns."""
    from collect.game_recording import record_game
    from collect.warehouse.warehouse_game import Warehouse

    record_game(options, Warehouse())


@app.command()
def compare(
    families: Annotated[
        list[Path],
        typer.Argument(metavar="FAMILY", help="Folders of recorded families of one task."),
    ],
    price: ModelPrices = None,
    price_day: PriceDay = None,
    tool_price: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOOL=USD",
            help="Price of a tool call in US dollars, such as search=0.001; repeatable. [default: "
            "calls are free]",
        ),
    ] = None,
    chart: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File for a picture of success against cost: .svg, .png or .html.",
        ),
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write every number, of each rollout too, to this file."),
    ] = None,
    resamples: Annotated[int, typer.Option(min=0, help="Resamples for intervals.")] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resamples.")] = 0,
) -> None:
    """Compare families of one task: success against unified cost, on the instances they share."""
    from bagen_data.scoring.resampling import Resampling
    from collect.comparison.compare_command import CompareOptions, compare_families

    options = CompareOptions(
        price or (), price_day, tool_price or (), chart, json, Resampling(resamples, seed)
    )
    compare_families(families, options)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    Args:
        arguments: the command line; that of the process if None.
    """
    run(app, arguments)
