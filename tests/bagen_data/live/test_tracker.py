import pytest

from bagen_data.forecasters.learning.asked_columns import AskedColumns
from bagen_data.live import BudgetTracker
from bagen_data.replay import replay
from bagen_data.schema import Rollout
from tests.bagen_data.live.live_forecaster import SumForecaster
from tests.making import WAREHOUSE_BUDGET, recorded_for, warehouse_rollout

USAGE = {"prompt_tokens": 300, "completion_tokens": 40, "total_tokens": 340}


def observed(tracker: BudgetTracker, recorded: Rollout) -> None:
    """Observe a rollout as a loop does, with the usage of whole requests."""
    history = 0
    for turn in recorded.turns:
        read, written = int(turn.usage["input_tokens"]), int(turn.usage["output_tokens"])
        usage = {"prompt_tokens": history + read, "completion_tokens": written}
        tracker.observe(user=turn.user, assistant=turn.assistant, usage=usage)
        history += read + written


@pytest.mark.parametrize("task", ["swebench", "sokoban", "searchr1", "chess"])
def test_a_forecast_is_that_of_the_probe(task: str) -> None:
    recorded, budget = recorded_for(task, 6)
    forecaster = SumForecaster(task)
    tracker = BudgetTracker({"turns": 9, **budget.limits}, forecaster)
    observed(tracker, recorded)
    probes = [probe for probe, _ in replay(recorded, budget, range(1, 7))]
    expected = [*SumForecaster(task).forecasts(AskedColumns.of(probes))]
    assert [each.forecast for each in tracker.history] == expected
    assert tracker.forecast() == expected[-1]
    assert forecaster.asked == 6
    assert not tracker.problems


def test_a_turn_of_a_build_is_taken_as_it_is() -> None:
    recorded = warehouse_rollout([500, 700, 650])
    forecaster = SumForecaster("warehouse", tuple(WAREHOUSE_BUDGET.limits))
    budgets = {**WAREHOUSE_BUDGET.limits, **WAREHOUSE_BUDGET.conditions}
    tracker = BudgetTracker(budgets, forecaster)
    for turn in recorded.turns:
        tracker.observe_turn(turn)
    probes = [probe for probe, _ in replay(recorded, WAREHOUSE_BUDGET, range(1, 4))]
    assert tracker.used == probes[-1].used
    expected = [*forecaster.forecasts(AskedColumns.of(probes))]
    assert [each.forecast for each in tracker.history] == expected
