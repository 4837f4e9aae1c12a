"""Names for the kinds of arrays that columns are."""

import numpy as np
import numpy.typing as npt

from bagen_data.schema import SUM_DECIMALS

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.signedinteger]
Mask = npt.NDArray[np.bool_]
Codes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]


def every(mask: Mask) -> Mask:
    """(r, n) to (n,): whether it is true in every row."""
    columns: Mask = mask[0] if len(mask) == 1 else np.logical_and.reduce(mask)
    return columns


def some(mask: Mask) -> Mask:
    """(r, n) to (n,): whether it is true in some row."""
    columns: Mask = mask[0] if len(mask) == 1 else np.logical_or.reduce(mask)
    return columns


def decimal(sums: Floats) -> Floats:
    """Return sums and differences of decimal amounts as the decimals nearest to them.

    >>> decimal(np.array([0.1 + 0.2, 123456789.0])).tolist()
    [0.3, 123456789.0]
    """
    is_whole = sums == np.floor(sums)
    rounded: Floats = np.where(is_whole, sums, np.round(sums, SUM_DECIMALS))
    return rounded
