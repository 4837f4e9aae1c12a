"""The token counts of one rollout, where they may be something else than single requests."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from bagen_data.errors import RolloutError
from bagen_data.usage import Request, fitting_conventions
from bagen_data.usage_objects import BARE, CODEX

_ENOUGH = 4
"""Requests from which on counts do not look like sums by chance: outputs of 4 rise in 1 of 24."""


class _Step(NamedTuple):
    read: int
    written: int
    visible: int


def refuse_sums(requests: Sequence[Request]) -> None:
    """Refuse counts that can be a session's sums as well as single ones.

    Sums only grow. The requests between them replay each other, so that their inputs grow, too:
    single requests fit that only where every input is more than twice the one before. Bare counts
    may also be sums of single turns, each of which reads and writes something.

    Raises:
        RolloutError: there are four requests or more, or two of Codex's alone, and they fit sums.
    """
    shapes = {request.shape for request in requests}
    if len(requests) < (2 if shapes == {CODEX} else _ENOUGH):
        return
    first = _Step(requests[0].input_tokens, requests[0].output_tokens, requests[0].visible_tokens)
    steps = [first, *(_difference(before, now) for before, now in pairwise(requests))]
    last = requests[-1]
    are_requests = all(min(step) >= 0 for step in steps) and all(
        now.read >= before.read + before.visible for before, now in pairwise(steps)
    )
    are_turns = (
        shapes == {BARE}
        and fitting_conventions(requests) == {"turn"}
        and all(step.read > 0 and step.written > 0 for step in steps)
        and last.output_tokens >= 2 * first.written
    )
    if are_requests or are_turns:
        raise RolloutError(
            f"token counts only grow, from {first.read} input and {first.written} output tokens to "
            f"{last.input_tokens} and {last.output_tokens}, as a session's sums do; expected each "
            "request's own (last_token_usage of Codex, not total_token_usage)"
        )


def _difference(before: Request, now: Request) -> _Step:
    return _Step(
        now.input_tokens - before.input_tokens,
        now.output_tokens - before.output_tokens,
        now.visible_tokens - before.visible_tokens,
    )


def refuse_mixture(requests: Sequence[Request]) -> None:
    """Refuse bare counts of single turns beside counts of whole requests.

    Raises:
        RolloutError: a rollout holds both kinds of usage, and a bare input is smaller than the
            history that a request replays.
    """
    if len({request.shape == BARE for request in requests}) < 2:
        return
    replayed: dict[str, int] = {}
    for number, request in enumerate(requests, 1):
        history = replayed.get(request.context, 0)
        if request.shape == BARE and request.input_tokens < history:
            raise RolloutError(
                f"request {number} has an input of {request.input_tokens} tokens and nothing else, "
                f"beside requests of {_others(requests)} usage; expected at least {history}, the "
                "history that a whole request replays"
            )
        replayed[request.context] = request.input_tokens + request.visible_tokens


def _others(requests: Sequence[Request]) -> str:
    return ", ".join(sorted({request.shape for request in requests} - {BARE}))


def refuse_swapped(pairs: Sequence[Sequence[int]]) -> None:
    """Refuse pairs of output and input: they are expected as input and output.

    The second numbers grow as inputs do, by at least the history, and the first ones do not.

    Raises:
        RolloutError: there are three pairs or more, and only swapped they are whole requests.

    >>> refuse_swapped([(412, 97), (580, 64), (700, 80)])
    """
    as_stated = [Request(read, written, written) for read, written in pairs]
    swapped = [Request(read, written, written) for written, read in pairs]
    if (
        len(pairs) > 2
        and "request" in fitting_conventions(swapped)
        and "request" not in fitting_conventions(as_stated)
    ):
        raise RolloutError(
            f"pairs such as {list(pairs[-1])} look like output and input: the second numbers grow "
            "by what was said before; expected input and output, in this order"
        )
