"""The dataset's README on the Hub, from `dataset_card.md`."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from bagen_data.errors import TemplateError
from bagen_data.splits import PARTS
from builders.family_writer import ROLLOUTS_CONFIG

TEMPLATE = Path(__file__).parent.parent / "dataset_card.md"
_SPLIT_ORDER = ("test", *PARTS, "train")


def render_card(manifest: Sequence[Mapping[str, Any]], record: Mapping[str, Any]) -> str:
    """Fill the card's template.

    Args:
        manifest: the lines of `manifest.jsonl`.
        record: `build.json`, as far as it is known.
    """
    return _template().render(
        configs=card_configs(manifest),
        rows=_sums(manifest, "rows"),
        kilobytes={key: size // 1000 for key, size in _sums(manifest, "bytes").items()},
        record=record,
    )


def card_configs(manifest: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The `configs:` of the card: `default` (every task's benchmark), then each config there is.

    A config's description names its data by hash. `datasets` caches a local folder by its configs
    alone, so without it a folder that was built again would load as it was before.
    """
    found: dict[str, list[Mapping[str, Any]]] = {}
    for file in manifest:
        found.setdefault(file["config"], []).append(file)
    tests = [
        file
        for name in sorted(found)
        for file in found[name]
        if name != ROLLOUTS_CONFIG and file["split"] == "test"
    ]
    order = sorted(found, key=lambda name: (name == ROLLOUTS_CONFIG, name))
    configs = [_config(name, found[name]) for name in order]
    return [_config("default", tests), *configs] if tests else configs


def _config(name: str, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    by_split: dict[str, list[str]] = {}
    for file in files:
        patterns = by_split.setdefault(file["split"], [])
        if _pattern(file) not in patterns:
            patterns.append(_pattern(file))
    splits = sorted(by_split, key=_SPLIT_ORDER.index)
    data = hashlib.sha256("".join(file["sha256"] for file in files).encode()).hexdigest()
    return {
        "config_name": name,
        "description": f"data {data[:16]}",
        "data_files": [{"split": split, "path": by_split[split]} for split in splits],
    }


def _pattern(file: Mapping[str, Any]) -> str:
    """A glob of all files of the same config and split.

    Rollouts of all tasks share a folder, where no glob can tell a split from a model's name.
    """
    if file["config"] == ROLLOUTS_CONFIG:
        return str(file["path"])
    return f"{file['path'].rpartition('/')[0]}/{file['split']}-*.parquet"


def _sums(manifest: Sequence[Mapping[str, Any]], name: str) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for file in manifest:
        key = (file["config"], file["split"])
        sums[key] = sums.get(key, 0) + file[name]
    return sums


@lru_cache
def _template() -> Template:
    try:
        text = TEMPLATE.read_text(encoding="utf-8")
    except OSError as error:
        raise TemplateError(f"{TEMPLATE}: cannot be read: {error.strerror}") from error
    environment = Environment(
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701
    )
    return environment.from_string(text)
