"""A check that GRPO with a proper reward does not weigh outcomes by how likely they were drawn.

A proper reward teaches the truth only on average over what happens. Two things change that average.

Rows that are repeated or left out by their outcome (`balance`, `repeat_feasible`) are another
distribution: a model would learn the probabilities of the repeated rows.

Rewards that are divided by their standard deviation within a group (TRL's default) are no longer
the same function of the answer for each outcome. Of answers around the probability p, Brier rewards
differ in proportion to 1 - p where it happened, and to p where it did not. Divided by the deviation
both differ alike, so that the more frequent outcome wins: probabilities go to 0 or 1, and all
quantiles to the median. One divisor for the whole batch, or none, leaves the reward as it is.
"""

from collections.abc import Mapping

from bagen_data.errors import WrongUsageError
from bagen_data.rewards import FORECAST_PARTS


def check_proper(
    weights: Mapping[str, float],
    *,
    balance: bool,
    repeat_feasible: int,
    scale_rewards: str,
    aggregation: str,
) -> None:
    """Check that a reward with parts of forecasts stays proper in training.

    Args:
        weights: of the reward's parts; nothing is checked if none is a part of forecasts.
        balance: the option of that name.
        repeat_feasible: the option of that name.
        scale_rewards: TRL's option of that name.
        aggregation: TRL's `multi_objective_aggregation`.

    Raises:
        WrongUsageError: an option makes the reward improper; the message names it.
    """
    parts = [name for name in weights if name in FORECAST_PARTS]
    if not parts:
        return
    if balance or repeat_feasible != 1:
        raise WrongUsageError(
            f"rewards: {parts[0]} teaches the probabilities of the rows it is given, and balance "
            f"is {str(balance).lower()} and repeat_feasible {repeat_feasible}; give balance: false "
            "and repeat_feasible: 1"
        )
    if scale_rewards not in ("batch", "none") or aggregation != "sum_then_normalize":
        raise WrongUsageError(
            f"rewards: {parts[0]} divided by the deviation of its group teaches probabilities of 0 "
            f"and 1, and scale_rewards is {scale_rewards} and multi_objective_aggregation "
            f"{aggregation}; give scale_rewards: none and multi_objective_aggregation: "
            "sum_then_normalize"
        )
