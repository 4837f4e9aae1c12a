"""What samples' resources are: budget, used and remaining as columns."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.answers import check_resource_name
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.errors import InputError
from bagen_data.scoring.inputs import codes

Rows = slice | Ints
"""Consecutive rows as a slice, so that taking them copies nothing; others as (n,) positions."""

_AMOUNTS = ("budget", "used", "remaining")
_MOST = 1e150
"""No amount is larger, so that sums of them are finite."""


@dataclass(frozen=True)
class Amounts:
    """The column `resources`, flat: a sample's amounts lie at `starts[i]` .. `starts[i + 1]`."""

    starts: Ints
    names: Ints
    known: tuple[str, ...]
    values: tuple[Floats, ...]

    @classmethod
    def of(cls, lists: Any) -> Self:
        """From an Arrow array of lists of `{resource, budget, used, remaining}`."""
        if not pa.types.is_list(lists.type) and not pa.types.is_large_list(lists.type):
            raise InputError(f"resources is a column of {lists.type}; expected lists of dicts")
        flat = lists.flatten()
        if not len(flat):
            raise InputError("resources is empty for every sample; expected one amount or more")
        fields = {field.name for field in flat.type} if pa.types.is_struct(flat.type) else set()
        missing = [name for name in ("resource", *_AMOUNTS) if name not in fields]
        if missing:
            raise InputError(f"resources has no field {missing[0]!r}")
        offsets = lists.offsets.to_numpy()
        for name in ("resource", *_AMOUNTS):
            if flat.field(name).null_count or flat.null_count:
                raise InputError(f"resources: a {name} is missing (null)")
        names, known = codes(flat.field("resource"))
        for name in known.to_pylist():
            check_resource_name(name)
        kinds = {name: flat.field(name).type for name in _AMOUNTS}
        for name, kind in kinds.items():
            if not (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
                raise InputError(f"resources: {name} is of type {kind}; expected numbers")
        values = [pc.cast(flat.field(name), pa.float64()) for name in _AMOUNTS]
        return cls(
            offsets - offsets[0],
            names,
            tuple(known.to_pylist()),
            tuple(value.to_numpy(zero_copy_only=False) for value in values),
        )

    def of_rows(self, rows: Rows, ids: Any) -> tuple[tuple[str, ...], list[Floats]]:
        """The resources of one family's rows, and (r, n) of each amount."""
        starts, stops = self.starts[:-1][rows], self.starts[1:][rows]
        width = int(stops[0] - starts[0])
        self._check(rows, ids, stops - starts == width if width else np.zeros(len(starts), bool))
        places: Rows
        if isinstance(rows, slice):
            places = slice(int(starts[0]), int(stops[-1]))
        else:
            places = (starts[:, np.newaxis] + np.arange(width)).ravel()
        names = self.names[places].reshape(-1, width)
        self._check(rows, ids, (names == names[0]).all(axis=1))
        if len(set(names[0].tolist())) < width:
            row, sample = row_of(rows, 0, ids)
            raise InputError(f"row {row}: sample {sample!r} names a resource twice")
        values = [value[places] for value in self.values]
        for name, value in zip(_AMOUNTS, values, strict=True):
            if not (value.min() >= 0 and value.max() <= _MOST):
                wrong = ~((value >= 0) & (value <= _MOST))
                row, sample = row_of(rows, int(np.argmax(wrong)) // width, ids)
                raise InputError(
                    f"row {row}: sample {sample!r} has a {name} of {value[np.argmax(wrong)]}; "
                    f"expected a number from 0 to {_MOST:g}"
                )
        shaped = [np.ascontiguousarray(value.reshape(-1, width).T) for value in values]
        return tuple(self.known[code] for code in names[0]), shaped

    def _check(self, rows: Rows, ids: Any, is_like_first: Mask) -> None:
        if not is_like_first.all():
            row, sample = row_of(rows, int(np.argmin(is_like_first)), ids)
            raise InputError(
                f"row {row}: sample {sample!r} names other resources than the first one of its "
                "family, or none; expected the same in the same order"
            )


def row_of(rows: Rows, position: int, ids: Any) -> tuple[int, str]:
    """The row in the table, and its sample's id, of one of these rows."""
    row = rows.start + position if isinstance(rows, slice) else int(rows[position])
    return row, ids[row].as_py()
