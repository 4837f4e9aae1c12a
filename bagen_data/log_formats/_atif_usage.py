"""Requests of the steps of an ATIF trajectory, and the check of its stated totals."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.log_formats._atif_files import TrajectoryFile, subagent_references
from bagen_data.logs import log_fields
from bagen_data.usage import Request
from bagen_data.usage_objects import atif, provider_usage

SYNTHETIC = "<synthetic>"
"""The model of messages that Claude Code writes itself."""
_COST_SHARES = ("mini-swe-agent",)
"""Agents whose steps state equal shares of a whole price, not their own."""


def step_requests(
    step: Mapping[str, Any], file: TrajectoryFile, where: str
) -> tuple[Request, ...] | None:
    """Return the requests of an agent step; None where its usage is unknown.

    Args:
        step: an agent step that is not copied.
        file: the step's trajectory.
        where: the step's place, for errors.

    Raises:
        RolloutError: a count cannot be used, or the metrics sum up several requests.
    """
    model = log_fields.identity(step.get("model_name"), file.agent.get("model_name"))
    metrics = log_fields.mapping(step.get("metrics") or {}, f"{where}: metrics")
    counts = [metrics.get("prompt_tokens"), metrics.get("completion_tokens")]
    calls = step.get("llm_call_count")
    calls = None if calls is None else log_fields.count(calls, f"{where}: llm_call_count")
    if calls == 0 and any(counts):
        raise RolloutError(
            f"{where} states llm_call_count 0 and {counts[0]} prompt_tokens; expected no metrics "
            "where no model was called; correct the step, or remove the rollout"
        )
    if calls == 0 or model == SYNTHETIC or _is_growth_of_none(step, file):
        return ()
    if calls is not None and calls > 1:
        raise RolloutError(
            f"{where} states llm_call_count {calls}: its metrics sum up {calls} requests, of which "
            "each repeats the history; expected one request a step, as the fresh input of a sum "
            "is not known; write a step for each request, or remove the rollout"
        )
    if None in counts:
        return None
    try:
        requests = _requests(metrics)
    except RolloutError as error:
        raise RolloutError(f"{where}: {error}") from error
    is_stated = file.agent.get("name") not in _COST_SHARES and not _is_estimate(metrics)
    return tuple(
        replace(each, model=model, cost_usd=each.cost_usd if is_stated else None)
        for each in requests
    )


def _is_growth_of_none(step: Mapping[str, Any], file: TrajectoryFile) -> bool:
    """Return whether a step of OpenHands belongs to the same response as the step before.

    Harbor writes what OpenHands' sums grew by at each action. They do not grow at the second action
    of one response, whose metrics are empty then. Sums of nothing say nothing: they need a total.
    """
    totals = file.value.get("final_metrics")
    has_total = isinstance(totals, dict) and bool(totals.get("total_prompt_tokens"))
    metrics = step.get("metrics")
    is_empty = isinstance(metrics, dict) and not any(metrics.values())
    return file.agent.get("name") == "openhands" and is_empty and has_total


def _requests(metrics: Mapping[str, Any]) -> tuple[Request, ...]:
    """Map metrics to one request, or to the several that Claude Code's `iterations` state."""
    whole = atif(metrics)
    extra = metrics.get("extra")
    iterations = extra.get("iterations") if isinstance(extra, Mapping) else None
    if not isinstance(extra, Mapping) or not isinstance(iterations, list) or len(iterations) < 2:
        return (whole,)
    apart = whole.input_tokens - whole.cached_tokens - whole.cache_write_tokens
    usage = {**extra, "input_tokens": apart, "output_tokens": whole.output_tokens}
    return provider_usage(usage)


def _is_estimate(metrics: Mapping[str, Any]) -> bool:
    extra = metrics.get("extra")
    return isinstance(extra, Mapping) and "estimate" in str(extra.get("cost_source"))


class Sums(NamedTuple):
    """The sums over some requests."""

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int
    cost_usd: float | None
    """Sum of the stated prices in US dollars; None where a request states none."""

    @classmethod
    def of(cls, requests: Iterable[Request]) -> "Sums":
        """Return the sums over requests."""
        every = tuple(requests)
        costs = [each.cost_usd for each in every]
        stated = [cost for cost in costs if cost is not None]
        return cls(
            sum(each.input_tokens for each in every),
            sum(each.output_tokens for each in every),
            sum(each.cached_tokens for each in every),
            sum(stated) if len(stated) == len(costs) else None,
        )


