"""Amounts in whole cents: shares of them, and how they are written."""


def percent_of(cents: int, percent: int) -> int:
    """Return a share of an amount >= 0, to the nearest cent, halves up.

    >>> percent_of(1_50, 5)
    8
    """
    return (cents * percent + 50) // 100


def permille_of(cents: int, permille: int) -> int:
    """Return a share of an amount >= 0, to the nearest cent, halves up."""
    return (cents * permille + 500) // 1000


def dollars(cents: int) -> str:
    """Return an amount as text, to the cent.

    >>> dollars(123450), dollars(-5)
    ('$1,234.50', '-$0.05')
    """
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{part:02d}"


def whole_dollars(cents: int) -> str:
    """Return an amount as text, to the nearest dollar, halves away from zero.

    >>> whole_dollars(123450), whole_dollars(-123449), whole_dollars(-20)
    ('$1,235', '-$1,234', '$0')
    """
    whole = (abs(cents) + 50) // 100
    return f"{'-' if cents < 0 and whole else ''}${whole:,}"


def as_float(cents: int) -> float:
    """Return an amount in dollars, as a log holds it."""
    return cents / 100
