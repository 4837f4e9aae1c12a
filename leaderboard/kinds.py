"""The kinds of estimators that a table's filters choose among."""

from collections.abc import Mapping
from typing import Any

from leaderboard.results import has_model


def weights_of(metadata: Mapping[str, Any]) -> str:
    """Return `open`, `closed`, `none` without a model, or `unknown`."""
    if not has_model(metadata):
        return "none"
    return metadata.get("weights") or "unknown"


def cost_of(metadata: Mapping[str, Any], costs: Mapping[str, Any]) -> float | None:
    """Return US dollars for 1,000 probes; if it is not said, 0 without a model, None with one.

    Args:
        metadata: of a submission.
        costs: what its predictions took, as `costs.mean_costs` has it for a group.
    """
    cost: float | None = costs.get("cost_usd_per_1000")
    return 0.0 if cost is None and weights_of(metadata) == "none" else cost


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
