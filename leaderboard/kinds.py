"""The kinds of estimators that a table's filters choose among."""

from collections.abc import Mapping
from typing import Any

from leaderboard.results import has_model


def weights_of(metadata: Mapping[str, Any]) -> str:
    """Return `open`, `closed`, `none` without a model, or `unknown`."""
    if not has_model(metadata):
        return "none"
    return metadata.get("weights") or "unknown"


def decoding_of(metadata: Mapping[str, Any]) -> str:
    """Return `constrained` if decoding was held to the answer grammar, else `free`."""
    return "constrained" if metadata["constrained"] else "free"


def kind_of(metadata: Mapping[str, Any]) -> str:
    """Return whatever the filters ask of an estimator, so that all of one kind pass or none.

    >>> about = {"provider": "lab", "trained_on": "train", "constrained": False}
    >>> kind_of(about | {"weights": "open"})
    'standard open free'
    """
    trained = "benchmark" if metadata["trained_on"] == "benchmark" else "standard"
    return f"{trained} {weights_of(metadata)} {decoding_of(metadata)}"
