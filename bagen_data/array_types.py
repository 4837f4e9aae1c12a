"""Names for the kinds of arrays that columns are."""

import numpy as np
import numpy.typing as npt

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
