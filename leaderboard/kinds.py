"""The kinds of estimators: those that a table's filters choose among, and those that are ranked."""

from collections.abc import Mapping
from typing import Any, Literal

from leaderboard.results import has_model

Standing = Literal["submitted", "learned", "baseline"]
SUBMITTED: Standing = "submitted"
"""The standing of an estimator that is ranked."""


def standing_of(metadata: Mapping[str, Any]) -> Standing:
    """Return how an estimator stands on a page; `submitted` ones alone have a rank.

    Estimators without a model are lines to compare with (`baseline`). A model that learned from the
    benchmark has seen the answers (`learned`).

    >>> standing_of({"provider": "lab", "trained_on": "train"})
    'submitted'
    >>> standing_of({"provider": "none", "trained_on": "benchmark"})
    'baseline'
    """
    if not has_model(metadata):
        return "baseline"
    return "learned" if metadata["trained_on"] == "benchmark" else SUBMITTED


def weights_of(metadata: Mapping[str, Any]) -> str:
    """Return `open`, `closed`, `none` without a model, or `unknown`."""
    if not has_model(metadata):
        return "none"
    return metadata.get("weights") or "unknown"


def cost_of(metadata: Mapping[str, Any], costs: Mapping[str, Any]) -> float | None:
    """Return US dollars for 1,000 probes; if not stated, 0 without a model and None with one.

    Args:
        metadata: the submission's metadata.
        costs: the submission's mean costs in a group, as `costs.mean_costs` has them.
    """
    cost: float | None = costs.get("cost_usd_per_1000")
    return 0.0 if cost is None and weights_of(metadata) == "none" else cost


def decoding_of(metadata: Mapping[str, Any]) -> str:
    """Return `constrained` if decoding was held to the answer grammar, else `free`."""
    return "constrained" if metadata["constrained"] else "free"


def kind_of(metadata: Mapping[str, Any]) -> str:
    """Return what the filters look at: all estimators of one kind pass a filter, or none does.

    >>> about = {"provider": "lab", "trained_on": "train", "constrained": False}
    >>> kind_of(about | {"weights": "open"})
    'standard open free'
    """
    trained = "benchmark" if metadata["trained_on"] == "benchmark" else "standard"
    return f"{trained} {weights_of(metadata)} {decoding_of(metadata)}"
