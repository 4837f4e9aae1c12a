"""`bagen predict` and `bagen predictions-from-log`."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from pydantic import BaseModel, ConfigDict, HttpUrl, ValidationError

from bagen_data.cli.dataset_options import Config, Dataset, Split
from bagen_data.errors import InputError, MissingExtraError, WrongUsageError
from bagen_data.forecasters import known_forecasters
from bagen_data.forecasters.learning.predictions import ForecastRequest, predict
from bagen_data.models.dry_run import show_plan
from bagen_data.models.model_run import (
    CONNECTIONS,
    MAX_TOKENS,
    RETRIES,
    Operation,
    Run,
    check_base_url,
    parse_model_args,
    parse_price,
    short_name,
)
from bagen_data.models.presets import PRESETS, Preset, find_preset
from bagen_data.submission_writer import DATASET_PAGE, check_out, write_submission
from bagen_data.submissions import Metadata, problems
from bagen_data.submissions import Name as NameType
from bagen_data.versions import BENCHMARK_VERSION

if TYPE_CHECKING:
    from bagen_data.models.model_log import ModelLog

Out = Annotated[Path, typer.Option(help="The folder for predictions.jsonl and metadata.yaml.")]
Name = Annotated[str | None, typer.Option(help="The estimator's name, as it is shown.")]
Link = Annotated[str, typer.Option(help="Where to read more of the estimator.")]
TrainedOn = Annotated[
    Literal["none", "train", "benchmark", "other"],
    typer.Option(help="What the model learned estimating from."),
]


def predict_command(
    dataset: Dataset,
    out: Out,
    config: Config = None,
    split: Split = "test",
    estimator: Annotated[
        str | None, typer.Option(help=f"One that needs no model: {', '.join(known_forecasters())}.")
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="PROVIDER/NAME, as Inspect has it, e.g. openai/gpt-5.2 or vllm/ORG/NAME."
        ),
    ] = None,
    preset: Annotated[
        str | None, typer.Option(help=f"A model of the paper: {', '.join(PRESETS)}.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(min=0, max=2**31 - 1, help="Of whatever is drawn.")
    ] = None,
    name: Name = None,
    link: Link = DATASET_PAGE,
    cross_validate: Annotated[
        bool,
        typer.Option("--cross-validate", help="Learn about a family's rollouts from its others."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show prompts, counts and costs; ask nothing.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run in --out; ask what is open.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask the first samples only.")] = None,
    base_url: Annotated[str | None, typer.Option(help="Of an OpenAI-compatible server.")] = None,
    temperature: Annotated[float | None, typer.Option(min=0)] = None,
    top_p: Annotated[float | None, typer.Option(min=0, max=1)] = None,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help=f"Of an answer; {MAX_TOKENS}.")
    ] = None,
    reasoning_effort: Annotated[str | None, typer.Option(help="e.g. none, low, high.")] = None,
    reasoning_tokens: Annotated[int | None, typer.Option(min=0)] = None,
    constrained: Annotated[
        bool, typer.Option("--constrained", help="Hold decoding to the answer grammar (vLLM).")
    ] = False,
    trained_on: TrainedOn = "none",
    price: Annotated[
        str | None,
        typer.Option(help="US dollars a million tokens, e.g. input=1.75,cached=0.175,output=14."),
    ] = None,
    model_arg: Annotated[
        list[str] | None, typer.Option(help="KEY=VALUE for the provider, as Inspect's -M.")
    ] = None,
    connections: Annotated[int, typer.Option(min=1, help="Requests at a time.")] = CONNECTIONS,
    retries: Annotated[
        int, typer.Option(min=0, help="Of a request that failed, beside its client's own.")
    ] = RETRIES,
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds for a request and its retries.")
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache", help="Answer what was asked before from Inspect's cache.")
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="Use the provider's batch API, if it has one.")
    ] = False,
) -> None:
    """Answer every sample, with an estimator that needs no model or with a model."""
    given = [flag for flag in (estimator, model, preset) if flag]
    if len(given) != 1:
        raise WrongUsageError("give one of --estimator, --model and --preset")
    labels = _labels(name, link, trained_on)
    options = {
        "temperature": temperature,
        "top_p": top_p,
        "max_tokens": max_tokens,
        "reasoning_effort": reasoning_effort,
        "reasoning_tokens": reasoning_tokens,
        "cache": cache or None,
        "batch": batch or None,
    }
    generation = {key: value for key, value in options.items() if value is not None}
    if estimator:
        of_models: dict[str, object] = {
            "--resume": resume,
            "--dry-run": dry_run,
            "--constrained": constrained,
            "--limit": limit,
            "--base-url": base_url,
            "--model-arg": model_arg,
            "--price": price,
            "--timeout": timeout,
            "--trained-on": trained_on != "none",
            "--connections": connections != CONNECTIONS,
            "--retries": retries != RETRIES,
        }
        asked = {f"--{key.replace('_', '-')}": True for key in generation}
        _refuse(f"--estimator {estimator}", {**of_models, **asked})
        request = ForecastRequest(dataset, config, split, estimator, seed or 0, cross_validate)
        _estimate(out, request, labels)
        return
    _refuse("a model", {"--cross-validate": cross_validate})
    chosen = find_preset(preset) if preset else Preset(str(model))
    if seed is not None:
        generation["seed"] = seed
    run = Run(
        dataset=os.path.realpath(dataset) if os.path.isdir(dataset) else dataset,
        config=config or "default",
        split=split,
        model=chosen.model,
        base_url=check_base_url(base_url),
        model_args=parse_model_args(model_arg or ()),
        generation={**chosen.generation, **generation},
        constrained=constrained,
        limit=limit,
    )
    if constrained and not run.model.startswith(("vllm/", "openai-api/")):
        raise WrongUsageError(
            "--constrained: needs a vLLM server; give --model vllm/NAME, or openai-api/NAME/MODEL "
            "with its --base-url"
        )
    operation = Operation(connections, retries, timeout, parse_price(price) if price else None)
    if dry_run:
        show_plan(run, operation.price)
    else:
        _ask(out, run, operation, resume, labels)


def predictions_from_log_command(
    log: Annotated[Path, typer.Argument(help="An .eval or .json log of bagen_data/bagen.")],
    out: Out,
    name: Name = None,
    link: Link = DATASET_PAGE,
    trained_on: TrainedOn = "none",
) -> None:
    """Make a submission of an Inspect log, whoever wrote it."""
    if not log.is_file():
        raise InputError(f"{log}: there is no such file; expected an Inspect log")
    _inspect()
    from bagen_data.models.model_log import read_log

    found = read_log(log)
    _write_answered(out, found, _labels(name, link, trained_on), f"inspect eval-retry {log}")


class Labels(BaseModel):
    """What a user says of an estimator."""

    model_config = ConfigDict(frozen=True)
    name: NameType | None
    link: HttpUrl
    trained_on: str


def _labels(name: str | None, link: str, trained_on: str) -> Labels:
    """Checked before anything is asked."""
    try:
        return Labels.model_validate({"name": name, "link": link, "trained_on": trained_on})
    except ValidationError as error:
        raise WrongUsageError("\n".join(f"--{problem}" for problem in problems(error))) from error


def _refuse(where: str, given: Mapping[str, object]) -> None:
    """Refuse options that would be left unused."""
    unused = [flag for flag, value in given.items() if value]
    if unused:
        raise WrongUsageError(f"{', '.join(unused)}: of no use with {where}; leave out")


def _estimate(out: Path, request: ForecastRequest, labels: Labels) -> None:
    name = labels.name or request.forecaster
    check_out(out, name)
    found = predict(request)
    metadata = Metadata.model_validate(
        {
            "estimator": name,
            "provider": "none",
            "model_id": request.forecaster,
            "decoding": found.settings,
            "prompt_variant": "none",
            "trained_on": found.trained_on,
            "constrained": False,
            "dataset_revision": found.revision or "unknown",
            "date": datetime.now(tz=UTC).date(),
            "link": str(labels.link),
            "weights": "none",
            "benchmark_version": BENCHMARK_VERSION,
        },
        strict=False,
    )
    written = write_submission(out, metadata, found.rows)
    print(f"{len(found.rows):,} predictions of {name} are in {written}")


def _ask(out: Path, run: Run, operation: Operation, resume: bool, labels: Labels) -> None:
    _inspect()
    from bagen_data.models.ask import ask

    check_out(out, labels.name or short_name(run.model))
    log = ask(run, operation, out, resume=resume)
    _write_answered(out, log, labels, "the same command with --resume")


def _write_answered(out: Path, log: "ModelLog", labels: Labels, go_on: str) -> None:
    """The submission of a log without open samples."""
    from bagen_data.models.model_log import metadata_of

    if log.open:
        raise InputError(
            f"{log.path}: {log.open:,} of {len(log.asked):,} samples have no answer, and nothing "
            f"was written to {out}:\n  {log.problem()}\n"
            f"what was answered is kept in the log; go on with: {go_on}"
        )
    metadata = metadata_of(log, labels.name, str(labels.link), labels.trained_on)
    check_out(out, metadata.estimator)
    written = write_submission(out, metadata, log.rows())
    print(f"{len(log.asked):,} predictions of {metadata.estimator} are in {written}")


def _inspect() -> None:
    """Say which extra is missing, before anything is asked."""
    try:
        import inspect_ai  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("inspect-ai", "models") from error
