"""The token counts of one rollout, where they may be something else than single requests."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_objects import BARE, CODEX, COMPACTED

Requests = tuple[Request, ...] | None
"""The requests of one turn; None where they are unknown."""


def refuse_sums(requests: Sequence[Request]) -> None:
    """Refuse Codex counts in a list that can be a session's sums as well as single requests.

    Sums only grow, and so do the inputs between them. Counts of single requests fit that only where
    every input is more than twice the one before.

    Raises:
        RolloutError: all requests are Codex's, there are two or more, and they fit sums.
    """
    if len(requests) < 2 or any(request.shape != CODEX for request in requests):
        return
    counts = [
        (request.input_tokens, request.output_tokens, request.visible_tokens)
        for request in requests
    ]
    steps = [counts[0]] + [
        (now[0] - before[0], now[1] - before[1], now[2] - before[2])
        for before, now in pairwise(counts)
    ]
    grows = all(min(step) >= 0 for step in steps)
    if grows and all(now[0] >= before[0] + before[2] for before, now in pairwise(steps)):
        raise RolloutError(
            f"token counts grow from {requests[0].input_tokens} to {requests[-1].input_tokens} "
            "input tokens as a session's sums do (Codex's total_token_usage); expected each "
            "request's own, last_token_usage"
        )


class Compactions:
    """The contexts that earlier compactions within responses left a conversation in."""

    def __init__(self) -> None:
        self._begun = ""

    def moved(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        """Return the requests of the next turn in the contexts that they belong to.

        Args:
            requests: the requests as the turn's usage object gives them.
        """
        moved = tuple(requests)
        if self._begun:
            moved = tuple(replace(each, context=self._begun + each.context) for each in requests)
        if any(each.context == COMPACTED for each in requests):
            self._begun += COMPACTED
        return moved


def after_compactions(turns: Sequence[Requests]) -> list[Requests]:
    """Return the requests of each turn, in the contexts that earlier compactions left them in.

    Args:
        turns: requests of each turn, as its usage object gives them; None where it is unknown.

    >>> both = (Request(900, 50, 50), Request(80, 10, 10, context=COMPACTED))
    >>> [[each.context for each in turn] for turn in after_compactions([both, both[:1]])]
    [['', 'compacted'], ['compacted']]
    """
    compactions = Compactions()
    return [None if requests is None else compactions.moved(requests) for requests in turns]


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
