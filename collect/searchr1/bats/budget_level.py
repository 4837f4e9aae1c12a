"""Breadth of a search with what is left of a budget."""

from collections.abc import Mapping

from bagen_data.live.status_text import Level, level

BRANCHES: Mapping[Level, int] = {"plenty": 3, "half": 2, "low": 1, "critical": 0, "used up": 0}
"""Branches of the plan to follow at once, by what is left of the scarcest budget."""


def scarcest_level(limits: Mapping[str, float], used: Mapping[str, float]) -> Level:
    """Return the word of the status block for the budget of which the least share is left.

    Args:
        limits: the budgets, by resource; one or more.
        used: spent of each.

    >>> scarcest_level({"tokens": 1000, "search": 8}, {"tokens": 100, "search": 6})
    'low'
    """
    words = [level(used[name], limit) for name, limit in limits.items()]
    return max(words, key=list(BRANCHES).index)
