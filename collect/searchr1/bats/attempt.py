"""An attempt: plan, search, propose an answer, check it, and go on from a summary if need be."""

from typing import Any

from collect.agents import Reply
from collect.searchr1.bats.answer_choice import CheckedProposal
from collect.searchr1.bats.bats_run import BatsRun
from collect.searchr1.bats.malformed import MalformedError
from collect.searchr1.bats.plan import Plan
from collect.searchr1.bats.verification import Verification, read_verification
from collect.searchr1.scaled_rollout import Acted, Conversation, ProposedAnswer
from collect.searchr1.search_actions import Finish, Search
from collect.searchr1.tagged_text import last_tagged


class Attempt:
    """Knowledge that one attempt has gathered."""

    def __init__(self, run: BatsRun, number: int) -> None:
        """Begin an attempt; `number` is its number, from 1."""
        self._run = run
        self._number = number
        self._parts = 0
        self._conversation = self._begin()
        self._plan = Plan()
        self._searches: list[str] = []
        """Queries of the searches that were made."""
        self._is_warned = False
        """Whether the agent was warned that no search is left."""

    def play(self) -> None:
        """Play until an answer is confirmed, or the attempt's turns or a budget are used up."""
        run = self._run
        text = run.text("start", question=run.rollout.question, status=run.status())
        for _ in range(run.options.turns):
            if run.is_over:
                return
            reply = run.rollout.ask(self._conversation, text)
            problem = self._take_plan(reply)
            level = run.level
            acted = run.rollout.act(attempt=self._number, level=level, plan_problem=problem)
            if acted.outcome == "over budget":
                return
            following = self._after(acted, problem)
            if following is None:
                return
            text = following

    def _begin(self) -> Conversation:
        """Return a conversation without a history."""
        self._parts += 1
        part = f".{self._parts}" if self._parts > 1 else ""
        system = self._run.text("system", turns=str(self._run.options.turns))
        return Conversation(f"attempt-{self._number}{part}", system)

    def _take_plan(self, reply: Reply) -> str:
        """Keep the plan of a response; returns why it could not be read, or an empty text."""
        written = last_tagged(reply.text, "plan")
        if written is None and self._plan.steps:
            return ""
        try:
            if written is None:
                raise MalformedError("there is no <plan>...</plan>")
            self._plan = self._plan.updated(written)
        except MalformedError as error:
            self._run.malformed["plan"] += 1
            return str(error)
        return ""

    def _after(self, acted: Acted, plan_problem: str) -> str | None:
        """Return the next user message; None where the attempt is over."""
        run = self._run
        if isinstance(acted.action, Finish):
            return self._after_proposal(ProposedAnswer(acted.action.answer, self._number))
        seen = acted.text
        if acted.outcome == "no search left":
            if self._is_warned:
                return None
            self._is_warned = True
            seen = run.text("spent")
        elif isinstance(acted.action, Search):
            self._searches.append(acted.action.query)
        if plan_problem:
            seen = f"{seen}\n\n{run.text('unreadable', problem=plan_problem)}"
        return run.text("observation", observation=seen, status=run.status(self._plan))

    def _after_proposal(self, proposal: ProposedAnswer) -> str | None:
        run = self._run
        if run.is_over:
            run.checked.append(CheckedProposal(proposal, None))
            return None
        checked = self._check(proposal)
        run.checked.append(CheckedProposal(proposal, checked))
        if checked is None or checked.verdict == "SUCCESS" or not run.rollout.budget.has_search:
            return None
        return self._resume(proposal, checked)

    def _check(self, proposal: ProposedAnswer) -> Verification | None:
        """Ask for a check of an answer, in the conversation that led to it.

        Returns:
            None where the check took the rollout over its budget, and must not be used.
        """
        run = self._run
        status = run.rollout.budget.status
        asked = run.text("verify", answer=proposal.answer, status=status)
        reply = run.rollout.ask(self._conversation, asked)
        facts: dict[str, Any] = {"attempt": self._number, "answer": proposal.answer}
        if run.rollout.budget.is_exceeded:
            run.rollout.complete("verify", outcome="over budget", **facts)
            return None
        verification = read_verification(reply.text)
        run.malformed["check"] += bool(verification.problem)
        run.rollout.complete(
            "verify",
            verdict=verification.verdict,
            check_problem=verification.problem,
            **facts,
        )
        return verification

    def _resume(self, proposal: ProposedAnswer, checked: Verification) -> str:
        """Begin a conversation in which a summary stands for what was said before."""
        run = self._run
        self._conversation = self._begin()
        summary = checked.summary
        if not summary:
            run.malformed["summary"] += 1
            searches = "; ".join(self._searches) or "none"
            summary = run.text("nosummary", searches=searches, answer=proposal.answer)
        open_checks = [str(check) for check in checked.checks if check.finding != "satisfied"]
        direction = run.text(
            "pivot" if checked.verdict == "PIVOT" else "continue",
            answer=proposal.answer,
            open="; ".join(open_checks) or "what the check left out",
        )
        return run.text(
            "resumed",
            question=run.rollout.question,
            summary=summary,
            plan=str(self._plan) or "(none yet)",
            direction=direction,
            status=run.status(self._plan),
        )
