"""Amounts in whole cents: shares of them, and how they are written."""


def percent_of(cents: int, percent: int) -> int:
    """A share of an amount >= 0, to the nearest cent, halves up.

    >>> percent_of(1_50, 5)
    8
    """
    return (cents * percent + 50) // 100


def permille_of(cents: int, permille: int) -> int:
    """A share of an amount >= 0, to the nearest cent, halves up."""
    return (cents * permille + 500) // 1000


def dollars(cents: int) -> str:
    """To the cent.

    >>> dollars(123450), dollars(-5)
    ('$1,234.50', '-$0.05')
    """
    whole, part = divmod(abs(cents), 100)
    return f"{'-' if cents < 0 else ''}${whole:,}.{part:02d}"


def whole_dollars(cents: int) -> str:
    """To the nearest dollar, halves away from zero.

    >>> whole_dollars(123450), whole_dollars(-123449), whole_dollars(-20)
    ('$1,235', '-$1,234', '$0')
    """
    whole = (abs(cents) + 50) // 100
    return f"{'-' if cents < 0 and whole else ''}${whole:,}"


def as_float(cents: int) -> float:
    """Dollars, as a log holds them."""
    return cents / 100
