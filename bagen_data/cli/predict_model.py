"""`bagen predict model` and `bagen predictions-from-log`."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagen_data.cli.command_options import (
    Config,
    Dataset,
    Link,
    Name,
    Out,
    Prompt,
    Revision,
    Split,
    TrainedOn,
    check_labels,
)
from bagen_data.errors import InputError, MissingExtraError, WrongUsageError
from bagen_data.models.model_options import MAX_TOKENS, ServedModelOptions
from bagen_data.models.presets import PRESETS, Preset, find_preset
from bagen_data.option_groups import spread_options

if TYPE_CHECKING:
    from bagen_data.models.asked_samples import AskedSamples
    from bagen_data.models.model_log import ModelLog
    from bagen_data.models.model_run import ModelRun, Price
    from bagen_data.models.run_interrupts import RunAt
    from bagen_data.submissions import Metadata

_GO_ON = "the same command with --resume"
_GO_ON_WITHOUT = f"{_GO_ON}, without the --base-url of a server that is gone"


@spread_options
def predict_model_command(
    dataset: Dataset,
    out: Out,
    options: ServedModelOptions,
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="PROVIDER/NAME",
            help="The model, as Inspect has it, e.g. openai/gpt-5.2 or vllm/ORG/NAME.",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help=f"A model of the paper instead of PROVIDER/NAME: {', '.join(PRESETS)}."),
    ] = None,
    config: Config = None,
    split: Split = "test",
    revision: Revision = None,
    prompt: Prompt = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Ask the first samples only.")] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="I/N",
            help="Ask shard I of N, from 0 to N-1: whole rollouts, spread evenly by the size of "
            "their prompts; `bagen merge` makes one submission of all N.",
        ),
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run",
            help="Show counts, the cost, a missing package or key (exit code 1), and the begin and "
            "end of three prompts; ask nothing.",
        ),
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Show the prompts of --dry-run whole.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the run in --out: ask what is open, perhaps with a higher --limit.",
        ),
    ] = False,
    max_tokens: Annotated[
        int | None, typer.Option(min=1, help=f"Most tokens of an answer [default: {MAX_TOKENS}].")
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**31 - 1, help="Seed of the sampling, if the provider has one."),
    ] = None,
    constrained: Annotated[
        bool, typer.Option("--constrained", help="Hold decoding to the answer grammar (vLLM).")
    ] = False,
    price: Annotated[
        str | None,
        typer.Option(
            help="Price in dollars per million tokens: input=1.75,cached=0.175,output=14."
        ),
    ] = None,
    cache: Annotated[
        bool, typer.Option("--cache", help="Answer what was asked before from Inspect's cache.")
    ] = False,
    batch: Annotated[
        bool, typer.Option("--batch", help="Use the provider's batch API, if it has one.")
    ] = False,
    name: Name = None,
    link: Link = None,
    trained_on: TrainedOn = "none",
) -> None:
    """Ask a model every sample's question; a run that was stopped goes on with --resume."""
    if bool(model) == bool(preset):
        raise WrongUsageError("give a model as PROVIDER/NAME, or --preset NAME; one of the two")
    check_labels(name, link)
    from bagen_data.models.model_run import ModelRun, parse_price
    from bagen_data.models.run_interrupts import said_interrupts
    from bagen_data.models.shard import parse_shard

    chosen = find_preset(preset) if preset else Preset(str(model))
    run = ModelRun(
        dataset=dataset,
        config=config or "default",
        split=split,
        model=chosen.model,
        options=chosen.complete(
            replace(options, max_tokens=max_tokens, seed=seed, cache=cache, batch=batch)
        ),
        constrained=constrained,
        limit=limit,
        variant=prompt,
        shard=parse_shard(shard) if shard else None,
        servers=tuple(options.base_urls or ()),
    )
    usd = parse_price(price) if price else None
    if full and not dry_run:
        raise WrongUsageError("--full: shows the prompts of --dry-run; give that, too")
    if dry_run:
        from bagen_data.models.dry_run import show_plan

        show_plan(_located(run, revision), usd, is_whole=full)
        return
    with said_interrupts(out) as at:
        labels = _SubmissionLabels(name, link, trained_on)
        _ask(run, revision, usd, labels, at, resume=resume)


@dataclass(frozen=True)
class _SubmissionLabels:
    """The parts of a submission's metadata that its maker says."""

    name: str | None
    """The name of the estimator; the model's if None."""
    link: str | None
    """The page about the estimator; the dataset's if None."""
    trained_on: str
    """Data that the model learned estimating from, as in the metadata."""


