"""Scrubbing: what should not be published is replaced in a rollout's texts before they are kept.

A replacement is `[scrubbed: aws key 1]`: the kind, and a number. The same secret has the same
number in the whole rollout, so that the conversation can still be followed.
"""

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import NamedTuple

from bagen_data.logs.key_patterns import Span, key_spans
from bagen_data.logs.person_patterns import email_spans, home_spans, name_spans, user_names
from bagen_data.schema import Rollout

_ID_LENGTH = 16


def scrub(text: str) -> tuple[str, Counter[str]]:
    """Return a text without what should not be published, and how much of each kind it held.

    Raises:
        MissingExtraError: detect-secrets is not installed.

    >>> scrub("mail alice@corp.io, see /home/alice/x")[0]
    'mail [scrubbed: e-mail 1], see /home/[scrubbed: user 1]/x'
    """
    (scrubbed,), counts = scrub_texts((text,))
    return scrubbed, counts


def scrub_texts(texts: Sequence[str]) -> tuple[list[str], Counter[str]]:
    """Return the texts of one rollout without what should not be published, and the counts.

    User names that one text shows in a home folder are replaced in all of them.
    """
    names = _names(texts)
    replacements = _Replacements()
    return [replacements.apply(text, names) for text in texts], replacements.counts


class ScrubbedRollout(NamedTuple):
    """A rollout without what should not be published, and what was found in it."""

    rollout: Rollout
    counts: Mapping[str, int]
    """Numbers of replacements by kind; `id` counts ids."""
    names: frozenset[str]
    """The user names that its texts show."""


def scrub_rollout(rollout: Rollout) -> ScrubbedRollout:
    """Scrub a rollout's texts and ids; what it used and its outcome stay as they are.

    An id that holds something to scrub becomes a hash of itself; user names of other texts are not
    looked for, so that an instance has one id in all rollouts.
    """
    texts = [rollout.system]
    for turn in rollout.turns:
        texts += (turn.user, turn.assistant)
    (system, *rest), counts = scrub_texts(texts)
    turns = tuple(
        replace(turn, user=user, assistant=assistant)
        for turn, user, assistant in zip(rollout.turns, rest[::2], rest[1::2], strict=True)
    )
    rollout_id, instance_id = (_scrubbed_id(own, counts) for own in _ids(rollout))
    scrubbed = replace(
        rollout, system=system, turns=turns, rollout_id=rollout_id, instance_id=instance_id
    )
    return ScrubbedRollout(scrubbed, dict(counts), frozenset(_names(texts)))


def scrub_report(text: str, names: Set[str]) -> str:
    """Return a place or a reason of a report without what should not be published.

    Args:
        text: the place or the reason.
        names: user names that the family's rollouts show, which are replaced, too.
    """
    return _Replacements().apply(text, names | user_names(text))


def _ids(rollout: Rollout) -> tuple[str, str]:
    return rollout.rollout_id, rollout.instance_id


def _scrubbed_id(own: str, counts: Counter[str]) -> str:
    """Return an id, or a hash of it where it holds something to scrub, which is counted."""
    if scrub(own)[0] == own:
        return own
    counts["id"] += 1
    return hashlib.sha256(own.encode()).hexdigest()[:_ID_LENGTH]


class _Replacements:
    """The replacements of one rollout, numbered as their secrets appear."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._numbers: dict[tuple[str, str], int] = {}

    def apply(self, text: str, names: Set[str]) -> str:
        parts: list[str] = []
        end = 0
        for span in _without_overlaps(
            (key_spans(text), email_spans(text), home_spans(text), name_spans(text, names))
        ):
            parts += (text[end : span.start], self._replacement(span, text))
            end = span.end
        return "".join((*parts, text[end:]))

    def _replacement(self, span: Span, text: str) -> str:
        secret = (span.kind, text[span.start : span.end].lower())
        if secret not in self._numbers:
            of_kind = sum(kind == span.kind for kind, _ in self._numbers)
            self._numbers[secret] = of_kind + 1
        self.counts[span.kind] += 1
        return f"[scrubbed: {span.kind} {self._numbers[secret]}]"


def _names(texts: Iterable[str]) -> set[str]:
    return {name for text in texts for name in user_names(text)}


def _without_overlaps(sources: Iterable[Iterator[Span]]) -> list[Span]:
    """Return spans in order; of two that overlap, the one of the earlier source."""
    kept: list[Span] = []
    for source in sources:
        for span in source:
            place = bisect_left(kept, span)
            starts_free = place == 0 or kept[place - 1].end <= span.start
            if starts_free and (place == len(kept) or span.end <= kept[place].start):
                kept.insert(place, span)
    return kept
