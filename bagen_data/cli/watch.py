"""`bagen watch`."""

from pathlib import Path
from typing import Annotated

import typer

from bagen_data.logs.log_options import BareCounts, LogTokenizer, ModelPrices


def watch_command(
    log: Annotated[
        Path,
        typer.Argument(
            help="A log file of any format that builds read, or a folder of logs, of which the one "
            "that was written last is followed. It may not exist yet."
        ),
    ],
    forecaster: Annotated[
        str | None,
        typer.Option(
            metavar="DIR",
            help="Folder of a forecaster that `bagen fit` wrote, or ORG/NAME or ORG/NAME@REV on "
            "the Hub [default: amounts are counted alone].",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="NAME=AMOUNT,...",
            help="The most that the run may spend, such as tokens=200000,cost_usd=2 [default: the "
            "forecaster's usual budget].",
        ),
    ] = None,
    policy: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Policy that `bagen policy` wrote, which gives the advice [default: stop where a "
            "budget is exceeded].",
        ),
    ] = None,
    task: Annotated[
        str,
        typer.Option(help="Task of the log [default: that of its family, else the forecaster's]."),
    ] = "",
    rollout: Annotated[
        str,
        typer.Option(
            help="Rollout of a file that holds many: an id, instance, session or place [default: "
            "the last one]."
        ),
    ] = "",
    tokenizer: LogTokenizer = None,
    usage: BareCounts = "auto",
    price: ModelPrices = None,
    every: Annotated[
        float, typer.Option(min=0.05, metavar="SECONDS", help="Time between looks at the log.")
    ] = 1.0,
    once: Annotated[bool, typer.Option("--once", help="Print the present state and end.")] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print JSON: a line a turn, or one object with --once."),
    ] = False,
) -> None:
    """Follow the log of a running agent: what it used, what it will need, whether to go on.

    A terminal is redrawn at each turn; elsewhere a line is printed for each turn. Ctrl-C ends it.
    """
    import logging

    from bagen_data.console import stdout_console
    from bagen_data.live.watching import watch_loop
    from bagen_data.live.watching.watch_setup import WatchOptions, set_up
    from bagen_data.live.watching.watcher import Watcher
    from bagen_data.logs.prices import PriceTable, parse_prices
    from bagen_data.logs.turn_readers import Counting
    from bagen_data.tokenizer import HubTokenizer

    logging.getLogger("bagen").addHandler(logging.NullHandler())  # problems are remarks here
    options = WatchOptions(
        forecaster,
        budget,
        policy,
        task,
        rollout,
        Counting(usage, HubTokenizer(tokenizer) if tokenizer else None),
        PriceTable(parse_prices(price or ())),
    )
    watcher = Watcher(log, set_up(options))
    if once:
        (watch_loop.print_json_once if as_json else watch_loop.print_screen_once)(watcher)
        return
    console = stdout_console()
    if as_json:
        watch_loop.follow_in_json(watcher, every)
    elif console.is_terminal and not console.is_dumb_terminal:
        watch_loop.follow_on_screen(watcher, every)
    else:
        watch_loop.follow_in_lines(watcher, every)
