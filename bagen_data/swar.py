"""Read many texts backward at once, eight bytes a step ("SIMD within a register", on columns).

A `Scanner` holds a position in each of n texts that lie in one buffer. Each step looks at the bytes
before the positions, moves them back over what it expects, and remembers the rows where something
else was found; those stay at wrong positions, within `_REACH` bytes, and do not match in the end.
"""

from typing import Any, Self

import numpy as np

from bagen_data.array_types import Codes, Floats, Ints, Mask, Words

_WORD = 8
_REACH = 1 << 12
"""Bytes a scan may go back; rows that end nearer to the buffer's start do not match."""
_MAX_SPACES = 4
"""Whitespace bytes skipped at the end of a text."""

_ONES = np.uint64(0x0101010101010101)
_ASCII_ZEROS = np.uint64(0x3030303030303030)
_LOW_BITS = np.uint64(0x7F7F7F7F7F7F7F7F)
_TO_HIGH_BIT = np.uint64(0x7676767676767676)
"""Added to 0..9 it leaves a byte's high bit clear, to anything above it sets it."""
_EXACT = np.uint64(1 << 53)
_JOINS = tuple(
    (np.uint64(base), np.uint64(bits), np.uint64(mask))
    for base, bits, mask in (
        (10, 8, 0x00FF00FF00FF00FF),
        (100, 16, 0x0000FFFF0000FFFF),
        (10_000, 32, 0x00000000FFFFFFFF),
    )
)
_HIGH_BITS = np.uint64(0x8080808080808080)


