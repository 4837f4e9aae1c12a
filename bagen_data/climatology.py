"""The reference that skills are relative to: climatology of the other instances of a family.

Its forecasts say what the family's other instances came to at the same turn, and nothing about the
run itself. They are made of the benchmark's own samples, so that anybody can make them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.errors import InputError
from bagen_data.schema import QUANTILE_LEVELS

ENOUGH_ROLLOUTS = 8
"""Rollouts that quantiles are taken from; all of them where the other instances have fewer."""

_MOST_CELLS = 1 << 19
"""Pairs of a turn and a rollout that are looked at together."""
_FAR = 1 << 60
"""Turns further than any."""


class SampleColumns(Protocol):
    """The samples that the reference is made of: n samples of m rollouts, r resources.

    `bagen_data.scoring.sample_table.FamilyColumns` has all of it.
    """

    @property
    def rollout(self) -> Ints:
        """(n,) 0 .. m-1; a rollout's samples lie together, short prefix first."""

    @property
    def first(self) -> Ints:
        """(m,) the row of each rollout's shortest prefix."""

    @property
    def instance(self) -> Ints:
        """(m,) a number of each rollout's instance."""

    @property
    def completed_turns(self) -> Ints:
        """(n,) k."""

    @property
    def feasible(self) -> Mask:
        """(n,)."""

    @property
    def rollout_success(self) -> Mask | None:
        """(n,), if it is known."""

    @property
    def is_open(self) -> Mask:
        """(n,) which samples are within every budget so far."""

    @property
    def remaining(self) -> Floats:
        """(r, n)."""


def climatology(family: SampleColumns) -> ForecastColumns | None:
    """Return the reference's forecast of each sample of a family.

    The instance of a sample is left out entirely, with all its rollouts. `finish` is the share of
    feasible rollouts among those that have an open probe, and 0 for a probe that is over a budget;
    `success` is the share of rollouts that succeeded. Quantiles are of what remained, at the sample
    nearest to the same turn, of each successful rollout in a window around that turn: the
    narrowest one that holds `ENOUGH_ROLLOUTS` rollouts.

    Args:
        family: n samples, of benchmark probes or of start probes.

    Returns:
        (n,) forecasts in the order of the samples, or None where all are of one instance.

    Raises:
        InputError: the samples have no column `rollout_success`.
    """
    if family.rollout_success is None:
        raise InputError("samples: no column 'rollout_success', which the reference is made of")
    instances, instance_of_rollout = np.unique(family.instance, return_inverse=True)
    if len(instances) < 2:
        return None
    instance = instance_of_rollout[family.rollout]
    success = family.rollout_success[family.first]
    is_open = family.is_open
    has_open = np.bincount(family.rollout, is_open) > 0
    finish = _share_of_others(family.feasible[family.first], has_open, instance_of_rollout)
    successes = np.bincount(instance_of_rollout, success)
    others_succeed = success.sum() > successes
    quantiles = np.empty((len(family.remaining), len(QUANTILE_LEVELS), len(instance)))
    for sources, instances_asked in (
        (success, others_succeed),
        (np.ones_like(success), ~others_succeed),
    ):
        rows = np.flatnonzero(instances_asked[instance])
        if len(rows):
            pool = Pool.of(family, instance, np.flatnonzero(sources[family.rollout]))
            quantiles[:, :, rows] = pool.quantiles(family.completed_turns[rows], instance[rows])
    return ForecastColumns(
        np.where(is_open, finish[instance], 0.0),
        _share_of_others(success, np.ones_like(success), instance_of_rollout)[instance],
        quantiles,
    )


def _share_of_others(is_hit: Mask, counts: Mask, instance: Ints) -> Floats:
    """Return the share of hits among the other instances' rollouts that count; 0 if none does.

    Args:
        is_hit: (m,) of rollouts.
        counts: (m,) of rollouts.
        instance: (m,) of rollouts, 0 .. i-1.

    Returns:
        (i,) of instances.
    """
    hits, rollouts = (np.bincount(instance, mask) for mask in (is_hit & counts, counts))
    shares: Floats = (hits.sum() - hits) / np.maximum(1, rollouts.sum() - rollouts)
    return shares


