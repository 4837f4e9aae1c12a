"""Used amounts, forecast and advice after each turn of a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from bagen_data.live.advice import Advice
from bagen_data.live.tracker import BudgetTracker
from bagen_data.replay import plus
from bagen_data.schema import Amounts, Forecast, Turn

if TYPE_CHECKING:
    from bagen_data.forecasters.kept import AmountForecast

NO_BUDGET = Advice("continue", "no budget is given, so amounts are counted alone")


@dataclass(frozen=True)
class TurnState:
    """Used amounts, forecast and advice after one turn of a run."""

    turn: int
    """Completed turns, k."""
    spent: Amounts
    """Amounts of this turn, by resource."""
    used: Amounts
    """Amounts of turns 1 .. k, by resource."""
    at_least: frozenset[str]
    """Resources of which more was used than is known, as a turn states no amount."""
    forecast: "Forecast | AmountForecast | None"
    """The forecaster's answer; None without a forecaster, or where it can give none."""
    advice: Advice


class RunStates:
    """Follows the turns of a run, whose last one may still change.

    Args:
        resources: names of the resources that each turn states, in the order of display.
        new_tracker: makes the tracker of a run; None without a budget.
    """

    def __init__(
        self, resources: Sequence[str], new_tracker: Callable[[], BudgetTracker] | None
    ) -> None:
        self.states: list[TurnState] = []
        """States of the turns, in order."""
        self.problems: tuple[str, ...] = ()
        """Reasons why the tracker gives no forecast."""
        self._resources = resources
        self._new_tracker = new_tracker
        self._turns: tuple[Turn, ...] = ()
        self._before = new_tracker and new_tracker()
        """The tracker of all turns but the last one."""

    def take(self, turns: tuple[Turn, ...]) -> int:
        """Take all turns of a run as they stand now; return how many are as they were.

        Only a last turn that changed and turns that are new cost time, unless the run is another.
        """
        pairs = zip(self._turns, turns, strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        if same == len(self._turns) == len(turns):
            return same
        is_another = same < len(self._turns) - 1
        if is_another or len(turns) < len(self._turns):
            # the tracker cannot forget a turn
            self._before = self._new_tracker and self._new_tracker()
            self.states = []
        same = 0 if is_another else same
        start = min(same, max(len(self._turns) - 1, 0)) if self.states else 0
        del self.states[start:]
        self._turns = turns
        tracker = self._before
        for position in range(start, len(turns)):
            if tracker is not None:
                if position == len(turns) - 1:
                    self._before, tracker = tracker, tracker.copy()
                tracker.observe_turn(turns[position])
            self.states.append(self._state(position + 1, turns[position], tracker))
        if tracker is not None:
            self.problems = tuple(tracker.problems)
        return same

    def _state(self, number: int, turn: Turn, tracker: BudgetTracker | None) -> TurnState:
        before = self.states[-1].used if self.states else dict.fromkeys(self._resources, 0)
        spent = {name: turn.usage.get(name, 0) for name in self._resources}
        lacking = frozenset(name for name in self._resources if name not in turn.usage)
        lacking |= self.states[-1].at_least if self.states else frozenset()
        used = {name: plus(before[name], amount) for name, amount in spent.items()}
        if tracker is None:
            return TurnState(number, spent, used, lacking, None, NO_BUDGET)
        return TurnState(number, spent, used, lacking, tracker.forecast(), tracker.advice())
