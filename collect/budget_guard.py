"""Watch what one rollout spends, show it to the agent, and end a rollout that spends too much."""

from collections.abc import Mapping
from dataclasses import replace

from bagen_data.errors import InputError
from bagen_data.live import BudgetTracker
from bagen_data.logs.turn_readers import TurnReader, token_turns
from bagen_data.number_texts import readable
from bagen_data.schema import TOKENS
from collect.agents import Counter
from collect.counted_turns import counted_turns
from collect.dialogue_layout import record
from collect.environment import Environment
from collect.play import Ending, Played

BUDGET, FORECASTER = "budget", "forecaster"
"""The causes that stop a rollout."""


class BudgetGuard:
    """The budget of one rollout.

    The response that would take tokens or tool calls over a limit is not executed: it is the last
    one, and the rollout has failed. Other resources are known only after a turn, which then is the
    last one. Tokens are fresh ones, counted as a build counts them.
    """

    def __init__(
        self,
        tracker: BudgetTracker,
        reader: TurnReader,
        environment: Environment,
        count: Counter,
        *,
        is_shown: bool,
    ) -> None:
        """Begin a rollout.

        Args:
            tracker: a new one; it counts what is spent, and judges where it has a forecaster.
            reader: reads what a turn spends, of each limited resource.
            environment: the environment that is played.
            count: tokens of a text.
            is_shown: whether the agent sees the status block.
        """
        self.tracker = tracker
        self._limits = dict(tracker.remaining)
        self._reader = reader
        self._environment = environment
        self._count = count
        self._is_shown = is_shown
        self._stopped_by = ""
        self._because = ""

    def shown(self, text: str) -> str:
        """Return an observation, with the status block behind it if the agent is to see it."""
        return f"{text}\n\n{self.tracker.status_block()}" if self._is_shown else text

    def refuses(self, played: Played) -> bool:
        """Return whether the last response goes beyond a limit, and must not be executed."""
        turns = counted_turns(record(0, played, None), token_turns, self._count)
        spent = turns[self.tracker.turns :]
        tokens = sum(turn.usage[TOKENS.name] for turn in spent)
        asked = {TOKENS.name: tokens, **self._environment.calls(played.turns[-1].reply.text)}
        used = self.tracker.used
        if not self._is_over({name: used[name] + asked.get(name, 0) for name in used}):
            return False
        for turn in spent:
            nothing_else = dict.fromkeys(self._limits, 0)
            self.tracker.observe_turn(replace(turn, usage={**nothing_else, **turn.usage}))
        return True

    def stops(self, played: Played, *, is_over: bool) -> bool:
        """Return whether a rollout is stopped after its last turn, which was executed.

        Args:
            played: the rollout so far.
            is_over: whether the last turn ends it anyway; a failed rollout has then failed by
                itself.

        Raises:
            InputError: the tracker cannot forecast or count.
        """
        turns = counted_turns(record(0, played, None), self._reader, self._count)
        for turn in turns[self.tracker.turns :]:
            self.tracker.observe_turn(turn)
        if is_over and not played.success:
            return False
        if self._is_over(self.tracker.used):
            return True
        if self.tracker.problems:
            raise InputError(f"the budget cannot be watched: {self.tracker.problems[0]}")
        if not is_over and (advice := self.tracker.advice()).action == "stop":
            self._stopped_by, self._because = FORECASTER, advice.because
        return bool(self._stopped_by)

    def ending(self) -> Ending:
        """Return how the rollout ended, once it is over."""
        return Ending(dict(self.tracker.used), self._stopped_by, self._because)

    def _is_over(self, totals: Mapping[str, float]) -> bool:
        """Return whether totals are beyond their limits, and note which; then the budget stops."""
        over = [
            f"{readable(totals[name])} of {readable(limit)} {name}"
            for name, limit in self._limits.items()
            if totals[name] > limit
        ]
        if over:
            self._stopped_by, self._because = (
                BUDGET,
                f"its last turn takes it to {' and '.join(over)}",
            )
        return bool(over)
