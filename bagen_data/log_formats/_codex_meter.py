"""The requests of a Codex session, derived from its token counts."""

from collections.abc import Mapping
from dataclasses import replace
from operator import sub
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.logs import log_fields
from bagen_data.usage import Request
from bagen_data.usage_objects import codex_difference, codex_last

_SUMS = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")
_TOTAL = "total_tokens"
SHAPE = "Codex token_count"
"""The kind of usage of a session's requests: they are single ones, and never sums."""


class Meter:
    """Tells the requests of a session from its token counts."""

    def __init__(self, is_continued: bool = False) -> None:
        self.seen: set[tuple[int, ...]] = set()
        """Sums that were stated so far."""
        self.is_continued = is_continued
        """Whether the sums may begin above 0, as those of a forked session do."""
        self.is_restarted = False
        """Whether the session was just resumed, so that its sums may begin anew."""
        self._total: Mapping[str, Any] | None = None
        self._last: Mapping[str, Any] | None = None

    def bill(self, info: Mapping[str, Any], is_replay: bool, has_items: bool) -> Request | None:
        """Return the request that a token count bills; None if it bills none.

        Args:
            info: the token count.
            is_replay: whether the session repeats its history now, old sums too.
            has_items: whether items wait to be billed.

        Raises:
            RolloutError: the sums do not grow by what was spent last.
        """
        total, last = info.get("total_token_usage"), info.get("last_token_usage")
        before = self._total
        if isinstance(last, Mapping) and any(_sums(last)):
            codex_last(last)  # one that is written again must be right, too
        if isinstance(total, Mapping):
            _check_total(before or {}, total)
            sums = _sums(total)
            if not is_replay:
                self._refuse_other_last(sums, last)
            if (before is not None and sums == _sums(before)) or (is_replay and sums in self.seen):
                return None
            self._total = total
            self.seen.add(sums)
        elif isinstance(last, Mapping) and last == self._last and not has_items:
            return None
        if isinstance(last, Mapping):
            self._last = last
            if not any(_sums(last)):
                return None  # an estimate of the context's size after a compaction
            if isinstance(total, Mapping):
                is_inherited = before is None and self.is_continued and not has_items
                if is_inherited and _sums(total) != _sums(last):
                    return None  # the state in which the parent left its sums
                self._check(before, total, last)
            request: Request | None = codex_last(last)
        elif isinstance(total, Mapping):
            request = self._difference(before, total)
        else:
            return None
        self.is_restarted = False
        return request and replace(request, shape=SHAPE)

    def _refuse_other_last(self, sums: tuple[int, ...], last: Any) -> None:
        """Refuse the sums of the token count before with another request beside them.

        Raises:
            RolloutError: the message names both requests.
        """
        if self._total is None or self._last is None or self.is_restarted:
            return
        if sums != _sums(self._total) or not isinstance(last, Mapping):
            return
        now, then = _sums(last), _sums(self._last)
        if any(now) and any(then) and now != then:
            raise RolloutError(
                f"last_token_usage states {_spoken(now)} tokens, and total_token_usage stays as it "
                f"was after {_spoken(then)} tokens; expected the same request again, or sums that "
                "grow by the new one; remove the rollout, or restore the file"
            )

    def _difference(
        self, before: Mapping[str, Any] | None, total: Mapping[str, Any]
    ) -> Request | None:
        if before is None and self.is_continued:
            raise RolloutError(
                "total_token_usage goes on from another session's, without last_token_usage "
                "beside it; expected the sums before it in this log, as requests are missing"
            )
        before = before or {}
        if any(now < then for now, then in zip(_sums(total), _sums(before), strict=True)):
            if not self.is_restarted:
                raise RolloutError(
                    f"total_token_usage falls from {_sums(before)[0]} to {_sums(total)[0]} input "
                    "tokens, without last_token_usage beside it; expected sums that only grow"
                )
            before = {}
        elif before and self.is_restarted:
            raise RolloutError(
                "total_token_usage goes on or begins anew after the session was resumed, and "
                "without last_token_usage both can be; expected last_token_usage"
            )
        return codex_difference(before, total)

    def _check(
        self, before: Mapping[str, Any] | None, total: Mapping[str, Any], last: Mapping[str, Any]
    ) -> None:
        grown = tuple(
            now - then for now, then in zip(_sums(total), _sums(before or {}), strict=True)
        )
        is_fresh = _sums(total) == _sums(last)
        if grown == _sums(last) or is_fresh or (before is None and self.is_continued):
            return
        since = "the start" if before is None else "the token count before"
        raise RolloutError(
            f"total_token_usage grows by {_spoken(grown)} tokens since {since}, and "
            f"last_token_usage states {_spoken(_sums(last))}; expected the same: requests are "
            "missing from this log"
        )


def _check_total(before: Mapping[str, Any], total: Mapping[str, Any]) -> None:
    """Refuse sums whose `total_tokens` grows by something else than input and output.

    Raises:
        RolloutError: the message names both.
    """
    then, now = _sums(before), _sums(total)
    if min(map(sub, now, then)) < 0:
        before, then = {}, (0,) * len(_SUMS)  # they begin anew
    expected = now[0] - then[0] + now[2] - then[2]
    stated, earlier = total.get(_TOTAL), before.get(_TOTAL)
    if not any(now) or stated is None or (any(then) and earlier is None):
        return
    grown = log_fields.count(stated, _TOTAL) - log_fields.count(earlier or 0, _TOTAL)
    if grown != expected:
        raise RolloutError(
            f"total_token_usage states {stated} total_tokens, {grown} more than before; expected "
            f"{expected} more, the input and the output that its sums grow by"
        )


def _sums(usage: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(log_fields.count(usage.get(name) or 0, name) for name in _SUMS)


def _spoken(sums: tuple[int, ...]) -> str:
    return f"{sums[0]} input and {sums[2]} output"
