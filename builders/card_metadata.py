"""The metadata of a dataset's card: YAML that the Hub and `datasets` read."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from bagen_data.dataset_configs import REFERENCE, ROLLOUTS
from bagen_data.schema import REFERENCE as REFERENCE_SCHEMA
from bagen_data.schema import ROLLOUTS as ROLLOUTS_SCHEMA
from bagen_data.schema import SAMPLES
from builders.card_configs import files_by_split
from builders.card_features import features_of

_SIZES = ("n<1K", "1K<n<10K", "10K<n<100K", "100K<n<1M", "1M<n<10M", "10M<n<100M", "100M<n<1B")
"""The Hub's classes of datasets by rows; each ends at ten times the end of the one before."""
_LARGEST = "1B<n<10B"
_SMALLEST_ROWS = 1_000


def size_category(rows: int) -> str:
    """Return the Hub's class of a dataset by its rows, up to ten billion.

    >>> size_category(999), size_category(1_000), size_category(46_320)
    ('n<1K', '1K<n<10K', '10K<n<100K')
    """
    limit = _SMALLEST_ROWS
    for name in _SIZES:
        if rows < limit:
            return name
        limit *= 10
    return _LARGEST


def schema_of(config: str) -> pa.Schema:
    """Return the schema of a config's rows."""
    return {ROLLOUTS: ROLLOUTS_SCHEMA, REFERENCE: REFERENCE_SCHEMA}.get(config, SAMPLES)


def dataset_info(
    configs: Sequence[str], manifest: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return `dataset_info:` of a card: what a config's columns are, and how many rows it has.

    `datasets` compares the rows that it loads with these numbers, so a file that is missing or one
    too many is noticed.

    Args:
        configs: the names of the configs, in the order of the card.
        manifest: the lines of `manifest.jsonl`.
    """
    described = []
    for config in configs:
        files = files_by_split(config, manifest)
        splits = [
            {
                "name": split,
                "num_bytes": sum(file["loaded_bytes"] for file in own),
                "num_examples": sum(file["rows"] for file in own),
            }
            for split, own in files.items()
        ]
        described.append(
            {
                "config_name": config,
                "features": features_of(schema_of(config)),
                "splits": splits,
                "download_size": sum(file["bytes"] for own in files.values() for file in own),
                "dataset_size": sum(split["num_bytes"] for split in splits),
            }
        )
    return described


def yaml_text(value: Any) -> str:
    r"""Return a value as YAML, without the newline at its end.

    >>> yaml_text([{"name": "a: b", "path": ["x"]}])
    "- name: 'a: b'\n  path:\n  - x"
    """
    import yaml

    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)  # a fifth of the time, the same text
    text: str = yaml.dump(value, None, dumper, sort_keys=False, allow_unicode=True, width=1_000)
    return text.rstrip("\n")
