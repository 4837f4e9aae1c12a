"""A session of Claude Code, put together from its records and its subagents' files."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from os.path import basename
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats._claude_code_files import orphan
from bagen_data.log_formats._claude_code_replies import ClaudeCodeReply
from bagen_data.log_formats._claude_code_thread import Thread
from bagen_data.log_formats._session import (
    UNFINISHED,
    Response,
    SideRequests,
    enter,
    forget_unshown,
    logged_turns,
    mark_branches,
    place,
)
from bagen_data.logs.lines import Line, session_records
from bagen_data.logs.rollout_log import Log
from bagen_data.usage import BRANCH, Request

_COPIES = ("acompact-", "aprompt_suggestion-", "aside_question-")
"""Beginnings of the ids of subagents that go on with the session's own conversation."""


class ClaudeCodeSession:
    """A session, put together from its records and from the files of its subagents."""

    def __init__(self, skipped: Counter[str]) -> None:
        self.ids: list[str] = []
        self.main = Thread("", skipped)
        self._agents: dict[str, Thread] = {}
        self._roots: dict[str, str] = {}
        """The subagent of each record of one that does not name it."""
        self._placed: list[tuple[int, ClaudeCodeReply]] = []
        """Responses of subagents in the session's own file, and the turn that follows each."""
        self._awaited: list[tuple[str, int]] = []
        """Subagents that reported, empty where unnamed, and the turn that follows each report."""
        self._skipped = skipped
        self._version = ""

    def take(self, record: Mapping[str, Any], number: int) -> None:
        """Take the next record of the session's file."""
        self._version = self._version or str(record.get("version") or "")
        if record.get("isSidechain") is True:
            self._take_sidechain(record, number)
            return
        result = record.get("toolUseResult")
        if isinstance(result, Mapping) and ("agentId" in result or "totalToolUseCount" in result):
            self._awaited.append((str(result.get("agentId") or ""), len(self.main.replies)))
        self.main.take(record, number)

    def _take_sidechain(self, record: Mapping[str, Any], number: int) -> None:
        agent = str(record.get("agentId") or "")
        if not agent:
            uuid, parent = str(record.get("uuid")), str(record.get("parentUuid"))
            agent = self._roots.get(parent) or f"#{len(set(self._roots.values())) + 1}"
            self._roots[uuid] = agent
        thread = self._agents.setdefault(
            agent, Thread(f"agent {agent}", self._skipped, is_shown=False)
        )
        known = len(thread.replies)
        thread.take(record, number)
        self._placed += [(len(self.main.replies), reply) for reply in thread.replies[known:]]

    def read_agent(self, lines: Iterable[Line], path: str) -> None:
        """Take the records of a subagent's file."""
        for number, record in session_records(lines, self._skipped, path):
            if record.get("type") not in ("user", "assistant", "system"):
                continue
            agent = str(record.get("agentId") or basename(path).removesuffix(".jsonl"))
            thread = self._agents.setdefault(
                agent, Thread(f"agent {agent}", self._skipped, is_shown=False)
            )
            try:
                thread.take(record, number)
            except RolloutError as error:
                raise RolloutError(f"{path}: line {number}: {error}") from error

    def log(self) -> Log:
        """Return the session as a log.

        Raises:
            RolloutError: it holds the work of subagents alone, or a turn's usage cannot be used.
        """
        replies = self.main.without_cut()
        responses = [reply.response for reply in replies]
        if responses:
            if not self.main.is_chain():
                forget_unshown(responses)
            mark_branches(responses)
            self._enter_agents(replies)
        elif any(thread.replies for thread in self._agents.values()):
            raise RolloutError(orphan(self.ids[-1]))
        models = Counter(reply.model for reply in replies)
        return Log(
            turns=logged_turns(responses, self.main.start),
            success=None,
            source_id=self.ids[-1],
            model=max(models, key=lambda name: models[name], default=""),
            source=f"Claude Code {self._version}".strip(),
            skipped=self._skipped,
            response_ids=frozenset(reply.id for reply in replies if reply.is_named),
        )

    def _enter_agents(self, replies: list["ClaudeCodeReply"]) -> None:
        responses = [reply.response for reply in replies]
        own = {reply.id for reply in replies if reply.is_named}
        later_turns = {id(reply): later for later, reply in self._placed}
        paid = []
        for agent, thread in sorted(self._agents.items()):
            everything = thread.finished()
            new = [reply for reply in everything if reply.id not in own]
            is_branch = len(new) < len(everything) or agent.startswith(_COPIES)
            reported = next((turn for name, turn in self._awaited if name == agent), None)
            for reply in new:
                requests = reply.response.requests
                if is_branch:
                    requests = _branched(reply.response, responses)
                later = later_turns.get(id(reply))
                if later is None and reply.response.began is None:
                    later = len(responses) if reported is None else reported
                if reply.is_open and not requests and _is_after(reply.response, later, responses):
                    self._skipped[UNFINISHED] += 1
                elif later is not None:
                    enter(responses, later, requests)
                else:
                    paid.append(SideRequests(reply.response.began, requests))
        place(responses, paid)
        self._refuse_missing(responses)

    def _refuse_missing(self, responses: list[Response]) -> None:
        """Mark the turns that heard from a subagent whose work is not in the logs."""
        unnamed = sum(
            bool(thread.replies) for agent, thread in self._agents.items() if "#" in agent
        )
        for agent, later in self._awaited:
            thread = self._agents.get(agent)
            is_known = bool(thread and thread.replies)
            if not agent:
                unnamed -= 1
                is_known = unnamed >= 0
            if not is_known:
                enter(responses, later, None)


def _is_after(response: Response, later: int | None, main: list[Response]) -> bool:
    """Return whether a subagent's response comes after all of the session's own."""
    if later is not None:
        return later >= len(main)
    return all((each.began or 0) < (response.began or 0) for each in main)


def _branched(response: Response, main: list[Response]) -> list[Request] | None:
    """Return the requests of a copy of the conversation, such as the one that sums it up."""
    earlier = [each for each in main if (each.began or 0) <= (response.began or 0)]
    trunk = earlier[-1].context if earlier else ""
    return response.requests and [
        replace(request, context=f"{trunk}{BRANCH}{request.context}")
        for request in response.requests
    ]
