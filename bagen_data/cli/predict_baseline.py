"""`bagen predict baseline`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
from bagen_data.forecasters import (
    BaselineQuestion,
    SeenSamples,
    find_forecaster,
    known_forecasters,
)

if TYPE_CHECKING:
    from bagen_data.forecasters.learning.predictions import ForecastRequest, Predicted

_SHOWN = 12
"""Characters of a forecaster's hash that name it."""


def predict_baseline_command(
    baseline: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help=f"One of {', '.join(known_forecasters())}; or a forecaster that 'bagen fit' "
            "wrote: its folder, such as ./forest, or ORG/NAME or ORG/NAME@REV on the Hub.",
        ),
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
        typer.Option("--cross-validate", help="Learn for each instance from the family's others."),
    ] = False,
    learn_from: Annotated[
        str | None,
        typer.Option(
            metavar="DATASET",
            help="Dataset with the <task>_train configs to learn from: a folder, or ORG/NAME or "
            "ORG/NAME@REV on the Hub [default: that of --dataset].",
        ),
    ] = None,
    seen: Annotated[
        SeenSamples,
        typer.Option(
            help="Samples of instances that a forecaster of a folder or of the Hub learned from: "
            "refuse them, or answer them and say so in the metadata."
        ),
    ] = "refused",
) -> None:
    """Answer every sample with a baseline: a forecaster that needs no model."""
    check_labels(name, link)
    from bagen_data.forecasters.learning.predictions import ForecastRequest
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
    asked = _asked_baseline(baseline, seen)
    estimator = name or asked.estimator
    with submission_folder(out, estimator) as held:
        predicted = asked.predict(request)
        metadata = new_metadata(
            predicted.revision,
            estimator=estimator,
            model_id=asked.kind,
            decoding=predicted.settings,
            prompt_variant=BASELINE_VARIANTS[predicted.question],
            trained_on=predicted.trained_on,
            link=link,
        )
        write_submission(held, metadata, {PREDICTIONS: predicted.rows})
    print(f"{len(predicted.rows):,} predictions of {estimator} are in {out / PREDICTIONS}")


@dataclass(frozen=True)
class _AskedBaseline:
    """The forecaster that answers, and its name."""

    kind: str
    """The name of the forecaster."""
    estimator: str
    """The name that is shown where none is given."""
    predict: "Callable[[ForecastRequest], Predicted]"


def _asked_baseline(name: str, seen: SeenSamples) -> _AskedBaseline:
    """Return a baseline by its name, or a kept forecaster by its folder or its id on the Hub.

    Raises:
        WrongUsageError, InputError, StoreError: the name is unknown, or it cannot be used.
    """
    from bagen_data.forecasters.learning.predictions import predict

    if name in known_forecasters():
        return _AskedBaseline(name, name, predict)
    if "/" not in name and not Path(name).is_dir():
        find_forecaster(name)  # which refuses it and lists all names
    from bagen_data.forecasters.kept import load_forecaster
    from bagen_data.forecasters.kept.kept_predictions import predict_kept

    kept = load_forecaster(name)
    estimator = f"{kept.kind}-{kept.sha256[:_SHOWN]}"
    return _AskedBaseline(kept.kind, estimator, lambda request: predict_kept(kept, request, seen))
