"""Checks that models of several forecasters share; a kept one may come from anybody."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from bagen_data.array_types import Mask
from bagen_data.forecasters.learning.asked_columns import UNITS
from bagen_data.forecasters.learning.tree_arrays import LARGEST_VALUE, Trees


def check_outcomes(outcomes: Mask) -> None:
    """Refuse outcomes that are not (m,) flags.

    Raises:
        ValueError: they are not.
    """
    if outcomes.ndim != 1:
        raise ValueError("has outcomes that are not one row")


def check_unit(unit: int) -> None:
    """Refuse a column of units that probes do not have.

    Raises:
        ValueError: the column does not exist.
    """
    if not 0 <= unit < UNITS:
        raise ValueError(f"has unit {unit}; expected 0 to {UNITS - 1}")


def check_parts(parts: Sequence[object], resources: Sequence[str]) -> None:
    """Refuse parts that are not one per resource.

    Raises:
        ValueError: there are more or fewer.
    """
    if len(parts) != len(resources):
        raise ValueError(f"has {len(parts)} parts for {len(resources)} resources")


def check_trees(trees: Sequence[Trees], names: Sequence[str]) -> None:
    """Refuse trees that compare a feature that probes do not have.

    Raises:
        ValueError: one does.
    """
    most = max((each.most_features for each in trees), default=0)
    if most > len(names):
        raise ValueError(f"compares feature {most}; expected at most {len(names)}")


def check_numbers(numbers: npt.ArrayLike, shape: tuple[int, ...], what: str) -> None:
    """Refuse an array of another shape, or one with a number that is not finite.

    Raises:
        ValueError: naming the array.
    """
    array = np.asarray(numbers)
    if array.shape != shape:
        raise ValueError(f"has {what} of shape {array.shape}; expected {shape}")
    if not (np.abs(array) <= LARGEST_VALUE).all():
        raise ValueError(f"has {what} that are not finite")
