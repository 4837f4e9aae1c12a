"""The reference that skills are relative to: climatology of the other instances of a family.

Its forecasts say what the family's other instances came to at the same turn, and nothing about the
run itself. They are made of the benchmark's own samples, so that anybody can make them again.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.errors import InputError
from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.sample_table import FamilyColumns

ENOUGH_ROLLOUTS = 8
"""Rollouts that quantiles are taken from; all of them where the other instances have fewer."""


def climatology(family: FamilyColumns) -> ForecastColumns | None:
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
    quantiles = np.empty((len(family.resources), len(QUANTILE_LEVELS), len(instance)))
    for sources, instances_asked in (
        (success, others_succeed),
        (np.ones_like(success), ~others_succeed),
    ):
        rows = np.flatnonzero(instances_asked[instance])
        if len(rows):
            pool = _Pool.of(family, instance, np.flatnonzero(sources[family.rollout]))
            asked = _Pairs.of(family.completed_turns[rows], instance[rows])
            quantiles[:, :, rows] = _quantiles(pool, asked)
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
class _Pool:
    """The p samples that quantiles are taken from, by turn, short prefix first."""

    turn: Ints
    """(p,)."""
    rollout: Ints
    """(p,)."""
    instance: Ints
    """(p,)."""
    remaining: Floats
    """(r, p)."""
    rollouts_of: Ints
    """(i,) how many rollouts each instance has here."""

    @classmethod
    def of(cls, family: FamilyColumns, instance: Ints, rows: Ints) -> Self:
        """From the samples at `rows`, and the instances of all samples."""
        turn = family.completed_turns[rows]
        order = np.argsort(turn, kind="stable")
        rows = rows[order]
        is_first = np.zeros(len(instance), bool)
        is_first[family.first] = True
        counts = np.bincount(instance[rows], is_first[rows], minlength=int(instance.max()) + 1)
        return cls(
            turn[order],
            family.rollout[rows],
            instance[rows],
            family.remaining[:, rows],
            counts.astype(np.int64),
        )

    def window(self, turn: int, without: int | None = None) -> Ints:
        """Return one sample of each rollout near a turn: the nearest, in the narrowest window.

        Args:
            turn: k; the window is k - d .. k + d, with the least d at which `ENOUGH_ROLLOUTS`
                rollouts are there.
            without: an instance that is left out.
        """
        reach = 0
        while True:
            start, stop = np.searchsorted(self.turn, (turn - reach, turn + reach + 1))
            rows = np.arange(start, stop)
            if without is not None:
                rows = rows[self.instance[rows] != without]
            is_all = stop - start == len(self.turn)
            if is_all or len(rows) >= ENOUGH_ROLLOUTS:
                if reach == 0:
                    return rows
                nearest, distance = self._nearest(rows, turn)
                if is_all or len(nearest) >= ENOUGH_ROLLOUTS:
                    break
            reach = 2 * reach + 1
        if len(nearest) <= ENOUGH_ROLLOUTS:
            return nearest
        least = np.partition(distance, ENOUGH_ROLLOUTS - 1)[ENOUGH_ROLLOUTS - 1]
        within: Ints = nearest[distance <= least]
        return within

    def _nearest(self, rows: Ints, turn: int) -> tuple[Ints, Ints]:
        """Return each rollout's sample nearest to a turn, the smaller of two, and how near."""
        distance = np.abs(self.turn[rows] - turn)
        order = np.lexsort((self.turn[rows], distance, self.rollout[rows]))
        rollout = self.rollout[rows[order]]
        nearest = order[np.concatenate([[True], rollout[1:] != rollout[:-1]])[: len(order)]]
        return rows[nearest], distance[nearest]


