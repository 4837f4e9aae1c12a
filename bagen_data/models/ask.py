"""Ask a model every question of a split; concurrency, retries, caches and logs are Inspect's.

The log lies in the folder `logs` of the output. A run that was stopped, or whose provider failed,
is resumed from it: samples that have an answer there are not asked again.
"""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from inspect_ai import eval as evaluate
from inspect_ai import eval_retry
from inspect_ai.log import EvalLog, read_eval_log, read_eval_log_sample_summaries
from inspect_ai.model import (
    Model,
    ModelCost,
    ModelInfo,
    get_model_info,
    set_model_info,
)

from bagen_data.console import shown
from bagen_data.errors import OutputError, WrongUsageError
from bagen_data.models.inspect_task import bagen, on_answer
from bagen_data.models.model_log import TASK, ModelLog, read_log, slim
from bagen_data.models.model_run import ModelRun, Price
from bagen_data.models.providers import find_model, prerequisites
from bagen_data.progress_bar import progress_bar
from bagen_data.wording import differences

LOGS = "logs"
"""The folder of Inspect's logs in that of the predictions."""
GIVE_UP = 20
"""Samples that failed for good after which a run stops, or a tenth of all if that is more: the next
would hardly do better."""
_RUN = "bagen_run"
_LOCALS = "INSPECT_TRACEBACK_LOCALS"
_UNREADABLE = (OSError, ValueError, KeyError, BadZipFile)
"""What reading a log raises that was cut off before its first answer."""


def ask(run: ModelRun, price: Price | None, out: Path, *, resume: bool) -> ModelLog:
    """Ask what is not answered yet; returns the log, complete or not.

    Args:
        run: what is asked.
        price: of the model's tokens, for the cost of each answer; unknown if None.
        out: the log is written into its folder `logs`; the caller holds it (`held_folder`).
        resume: whether an earlier run may be there, to go on with.

    Raises:
        OutputError: there is one, and it is not to be resumed; or the log cannot be written.
        WrongUsageError: the earlier run asked something else.
        InputError: the model cannot be asked: an unknown provider, a package or a key is missing.
    """
    _refuse_local_variables()
    logs = (out / LOGS).absolute()
    model = find_model(run.model, run.options)
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{logs}: cannot be written: {error.strerror or error}") from error
    asked = _asked(run)
    earlier = _earlier(run, logs, asked, resume)
    if price:
        info = get_model_info(run.model) or ModelInfo()
        cost = ModelCost.model_validate(asdict(price))
        set_model_info(run.model, info.model_copy(update={"cost": cost}))
    try:
        answered = _count(earlier, asked).asked if earlier else 0
        with prerequisites(), _progress(run, len(asked), answered):
            if earlier:
                ended = eval_retry(str(earlier), **_options(run, logs, len(asked)))
            else:
                ended = _start(run, model, logs, len(asked))
    except (OSError, sqlite3.Error) as error:
        raise OutputError(
            f"{logs}: cannot be written, or Inspect's own data folder cannot: {error}; what was "
            "answered is kept; mend that, then go on with --resume"
        ) from error
    errors = [log.error.message for log in ended if log.error]
    log = read_log(_fullest(logs, asked) or logs, asked, *errors)
    if not log.open:
        slim(log)
        _remove_others(logs, log.path)
    return log


def _refuse_local_variables() -> None:
    """Refuse tracebacks in logs that show the variables of clients, with their keys."""
    if os.environ.get(_LOCALS) == "1":
        raise WrongUsageError(f"{_LOCALS}=1 writes keys into logs; unset it")


def _asked(run: ModelRun) -> list[str]:
    """The log's ids of all samples: they hold a hash of the prompt as it is now."""
    dataset = bagen(run.dataset, run.config, run.split, run.constrained, run.variant).dataset
    return [str(sample.id) for sample in dataset][: run.limit]


