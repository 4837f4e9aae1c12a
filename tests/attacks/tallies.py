"""Counts of what attacks did, and the table of them that `docs/security.md` shows."""

import os
from collections.abc import Iterable
from dataclasses import dataclass

LONG = "BAGEN_LONG_ATTACKS"
"""The environment variable that asks for attacks at their full size; `make attacks` sets it."""

_HEADER = ("| attack | tried | crashed | hung | wrong | worst |\n|---|---:|---:|---:|---:|---|",)


@dataclass
class Tally:
    """Counts of one attack; a test counts each case in `tried` and each harm where it belongs."""

    attack: str
    """The name of the attack, as the table shows it."""
    tried: int = 0
    """Cases that were tried."""
    crashed: int = 0
    """Cases that ended in a traceback, or in a code that no command gives."""
    hung: int = 0
    """Cases that were killed because they did not end."""
    wrong: int = 0
    """Cases with a wrong number, a lost or mixed output, or a secret in the open."""
    worst: str = ""
    """The worst that was seen in words, e.g. the longest time or the best score of an attacker."""

    def size(self, short: int, long: int) -> int:
        """Return how many cases to try: `short` in `make test`, `long` in `make attacks`."""
        return long if os.environ.get(LONG) else short

    def check(self) -> None:
        """Fail if nothing was tried or anything was harmed.

        Raises:
            AssertionError: `tried` is 0, or another count is not.
        """
        assert self.tried, f"{self.attack}: no case was tried"
        harm = self.crashed or self.hung or self.wrong
        assert not harm, f"{self.attack}: {self}"


def table(tallies: Iterable[Tally]) -> str:
    """Return the Markdown table of some attacks, a row each; those of one name are summed.

    >>> print(table([Tally("kills", tried=3), Tally("kills", tried=2, worst="0.2 s")]))
    | attack | tried | crashed | hung | wrong | worst |
    |---|---:|---:|---:|---:|---|
    | kills | 5 | 0 | 0 | 0 | 0.2 s |
    """
    rows: dict[str, Tally] = {}
    for tally in tallies:
        row = rows.setdefault(tally.attack, Tally(tally.attack))
        row.tried += tally.tried
        row.crashed += tally.crashed
        row.hung += tally.hung
        row.wrong += tally.wrong
        row.worst = "; ".join(filter(None, (row.worst, tally.worst)))
    lines = [
        f"| {row.attack} | {row.tried:,} | {row.crashed} | {row.hung} | {row.wrong} "
        f"| {row.worst or '–'} |"
        for row in rows.values()
    ]
    return "\n".join([*_HEADER, *lines])
