"""What sets one scripted manager apart from another."""

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Habits:
    """A manager's personal parameters. All ranges were found by trying."""

    optimism: float
    """Multiplies the demand expected; 1 is to believe what was seen."""
    smoothing: float
    """The weight of the last turn's demand in the next forecast, 0 to 1."""
    cover_weeks: float
    """Of expected demand, to have on order and in stock."""
    shelf_weeks: float
    """Of expected demand, to have in a centre beyond what a turn sells."""
    air_weeks: float
    """Goods go by air while less than so many weeks of demand are on the way or in stock."""
    largest_multiple: int
    """Of the minimum order: 1, 2 or 3."""
    reserve_cents: int
    """Money that orders must leave untouched."""
    prudence: float
    """How much of all balances not yet paid to keep money for, 0 to 1."""
    credit_share: float
    """Of the credit line, counted as money to spend."""
    factor_below_cents: int
    """Sells receivables while cash is below this."""
    skip_chance: float
    """Of leaving out a product when ordering, for no reason."""


_Range = tuple[float, float]
_RANGES: dict[str, dict[str, _Range]] = {
    "passive": {
        "optimism": (0.4, 0.7),
        "smoothing": (0.1, 0.5),
        "cover_weeks": (3.5, 6.0),
        "shelf_weeks": (0.0, 1.0),
        "air_weeks": (0.0, 2.0),
        "largest_multiple": (1, 1),
        "reserve_cents": (300_000_00, 420_000_00),
        "prudence": (0.9, 1.0),
        "credit_share": (0.0, 0.0),
        "factor_below_cents": (0, 20_000_00),
        "skip_chance": (0.75, 0.92),
    },
    "cautious": {
        "optimism": (0.6, 0.9),
        "smoothing": (0.2, 0.6),
        "cover_weeks": (6.0, 11.0),
        "shelf_weeks": (0.3, 1.5),
        "air_weeks": (2.0, 6.0),
        "largest_multiple": (1, 2),
        "reserve_cents": (100_000_00, 250_000_00),
        "prudence": (0.8, 1.0),
        "credit_share": (0.0, 0.3),
        "factor_below_cents": (20_000_00, 60_000_00),
        "skip_chance": (0.0, 0.25),
    },
    "sensible": {
        "optimism": (0.9, 1.1),
        "smoothing": (0.3, 0.7),
        "cover_weeks": (11.0, 15.0),
        "shelf_weeks": (0.5, 1.5),
        "air_weeks": (3.0, 6.0),
        "largest_multiple": (3, 3),
        "reserve_cents": (80_000_00, 140_000_00),
        "prudence": (0.85, 1.0),
        "credit_share": (0.7, 1.0),
        "factor_below_cents": (60_000_00, 120_000_00),
        "skip_chance": (0.0, 0.03),
    },
    "greedy": {
        "optimism": (1.4, 3.0),
        "smoothing": (0.0, 0.3),
        "cover_weeks": (14.0, 30.0),
        "shelf_weeks": (2.0, 6.0),
        "air_weeks": (10.0, 40.0),
        "largest_multiple": (2, 3),
        "reserve_cents": (0, 40_000_00),
        "prudence": (0.0, 0.7),
        "credit_share": (0.8, 1.0),
        "factor_below_cents": (0, 300_000_00),
        "skip_chance": (0.0, 0.4),
    },
}


def drawn(policy: str, rng: random.Random) -> Habits:
    """Habits of a policy, each evenly from its range."""
    value = {
        name: low + (high - low) * rng.random() for name, (low, high) in _RANGES[policy].items()
    }
    return Habits(
        optimism=value["optimism"],
        smoothing=value["smoothing"],
        cover_weeks=value["cover_weeks"],
        shelf_weeks=value["shelf_weeks"],
        air_weeks=value["air_weeks"],
        largest_multiple=round(value["largest_multiple"]),
        reserve_cents=int(value["reserve_cents"]),
        prudence=value["prudence"],
        credit_share=value["credit_share"],
        factor_below_cents=int(value["factor_below_cents"]),
        skip_chance=value["skip_chance"],
    )
