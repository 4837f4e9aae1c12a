"""Ask a model every question of a split; concurrency, retries, caches and logs are Inspect's.

The logs lie in the folder `logs` of the output, one for each server. A run that was stopped, or
that failed, is resumed from them: samples that have an answer there are not asked again. When all
samples have one, the logs become one.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from inspect_ai.model import Model

from bagen_data.console import shown
from bagen_data.errors import OutputError, WrongUsageError
from bagen_data.models.asked_rollouts import AskedRollouts
from bagen_data.models.model_log import ModelLog
from bagen_data.models.model_run import LIMIT, ModelRun, Price, without_limit
from bagen_data.models.providers import find_model
from bagen_data.models.request_events import on_request_event
from bagen_data.models.run_interrupts import RunAt
from bagen_data.models.run_logs import (
    answered_ids,
    last_servers,
    read_logs,
    run_logs,
    run_of,
    server_mark,
    together,
    unite,
)
from bagen_data.models.run_progress import run_progress
from bagen_data.models.server_asking import Asking, ask_server, ask_servers
from bagen_data.models.server_reach import check_any_reachable
from bagen_data.models.server_share import ServerShare, share_out
from bagen_data.redaction import redact
from bagen_data.wording import differences, numbered

_LOCALS = "INSPECT_TRACEBACK_LOCALS"
_NAMED = 3
"""Rollouts of a server that a message names."""


def ask(
    run: ModelRun, asked: AskedRollouts, price: Price | None, at: RunAt, *, resume: bool
) -> ModelLog:
    """Ask what is not answered yet; returns what the logs have, complete or not.

    Args:
        run: what is asked.
        asked: the run's rollouts.
        price: of the model's tokens, for the cost of each answer; unknown if None.
        at: the folder of the run, which the caller holds (`held_folder`); is set to what is asked.
        resume: whether an earlier run may be in the folder, which is resumed then.

    Raises:
        OutputError: an earlier run is there and is not to be resumed; or a log cannot be written.
        WrongUsageError: the earlier run asked something else, or more samples.
        InputError: none of the servers takes connections.
        KeyboardInterrupt: the user stopped the run; what was answered is kept.
        InputError, WrongUsageError: as `first_model`.
    """
    logs = at.logs
    model = first_model(run)
    first = run.servers[0] if run.servers else None
    try:
        logs.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{logs}: cannot be written: {error.strerror or error}") from error
    earlier = _earlier(run, logs, resume=resume)
    ids = at.asked = asked.ids
    answered = set().union(*map(answered_ids, earlier)) & set(ids)
    shares = share_out(asked.rollouts, answered, run.servers, last_servers(earlier))
    if any(share.open for share in shares):
        check_any_reachable(run.servers)
    asking = Asking(run, price, logs)
    name = shown(f"{run.model} on {run.config}").plain
    with run_progress(name, len(ids), len(answered)) as progress:
        if len(shares) == 1 and shares[0].server == first:
            token = on_request_event.set(progress.heed)
            try:
                errors = {first: ask_server(asking, model, shares[0])}
            finally:
                on_request_event.reset(token)
        else:
            errors = ask_servers(asking, shares, progress.heed)
    progress.say_retries()
    ours = [path for path in run_logs(logs) if _is_of(run, run_of(path) or {})]
    read = read_logs(ours, ids)
    new = [each for each in read if each.path not in earlier]
    log = together(read, new, ids, next(chain.from_iterable(errors.values()), ""))
    if not log.open:
        return replace(log, path=unite(ours, log))
    return replace(log, by_server=tuple(_by_server(shares, log, new, errors)))


def first_model(run: ModelRun) -> Model:
    """Return the model at the run's first server; what is missing shows before anything is read.

    Raises:
        InputError: it cannot be asked: an unknown provider, a package or a key is missing.
        WrongUsageError: an address holds a key, or logs would.
    """
    _refuse_local_variables()
    first = run.servers[0] if run.servers else None
    return find_model(run.model, replace(run.options, base_url=first))


def _refuse_local_variables() -> None:
    """Refuse tracebacks in logs that show the variables of clients, with their keys."""
    if os.environ.get(_LOCALS) == "1":
        raise WrongUsageError(f"{_LOCALS}=1 writes keys into logs; unset it")


def _earlier(run: ModelRun, logs: Path, *, resume: bool) -> list[Path]:
    """Return the logs of the run to resume, oldest first; logs without an answer may be of any run.

    Raises:
        OutputError: there are answers, and they are not to be resumed.
        WrongUsageError: they are another model's, or were asked for otherwise.
    """
    answering = [path for path in run_logs(logs) if answered_ids(path)]
    if answering and not resume:
        raise OutputError(
            f"{logs.parent}: holds a run already; resume it with --resume, or give another --out"
        )
    for path in answering:
        begun = run_of(path) or {}
        changed = differences(without_limit(begun), without_limit(run.record()))
        if changed:
            raise WrongUsageError(
                f"--resume: {logs.parent} holds a run with {changed}; repeat the options of that "
                "run, or give another --out"
            )
        _check_limit(run, begun.get(LIMIT), logs.parent)
    return [path for path in run_logs(logs) if run_of(path) and _is_of(run, run_of(path) or {})]


def _check_limit(run: ModelRun, begun: int | None, out: Path) -> None:
    """Refuse a limit below that of the run to go on with, and of a shard any other one.

    Raises:
        WrongUsageError: the limit cannot be changed so.
    """
    if run.limit == begun:
        return
    had = "no --limit" if begun is None else f"--limit {begun}"
    if run.shard:
        raise WrongUsageError(
            f"--resume: {out} holds a shard of a run with {had}, and the rollouts of a shard "
            f"depend on it; repeat {had}, or give another --out"
        )
    if begun is None or (run.limit is not None and run.limit < begun):
        more = f"{had} or more, or leave it out" if begun else "no --limit"
        raise WrongUsageError(
            f"--resume: --limit {run.limit} is less than the run in {out} was started with "
            f"({had}); give {more}, or give another --out"
        )


def _is_of(run: ModelRun, record: Mapping[str, Any]) -> bool:
    """Return whether a log is the run's by its record, whatever the limit; an unreadable one is."""
    return not record or without_limit(record) == without_limit(run.record())


def _by_server(
    shares: Sequence[ServerShare],
    log: ModelLog,
    new: Sequence[ModelLog],
    errors: Mapping[str | None, Sequence[str]],
) -> Iterator[str]:
    """Yield a line on each of several servers that left samples open."""
    for share in shares if len(shares) > 1 else ():
        samples = sum(each not in log.answers for each in share.open)
        if not samples:
            continue
        names = [each.name for each in share.rollouts if not log.answers.keys() >= set(each.ids)]
        more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
        mark = server_mark(share.server)
        reasons = [each.problem() for each in new if mark in each.servers and each.failures]
        reason = (*reasons, *errors.get(share.server, ()), log.problem())[0].replace("\n  ", ", ")
        yield redact(
            f"--base-url {share.server}: {samples:,} of {numbered(len(share.open), 'sample')} have "
            f"no answer, of {', '.join(names[:_NAMED])}{more}: {reason}"
        )
