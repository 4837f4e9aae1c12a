"""The final answer: a judge's choice among the best checked ones, within the budget."""

from collect.searchr1.bats.answer_choice import (
    CandidateAnswer,
    candidates,
    first_of_most,
    read_choice,
)
from collect.searchr1.bats.bats_run import JUDGE_TOKENS, BatsRun
from collect.searchr1.bats.malformed import MalformedError
from collect.searchr1.scaled_rollout import Conversation

MOST_PROPOSALS = "most proposals"
"""Name of the choice made where no judge could be asked, or none was understood."""


def choose(run: BatsRun) -> tuple[str | None, str]:
    """Return the final answer, None without one, and how it was chosen.

    A judge is asked where there is more than one answer to choose from, and enough tokens are left
    for its response.
    """
    choices = candidates(run.checked)
    if not choices:
        return None, "nothing to choose from"
    if len(choices) == 1:
        return choices[0].answer, "nothing else to choose from"
    left = run.left_for_judge(choices)
    if run.rollout.is_over or left < JUDGE_TOKENS:
        return first_of_most(choices).answer, MOST_PROPOSALS
    chosen, chosen_by = _ask(run, choices, left)
    return chosen.answer, chosen_by


def _ask(
    run: BatsRun, choices: list[CandidateAnswer], most_tokens: float
) -> tuple[CandidateAnswer, str]:
    conversation = Conversation("judge", run.text("judge"))
    reply = run.rollout.ask(conversation, run.shown(choices), most_tokens)
    if run.rollout.budget.is_exceeded:
        run.rollout.complete("judge", outcome="over budget")
        return first_of_most(choices), MOST_PROPOSALS
    chosen, chosen_by, problem = first_of_most(choices), MOST_PROPOSALS, ""
    try:
        chosen, chosen_by = read_choice(reply.text, choices), "judge"
    except MalformedError as error:
        problem = str(error)
        run.malformed["choice"] += 1
    run.rollout.complete("judge", answer=chosen.answer, choice_problem=problem)
    return chosen, chosen_by