def refuse_other_totals(final_metrics: Any, scopes: Sequence[Sums], where: str) -> None:
    """Refuse stated totals that none of the sums they may mean agrees with.

    Args:
        final_metrics: the trajectory's own; null is none.
        scopes: the sums over what the totals may cover, the steps alone first. Harbor's agents
            include subagents and the files before a continuation, or do not.
        where: the trajectory's place, for errors.

    Raises:
        RolloutError: a total is another.
    """
    totals = log_fields.mapping(final_metrics or {}, f"{where}final_metrics")
    for name in ("prompt_tokens", "completion_tokens"):
        stated = totals.get(f"total_{name}")
        sums = [getattr(scope, name) for scope in scopes]
        if stated is not None and log_fields.count(stated, f"total_{name}") not in sums:
            raise RolloutError(_disagreement(where, f"total_{name}", stated, sums))
    _refuse_other_cached(totals, scopes, where)
    cost = totals.get("total_cost_usd")
    costs = [scope.cost_usd for scope in scopes if scope.cost_usd is not None]
    if not cost or not costs:
        return
    stated_cost = log_fields.quantity(cost, f"{where}final_metrics.total_cost_usd")
    if not any(math.isclose(stated_cost, each, rel_tol=1e-3, abs_tol=1e-6) for each in costs):
        raise RolloutError(_disagreement(where, "total_cost_usd", cost, costs))


def _refuse_other_cached(totals: Mapping[str, Any], scopes: Sequence[Sums], where: str) -> None:
    """Refuse another total of cached tokens, or one above the prompt that it is a part of.

    A total of 0 is taken as not stated. Steps that state no cached tokens may leave them out.

    Raises:
        RolloutError: the total is another.
    """
    stated = log_fields.count(totals.get("total_cached_tokens") or 0, "total_cached_tokens")
    sums = [scope.cached_tokens for scope in scopes]
    most = max(scope.prompt_tokens for scope in scopes)
    if stated > most:
        raise RolloutError(
            f"{where}final_metrics.total_cached_tokens is {stated}; expected at most {most}, the "
            "prompt tokens of the steps, which hold them; correct it, or remove the rollout"
        )
    if stated and any(sums) and stated not in sums:
        raise RolloutError(_disagreement(where, "total_cached_tokens", stated, sums))


def refuse_missing_steps(trajectory: Mapping[str, Any], steps: int, where: str) -> None:
    """Refuse a trajectory that counts more steps than it holds, and has no notes on why.

    Args:
        trajectory: a trajectory without subagents and continuations, whose steps may count, too.
        steps: the steps that it holds.
        where: the trajectory's place, for errors.

    Raises:
        RolloutError: steps are missing.
    """
    totals = log_fields.mapping(trajectory.get("final_metrics") or {}, f"{where}final_metrics")
    stated = log_fields.count(totals.get("total_steps") or 0, f"{where}final_metrics.total_steps")
    if stated > steps and not trajectory.get("notes"):
        raise RolloutError(
            f"{where}final_metrics.total_steps is {stated}, and the trajectory has {steps} steps; "
            "expected as many, or 'notes' on the difference; restore the steps that are missing, "
            "or remove the rollout"
        )


def _disagreement(where: str, name: str, stated: Any, sums: Sequence[float]) -> str:
    others = sorted({each for each in sums if each != sums[0]})
    more = f" (or {', '.join(map(str, others))} with subagents or earlier files)" if others else ""
    return (
        f"{where}final_metrics.{name} is {stated}; expected {sums[0]}, the sum over the steps"
        f"{more}; a request is missing from the steps or counted twice: correct them, or remove "
        "the rollout"
    )


def replaces_context(step: Mapping[str, Any]) -> bool:
    """Return whether a step says that a summary takes the place of what was said before.

    Versions before 1.7 have no mark for it: there, terminus-2 writes a system step with the
    subagents that summarised.
    """
    extra = step.get("extra")
    management = extra.get("context_management") if isinstance(extra, Mapping) else None
    if isinstance(management, Mapping):
        return management.get("boundary") == "replace" or (
            management.get("type") == "compaction" and not management.get("boundary")
        )
    says_so = "summarization" in str(step.get("message")).lower()
    return step.get("source") == "system" and says_so and any(subagent_references(step))
