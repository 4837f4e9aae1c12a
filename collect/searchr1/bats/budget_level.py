"""How much of a budget is left, in one word, and how widely to search with it."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class BudgetLevel:
    """A range of what is left of the scarcest budget."""

    name: str
    least: float
    """The share of the budget, from 0 to 1, from which on the level holds."""
    branches: int
    """Branches of the plan to follow at once."""


LEVELS = (
    BudgetLevel("HIGH", 0.7, 3),
    BudgetLevel("MEDIUM", 0.3, 2),
    BudgetLevel("LOW", 0.1, 1),
    BudgetLevel("CRITICAL", 0.0, 0),
)
"""From the most to the least."""


def budget_level(limits: Mapping[str, float], remaining: Mapping[str, float]) -> BudgetLevel:
    """Return the level of the scarcest budget.

    Args:
        limits: the budgets, by resource; one or more.
        remaining: what is left of each; below 0 where it is exceeded.

    >>> budget_level({"tokens": 1000, "search": 8}, {"tokens": 900, "search": 2}).name
    'LOW'
    """
    left = min(remaining[name] / limit if limit else 0.0 for name, limit in limits.items())
    return next((level for level in LEVELS if left >= level.least), LEVELS[-1])
