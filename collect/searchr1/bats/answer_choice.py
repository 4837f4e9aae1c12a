"""The final choice among checked answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from collect.searchr1.bats.malformed import MalformedError
from collect.searchr1.bats.verification import Verification
from collect.searchr1.judging import normalised
from collect.searchr1.scaled_rollout import ProposedAnswer
from collect.searchr1.tagged_text import last_tagged


@dataclass(frozen=True)
class CheckedProposal:
    """An answer with its check."""

    proposal: ProposedAnswer
    verification: Verification | None
    """Check of the answer; None where the budget ended before the answer was checked."""


@dataclass(frozen=True)
class CandidateAnswer:
    """An answer to choose, and all proposals of it."""

    checked: tuple[CheckedProposal, ...]
    """Proposals of the answer in order, one or more, with the same answer once normalised."""

    @property
    def answer(self) -> str:
        """The answer as it was proposed first."""
        return self.checked[0].proposal.answer

    @property
    def attempts(self) -> str:
        """The numbers of the attempts that gave the answer, such as `1, 3`."""
        numbers = dict.fromkeys(each.proposal.attempt for each in self.checked)
        return ", ".join(map(str, numbers))

    @property
    def checks(self) -> str:
        """The last check of the answer, a constraint a line."""
        checks = [each.verification.checks for each in self.checked if each.verification]
        return "\n".join(map(str, checks[-1])) if checks and checks[-1] else "not checked"


def confirmed(checked: Sequence[CheckedProposal]) -> list[CheckedProposal]:
    """Return the proposals whose check says SUCCESS."""
    return [each for each in checked if _verdict(each) == "SUCCESS"]


def candidates(checked: Sequence[CheckedProposal]) -> list[CandidateAnswer]:
    """Return the answers to choose from, by their first proposals.

    These are the ones that a check confirmed; where there is none, those that were checked and may
    still be right; then those that were not checked; then those that a check dropped.
    """
    for rank in ("SUCCESS", "CONTINUE", None, "PIVOT"):
        best = [each for each in checked if _verdict(each) == rank]
        if best:
            groups: dict[str, list[CheckedProposal]] = {}
            for each in best:
                groups.setdefault(normalised(each.proposal.answer), []).append(each)
            return [CandidateAnswer(tuple(group)) for group in groups.values()]
    return []


def _verdict(checked: CheckedProposal) -> str | None:
    return checked.verification.verdict if checked.verification else None


def first_of_most(choices: Sequence[CandidateAnswer]) -> CandidateAnswer:
    """Return the candidate of most proposals, of equal ones the first."""
    return max(choices, key=lambda each: len(each.checked))


def read_choice(response: str, choices: Sequence[CandidateAnswer]) -> CandidateAnswer:
    """Return the candidate that a judge's response names.

    Raises:
        MalformedError: the response names none of the candidates.
    """
    text = last_tagged(response, "choice")
    if text is None:
        raise MalformedError("has no <choice>...</choice>")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= len(choices)):
        raise MalformedError(f"chooses '{text[:60]}'; expected a number from 1 to {len(choices)}")
    return choices[int(text) - 1]
