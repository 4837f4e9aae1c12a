"""Each server's share of the rollouts that are still to be asked."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from bagen_data.models.asked_rollouts import AskedRollout
from bagen_data.models.even_spread import spread_evenly
from bagen_data.models.run_logs import server_mark


@dataclass(frozen=True)
class ServerShare:
    """The part of a run that one server is asked."""

    server: str | None
    """The server's address; None for the provider's own."""
    rollouts: Sequence[AskedRollout]
    """The rollouts of the share, all whole, in the dataset's order."""
    open: Sequence[str]
    """The log's ids of their samples that have no answer yet, in the dataset's order."""


def share_out(
    rollouts: Sequence[AskedRollout],
    answered: Set[str],
    servers: Sequence[str],
    last: Mapping[str, str],
) -> list[ServerShare]:
    """Return the share of each server, by their addresses; those that have none are left out.

    A rollout that was started goes to the server that it was given to, if that is still there, for
    its cache may hold the prompts. Other rollouts are spread evenly by work. So every resumed run
    with the same servers asks each server for the same rollouts.

    Args:
        rollouts: all rollouts of the run.
        answered: the log's ids of samples that have an answer.
        servers: their addresses; the provider's own is asked if empty.
        last: the mark of the server that a sample was given to before, by the log's id of it.
    """
    unfinished = [rollout for rollout in rollouts if not answered >= set(rollout.ids)]
    addresses: list[str | None] = [*sorted(servers)] or [None]
    place = {server_mark(address): number for number, address in enumerate(addresses)}
    chosen = {}
    loads = [0] * len(addresses)
    for rollout in unfinished:
        known = {place[last[each]] for each in rollout.ids if last.get(each) in place}
        if known:
            chosen[rollout.start] = min(known)
            loads[min(known)] += rollout.work
    rest = [rollout for rollout in unfinished if rollout.start not in chosen]
    parts = spread_evenly([rollout.work for rollout in rest], len(addresses), loads)
    chosen |= {rollout.start: part for rollout, part in zip(rest, parts, strict=True)}
    shares = []
    for number, address in enumerate(addresses):
        own = [rollout for rollout in unfinished if chosen[rollout.start] == number]
        ids = [each for rollout in own for each in rollout.ids if each not in answered]
        if own:
            shares.append(ServerShare(address, own, ids))
    return shares
