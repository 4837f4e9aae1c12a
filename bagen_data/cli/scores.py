"""`bagen score`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bagen_data.cli.command_options import Config, Dataset, Predictions, Revision, Split
from bagen_data.errors import OutputError, WrongUsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from rich.table import Table

    from bagen_data.answered_samples import AnsweredSamples
    from bagen_data.cli.scored_answers import ScoredAnswers
    from bagen_data.schema import Question
    from bagen_data.scoring.report import Report
    from bagen_data.terminal_tables import ScoreChoice


def score_command(
    predictions: Predictions,
    dataset: Dataset,
    config: Config = None,
    split: Split = "test",
    revision: Revision = None,
    json: Annotated[Path | None, typer.Option(help="Write every score to this file.")] = None,
    by: Annotated[
        Literal["task", "family", "progress"] | None,
        typer.Option(help="Show the scores of each task, family or fifth of progress."),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Other predictions of the same samples to compare with.")
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Show every score, not only the headline scores.")
    ] = False,
    explain: Annotated[
        bool, typer.Option("--explain", help="Explain each score below the table, with an example.")
    ] = False,
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
    """Score predictions, and show each score with its 95% interval and its n.

    Predictions of some samples only are scored on these, and the output says how many are missing.
    """
    if compare and by:
        raise WrongUsageError("--compare and --by cannot be shown at once; leave one out")
    # The matrices are small, and threads for them wait longer than they work.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from bagen_data.cli.estimator_names import names_of_two
    from bagen_data.cli.scored_answers import ScoreRequest, score_answers
    from bagen_data.cli.version_notes import note_reference, note_versions
    from bagen_data.held_folder import put_right
    from bagen_data.prediction_files import files_in
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.repositories.dataset_places import pinned
    from bagen_data.sample_files import open_samples
    from bagen_data.scoring.other_question import refuse_other_question
    from bagen_data.scoring.resampling import Resampling
    from bagen_data.submissions import METADATA
    from bagen_data.table_printing import print_table
    from bagen_data.terminal_tables import ScoreChoice, few_instances

    for path in filter(None, (predictions, compare)):
        put_right(path if path.is_dir() else path.parent)
    paths = [path for path in (predictions, compare) if path]
    _refuse_predictions(json, [file for path in paths for file in files_in(path)])
    dataset = pinned(at_revision(dataset, revision))
    opened = open_samples(dataset, config, split)
    folders = [files_in(path)[0].parent for path in paths]
    note_versions(dataset, [each / METADATA for each in folders])
    if split == "test" and not opened.has_reference:
        note_reference(dataset)
    resampling = Resampling(resamples, seed)
    readings = [_reading(folder, question) for folder in folders]
    questions = tuple(reading.question for reading in readings)
    scored = score_answers(
        ScoreRequest(dataset, config, split, tuple(paths), questions, opened.samples, resampling)
    )
    names = names_of_two(paths, folders) if compare else ("", "")
    choice = ScoreChoice(questions[0], every)
    reports, tables, more = _shown(scored, by, choice, names)
    for own, answers, reading in zip(reports, scored.answers, readings, strict=True):
        if reading.remedy and not own.overall["valid_rate"].value:
            name, reader, its_question = answers
            refuse_other_question(scored.samples, reader, name, its_question, reading.remedy)
    if json:
        _write_report(json, reports[0], opened.source, more)
    for table in tables:
        print_table(table)
    if resamples:
        print(few_instances(scored.result, choice), end="")
    if explain:
        _explain(choice.of(reports[0].overall))
    if not by and not every:
        print(f"--all shows every score{'' if explain else ', --explain says what each is'}")
    if json:
        print(f"every score is in {json}")
    if scored.part:
        _note_part(scored.part, compare)


def _explain(names: "Iterable[str]") -> None:
    """Print an explanation of each score."""
    from bagen_data.console import stdout_console
    from bagen_data.terminal_explanations import explanations

    print(explanations(names, stdout_console().width))


def _note_part(part: "AnsweredSamples", compare: Path | None) -> None:
    """Say which samples were scored, where others have no prediction."""
    from bagen_data.console import STDERR, shown

    answered_by = "a prediction of both estimators" if compare else "a prediction"
    note = (
        f"note: only {part} have {answered_by} ({part.by_task}): scored on these, "
        f"{part.submittable}"
    )
    STDERR.print(shown(note))


def _shown(
    scored: "ScoredAnswers", by: str | None, choice: "ScoreChoice", names: tuple[str, str]
) -> "tuple[list[Report], list[Table], dict[str, Any]]":
    """Return the report of each file of predictions, the tables, and what a JSON says besides."""
    from bagen_data.scoring.report import Report
    from bagen_data.terminal_tables import comparison_table, report_tables

    part = scored.part
    more: dict[str, Any] = {}
    if part:
        more["answered"] = {"samples": part.total, "answered": len(part.samples)}
    if isinstance(scored.result, Report):
        return [scored.result], report_tables(scored.result, by, choice, str(part or "")), more
    more["comparison"] = scored.result.to_dict()
    table = comparison_table(scored.result, names, choice, str(part or ""))
    return [scored.result.first, scored.result.second], [table], more


def _refuse_predictions(json: Path | None, files: "Sequence[Path]") -> None:
    """Refuse to write scores over the predictions.

    Raises:
        WrongUsageError: --json names one of the files.
    """
    if json and any(json.exists() and json.samefile(file) for file in files):
        raise WrongUsageError(f"--json {json}: these are the predictions; give another file")


@dataclass(frozen=True)
class _AskedQuestion:
    """The question that predictions answer, and the advice if they answer another one."""

    question: "Question"
    """The question that they answer."""
    remedy: "Callable[[Question], str] | None"
    """Advice if the answers are to another question; None where --question named it."""


def _reading(folder: Path, question: "Question | None") -> _AskedQuestion:
    """Return how predictions are read: by the metadata in their folder, else by the option.

    Raises:
        WrongUsageError: the two differ.
    """
    from bagen_data.prompt_variants import question_of
    from bagen_data.scoring.other_question import correct_metadata
    from bagen_data.submissions import METADATA, read_metadata

    path = folder / METADATA
    if not path.exists():
        if question:
            return _AskedQuestion(question, None)
        return _AskedQuestion(
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
    return _AskedQuestion(asked, correct_metadata(path, variant))


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
