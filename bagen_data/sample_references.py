"""The reference's forecasts beside the samples that they are of, for tools that keep rows apart."""

from collections.abc import Mapping, Sequence
from typing import Any

from bagen_data.hub import load_reference

COLUMN = "reference"
"""The key of a sample's row with the reference's forecast of it."""
_KEPT = ("finish", "success", "resources")


def load_forecasts(dataset: str, config: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the reference's forecasts of a config's samples, by sample; none without a reference.

    Args:
        dataset: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        config: a task or `<task>_start`; every task's benchmark if None.

    Raises:
        as `hub.load_reference`.
    """
    table = load_reference(dataset, config)
    rows = [] if table is None else table.to_pylist()
    return {row["sample_id"]: {name: row[name] for name in _KEPT} for row in rows}


def references_of(samples: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]] | None:
    """Return the rows of the config `reference` that samples bring along; None without any.

    >>> forecast = {"finish": 0.5, "success": 0.5, "resources": []}
    >>> references_of([{"sample_id": "a", "reference": forecast}, {"sample_id": "b"}])
    [{'sample_id': 'a', 'finish': 0.5, 'success': 0.5, 'resources': []}]
    """
    known = [(each["sample_id"], each.get(COLUMN)) for each in samples]
    return [{"sample_id": name, **forecast} for name, forecast in known if forecast] or None