def _ask(
    run: "ModelRun",
    revision: str | None,
    price: "Price | None",
    labels: _SubmissionLabels,
    at: "RunAt",
    *,
    resume: bool,
) -> None:
    """Ask what is open of a run, and write its submission."""
    _check_inspect()
    from bagen_data.held_folder import made_folder
    from bagen_data.models.ask import ask, first_model
    from bagen_data.models.asked_rollouts import asked_rollouts
    from bagen_data.models.asked_samples import load_asked
    from bagen_data.models.model_log import metadata_of
    from bagen_data.models.model_run import short_name
    from bagen_data.models.shard_writing import record_of
    from bagen_data.shard_record import SHARD, shard_record_text
    from bagen_data.submission_writer import (
        PREDICTIONS,
        check_out,
        write_submission,
    )

    first_model(run)  # what is wrong with the model is said before the dataset is looked for
    run = _located(run, revision)
    with made_folder(at.out) as held:
        check_out(at.out, labels.name or short_name(run.model))
        asked = load_asked(run.dataset, run.config, run.split, run.variant)
        whole = asked_rollouts(asked, run.limit)
        own = whole.shard(run.shard) if run.shard else whole
        log = ask(run, own, price, at, resume=resume)
        _refuse_open(log, at.out, go_on=_GO_ON_WITHOUT if log.by_server else _GO_ON)
        metadata = metadata_of(log, labels.name, labels.link, labels.trained_on)
        check_out(at.out, metadata.estimator)
        more = {}
        if run.shard:
            more[SHARD] = shard_record_text(record_of(run, run.shard, whole, log, metadata))
        write_submission(held, metadata, {PREDICTIONS: log.rows()}, more)
    _print_written(log, metadata, at.out)
    _print_invalid(asked, at.out / PREDICTIONS)


def _located(run: "ModelRun", revision: str | None) -> "ModelRun":
    """Return a run whose dataset's name holds in any current folder, with its revision.

    Raises:
        InputError, WrongUsageError: as `at_revision`.
    """
    from bagen_data.repositories.dataset_names import at_revision, whole_name

    return replace(run, dataset=whole_name(at_revision(run.dataset, revision)))


def predictions_from_log_command(
    log: Annotated[Path, typer.Argument(help="An .eval or .json log of bagen_data/bagen.")],
    out: Out,
    name: Name = None,
    link: Link = None,
    trained_on: TrainedOn = "none",
) -> None:
    """Make a submission of an Inspect log, whoever wrote it."""
    if not log.is_file():
        problem = "is a folder" if log.is_dir() else "no such file"
        raise InputError(f"{log}: {problem}; expected an Inspect log")
    check_labels(name, link)
    _check_inspect()
    from bagen_data.models.model_log import metadata_of, read_log
    from bagen_data.submission_writer import PREDICTIONS, submission_folder, write_submission

    complete = read_log(log)
    _refuse_open(complete, out, go_on=f"inspect eval-retry {log}")
    metadata = metadata_of(complete, name, link, trained_on)
    with submission_folder(out, metadata.estimator) as held:
        write_submission(held, metadata, {PREDICTIONS: complete.rows()})
    _print_written(complete, metadata, out)


def _refuse_open(log: "ModelLog", out: Path, *, go_on: str) -> None:
    """Refuse to make a submission of a log with open samples."""
    if log.open:
        from bagen_data.models.failure_reasons import correct_first

        raise InputError(
            f"{log.path}: {log.open:,} of {len(log.asked):,} samples have no answer, and nothing "
            f"was written to {out}:\n  {log.problem()}\n"
            f"{'what was answered is kept in the log; ' if log.answers else ''}"
            f"{correct_first(log.to_correct)}go on with: {go_on}"
        )


def _print_written(log: "ModelLog", metadata: "Metadata", out: Path) -> None:
    from bagen_data.submission_writer import PREDICTIONS

    written = out / PREDICTIONS
    print(f"{len(log.asked):,} predictions of {metadata.estimator} are in {written}")


def _print_invalid(asked: "AskedSamples", predictions: Path) -> None:
    """Say how many answers cannot be read: a model that misses the format looks like a bad one."""
    import pyarrow as pa
    import pyarrow.compute as pc

    from bagen_data.console import STDERR, shown
    from bagen_data.prediction_files import prediction_reader
    from bagen_data.prompt_variants import question_of
    from bagen_data.scoring.check_predictions import check_predictions

    read = prediction_reader(predictions)
    ids = pa.chunked_array([batch["sample_id"].cast(pa.string()) for batch in read()], pa.string())
    questions = asked.table.filter(pc.is_in(asked.table["sample_id"].cast(pa.string()), ids))
    question = question_of(asked.variant)
    if invalid := check_predictions(questions, read, str(predictions), question):
        STDERR.print(
            shown(
                f"invalid answers, which count as wrong: {invalid:,} of {len(ids):,}; 'bagen "
                "score' says why, and 'bagen show SAMPLE --predictions' shows an answer"
            ),
            style="yellow",
        )


def _check_inspect() -> None:
    """Say which extra is missing, before anything is asked."""
    try:
        import inspect_ai  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("inspect-ai", "models") from error
