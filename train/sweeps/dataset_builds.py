"""The build of a dataset that a folder's model or answers are of, and the one that lies there."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagen_data.hub import build_record
from bagen_data.repositories.dataset_names import content_revision, is_folder
from train.run_recipe import RECIPE

_METADATA = "metadata.yaml"


@dataclass
class DatasetBuilds:
    """The content revisions of datasets in folders, each read once.

    A dataset of the Hub is not asked for: its name may have a revision, which options state.
    """

    _revisions: dict[str, str | None] = field(default_factory=dict)

    def change(self, dataset: str, before: str | None) -> str | None:
        """Return how a dataset differs from a revision of it; None if it does not.

        Args:
            dataset: a folder, or a dataset on the Hub, of which nothing is known.
            before: a content revision; None if it is not known.
        """
        if before is None or before == "unknown":
            return None
        if dataset not in self._revisions:
            known = is_folder(dataset)
            self._revisions[dataset] = content_revision(build_record(dataset)) if known else None
        now = self._revisions[dataset]
        if now is None or now == before:
            return None
        return f"{dataset} was built anew: revision {before[:12]}, now {now[:12]}"


def trained_on(folder: Path) -> str | None:
    """Return the revision of the dataset that a run's model was trained on, if it states one."""
    try:
        recipe = json.loads((folder / RECIPE).read_bytes())
    except (OSError, ValueError):
        return None
    return _text(recipe, "dataset_content")


def answered(folder: Path) -> str | None:
    """Return the revision of the dataset that a submission answers, if it states one."""
    import yaml

    try:
        metadata = yaml.safe_load((folder / _METADATA).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    return _text(metadata, "dataset_revision")


def _text(content: Any, name: str) -> str | None:
    value = content.get(name) if isinstance(content, dict) else None
    return value if isinstance(value, str) else None
