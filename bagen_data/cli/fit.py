"""`bagen fit`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagen_data.cli.command_options import Revision, refuse_url
from bagen_data.errors import OutputError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from bagen_data.forecasters.fitting.fitted_forecaster import FittedForecaster
    from bagen_data.forecasters.fitting.teaching_data import TeachingData
    from bagen_data.reading.plain_rollouts import PlainOptions

_SHOWN = 5
"""Reasons that are shown why logs could not be used."""


def fit_command(
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Dataset to learn from: a folder, its URL, or its id on the Hub, ORG/NAME or "
            "ORG/NAME@REV."
        ),
    ] = None,
    config: Annotated[
        str | None,
        typer.Option(
            help="Config of --dataset: <task>_train, or a task, whose family is then learned from."
        ),
    ] = None,
    revision: Revision = None,
    logs: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            help="Logs to learn from in place of --dataset: a file, a folder, or a family; of any "
            "format that builds read, with outcomes or without.",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            callback=lambda out: out and refuse_url(out),
            help="Folder for the forecaster; an earlier forecaster there is replaced "
            "[default: none, scores are only shown].",
        ),
    ] = None,
    forecaster: Annotated[
        str,
        typer.Option(metavar="NAME", help="Forecaster: forest, aft, conformal or climatology."),
    ] = "forest",
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Seed of folds, and of what is learned.")
    ] = 0,
    rollout_model: Annotated[
        str | None,
        typer.Option(
            help="Only rollouts of this model; logs that name no model are taken to be of it."
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(help="Task of --logs [default: that of the folder's name, else 'runs']."),
    ] = None,
    resources: Annotated[
        str | None,
        typer.Option(
            help="Resources of --logs, with commas between: tokens, cost_usd, turns, tool_calls, "
            "seconds, search [default: those of the task, else tokens]."
        ),
    ] = None,
    tokenizer: Annotated[
        str | None,
        typer.Option(
            help="Tokenizer for --logs without token counts: its folder, or its id on the Hub."
        ),
    ] = None,
    price: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL=IN,OUT[,CACHED[,WRITE]]",
            help="Price of a model of --logs, in US dollars per million tokens; repeatable "
            "[default: of the package genai-prices].",
        ),
    ] = None,
    success: Annotated[
        str | None,
        typer.Option(
            metavar="RULE",
            help="Rule by which a score in --logs decides the outcome, such as resolved or "
            "reward>=1 [default: the log's own outcome, or labels.jsonl].",
        ),
    ] = None,
    json: Annotated[
        Path | None, typer.Option(help="Write what was learned from, and every score, to a file.")
    ] = None,
) -> None:
    """Learn a forecaster from rollouts, and measure it on instances that it has not seen."""
    _check_source(
        dataset,
        logs,
        {"--config": config, "--revision": revision},
        {
            "--task": task,
            "--resources": resources,
            "--tokenizer": tokenizer,
            "--price": price,
            "--success": success,
        },
    )
    from bagen_data.forecasters import find_forecaster
    from bagen_data.forecasters.fitting.fitted_forecaster import (
        check_forecaster,
        fit,
        new_folder,
        number_of_fits,
    )
    from bagen_data.progress_bar import progress_bar

    check_forecaster(forecaster)
    find_forecaster(forecaster).check_packages()
    with new_folder(out) as save:
        if logs is not None:
            options = _plain_options(task, resources, tokenizer, price or [], success)
            data = _log_data(logs, options, rollout_model)
        else:
            data = _built_data(dataset or "", config or "", revision, rollout_model)
        with progress_bar() as bar:
            fits = bar.add_task("learning", total=number_of_fits(forecaster, data))
            fitted = fit(forecaster, data, seed, lambda: bar.advance(fits))
        save(fitted)
    _print_scores(fitted)
    if json:
        _write_json(json, fitted)
    is_kept = f"is in {out}" if out else "was not kept; give --out FOLDER"
    print(f"{fitted.summary} {is_kept}")


def _check_source(
    dataset: str | None,
    logs: Path | None,
    of_dataset: "Mapping[str, Any]",
    of_logs: "Mapping[str, Any]",
) -> None:
    """Refuse options that do not belong together.

    Raises:
        WrongUsageError: naming them.
    """
    if (dataset is None) == (logs is None):
        given = "neither was given" if dataset is None else "both were given"
        raise WrongUsageError(
            f"--dataset and --logs: {given}; expected one of them: a built dataset with --config "
            "NAME, or logs"
        )
    source, others = ("--logs", of_dataset) if dataset is None else ("--dataset", of_logs)
    for name, value in others.items():
        if value:
            raise WrongUsageError(f"{name}: does not go with {source}; leave one of them out")
    if dataset is not None and not of_dataset["--config"]:
        raise WrongUsageError(
            "--config: is missing; expected the config to learn from, such as swebench_train, or "
            "swebench for the family of that benchmark"
        )


def _plain_options(
    task: str | None,
    resources: str | None,
    tokenizer: str | None,
    price: "Sequence[str]",
    success: str | None,
) -> "PlainOptions":
    """Return how logs are read.

    Raises:
        WrongUsageError: an option's value cannot be.
        MissingExtraError: a tokenizer is given, and `transformers` is not installed.
    """
    from bagen_data.logs.prices import PriceTable, parse_prices
    from bagen_data.logs.turn_readers import Counting
    from bagen_data.reading.outcomes import success_rule
    from bagen_data.reading.plain_rollouts import PlainOptions
    from bagen_data.tasks.general import parse_resources
    from bagen_data.tokenizer import HubTokenizer

    return PlainOptions(
        task=task or "",
        resources=parse_resources(resources) if resources else (),
        counting=Counting(tokenizer=HubTokenizer(tokenizer)) if tokenizer else Counting(),
        prices=PriceTable(parse_prices(price)),
        success=success_rule(success) if success else None,
    )


def _log_data(logs: Path, options: "PlainOptions", rollout_model: str | None) -> "TeachingData":
    from bagen_data.forecasters.fitting.log_data import log_data

    return log_data(logs, options, rollout_model or "")


def _built_data(
    dataset: str, config: str, revision: str | None, rollout_model: str | None
) -> "TeachingData":
    from bagen_data.forecasters.fitting.built_data import built_data
    from bagen_data.repositories.dataset_names import at_revision

    return built_data(at_revision(dataset, revision), config, rollout_model)


def _print_scores(fitted: "FittedForecaster") -> None:
    """Print tables of scores, and what is to be known of them to stderr."""
    from bagen_data.console import STDERR, shown
    from bagen_data.reading.refusal_lines import refusal_lines
    from bagen_data.table_printing import print_table
    from bagen_data.terminal_tables import score_table

    print_table(score_table("instances not seen, cross-fitted", fitted.cross_fitted.scores))
    if fitted.heldout:
        print_table(score_table("instances not seen, held out", fitted.heldout.scores))
    refused = ((each.where, each.reason) for each in fitted.data.refused)
    lines = refusal_lines(refused, verb="not used")
    for line in lines[:_SHOWN]:
        STDERR.print(shown(line))
    if len(lines) > _SHOWN:
        STDERR.print(f"not used for {len(lines) - _SHOWN:,} more reasons; --json names them all")
    for note in (*fitted.data.notes, *fitted.limits):
        STDERR.print(shown(f"note: {note}"))


def _write_json(path: Path, fitted: "FittedForecaster") -> None:
    from bagen_data.replaced_file import write_file
    from bagen_data.tables import to_json

    try:
        write_file(path, to_json(fitted.to_dict(), indent=1) + "\n")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
    print(f"every score is in {path}")
