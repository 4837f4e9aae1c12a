"""The token counts of one rollout, where they may be something else than single requests."""

from collections.abc import Sequence
from copy import copy
from dataclasses import replace

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_objects import BARE, CODEX, COMPACTED

Requests = tuple[Request, ...] | None
"""The requests of one turn; None where they are unknown."""


class SessionSums:
    """A test, request by request, of whether Codex counts can be a session's sums.

    Sums only grow, and so do the inputs between them. Counts of single requests fit that only where
    every input is more than twice the one before.
    """

    def __init__(self) -> None:
        self._first: Request | None = None
        self._counts = self._step = (0, 0, 0)
        """Input, output and visible tokens of the latest request, and their growth up to it."""
        self._fits = True

    def check(self, request: Request) -> str:
        """Take the next request; return why the requests so far can be sums, empty if not.

        One request alone says nothing.
        """
        counts = (request.input_tokens, request.output_tokens, request.visible_tokens)
        read, written, visible = (
            now - before for now, before in zip(counts, self._counts, strict=True)
        )
        grows = min(read, written, visible) >= 0 and read >= self._step[0] + self._step[2]
        self._fits = self._fits and grows and request.shape == CODEX
        self._counts, self._step = counts, (read, written, visible)
        if self._first is None:
            self._first = request
            return ""
        if not self._fits:
            return ""
        return (
            f"token counts grow from {self._first.input_tokens} to {request.input_tokens} "
            "input tokens as a session's sums do (Codex's total_token_usage); expected each "
            "request's own, last_token_usage"
        )

    def copy(self) -> "SessionSums":
        """Return the same check, to go on with apart."""
        return copy(self)


def refuse_sums(requests: Sequence[Request]) -> None:
    """Refuse Codex counts in a list that can be a session's sums as well as single requests.

    Raises:
        RolloutError: all requests are Codex's, there are two or more, and they fit sums.
    """
    sums, reason = SessionSums(), ""
    for request in requests:
        reason = sums.check(request)
    if reason:
        raise RolloutError(reason)


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
