"""`bagen predict baseline`."""

from typing import Annotated

import typer

from bagen_data.cli.command_options import (
    Config,
    Dataset,
    Link,
    Name,
    Out,
    Revision,
    Split,
    check_labels,
)
from bagen_data.forecasters import BaselineQuestion, known_forecasters


def predict_baseline_command(
    baseline: Annotated[
        str, typer.Argument(metavar="NAME", help=f"One of {', '.join(known_forecasters())}.")
    ],
    dataset: Dataset,
    out: Out,
    config: Config = None,
    split: Split = "test",
    revision: Revision = None,
    question: Annotated[
        BaselineQuestion | None,
        typer.Option(
            help="The question to answer [default: forecast where the baseline gives forecasts, "
            "else interval].",
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, max=2**31 - 1, help="Seed of folds, and of what is learned.")
    ] = 0,
    name: Name = None,
    link: Link = None,
    cross_validate: Annotated[
        bool,
        typer.Option("--cross-validate", help="Learn about a family's rollouts from its others."),
    ] = False,
    learn_from: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET",
            help="Dataset with the <task>_train configs to learn from: a folder, or ORG/NAME or "
            "ORG/NAME@REV on the Hub [default: that of --dataset].",
        ),
    ] = None,
) -> None:
    """Answer every sample with a baseline: a forecaster that needs no model."""
    check_labels(name, link)
    from bagen_data.forecasters.learning.predictions import ForecastRequest, predict
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.submission_writer import (
        BASELINE_VARIANTS,
        PREDICTIONS,
        new_metadata,
        submission_folder,
        write_submission,
    )

    request = ForecastRequest(
        at_revision(dataset, revision),
        config,
        split,
        baseline,
        seed,
        cross_validate,
        learn_from,
        question,
    )
    estimator = name or baseline
    with submission_folder(out, estimator) as held:
        predicted = predict(request)
        metadata = new_metadata(
            predicted.revision,
            estimator=estimator,
            model_id=baseline,
            decoding=predicted.settings,
            prompt_variant=BASELINE_VARIANTS[predicted.question],
            trained_on=predicted.trained_on,
            link=link,
        )
        write_submission(held, metadata, {PREDICTIONS: predicted.rows})
    print(f"{len(predicted.rows):,} predictions of {estimator} are in {out / PREDICTIONS}")
