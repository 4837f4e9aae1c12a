"""Strategies of Search-R1: ways to use a model other than turn by turn, within one budget."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bagen_data.errors import WrongUsageError
from collect.collect_options import CollectOptions, refuse_unused
from collect.dialogue_layout import record
from collect.game_recording import Strategy
from collect.play import Played
from collect.searchr1.bats.bats_agent import play_bats
from collect.searchr1.bats.bats_run import PROMPTS as BATS_PROMPTS
from collect.searchr1.bats.bats_run import BatsOptions
from collect.searchr1.prompt_parts import read_prompt_parts
from collect.searchr1.scaled_budget import SharedBudget
from collect.searchr1.scaled_rollout import ScaledRollout
from collect.searchr1.scaling import PROMPTS as SCALING_PROMPTS
from collect.searchr1.scaling import SCALINGS, ScalingOptions
from collect.searchr1.search_game import SearchR1
from collect.token_count import token_count

if TYPE_CHECKING:
    from collect.family_run import Play
    from collect.model_agent import ModelAgent

BATS = "bats"


@dataclass(frozen=True)
class Scaled:
    """Player of rollouts by number, with a strategy."""

    game: SearchR1
    seed: int
    model: "ModelAgent"
    strategy: str
    """The name of one of the strategies."""
    attempts: int
    """The most attempts of a rollout."""
    limits: Mapping[str, float]
    """The budget of a rollout, by resource; empty where nothing limits it."""
    shows_status: bool
    """Whether each message ends with what is left of the budget; the one of BATS always does."""
    tokenizer: str | None = None
    """Tokenizer that counts what a judge is to be shown; words and marks if None."""

    def __call__(self, number: int) -> dict[str, Any]:
        """Play the rollout of a number."""
        from collect.model_agent import ModelConversation

        rules = self.game.rules
        rollout = ScaledRollout(
            self.game.environment(self.seed, number),
            lambda messages, most: ModelConversation(self.model, most).reply(messages),
            rules.response_tokens,
            SharedBudget(self.limits),
        )
        return record(number, self._play(rollout, rules.turns), None)

    def _play(self, rollout: ScaledRollout, turns: int) -> Played:
        if self.strategy == BATS:
            count = token_count(self.tokenizer).count
            return play_bats(rollout, BatsOptions(self.attempts, turns, count))
        options = ScalingOptions(self.attempts, turns, self.shows_status)
        return SCALINGS[self.strategy](rollout, options)


def strategies_of(game: SearchR1, attempts: int) -> dict[str, Strategy]:
    """Return the strategies by name.

    Args:
        game: the game.
        attempts: the most attempts of a rollout.
    """
    return {name: _strategy(name, game, attempts) for name in (BATS, *SCALINGS)}


def _strategy(name: str, game: SearchR1, attempts: int) -> Strategy:
    def play(options: CollectOptions, model: "ModelAgent") -> "Play":
        return Scaled(
            game,
            options.seed,
            model,
            name,
            attempts,
            options.budget,
            options.budgeting.tracker,
            options.tokenizer,
        )

    prompts = read_prompt_parts(BATS_PROMPTS if name == BATS else SCALING_PROMPTS)
    file = {"name": prompts.name, "sha256": prompts.sha256}
    return Strategy(play, {"attempts": attempts, "prompts": file})


def strategy_options(options: CollectOptions) -> CollectOptions:
    """Return the options with `--tracker` where the agent is the one of BATS, which plans by it.

    Raises:
        WrongUsageError: the agent of BATS has no budget; or a strategy is to be stopped by a
            forecaster, which knows nothing of its conversations.
    """
    if not options.strategy:
        return options
    where = f"--agent {options.agent}"
    refuse_unused(
        {"stop_with": options.budgeting.stop_with}, f"{where}, which has several attempts"
    )
    if options.strategy != BATS:
        return options
    if not options.budget:
        raise WrongUsageError(
            f"{where}: plans by its budget, and --budget is missing; expected one such as "
            "--budget tokens=20000,search=8"
        )
    return replace(options, budgeting=replace(options.budgeting, tracker=True))
