"""The forecasters, which need no model, as submissions like any other."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path

from bagen_data.errors import BagenError, InputError, OutputError
from bagen_data.forecasters import find_forecaster, known_forecasters
from bagen_data.forecasters.learning.examples import load_examples
from bagen_data.forecasters.learning.predictions import ForecastRequest, Load, Predicted, predict
from bagen_data.held_folder import LOCK, HeldFolder, held_folder, made_folder
from bagen_data.hub import splits
from bagen_data.submission_writer import BASELINE_VARIANTS, new_metadata, write_submission
from bagen_data.submissions import METADATA, Metadata, read_metadata
from bagen_data.worker_processes import run_jobs
from leaderboard.benchmark_samples import Benchmark


def write_baselines(
    dataset: str, benchmark: Benchmark, out: Path, workers: int = 1
) -> Iterator[Path]:
    """Write a submission for each baseline: a file for each task, and the metadata.

    A baseline learns from `<task>_train`; where that is missing, about each rollout of a family
    from the family's others, and the metadata say so.

    Args:
        dataset: a folder that `python -m builders build` wrote, or a dataset id on the Hub.
        benchmark: that dataset's.
        out: the folder of submissions.
        workers: processes; a task is the work of one.

    Yields:
        The folder of each submission, as it is written.

    Raises:
        InputError: the dataset cannot be used, or some forecasters failed; the others are written.
        OutputError: a folder cannot be written, holds another submission, or another process is
            writing it.
    """
    with ExitStack() as stack:
        stack.enter_context(made_folder(out))  # it vanishes again if nothing is written
        held = {name: stack.enter_context(held_folder(out / name)) for name in known_forecasters()}
        for name in held:
            _refuse_foreign(out / name, name, benchmark.tasks)
        yield from _write_baselines(dataset, benchmark, held, workers)


def _write_baselines(
    dataset: str, benchmark: Benchmark, held: Mapping[str, HeldFolder], workers: int
) -> Iterator[Path]:
    has_training = {task: bool(splits(dataset, f"{task}_train")) for task in benchmark.tasks}
    jobs = [(dataset, task, can_train) for task, can_train in has_training.items()]
    by_task = dict(zip(has_training, run_jobs(_predicted, jobs, workers, _predicting), strict=True))
    failures = []
    for name, folder in held.items():
        outcomes = {task: of_task[name] for task, of_task in by_task.items()}
        predicted = {task: each for task, each in outcomes.items() if isinstance(each, Predicted)}
        if len(predicted) < len(outcomes):
            failures.append(f"{name}: {next(e for e in outcomes.values() if isinstance(e, str))}")
            continue
        metadata = _metadata(name, list(predicted.values()), benchmark)
        rows = {f"{task}.jsonl": of_task.rows for task, of_task in predicted.items()}
        write_submission(folder, metadata, rows)
        yield folder.path
    if failures:
        raise InputError("\n".join(["some baselines failed and were not written:", *failures]))


def _predicting(_dataset: str, task: str, _can_train: bool) -> str:
    return f"it predicted {task}"


def _predicted(dataset: str, task: str, can_train: bool) -> dict[str, Predicted | str]:
    """Return what each forecaster says of one task, or why it failed."""
    load = cache(load_examples)  # all of them read the same
    return {name: _attempt(dataset, task, name, can_train, load) for name in known_forecasters()}


def _attempt(dataset: str, task: str, name: str, can_train: bool, load: Load) -> Predicted | str:
    try:
        crosses = find_forecaster(name).learns and not can_train
        return predict(ForecastRequest(dataset, task, "test", name, cross_validate=crosses), load)
    except Exception as error:  # one forecaster's failure stops no other
        return str(error) if isinstance(error, BagenError) else f"{type(error).__name__}: {error}"


def _refuse_foreign(folder: Path, name: str, tasks: Sequence[str]) -> None:
    """Refuse to write over what is not an earlier submission of this baseline, or nothing."""
    try:
        names = {path.name for path in folder.iterdir()} - {LOCK}
    except OSError:  # nothing is there; or writing it says what is wrong
        return
    is_replaceable = names <= {METADATA, *(f"{task}.jsonl" for task in tasks)}
    if is_replaceable and METADATA in names:
        try:
            earlier = read_metadata(folder / METADATA)
            is_replaceable = (earlier.provider, earlier.model_id) == ("none", name)
        except InputError:
            is_replaceable = False
    if names and not is_replaceable:
        raise OutputError(
            f"{folder}: holds another submission than the baseline {name}; nothing was written; "
            "rename it, or give another --out"
        )


def _metadata(name: str, predicted: list[Predicted], benchmark: Benchmark) -> Metadata:
    kinds = {each.trained_on for each in predicted}
    settings = {key: value for each in predicted for key, value in each.settings.items()}
    return new_metadata(
        benchmark.revision,
        estimator=name,
        model_id=name,
        decoding=settings,
        prompt_variant=BASELINE_VARIANTS[predicted[0].question],
        trained_on=next(kind for kind in ("benchmark", "train", "none") if kind in kinds),
    )
