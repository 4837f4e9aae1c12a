"""The agent: attempts that plan, search and check what they propose, then a judge.

An attempt is a conversation. The model keeps a plan, searches, and proposes an answer, which it is
then asked to check in the same conversation. SUCCESS ends the attempt; after CONTINUE and PIVOT
another conversation goes on from the model's summary. Attempts follow until the budget, or the
number of attempts, is used up. A judge chooses among the confirmed answers.
"""

from typing import Any

from collect.play import Played
from collect.searchr1.bats.answer_choice import CheckedProposal
from collect.searchr1.bats.attempt import Attempt
from collect.searchr1.bats.bats_run import BatsOptions, BatsRun
from collect.searchr1.bats.judge import choose
from collect.searchr1.scaled_rollout import ScaledRollout


def play_bats(rollout: ScaledRollout, options: BatsOptions) -> Played:
    """Play a rollout.

    Args:
        rollout: without turns so far, and with a budget.
        options: how to play.
    """
    run = BatsRun(rollout, options)
    attempts = 0
    while attempts < options.attempts and _is_worth_an_attempt(run):
        attempts += 1
        Attempt(run, attempts).play()
    answer, chosen_by = choose(run)
    facts = {
        "name": "bats",
        "attempts": attempts,
        "ended_by": "attempts" if attempts == options.attempts else "budget",
        "proposals": [_logged(each) for each in run.checked],
        "chosen_by": chosen_by,
        "malformed": dict(run.malformed),
    }
    return rollout.played(answer, facts)


def _is_worth_an_attempt(run: BatsRun) -> bool:
    """Return whether a further attempt could still follow a branch."""
    return not run.rollout.turns or (not run.is_over and run.branches > 0)


def _logged(checked: CheckedProposal) -> dict[str, Any]:
    proposal, verification = checked.proposal, checked.verification
    facts: dict[str, Any] = {"answer": proposal.answer, "attempt": proposal.attempt}
    if verification is None:
        return facts | {"verdict": None}
    return facts | {
        "verdict": verification.verdict,
        "satisfied": verification.count("satisfied"),
        "contradicted": verification.count("contradicted"),
        "unverified": verification.count("unverified"),
    }
