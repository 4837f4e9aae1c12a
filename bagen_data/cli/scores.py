"""`bagen validate` and `bagen score`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bagen_data.cli.command_options import Config, Dataset, Predictions, Split
from bagen_data.errors import OutputError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from bagen_data.schema import Question
    from bagen_data.scoring.report import Report


def validate_command(
    predictions: Predictions, dataset: Dataset, config: Config = None, split: Split = "test"
) -> None:
    """Check a submission: metadata.yaml, the file of predictions, and one for each sample."""
    from bagen_data.answer_columns import INVALID
    from bagen_data.cli.version_notes import note_versions
    from bagen_data.console import STDERR, shown
    from bagen_data.held_folder import put_right
    from bagen_data.hub import is_hidden, load_questions, load_samples
    from bagen_data.prediction_files import find_predictions, prediction_reader
    from bagen_data.prompt_variants import question_of
    from bagen_data.scoring.check_predictions import check_predictions
    from bagen_data.scoring.match_predictions import match_predictions
    from bagen_data.scoring.other_question import correct_metadata, refuse_valid_elsewhere
    from bagen_data.scoring.sample_table import SampleTable
    from bagen_data.submissions import METADATA, is_revision, read_metadata

    put_right(predictions if predictions.is_dir() else predictions.parent)
    file = find_predictions(predictions)
    metadata = read_metadata(file.parent / METADATA)
    has_labels = not is_hidden(dataset)
    load = load_samples if has_labels else load_questions
    samples = load(dataset, config, split)
    revision = samples.source["revision"]
    if revision and not is_revision(metadata.dataset_revision, revision):
        note = (
            f"note: {METADATA} says dataset_revision {metadata.dataset_revision}, and {dataset} is "
            f"{revision}; results of different revisions are not ranked together"
        )
        STDERR.print(shown(note))
    note_versions(dataset, revision, [file])
    reader = prediction_reader(file)
    sample_table = SampleTable.of(samples.table) if has_labels else None

    def count_invalid(question: "Question") -> int:
        if sample_table is None:
            return check_predictions(samples.table, reader, str(file), question)
        matched = match_predictions(sample_table, reader, str(file), question)
        return sum(int((answers.verdict == INVALID).sum()) for _, answers in matched)

    asked = question_of(metadata.prompt_variant)
    invalid = count_invalid(asked)
    if invalid == len(samples.table):
        refuse_valid_elsewhere(
            lambda other: count_invalid(other) < len(samples.table),
            str(file),
            asked,
            correct_metadata(file.parent / METADATA, metadata.prompt_variant),
        )
    print(
        f"{file}: {len(samples.table):,} predictions of {metadata.estimator}, one for each sample"
    )
    if invalid:
        print(f"invalid answers, which count as wrong: {invalid:,}; `bagen score` says why")


def score_command(
    predictions: Predictions,
    dataset: Dataset,
    config: Config = None,
    split: Split = "test",
    json: Annotated[Path | None, typer.Option(help="Write every score to this file.")] = None,
    by: Annotated[
        Literal["task", "family", "progress"] | None, typer.Option(help="Show scores apart.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Other predictions of the same samples to compare with.")
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=0, help="Resamples of instances, for 95% intervals.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the resampling.")] = 0,
    question: Annotated[
        Literal["interval", "point", "forecast"] | None,
        typer.Option(
            help="Question of predictions without a metadata.yaml.", show_default="interval"
        ),
    ] = None,
) -> None:
    """Score predictions, and show each score with its 95% interval and its n."""
    if compare and by:
        raise WrongUsageError("--compare and --by cannot be shown at once; leave one out")
    # The matrices are small, and threads for them wait longer than they work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from bagen_data.cli.version_notes import note_reference, note_versions
    from bagen_data.held_folder import put_right
    from bagen_data.prediction_files import find_predictions, prediction_reader
    from bagen_data.sample_files import open_samples
    from bagen_data.scoring.match_predictions import match_predictions
    from bagen_data.scoring.measure import measure
    from bagen_data.scoring.other_question import refuse_other_question
    from bagen_data.scoring.resampling import Resampling
    from bagen_data.scoring.score import ALPHA, compare_readers
    from bagen_data.terminal_tables import comparison_table, print_table, report_tables

    for path in filter(None, (predictions, compare)):
        put_right(path if path.is_dir() else path.parent)
    files = [find_predictions(path) for path in (predictions, compare) if path]
    if json and any(json.exists() and json.samefile(file) for file in files):
        raise WrongUsageError(f"--json {json}: these are the predictions; give another file")
    opened = open_samples(dataset, config, split)
    samples = opened.samples
    note_versions(dataset, opened.source["revision"], files)
    if split == "test" and not opened.has_reference:
        note_reference(dataset)
    resampling = Resampling(resamples, seed)
    more = {}
    readings = [_reading(file, question) for file in files]
    readers = [
        (str(file), prediction_reader(file), reading.question)
        for file, reading in zip(files, readings, strict=True)
    ]
    if compare is None:
        file, reader, asked = readers[0]
        answered = match_predictions(samples, reader, file, asked)
        report = measure(samples, answered, resampling, ALPHA).report()
        reports, tables = [report], report_tables(report, by, asked)
    else:
        comparison = compare_readers(samples, readers, resampling, ALPHA)
        report, reports = comparison.first, [comparison.first, comparison.second]
        tables = [comparison_table(comparison, (str(files[0]), str(files[1])), readers[0][2])]
        more = {"comparison": comparison.to_dict()}
    for own, (file, reader, asked), reading in zip(reports, readers, readings, strict=True):
        if reading.remedy and not own.overall["valid_rate"].value:
            refuse_other_question(samples, reader, file, asked, reading.remedy)
    if json:
        _write_report(json, report, opened.source, more)
    for table in tables:
        print_table(table)
    if json:
        print(f"every score is in {json}")


@dataclass(frozen=True)
class _Reading:
    """How the predictions of a file are read."""

    question: "Question"
    """The question that they answer."""
    remedy: "Callable[[Question], str] | None"
    """Advice if the answers are to another question; None where --question named it."""


def _reading(file: Path, question: "Question | None") -> _Reading:
    """Return how predictions are read: by the metadata beside them, else by the option.

    Raises:
        WrongUsageError: the two differ.
    """
    from bagen_data.prompt_variants import question_of
    from bagen_data.scoring.other_question import correct_metadata
    from bagen_data.submissions import METADATA, read_metadata

    path = file.parent / METADATA
    if not path.exists():
        if question:
            return _Reading(question, None)
        return _Reading(
            "interval",
            lambda other: (
                f"{path} is missing, so they are read as intervals; pass --question {other}"
            ),
        )
    variant = read_metadata(path).prompt_variant
    asked = question_of(variant)
    if question and question != asked:
        raise WrongUsageError(
            f"--question {question}: {path} says prompt_variant {variant!r}, so the predictions "
            f"answer {asked!r}; leave out --question, or correct prompt_variant there"
        )
    return _Reading(asked, correct_metadata(path, variant))


def _write_report(
    path: Path, report: "Report", source: "Mapping[str, Any]", more: "Mapping[str, Any]"
) -> None:
    """Write every score, after the version and the dataset that they are of."""
    from bagen_data.replaced_file import write_file
    from bagen_data.tables import to_json

    record = report.to_dict()
    version = record.pop("benchmark_version")
    head = {"benchmark_version": version, "dataset": source}
    try:
        write_file(path, to_json({**head, **record, **more}, indent=1) + "\n")
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
