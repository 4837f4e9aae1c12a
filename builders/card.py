"""The dataset's README on the Hub, from `dataset_card.md`."""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, StrictUndefined, Template

from bagen_data.errors import TemplateError
from bagen_data.splits import PARTS
from builders.write import ROLLOUTS_CONFIG

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
        megabytes={key: size / 1e6 for key, size in _sums(manifest, "bytes").items()},
        record=record,
    )


def card_configs(manifest: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The `configs:` of the card: `default` (every task's benchmark), then each config there is."""
    found: dict[str, dict[str, str]] = {}
    for file in manifest:
        paths = found.setdefault(file["config"], {})
        paths[file["split"]] = _pattern(file)
    configs = []
    tests = [paths["test"] for name, paths in sorted(found.items()) if _is_benchmark(name, paths)]
    if tests:
        files = [{"split": "test", "path": tests}]
        configs.append({"config_name": "default", "data_files": files})
    for name, paths in sorted(
        found.items(), key=lambda item: (item[0] == ROLLOUTS_CONFIG, item[0])
    ):
        splits = sorted(paths, key=_SPLIT_ORDER.index)
        files = [{"split": split, "path": paths[split]} for split in splits]
        configs.append({"config_name": name, "data_files": files})
    return configs


def _is_benchmark(config: str, paths: Mapping[str, Any]) -> bool:
    return config != ROLLOUTS_CONFIG and "test" in paths


def _pattern(file: Mapping[str, Any]) -> str:
    """A glob of all files of the same config and split."""
    folder = file["path"].rpartition("/")[0]
    prefix = "*-" if file["config"] == ROLLOUTS_CONFIG else ""
    return f"{folder}/{prefix}{file['split']}-*.parquet"


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