class Scanner:
    """Positions in n texts, moving backward."""

    def __init__(self, data: Any, starts: Ints, ends: Ints) -> None:
        """Put every position at its text's end.

        Args:
            data: the buffer that holds the texts; None if all are empty.
            starts: (n,) where each text begins in it.
            ends: (n,) where each ends.
        """
        held = np.frombuffer(data, np.uint8) if data is not None else np.empty(0, np.uint8)
        skipped = -held.ctypes.data % _WORD  # words are read where they are aligned
        if len(held) < _REACH + skipped:  # small: make room before it, so that no scan leaves it
            held = np.concatenate([np.zeros(_REACH, np.uint8), held, np.zeros(_WORD, np.uint8)])
            skipped = -held.ctypes.data % _WORD
            starts, ends = starts + _REACH, ends + _REACH
        words = (len(held) - skipped) // _WORD
        self._words: Words = held[skipped : skipped + words * _WORD].view("<u8")
        self._starts = starts - skipped
        self._at = np.clip(ends - skipped, _REACH - _WORD, words * _WORD)
        self._ok: Mask = self._at == ends - skipped
        self._seen, self._known = np.empty(0, np.uint64), 0

    def __len__(self) -> int:
        return len(self._at)

    def at_rows(self, rows: Ints) -> Self:
        """A scanner of some of the rows, where this one stands."""
        new = type(self).__new__(type(self))
        new._words = self._words
        new._starts, new._at, new._ok = self._starts[rows], self._at[rows], self._ok[rows]
        new._seen, new._known = self._seen[rows] if self._known else self._seen, self._known
        return new

    def rows_where(self, mask: Mask) -> Ints:
        """Positions of the rows that have matched so far and where `mask` is true."""
        return np.flatnonzero(self._ok & mask)

    def matches(self) -> Mask:
        """Return whether each row's text matched every expectation, within its own bytes."""
        return self._ok & (self._at >= self._starts)

    def last_is(self, choices: bytes) -> Mask:
        """Return whether the byte before each position is one of these."""
        last = self._last()
        is_one = last == choices[0]
        for other in choices[1:]:
            is_one |= last == other
        return is_one

    def skip_whitespace(self, before: bytes) -> None:
        """Step over a few whitespace characters where the last one is not `before`."""
        rows = np.flatnonzero(self._last() != before[0])
        for _ in range(_MAX_SPACES):
            last = self._seen[rows] >> np.uint64(56)
            rows = rows[(last == 0x20) | ((last >= 0x09) & (last <= 0x0D))]
            if not len(rows):
                return
            self._at[rows] -= 1
            self._seen[rows] = self._gathered(self._at[rows])

    def literal(self, text: bytes, *, any_case: bool = False) -> None:
        """Expect this text, ASCII letters in any case if asked for, and step over it."""
        while text:
            word = self._word()
            text, part = text[: -self._known], text[-self._known :]
            word = word >> np.uint64(8 * (_WORD - len(part)))
            if any_case:
                word |= _word_of(bytes(0x20 * chr(byte).isalpha() for byte in part))
            self._ok &= word == _word_of(part)
            self._at -= len(part)
            self._known -= len(part)
            if self._known:
                self._seen = self._seen << np.uint64(8 * len(part))

    def optional(self, char: bytes) -> None:
        """Step over this character where it is."""
        steps = (self._last() == char[0]).astype(np.uint8)
        self._at -= steps
        self._known -= 1
        self._seen = self._seen << (steps * np.uint64(8))

    def number(self) -> Floats:
        """Expect digits, with at most one point between them, at most eight on a side of it."""
        value, digits = self._digits()
        number = value.astype(np.float64)
        pointed = self.rows_where(self._last() == ord("."))
        if len(pointed):
            part = self.at_rows(pointed)
            part.literal(b".")
            whole, _ = part._digits()
            scale = np.uint64(10) ** digits[pointed].astype(np.uint64)
            joined = whole * scale + value[pointed]
            # Both are exact as floats then, and their quotient is rounded once, as `float` does.
            part._ok &= joined < _EXACT
            number[pointed] = joined.astype(np.float64) / scale.astype(np.float64)
            self._at[pointed], self._ok[pointed] = part._at, part._ok
            self._known = 0
        return number

    def _digits(self) -> tuple[Words, Ints]:
        """The whole number that ends here, and of how many digits, 1 to 8, it is.

        Of a longer number these are the last eight, and what is expected next will not be there.
        """
        word = self._word()
        value, digits = _trailing_number(word)
        longer = np.flatnonzero(digits >= self._known)
        if len(longer):
            word[longer] = self._gathered(self._at[longer])
            value[longer], digits[longer] = _trailing_number(word[longer])
        self._ok &= digits > 0
        self._at -= digits
        self._known = max(0, self._known - int(digits.max(initial=0)))
        if self._known:
            self._seen = word << (digits.astype(np.uint64) << np.uint64(3))
        return value, digits

    def _word(self) -> Words:
        """The bytes before each position, the last one highest; at least one of them."""
        if not self._known:
            self._seen, self._known = self._gathered(self._at), _WORD
        return self._seen

    def _gathered(self, at: Ints) -> Words:
        """The eight bytes before each of these positions, from the two words they lie in."""
        word = at >> 3
        high = self._words.take(word, mode="clip")
        word -= 1
        low = self._words.take(word, mode="clip")
        shift = at.astype(np.uint64)
        shift &= np.uint64(7)
        shift <<= np.uint64(3)
        low >>= shift
        np.subtract(np.uint64(64), shift, out=shift)
        high <<= shift  # a shift by 64 leaves 0, as NumPy defines it
        low |= high
        return low

    def _last(self) -> Codes:
        return (self._word() >> np.uint64(56)).astype(np.uint8)


def _trailing_number(word: Words) -> tuple[Words, Ints]:
    """The number written by the last bytes of eight, and how many they are."""
    word = word ^ _ASCII_ZEROS
    other = (word & _LOW_BITS) + _TO_HIGH_BIT
    other |= word
    other &= _HIGH_BITS
    for shift in (8, 16, 32):  # a byte before one that is not a digit is out as well
        other |= other >> np.uint64(shift)
    other >>= np.uint64(7)
    digits = _WORD - ((other * _ONES) >> np.uint64(56)).astype(np.int64)
    word &= ~(other * np.uint64(0xFF))
    # Join digits to pairs, pairs to fours, fours to eight; the first digit is the lowest byte.
    for base, bits, mask in _JOINS:
        word = (word * base + (word >> bits)) & mask
    return word, digits


def _word_of(text: bytes) -> np.uint64:
    return np.uint64(int.from_bytes(text, "little"))
