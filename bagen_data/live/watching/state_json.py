"""The state of a watched log as JSON; docs/watch.md describes the fields."""

from collections.abc import Mapping
from typing import Any

from bagen_data.live.watching.run_states import TurnState
from bagen_data.live.watching.watch_setup import WatchSetup
from bagen_data.live.watching.watcher import WatchState
from bagen_data.replay import plus
from bagen_data.schema import TARGET_PREFIX

FORMAT = 1
_BEFORE: dict[str, Any] = {"turn": 0, "used": {}, "at_least": [], "forecast": None, "advice": None}
"""The present state before the first turn."""


def state_json(state: WatchState, setup: WatchSetup) -> dict[str, Any]:
    """Return all that is known of a log as JSON values."""
    rollout = state.rollout
    turns = [turn_json(each) for each in state.turns]
    present = turns[-1] if turns else _BEFORE
    return {
        "format": FORMAT,
        "rollout": rollout and rollout.rollout.rollout_id,
        "instance": rollout and rollout.rollout.instance_id,
        "source": {
            "file": str(state.path),
            "place": rollout and rollout.where,
            "session": rollout and rollout.source_id,
            "tool": rollout and rollout.source,
            "model": rollout and rollout.model,
            "usage": rollout and rollout.usage_source,
        },
        "task": state.task,
        "forecaster": setup.options.forecaster,
        "budgets": dict(setup.budgets),
        "turns": turns,
        "state": {
            **{name: present[name] for name in _BEFORE},
            "remaining": _remaining(present["used"], setup.budgets),
        },
        "notes": list(state.notes),
        "problem": state.problem or None,
    }


def line_json(state: WatchState, turn: TurnState) -> dict[str, Any]:
    """Return a turn as the JSON values of a line."""
    place = state.rollout and state.rollout.where
    return {"file": str(state.path), "place": place, **turn_json(turn)}


def turn_json(state: TurnState) -> dict[str, Any]:
    """Return what is said of a run after a turn as JSON values."""
    forecast = state.forecast
    said = forecast and {
        "finish": forecast.finish,
        "success": forecast.success,
        "within_budget": getattr(forecast, "within_budget", None),
        "quantiles": {name: list(each) for name, each in forecast.quantiles.items()},
    }
    return {
        "turn": state.turn,
        "spent": dict(state.spent),
        "used": dict(state.used),
        "at_least": sorted(state.at_least),
        "forecast": said,
        "advice": {"action": state.advice.action, "because": state.advice.because},
    }


def _remaining(used: Mapping[str, float], budgets: Mapping[str, float]) -> dict[str, float]:
    """Return what is left of each budget, below 0 where it is exceeded."""
    return {
        name: plus(limit, -used.get(name, 0))
        for name, limit in budgets.items()
        if not name.startswith(TARGET_PREFIX)
    }
