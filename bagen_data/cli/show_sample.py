"""`bagen show`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagen_data.cli.command_options import Dataset, Prompt, Revision
from bagen_data.errors import WrongUsageError
from bagen_data.forecasters import BaselineQuestion, find_forecaster, known_forecasters

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bagen_data.prompt_variants import Variant
    from bagen_data.rollout_view import Row
    from bagen_data.schema import Question

_MOST_FORMS = 2
"""Lines of output forms at the end of a question, at most."""
_SHOWN = 1_500
"""Most characters that are shown of a message."""


def show_command(
    sample_id: Annotated[
        str,
        typer.Argument(
            help="Sample to show: task/rollout_model/rollout_id/k; or a config, or the beginning "
            "of ids, to list the ids."
        ),
    ],
    dataset: Dataset,
    revision: Revision = None,
    prompt: Prompt = None,
    predictions: Annotated[
        list[Path] | None, typer.Option(help="Predictions to show along the rollout; repeatable.")
    ] = None,
    baseline: Annotated[
        list[str] | None,
        typer.Option(
            help=f"Baseline whose answers are shown too: {', '.join(known_forecasters())}."
        ),
    ] = None,
    cross_validate: Annotated[
        bool,
        typer.Option("--cross-validate", help="Learn for each instance from the family's others."),
    ] = False,
    picture: Annotated[
        Path | None,
        typer.Option(help="Draw a rollout of sokoban or warehouse: a .svg, .png or .html file."),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Do not cut long messages, nor lists of ids.")
    ] = False,
) -> None:
    """Show a sample: the prompt, the truth, and answers along its rollout against it.

    Answers are read as answers to the question that the metadata.yaml beside them names; without
    that file, to the question that is shown. A baseline answers the question that is
    shown if it can, else that of intervals.

    A config, or the beginning of ids, such as sokoban or swebench/gpt-5.2, lists its ids.
    """
    from bagen_data.cli.listed_samples import print_listed
    from bagen_data.cli.scored_answers import asked_samples
    from bagen_data.forecasters.learning.predictions import ForecastRequest, predict
    from bagen_data.pictures import check_picture, draw
    from bagen_data.prediction_files import files_in
    from bagen_data.prediction_folder import choose_predictions
    from bagen_data.prompt_variants import find_variant, question_of
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.repositories.dataset_places import pinned
    from bagen_data.rollout_view import answers_tables, find_rollout, find_sample, responses_of
    from bagen_data.sample_ids import ids_that_begin
    from bagen_data.table_printing import print_table
    from bagen_data.wording import numbered

    task = sample_id.partition("/")[0]
    if picture:
        check_picture(picture, task)
    for name in baseline or ():
        find_forecaster(name)  # an unknown one is refused before data is read
    folders = {path: files_in(path)[0].parent for path in predictions or ()}
    dataset = pinned(at_revision(dataset, revision))
    located = find_sample(dataset, sample_id)
    if located is None:
        listed = ids_that_begin(dataset, sample_id)
        options = {"--predictions": predictions, "--baseline": baseline, "--picture": picture}
        for option in filter(options.get, options):
            raise WrongUsageError(
                f"{sample_id}: is the beginning of {numbered(len(listed), 'sample id')}; "
                f"{option} needs one, such as {listed[0].sample_id}"
            )
        print_listed(sample_id, listed, full=full)
        return
    variant = prompt or find_variant(located.sample["prompt_variant"])
    tables = []
    for path, folder in folders.items():
        chosen = choose_predictions(path, asked_samples(dataset, located.config, [task]))
        responses = responses_of(chosen.read, located.rollout)
        question = question_of(_variant_beside(folder) or variant)
        tables += answers_tables(str(chosen.path), located.rollout, responses, question)
    for name in baseline or ():
        others = cross_validate and find_forecaster(name).learns
        request = ForecastRequest(
            dataset,
            located.config,
            located.split,
            name,
            cross_validate=others,
            question=_question_for(name, question_of(variant)),
        )
        predicted = predict(request)
        responses = {row["sample_id"]: row["response"] for row in predicted.rows}
        tables += answers_tables(name, located.rollout, responses, predicted.question)
    _print_sample(located.sample, variant, full=full)
    if picture:
        draw(picture, find_rollout(dataset, located), located.sample["completed_turns"])
        print(f"its rollout is drawn in {picture}")
    for table in tables or answers_tables("no answers given", located.rollout, {}):
        print_table(table)


def _question_for(forecaster: str, shown_question: "Question") -> BaselineQuestion:
    """Return the question that is shown if a baseline answers it, else that of intervals."""
    gives_forecasts = find_forecaster(forecaster).learn_forecasts is not None
    return "forecast" if shown_question == "forecast" and gives_forecasts else "interval"


def _variant_beside(folder: Path) -> str | None:
    """Return the prompt variant in the metadata of a folder of predictions; None without it."""
    from bagen_data.submissions import METADATA, read_metadata

    file = folder / METADATA
    return read_metadata(file).prompt_variant if file.is_file() else None


def _print_sample(sample: "Row", variant: "Variant", *, full: bool) -> None:
    from bagen_data.console import shown, stdout_console
    from bagen_data.gold_answers import gold_answer
    from bagen_data.number_texts import readable
    from bagen_data.prompt_rewording import reworded
    from bagen_data.prompt_variants import find_variant, question_of
    from bagen_data.verdict_words import outcome_words

    console = stdout_console(soft_wrap=True)

    def print_heading(text: str) -> None:
        console.print(shown(f"--- {text} ---"), style="bold")

    print_heading(sample["sample_id"])
    is_built = variant == find_variant(sample["prompt_variant"])
    prompt = sample["prompt"] if is_built else reworded(sample, variant)
    for message in prompt:
        console.print(shown(f"[{message['role']}]"), style="bold")
        text = message["content"]
        console.print(shown(text if full else text[:_SHOWN]))
        if len(text) > _SHOWN and not full:
            console.print(
                f"[... {len(text) - _SHOWN:,} more characters; pass --full to see them]",
                markup=False,
            )
        console.print()
    print_heading(f"answer, {variant}")
    for line in prompt[-1]["content"].splitlines()[-_MOST_FORMS:]:
        if "<answer>" in line and line.endswith("</answer>"):
            console.print(shown(line))
    console.print()
    print_heading("truth")
    lines = [
        f"{outcome_words(sample)}; this is after turn {sample['completed_turns']} of "
        f"{sample['total_turns']} of instance {sample['instance_id']}",
        *(f"{each['name']}: {readable(each['value'])}" for each in sample["conditions"]),
        *(
            f"{part['resource']}: {readable(part['used'])} of {readable(part['budget'])} "
            f"{part['unit']} used, went on to use {readable(part['remaining'])}"
            for part in sample["resources"]
        ),
        f"so the best answer is {gold_answer(sample, question_of(variant))}",
        *_unscored(sample, question_of(variant)),
    ]
    for line in lines:
        console.print(shown(line))
    console.print()


def _unscored(sample: "Row", question: "Question") -> "Iterator[str]":
    """Say that the quantiles of a run that failed are not scored, where a forecast is asked for."""
    if question == "forecast" and not sample["rollout_success"]:
        yield "quantiles of this run are not scored, because it failed"
