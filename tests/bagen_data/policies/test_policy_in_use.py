"""A policy beside a running agent stops where its evaluation on recorded rollouts says."""

from pathlib import Path

import pytest

from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import KeptForecaster, keep
from bagen_data.forecasters.learning.examples import load_examples
from bagen_data.live import BudgetTracker
from bagen_data.live.policies import Policy, SequentialPolicy, ThresholdPolicy
from bagen_data.policies.foretold_rollouts import RecordedRollout
from bagen_data.policies.unseen_forecasts import load_recorded, of_kept
from tests.making import SAMPLE, build

POLICIES = [
    ThresholdPolicy(0.55, patience=2, first_turn=2),
    ThresholdPolicy(0.45, first_turn=1),
    SequentialPolicy(0.2, threshold=1.0, base_rate=0.5),
    SequentialPolicy(0.2, threshold=1.3, base_rate=0.6, outcome="finish", first_turn=4),
]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return out


def fitted(sample: Path, config: str) -> KeptForecaster:
    examples = load_examples(str(sample), config, "sft").examples
    fit = find_forecaster("aft").fit
    assert fit is not None
    return keep("aft", fit(examples, 0), examples)


def first_stop(recorded: RecordedRollout, kept: KeptForecaster, policy: Policy) -> int | None:
    """Return the turn, but the last, after which a tracker first says stop; None if over budget."""
    limits = dict(recorded.budget.limits)
    tracker = BudgetTracker(limits, kept, policy, task=recorded.rollout.task)
    for turn in recorded.rollout.turns[:-1]:
        tracker.observe_turn(turn)
        if min(tracker.remaining.values()) < 0:
            return None
        if tracker.advice().action == "stop":
            return tracker.turns
    return None


@pytest.mark.parametrize("task", ["swebench", "sokoban"])
@pytest.mark.parametrize("policy", POLICIES, ids=["patient", "at once", "success", "finish"])
def test_a_tracker_stops_where_the_policy_does(policy: Policy, task: str, sample: Path) -> None:
    kept = fitted(sample, f"{task}_train")
    recorded, said = of_kept(load_recorded(str(sample), task), kept, "kept")
    for each in recorded.rollouts:
        forecast = said[each.name]
        open_turns = sum(min(_left(each, k)) >= 0 for k in range(1, len(each.rollout.turns)))
        expected = policy.stops(forecast.finish[:open_turns], forecast.success[:open_turns])
        assert first_stop(each, kept, policy) == expected


def _left(recorded: RecordedRollout, k: int) -> list[float]:
    probe = recorded.probes()[k - 1]
    return [limit - probe.used[name] for name, limit in recorded.budget.limits.items()]