@dataclass(frozen=True)
class _Pairs:
    """The distinct pairs of a turn and an instance that forecasts are made for."""

    turn: Ints
    """(j,) ascending."""
    instance: Ints
    """(j,) ascending within a turn."""
    of_sample: Ints
    """(n,) each sample's pair, 0 .. j-1."""

    @classmethod
    def of(cls, turn: Ints, instance: Ints) -> Self:
        """From the turns and the instances of n samples."""
        width = int(instance.max()) + 1
        keys, of_sample = np.unique(turn.astype(np.int64) * width + instance, return_inverse=True)
        return cls(keys // width, keys % width, of_sample)


@dataclass(frozen=True)
class _Windows:
    """The samples in windows, and the window of each pair; a window serves many pairs."""

    rows: Ints
    """(s,) positions in the pool, window after window."""
    sizes: Ints
    """(w,)."""
    of_pair: Ints
    """(j,) 0 .. w-1."""

    @classmethod
    def of(cls, pool: _Pool, pairs: _Pairs) -> Self:
        """Find the windows; most pairs of a turn share one, less the instance's own rollouts."""
        windows: list[Ints] = []
        of_pair = np.empty(len(pairs.turn), np.int64)
        starts = np.flatnonzero(np.diff(pairs.turn, prepend=-1))
        for start, stop in zip(starts, [*starts[1:], len(of_pair)], strict=True):
            window = pool.window(int(pairs.turn[start]))
            of_pair[start:stop] = len(windows)
            windows.append(window)
            for pair in _short_of_rollouts(pool, window, pairs, slice(start, stop)):
                of_pair[pair] = len(windows)
                without = int(pairs.instance[pair])
                windows.append(pool.window(int(pairs.turn[start]), without))
        return cls(np.concatenate(windows), np.array([len(each) for each in windows]), of_pair)


def _short_of_rollouts(pool: _Pool, window: Ints, pairs: _Pairs, of_turn: slice) -> Iterator[int]:
    """Yield pairs of a turn whose window, without the instance, must be wider than the turn's."""
    if len(window) == pool.rollouts_of.sum():
        return
    instances, counts = np.unique(pool.instance[window], return_counts=True)
    for instance in instances[len(window) - counts < ENOUGH_ROLLOUTS]:
        pair = of_turn.start + int(np.searchsorted(pairs.instance[of_turn], instance))
        if pair < of_turn.stop and pairs.instance[pair] == instance:
            yield pair


def _quantiles(pool: _Pool, pairs: _Pairs) -> Floats:
    """Return the quantiles for each sample, (r, 5, n), as `numpy.quantile` interpolates them.

    A window's amounts are sorted once. Without an instance's own, the amount of rank s is found
    further up by as many of its own as come before it, so no window is copied for an instance.
    """
    windows = _Windows.of(pool, pairs)
    window = np.repeat(np.arange(len(windows.sizes)), windows.sizes)
    window_start = np.cumsum(windows.sizes) - windows.sizes
    width = len(pool.rollouts_of)
    keys = windows.of_pair * width + pairs.instance
    by_key = np.argsort(keys)
    own_key = window * width + pool.instance[windows.rows]
    place = np.minimum(np.searchsorted(keys, own_key, sorter=by_key), len(keys) - 1)
    is_own = keys[by_key[place]] == own_key
    pair_of = by_key[place]
    own_count = np.bincount(pair_of[is_own], minlength=len(keys))
    own_start = np.cumsum(own_count) - own_count
    sizes = windows.sizes[windows.of_pair] - own_count
    position = np.multiply.outer(np.array(QUANTILE_LEVELS), sizes - 1)
    lower = np.floor(position).astype(np.int64)
    upper = np.minimum(lower + 1, sizes - 1)
    quantiles = np.empty((len(pool.remaining), *position.shape))
    most = int(windows.sizes.max()) + 1
    pair = np.arange(len(keys))
    for resource, remaining in enumerate(pool.remaining):
        amounts = remaining[windows.rows]
        order = np.lexsort((amounts, window))
        amounts = amounts[order]
        own = np.flatnonzero(is_own[order])
        owner = pair_of[order[own]]
        rank = own - window_start[window[own]]
        by_owner = np.argsort(owner, kind="stable")
        owner, rank = owner[by_owner], rank[by_owner]
        before = owner * most + rank - (np.arange(len(owner)) - own_start[owner])
        low, high = (
            amounts[
                window_start[windows.of_pair]
                + ranks
                + np.searchsorted(before, pair * most + ranks, side="right")
                - own_start
            ]
            for ranks in (lower, upper)
        )
        quantiles[resource] = _between(low, high, position - lower)
    return quantiles[:, :, pairs.of_sample]


def _between(low: Floats, high: Floats, share: Floats) -> Floats:
    """Return low + share * (high - low) as NumPy rounds it, so that quantiles are equal to its."""
    step = high - low
    between: Floats = np.where(share >= 0.5, high - step * (1 - share), low + step * share)
    return between
