"""The reference that skills are relative to: its forecast of each sample, as columns."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints, Mask
from bagen_data.errors import InputError
from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.input_columns import Rows, as_strings, as_table, codes, row_of

_PROBABILITIES = ("finish", "success")
_COLUMNS = ("sample_id", *_PROBABILITIES, "resources")
_MOST = 1e300


@dataclass(frozen=True)
class ReferenceColumns:
    """The reference's forecasts of samples: e rows, each of which forecasts some resources.

    The resources of a row lie at `starts[i]` .. `starts[i + 1]` of the flat columns.
    """

    row_of_sample: Ints
    """(n,) the row of each sample; -1 where the sample has none."""
    probabilities: tuple[Floats, Floats]
    """`finish` and `success`, (e,) each."""
    starts: Ints
    """(e + 1,)."""
    names: Ints
    """(f,) positions in `known`."""
    known: tuple[str, ...]
    """The names of resources."""
    quantiles: Floats
    """(f, 5)."""

    @classmethod
    def of(cls, reference: Any, sample_ids: Any) -> Self:
        """Read the rows of config `reference` that forecast these samples; others are left aside.

        Args:
            reference: a table with columns `sample_id`, `finish`, `success` and `resources`, a list
                of `{resource, quantiles}`.
            sample_ids: an Arrow array of n strings.

        Raises:
            InputError: a column is missing or of the wrong type, a value is missing, a sample has
                two rows, a probability is not within 0..1, or quantiles fall or are not five.
        """
        try:
            table = as_table(reference, _COLUMNS)
            ids = as_strings(table["sample_id"]).cast(sample_ids.type).combine_chunks()
            rows: Ints = np.arange(len(ids))
            if not ids.equals(sample_ids):  # a build writes both in the same order
                is_wanted = pc.is_in(ids, value_set=sample_ids)
                table, ids = table.filter(is_wanted), ids.filter(is_wanted)
                _check_once(ids)
                positions = pc.index_in(sample_ids, value_set=ids).fill_null(-1)
                rows = positions.to_numpy().astype(np.int64)
            finish, success = (_probabilities(table[name], name, ids) for name in _PROBABILITIES)
            lists = _lists(table["resources"].combine_chunks())
            flat = lists.flatten()
            names, known = codes(flat.field("resource"))
            quantiles = _quantiles(flat.field("quantiles"))
        except (InputError, pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(f"reference: {error}") from error
        offsets = lists.offsets.to_numpy()
        return cls(
            rows,
            (finish, success),
            offsets - offsets[0],
            names,
            tuple(known.to_pylist()),
            quantiles,
        )

    def of_rows(self, rows: Rows, ids: Any, resources: tuple[str, ...]) -> ForecastColumns | None:
        """Return the forecasts of one family's samples; None if none of them has one.

        Raises:
            InputError: some samples have a forecast and others none, or a forecast is of other
                resources than the family's.
        """
        own = self.row_of_sample[rows]
        is_missing = own < 0
        if is_missing.all():
            return None
        if is_missing.any():
            _, sample = row_of(rows, int(np.argmax(is_missing)), ids)
            raise InputError(
                f"reference: sample {sample!r} is missing, and others of its family "
                "are not; expected a row for each sample of a family, or for none"
            )
        if not set(resources) <= set(self.known):
            self._refuse_resources(rows, ids, 0, resources)
        finish, success = (column[own] for column in self.probabilities)
        starts, stops = self.starts[:-1][own], self.starts[1:][own]
        is_wrong = stops - starts != len(resources)
        if is_wrong.any():
            self._refuse_resources(rows, ids, int(np.argmax(is_wrong)), resources)
        places = starts[:, np.newaxis] + np.arange(len(resources))
        forecasts = ForecastColumns(
            finish, success, np.empty((len(resources), len(QUANTILE_LEVELS), len(own)))
        )
        names = self.names[places]
        for position, resource in enumerate(resources):
            is_own = names == self.known.index(resource)
            if not (is_own.sum(axis=1) == 1).all():
                is_wrong = is_own.sum(axis=1) != 1
                self._refuse_resources(rows, ids, int(np.argmax(is_wrong)), resources)
            forecasts.quantiles[position] = self.quantiles[places[is_own]].T
        return forecasts

    def _refuse_resources(
        self, rows: Rows, ids: Any, position: int, resources: tuple[str, ...]
    ) -> None:
        _, sample = row_of(rows, position, ids)
        raise InputError(
            f"reference: sample {sample!r} has forecasts of other resources than the "
            f"sample; expected one of each: {', '.join(resources)}"
        )


def _check_once(ids: Any) -> None:
    counts = pc.value_counts(ids)
    is_repeated = pc.greater(counts.field("counts"), 1)
    if pc.any(is_repeated).as_py():
        repeated = counts.field("values").filter(is_repeated)
        raise InputError(f"sample {repeated[0].as_py()!r} has two rows; expected one")


def _probabilities(column: Any, name: str, ids: Any) -> Floats:
    if not pa.types.is_floating(column.type):
        raise InputError(f"{name} is a column of {column.type}; expected numbers from 0 to 1")
    values: Floats = column.cast(pa.float64()).to_numpy()
    is_wrong = ~((values >= 0) & (values <= 1))
    if is_wrong.any():
        row = int(np.argmax(is_wrong))
        raise InputError(
            f"sample {ids[row].as_py()!r} has a {name} of {values[row]}; expected 0 to 1"
        )
    return values


def _lists(lists: Any) -> Any:
    kind = lists.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)) or not (
        pa.types.is_struct(kind.value_type)
        and {"resource", "quantiles"} <= {field.name for field in kind.value_type}
    ):
        raise InputError(f"resources is a column of {kind}; expected lists of resource, quantiles")
    flat = lists.flatten()
    for name in ("resource", "quantiles"):
        if flat.null_count or flat.field(name).null_count:
            raise InputError(f"resources: a {name} is missing (null)")
    return lists


def _quantiles(lists: Any) -> Floats:
    """(f, 5) the quantiles of each resource of each row."""
    kind = lists.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind)
    if not (is_list or pa.types.is_fixed_size_list(kind)):
        raise InputError(f"quantiles are of type {kind}; expected lists of numbers")
    sizes = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
    values = lists.flatten()
    if values.null_count:
        raise InputError("resources: a quantile is missing (null)")
    numbers: Floats = values.cast(pa.float64()).to_numpy()
    if not (sizes == len(QUANTILE_LEVELS)).all():
        size = sizes[np.argmax(sizes != len(QUANTILE_LEVELS))]
        raise InputError(f"a resource has {size} quantiles; expected {len(QUANTILE_LEVELS)}")
    quantiles = numbers.reshape(-1, len(QUANTILE_LEVELS))
    is_wrong: Mask = ~_rises(quantiles)
    if is_wrong.any():
        wrong = quantiles[np.argmax(is_wrong)].tolist()
        raise InputError(
            f"quantiles are {wrong}; expected finite numbers from 0 on, none smaller than the one "
            "before"
        )
    return quantiles


def _rises(quantiles: Floats) -> Mask:
    """(f,) whether five quantiles are finite, at least 0 and do not fall."""
    is_ordered = (quantiles[:, 1:] >= quantiles[:, :-1]).all(axis=1)
    return np.logical_and.reduce([is_ordered, quantiles[:, 0] >= 0, quantiles[:, -1] <= _MOST])
