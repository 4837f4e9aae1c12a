"""The question that the front page draws: one probe of the bundled sample, and an answer to it."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ExampleQuestion:
    """A probe of a run that succeeded within its budget, and an interval as the answer."""

    sample_id: str
    """The id of the probe in the bundled sample."""
    completed_turns: int
    total_turns: int
    budget: int
    """Tokens that the whole run may use."""
    used: int
    """Tokens used so far."""
    remaining: int
    """Tokens that the run went on to use."""
    low: int
    """The least that the answer expects."""
    high: int
    """The most that the answer expects."""

    def place(self, tokens: int) -> str:
        """Return where an amount lies in the drawing, in percent of its width.

        >>> EXAMPLE.place(2500)
        '96.15%'
        """
        return f"{100 * tokens / (1.04 * self.budget):.2f}%"


EXAMPLE = ExampleQuestion(
    sample_id="sokoban/scripted/f05f50b600f94276/1",
    completed_turns=1,
    total_turns=9,
    budget=2_500,
    used=404,
    remaining=1_845,
    low=1_600,
    high=2_000,
)