@dataclass(frozen=True)
class Pool:
    """The p samples of q rollouts that quantiles are taken from, rollout by rollout."""

    turn: Ints
    """(p,) ascending within a rollout."""
    remaining: Floats
    """(r, p)."""
    start: Ints
    """(q,) the first sample of each rollout."""
    instance: Ints
    """(q,) of each rollout."""

    @classmethod
    def of(cls, family: SampleColumns, instance: Ints, rows: Ints) -> Self:
        """Make it of the samples at `rows`, and the instances of all samples."""
        rows = rows[np.lexsort((family.completed_turns[rows], family.rollout[rows]))]
        start = np.flatnonzero(np.diff(family.rollout[rows], prepend=-1))
        turn, remaining = family.completed_turns[rows], family.remaining[:, rows]
        return cls(turn, remaining, start, instance[rows[start]])

    def quantiles(self, turn: Ints, instance: Ints) -> Floats:
        """Return (r, 5, n) quantiles of what remained at n turns, without each one's instance.

        Args:
            turn: (n,).
            instance: (n,) the instance that is left out; none where no rollout is of it.
        """
        pairs, of_sample = _Pairs.of(turn, instance)
        parts = pairs.cut(max(1, _MOST_CELLS // len(self.start)))
        each = np.concatenate([_quantiles(self, part) for part in parts], axis=2)
        quantiles: Floats = each[:, :, of_sample]
        return quantiles

    def nearest(self, turns: Ints) -> tuple[Ints, Ints]:
        """Return each rollout's sample nearest to each of t turns, and how many turns it is away.

        Of two that are equally near it is the one of the shorter prefix. Both are (t, q).
        """
        stop = np.append(self.start[1:], len(self.turn))
        width = int(max(self.turn.max(), turns.max())) + 1
        rollouts = np.arange(len(self.start))
        keys = np.repeat(rollouts, stop - self.start) * width + self.turn
        place = np.searchsorted(keys, rollouts * width + turns[:, np.newaxis])
        before, after = np.maximum(place - 1, self.start), np.minimum(place, stop - 1)
        to_before, to_after = (
            np.abs(self.turn[rows] - turns[:, np.newaxis]) for rows in (before, after)
        )
        is_before = to_before <= to_after
        return np.where(is_before, before, after), np.where(is_before, to_before, to_after)


@dataclass(frozen=True)
class _Pairs:
    """The distinct pairs of a turn and an instance that forecasts are made for."""

    turns: Ints
    """(t,) the distinct turns, ascending."""
    turn: Ints
    """(j,) each pair's position in `turns`, ascending."""
    instance: Ints
    """(j,) ascending within a turn."""

    @classmethod
    def of(cls, turn: Ints, instance: Ints) -> tuple[Self, Ints]:
        """Make it of the turns and instances of n samples; also return each sample's pair, (n,)."""
        turns, position = np.unique(turn, return_inverse=True)
        width = int(instance.max()) + 1
        keys, of_sample = np.unique(position * width + instance, return_inverse=True)
        return cls(turns, keys // width, keys % width), of_sample

    def cut(self, most_turns: int) -> Iterator[Self]:
        """Yield the pairs of so many turns at a time."""
        for start in range(0, len(self.turns), most_turns):
            first, last = np.searchsorted(self.turn, (start, start + most_turns))
            turns = self.turns[start : start + most_turns]
            yield type(self)(turns, self.turn[first:last] - start, self.instance[first:last])


@dataclass(frozen=True)
class _Windows:
    """The samples in w windows, and the window of each pair; most pairs of a turn share one."""

    rows: Ints
    """(s,) samples of the pool, window after window."""
    sizes: Ints
    """(w,)."""
    of_pair: Ints
    """(j,) 0 .. w-1."""
    own: Ints
    """(o,) positions in `rows` that a pair leaves out: its own instance's."""
    owner: Ints
    """(o,) the pair that leaves them out."""

    @classmethod
    def of(cls, pool: Pool, pairs: _Pairs) -> Self:
        """Find the windows; a pair has one of its own if its turn's is too small without it."""
        nearest, distance = pool.nearest(pairs.turns)
        is_in = distance <= _reach(distance)
        sizes = is_in.sum(axis=1)
        window, rollout = np.nonzero(is_in)
        width = int(max(pool.instance.max(), pairs.instance.max())) + 1
        keys = pairs.turn * width + pairs.instance
        own_key = window * width + pool.instance[rollout]
        pair = np.minimum(np.searchsorted(keys, own_key), len(keys) - 1)
        is_own = keys[pair] == own_key
        without = sizes[pairs.turn] - np.bincount(pair[is_own], minlength=len(keys))
        is_short = (without < ENOUGH_ROLLOUTS) & (sizes[pairs.turn] < len(pool.start))
        short = np.flatnonzero(is_short)
        is_own &= ~is_short[pair]
        turn = pairs.turn[short]
        is_left_out = pool.instance == pairs.instance[short, np.newaxis]
        distance = np.where(is_left_out, _FAR, distance[turn])
        is_in_more = (distance <= _reach(distance)) & ~is_left_out
        of_pair = pairs.turn.copy()
        of_pair[short] = len(sizes) + np.arange(len(short))
        return cls(
            np.concatenate([nearest[is_in], nearest[turn][is_in_more]]),
            np.concatenate([sizes, is_in_more.sum(axis=1)]),
            of_pair,
            np.flatnonzero(is_own),
            pair[is_own],
        )


def _reach(distance: Ints) -> Ints:
    """Return the least distance within which enough rollouts are; of (w, q) rollouts, (w, 1)."""
    place = min(ENOUGH_ROLLOUTS, distance.shape[1]) - 1
    return np.partition(distance, place, axis=1)[:, place : place + 1]


def _quantiles(pool: Pool, pairs: _Pairs) -> Floats:
    """Return the quantiles for each pair, (r, 5, j), as `numpy.quantile` interpolates them.

    A window's amounts are sorted once. Without an instance's own, the amount of rank s is found
    further up by as many of its own as come before it, so no window is copied for an instance.
    """
    windows = _Windows.of(pool, pairs)
    window = np.repeat(np.arange(len(windows.sizes)), windows.sizes)
    starts = np.cumsum(windows.sizes) - windows.sizes
    own_count = np.bincount(windows.owner, minlength=len(pairs.turn))
    own_start = np.cumsum(own_count) - own_count
    sizes = windows.sizes[windows.of_pair] - own_count
    position = np.multiply.outer(np.array(QUANTILE_LEVELS), sizes - 1)
    lower = np.floor(position).astype(np.int64)
    ranks = np.stack([lower, np.minimum(lower + 1, sizes - 1)])
    most = int(windows.sizes.max()) + 1
    wanted = np.arange(len(sizes)) * most + ranks
    owner_of = np.full(len(window), -1)
    owner_of[windows.own] = windows.owner
    quantiles = np.empty((len(pool.remaining), *position.shape))
    for resource, remaining in enumerate(pool.remaining):
        order = np.lexsort((remaining[windows.rows], window))
        own = np.flatnonzero(owner_of[order] >= 0)
        own = own[np.argsort(owner_of[order[own]], kind="stable")]
        owner = owner_of[order[own]]
        others_before = own - starts[window[own]] - (np.arange(len(own)) - own_start[owner])
        skipped = np.searchsorted(owner * most + others_before, wanted, side="right") - own_start
        amounts = remaining[windows.rows[order]]
        low, high = amounts[starts[windows.of_pair] + ranks + skipped]
        quantiles[resource] = _between(low, high, position - lower)
    return quantiles


def _between(low: Floats, high: Floats, share: Floats) -> Floats:
    """Return low + share * (high - low) as NumPy rounds it, so that quantiles are equal to its."""
    step = high - low
    between: Floats = np.where(share >= 0.5, high - step * (1 - share), low + step * share)
    return between
