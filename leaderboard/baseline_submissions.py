"""The forecasters, which need no model, as submissions like any other."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bagen_data.dataset_configs import start_config
from bagen_data.errors import BagenError, InputError, OutputError
from bagen_data.executors import ExecutorChoice, open_executor
from bagen_data.executors.jobs import run_jobs
from bagen_data.forecasters import find_forecaster, known_forecasters
from bagen_data.forecasters.learning.examples import load_examples
from bagen_data.forecasters.learning.predictions import ForecastRequest, Load, Predicted, predict
from bagen_data.held_folder import LOCK, HeldFolder, held_folder, made_folder
from bagen_data.hub import splits
from bagen_data.submission_writer import BASELINE_VARIANTS, new_metadata, write_submission
from bagen_data.submissions import METADATA, Metadata, read_metadata
from leaderboard.benchmark_samples import Benchmark


def write_baselines(
    dataset: str,
    benchmark: Benchmark,
    out: Path,
    names: Sequence[str] = (),
    workers: int = 1,
) -> Iterator[Path]:
    """Write a submission for each baseline: a file for each config, and the metadata.

    A baseline learns from `<task>_train`. Where that config is missing, it learns about each
    rollout from the other rollouts of the family, and the metadata say so. Start probes are
    answered by the baselines that can.

    Args:
        dataset: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        benchmark: the samples of that dataset.
        out: the folder of submissions.
        names: the forecasters; all of them if empty.
        workers: number of processes; each task is computed by one.

    Yields:
        The folder of each submission, as it is written.

    Raises:
        WrongUsageError: a name is not a forecaster's.
        InputError: the dataset cannot be used, or some forecasters failed; the others are written.
        OutputError: a folder cannot be written, holds another submission, or another process is
            writing it.
    """
    for name in names:
        find_forecaster(name)
    with ExitStack() as stack:
        stack.enter_context(made_folder(out))  # it vanishes again if nothing is written
        held = {
            name: stack.enter_context(held_folder(out / name))
            for name in names or known_forecasters()
        }
        for name in held:
            _refuse_foreign(out / name, name, benchmark.configs)
        yield from _write_baselines(dataset, benchmark, held, workers)


def _write_baselines(
    dataset: str, benchmark: Benchmark, held: Mapping[str, HeldFolder], workers: int
) -> Iterator[Path]:
    has_training = {task: bool(splits(dataset, f"{task}_train")) for task in benchmark.tasks}
    jobs = [
        (dataset, task, task in benchmark.start_tasks, can_train, tuple(held))
        for task, can_train in has_training.items()
    ]
    with open_executor(ExecutorChoice("local", workers)) as executor:
        predicted = run_jobs(_predicted, jobs, executor, _predicting)
        by_task = dict(zip(has_training, predicted, strict=True))
    failures = []
    for name, folder in held.items():
        outcomes = {task: of_task[name] for task, of_task in by_task.items()}
        failed = [each.failed for each in outcomes.values() if isinstance(each, _FailedForecaster)]
        if failed:
            failures.append(f"{name}: {failed[0]}")
            continue
        by_config = {
            config: predicted
            for each in outcomes.values()
            if not isinstance(each, _FailedForecaster)
            for config, predicted in each.items()
        }
        metadata = _metadata(name, list(by_config.values()), benchmark)
        rows = {f"{config}.jsonl": predicted.rows for config, predicted in by_config.items()}
        write_submission(folder, metadata, rows)
        yield folder.path
    if failures:
        raise InputError("\n".join(["some baselines failed and were not written:", *failures]))


@dataclass(frozen=True)
class _FailedForecaster:
    """A forecaster's failure on a task."""

    failed: str
    """The reason."""


def _predicting(
    _dataset: str, task: str, _has_start: bool, _can_train: bool, _names: Sequence[str]
) -> str:
    return f"it predicted {task}"


def _predicted(
    dataset: str, task: str, has_start: bool, can_train: bool, names: Sequence[str]
) -> dict[str, dict[str, Predicted] | _FailedForecaster]:
    """Return by forecaster what it says of each config of one task, or why it failed."""
    load = cache(load_examples)  # all of them read the same
    outcomes: dict[str, dict[str, Predicted] | _FailedForecaster] = {}
    for name in names:
        predicted = _attempt(dataset, task, name, can_train, load)
        if isinstance(predicted, _FailedForecaster):
            outcomes[name] = predicted
            continue
        outcomes[name] = by_config = {task: predicted}
        if has_start:
            config = start_config(task)
            of_start = _attempt(dataset, config, name, can_train, load)
            if isinstance(of_start, Predicted):  # some need a turn to go by
                by_config[config] = of_start
    return outcomes


def _attempt(
    dataset: str, config: str, name: str, can_train: bool, load: Load
) -> Predicted | _FailedForecaster:
    try:
        crosses = find_forecaster(name).learns and not can_train
        return predict(ForecastRequest(dataset, config, "test", name, cross_validate=crosses), load)
    except Exception as error:  # one forecaster's failure stops no other
        known = isinstance(error, BagenError)
        return _FailedForecaster(str(error) if known else f"{type(error).__name__}: {error}")


def _refuse_foreign(folder: Path, name: str, configs: Sequence[str]) -> None:
    """Refuse to write over what is not an earlier submission of this baseline, or nothing."""
    try:
        names = {path.name for path in folder.iterdir()} - {LOCK}
    except OSError:  # nothing is there; or writing it says what is wrong
        return
    is_replaceable = names <= {METADATA, *(f"{config}.jsonl" for config in configs)}
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
