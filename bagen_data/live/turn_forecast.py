"""The forecast of a run after one of its turns."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TurnForecast:
    """The two probabilities of a forecast, and the turn that it was made after."""

    completed_turns: int
    """k, from 1 on; 0 is the opening, at which no policy stops."""
    finish: float | None
    """Probability that the run succeeds within every budget; None where it is not known."""
    success: float | None
    """Probability that it succeeds if no budget stops it; None where it is not known."""
