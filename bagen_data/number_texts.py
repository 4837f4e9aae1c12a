"""Numbers as answers and tables write them."""

from decimal import Decimal


def plain(amount: float) -> str:
    """A finite number in plain decimals: no exponent, no separator, whole numbers without a point.

    >>> plain(1721.0), plain(0.1), plain(1e-7)
    ('1721', '0.1', '0.0000001')
    """
    if isinstance(amount, int) or amount.is_integer():
        return str(int(amount))
    return format(Decimal(repr(float(amount))), "f")


def readable(amount: float) -> str:
    """A finite number as tables show it: separated thousands, and at most six decimals.

    >>> readable(21711.0), readable(0.1 + 0.2)
    ('21,711', '0.3')
    """
    return f"{amount:,.6f}".rstrip("0").rstrip(".")
