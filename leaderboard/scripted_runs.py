"""Boards of runs by scripted agents, such as the bundled sample's: they rank no model."""

from collections.abc import Mapping
from typing import Any

from leaderboard.kinds import standing_of

SCRIPTED = "scripted"
"""The rollout model of families that `python -m collect TASK --agent scripted` records.

The families of the bundled sample have it, and so do those that `bagen demo` and `make demo` ask
about.
"""


def has_scripted_runs(results: Mapping[str, Any]) -> bool:
    """Return whether every family of a board's dataset is named as one of scripted agents.

    >>> has_scripted_runs({"dataset": {"tasks": {"chess": {"families": ["chess/scripted"]}}}})
    True
    >>> has_scripted_runs({"dataset": {"tasks": {"chess": {"families": ["chess/gpt-5.2"]}}}})
    False
    """
    families = [
        family for about in results["dataset"]["tasks"].values() for family in about["families"]
    ]
    return {family.rpartition("/")[2] for family in families} == {SCRIPTED}


def has_baselines_alone(results: Mapping[str, Any]) -> bool:
    """Return whether a board has estimators, and none of them has a model.

    >>> has_baselines_alone({"submissions": [{"metadata": {"provider": "none"}}]})
    True
    """
    standings = {standing_of(submission["metadata"]) for submission in results["submissions"]}
    return standings == {"baseline"}
