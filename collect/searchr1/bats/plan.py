"""A plan: a tree of steps, kept as a checklist."""

import re
from dataclasses import dataclass
from typing import Literal, cast

from collect.searchr1.bats.malformed import MalformedError

Mark = Literal[" ", "x", "~", "!"]
"""Status of a step: open, done, partly done, failed."""
Use = Literal["explore", "verify"]
"""Kind of a step: it leads to candidates, or tells a right candidate from a wrong one."""

MOST_STEPS = 64
"""Steps of a plan; a longer one is refused, as it is shown again after each summary."""
_LINE = re.compile(r"\[([ x~!])\] +([1-9]\d*(?:\.[1-9]\d*)*)\.? +(explore|verify): +(\S.*)", re.I)


@dataclass(frozen=True)
class Step:
    """A line of the checklist."""

    number: tuple[int, ...]
    """Place of the step in the tree: (1, 2) is the second step below step 1."""
    mark: Mark
    use: Use
    text: str

    @property
    def is_open(self) -> bool:
        """Return whether something of the step is left to do."""
        return self.mark in (" ", "~")

    def __str__(self) -> str:
        return f"[{self.mark}] {_shown(self.number)} {self.use}: {self.text}"


@dataclass(frozen=True)
class Plan:
    """The steps that were planned so far; none of them is ever removed."""

    steps: tuple[Step, ...] = ()
    """Steps in the order of the tree."""

    def updated(self, text: str) -> "Plan":
        """Return the plan with the steps of a checklist, new ones or others in their place.

        Args:
            text: a step a line, such as `[~] 1.2 explore: the town of the bridge`.

        Raises:
            MalformedError: a line is not a step, a number appears twice, a step has none above it,
                or there is no step or there are too many.
        """
        lines = [line.strip() for line in text.splitlines()]
        changed: dict[tuple[int, ...], Step] = {}
        for line in filter(None, lines):
            step = _step(line)
            if step.number in changed:
                raise MalformedError(f"step {_shown(step.number)} appears twice")
            changed[step.number] = step
        if not changed:
            raise MalformedError("it has no steps")
        steps = {step.number: step for step in self.steps} | changed
        for number in changed:
            if len(number) > 1 and number[:-1] not in steps:
                raise MalformedError(
                    f"step {_shown(number)} has no step {_shown(number[:-1])} above it"
                )
        if len(steps) > MOST_STEPS:
            raise MalformedError(f"it has {len(steps)} steps; at most {MOST_STEPS} are kept")
        return Plan(tuple(steps[number] for number in sorted(steps)))

    @property
    def open_branches(self) -> int:
        """The open steps of exploration that have no open one of exploration below them."""
        numbers = [step.number for step in self.steps if step.is_open and step.use == "explore"]
        above = {number[:depth] for number in numbers for depth in range(1, len(number))}
        return sum(number not in above for number in numbers)

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))


def _step(line: str) -> Step:
    match = _LINE.fullmatch(line)
    if match is None:
        shown = line if len(line) <= 60 else f"{line[:57]}..."
        raise MalformedError(f"'{shown}' is not a step")
    mark, number, use, text = match.groups()
    return Step(
        tuple(map(int, number.split("."))),
        cast("Mark", mark.lower()),
        cast("Use", use.lower()),
        text,
    )


def _shown(number: tuple[int, ...]) -> str:
    return ".".join(map(str, number))