def _start(run: ModelRun, model: Model, logs: Path, asked: int) -> list[EvalLog]:
    return evaluate(
        TASK,
        task_args={
            "dataset": run.dataset,
            "config": run.config,
            "split": run.split,
            "constrained": run.constrained,
            "variant": run.variant,
        },
        model=model,
        metadata={_RUN: run.record()},
        limit=run.limit,
        log_header_only=True,
        log_model_api=False,
        **run.options.generation,
        **_options(run, logs, asked),
    )


def _options(run: ModelRun, logs: Path, asked: int) -> dict[str, Any]:
    return {
        "log_dir": str(logs),
        "log_format": "eval",
        "fail_on_error": max(GIVE_UP, asked // 10),
        "score_display": False,
        "display": "none",
        "ctl_server": False,
        **run.options.limits,
    }


def _earlier(run: ModelRun, logs: Path, asked: Sequence[str], resume: bool) -> Path | None:
    """The log of the run to go on with; one without an answer may be begun anew.

    Raises:
        OutputError: there are answers, and they are not to be gone on with.
        WrongUsageError: they are another model's, or were asked for otherwise.
    """
    log = _fullest(logs, asked)
    if log is None:
        return None
    has_answers = any(_count(each, asked).all > 0 for each in _ours(logs))
    if has_answers and not resume:
        raise OutputError(
            f"{logs.parent}: holds a run already; go on with it: --resume, or give another --out"
        )
    changed = _changed(run, log) if resume or has_answers else ""
    if has_answers and changed:
        raise WrongUsageError(
            f"--resume: {logs.parent} holds a run with {changed}; give what it was begun with, or "
            "another --out"
        )
    return log if resume and not changed else None


def _changed(run: ModelRun, log: Path) -> str:
    """How the run of a log differs."""
    return differences(_run_of(log) or {}, run.record())


@dataclass(frozen=True, order=True)
class _Count:
    """How many answers a log has; the fuller of two is the greater."""

    asked: int
    """To prompts as they are now."""
    written: int
    """When, in nanoseconds."""
    all: int = field(compare=False)
    """To any prompt."""


def _count(log: Path, asked: Sequence[str]) -> _Count:
    try:
        summaries = read_eval_log_sample_summaries(str(log))
    except _UNREADABLE:
        return _Count(-1, 0, all=-1)
    answered = {str(each.id) for each in summaries if each.completed and not each.error}
    return _Count(len(answered & set(asked)), log.stat().st_mtime_ns, all=len(answered))


def _fullest(logs: Path, asked: Sequence[str]) -> Path | None:
    """The log with the most answers; None if there is no log.

    A resumed run begins with a copy of the answers there are. Killed while it copies, it has fewer
    than the log before it; later it has all of them and its own.
    """
    return max(_ours(logs), key=lambda log: _count(log, asked), default=None)


def _remove_others(logs: Path, kept: Path) -> None:
    """Earlier ones of the same run: the kept one has all answers."""
    run = _run_of(kept)
    for path in _ours(logs):
        if path != kept and _run_of(path) in (run, {}):
            path.unlink()


def _ours(logs: Path) -> list[Path]:
    """The logs that `bagen predict` wrote, and those that cannot be told."""
    return [path for path in logs.glob("*.eval") if _run_of(path) is not None]


def _run_of(log: Path) -> dict[str, Any] | None:
    """What a log says of its run; nothing if it cannot be read, None if it is no log of ours."""
    try:
        run = (read_eval_log(str(log), header_only=True).eval.metadata or {}).get(_RUN)
    except _UNREADABLE:
        return {}
    return dict(run) if run else None


@contextmanager
def _progress(run: ModelRun, asked: int, answered: int) -> Iterator[None]:
    """A bar on stderr, where that is a terminal."""
    with progress_bar() as progress:
        name = shown(f"{run.model} on {run.config}").plain
        bar = progress.add_task(name, total=asked, completed=answered)
        token = on_answer.set(lambda: progress.advance(bar))
        try:
            yield
        finally:
            on_answer.reset(token)
