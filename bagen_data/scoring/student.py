"""Student's t distribution of whole degrees of freedom, where SciPy is not installed."""

import math
from functools import cache
from statistics import NormalDist

NORMAL = NormalDist()
"""The standard normal distribution."""
_MOST = 2.0**60
"""The largest quantile that is looked for."""


def two_sided_p(t: float, freedom: int) -> float:
    """Return the chance of a Student's t at least this far from 0.

    The closed sum of Abramowitz and Stegun (26.7.3 and 26.7.4), which has freedom / 2 terms.

    >>> round(two_sided_p(2.228, 10), 3), two_sided_p(0.0, 3)
    (0.05, 1.0)
    """
    angle = math.atan2(abs(t), math.sqrt(freedom))
    sine, cosine = math.sin(angle), math.cos(angle)
    is_odd = freedom % 2
    term = cosine if is_odd else 1.0
    terms = []
    for number in range(1 + is_odd, freedom, 2):
        terms.append(term)
        term *= cosine**2 * number / (number + 1)
    total = sine * math.fsum(terms)
    if is_odd:
        total = 2 / math.pi * (angle + total)
    return max(0.0, 1 - total)


@cache
def critical_t(p: float, freedom: int) -> float:
    """Return the t that a Student's t is further from 0 than with chance p, 0 < p < 1.

    >>> round(critical_t(0.05, 10), 3), round(critical_t(0.05, 1), 2)
    (2.228, 12.71)
    """
    low, high = 0.0, 1.0
    while two_sided_p(high, freedom) > p and high < _MOST:
        low, high = high, 2 * high
    while low < (middle := (low + high) / 2) < high:
        if two_sided_p(middle, freedom) > p:
            low = middle
        else:
            high = middle
    return high
