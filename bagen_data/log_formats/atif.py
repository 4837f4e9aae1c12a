r"""Trajectories in the Agent Trajectory Interchange Format, as Harbor and others write them.

    {"schema_version": "ATIF-v1.7", "session_id": "6f0c", "agent": {"name": "terminus-2",
      "version": "2.0.0", "model_name": "openai/gpt-4o"},
     "steps": [
      {"step_id": 1, "source": "user", "message": "Create hello.txt ..."},
      {"step_id": 2, "source": "agent", "message": "I write it.", "llm_call_count": 1,
       "tool_calls": [{"tool_call_id": "c1", "function_name": "bash_command",
                       "arguments": {"keystrokes": "echo hello > hello.txt\n"}}],
       "observation": {"results": [{"source_call_id": "c1", "content": "..."}]},
       "metrics": {"prompt_tokens": 682, "completion_tokens": 60, "cost_usd": 0.0023}}],
     "final_metrics": {"total_prompt_tokens": 682, "total_completion_tokens": 60},
     "continued_trajectory_ref": "trajectory.cont-1.json"}

An agent step is a turn; what it observed, and what user and system steps say, is the next turn's
user message. System steps before all others are the system message. Copied steps are no turns: they
are what the next request is given. A step that replaces the context begins another one. A file that
continues another belongs to its rollout, and so does a subagent's, whose requests are a context of
their own and are paid in the turn that hears its result. Totals of `final_metrics` must agree with
the steps. In Harbor's job folders, a trial's `result.json` has the outcome.

Source: https://github.com/harbor-framework/harbor/blob/main/rfcs/0001-trajectory-format.md, of
versions 1.0 to 1.8.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.log_formats._atif_files import (
    TrajectoryFile,
    is_named_by_another,
    is_trajectory,
    segments,
)
from bagen_data.log_formats._atif_subagents import Sidechains, Subagents, Work, is_sidechain
from bagen_data.log_formats._atif_usage import (
    Sums,
    refuse_missing_steps,
    refuse_other_totals,
    replaces_context,
    step_requests,
)
from bagen_data.logs import harbor, log_fields
from bagen_data.logs.conversation import joined
from bagen_data.logs.message_content import MessageContent, message_content
from bagen_data.logs.rollout_log import FamilyFacts, Log, LoggedTurn, NamedLog
from bagen_data.logs.timestamps import Stopwatch, seconds_of
from bagen_data.usage import Request

LAYOUT = "an object with 'schema_version' ATIF-v1 and 'steps'"
KEYS = frozenset({"schema_version", "agent", "steps"})

_VERSION = "ATIF-v1."
_SUBAGENT = "a subagent's work"


def recognises(record: Mapping[str, Any]) -> bool:
    """Return whether a record is a trajectory."""
    return is_trajectory(record)


def belongs(value: Any) -> bool:
    """Return whether a JSON file is Harbor's result, configuration or lock of a job or trial."""
    return harbor.is_job_file(value)


def owns(paths: Collection[str]) -> Iterator[str]:
    """Yield the files of Harbor's trials that a trajectory beside them stands for."""
    return harbor.files_told_twice(paths)


def read(record: Mapping[str, Any], facts: FamilyFacts) -> Log | Iterator[NamedLog]:
    """Read one trajectory with the files that go on from it; raises RolloutError naming the step.

    Returns:
        No log where the file is a part of another file's rollout.
    """
    version = str(record["schema_version"])
    if not version.startswith(_VERSION):
        raise RolloutError(f"schema_version is {version}; expected ATIF-v1.0 to ATIF-v1.8")
    if is_named_by_another(record, facts):
        return iter(())
    first = TrajectoryFile(record, "", facts)
    reading = _AtifRollout()
    for file in segments(first, facts.path.rpartition("/")[2]):
        reading.take(file)
    reading.close()
    outcome = harbor.trial_outcome(facts.path, facts.beside)
    models = [request.model for turn in reading.turns for request in turn.requests or ()]
    names = (first.agent.get("name"), first.agent.get("version"), f"({version})")
    return Log(
        turns=tuple(reading.turns),
        success=outcome.success,
        system=joined(reading.system),
        instance_id=outcome.instance_id,
        source_id=log_fields.identity(
            record.get("trajectory_id"), record.get("session_id"), outcome.trial
        ),
        model=log_fields.identity(first.agent.get("model_name"), *models, outcome.model),
        source=" ".join(filter(None, map(log_fields.identity, names))),
        scores={**_stated(record), **outcome.scores},
        unjudged=outcome.unjudged,
        skipped=reading.skipped,
    )


def _stated(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a trajectory states of the whole run: totals, and what its writer added."""
    totals = record.get("final_metrics") or {}
    parts = (record.get("extra"), totals, totals.get("extra") if isinstance(totals, dict) else None)
    return {
        name: value
        for part in parts
        if isinstance(part, dict)
        for name, value in log_fields.single_values(part).items()
    }


class _AtifRollout:
    """A rollout's turns, as its files are read one after the other."""

    def __init__(self) -> None:
        self.turns: list[LoggedTurn] = []
        self.system: list[str] = []
        self.skipped: Counter[str] = Counter()
        self._heard: list[MessageContent] = []
        self._works: list[Work] = []
        self._said: list[tuple[Any, str]] = []
        self._ends: list[float | None] = []
        self._watch = Stopwatch()
        self._subagents = Subagents()
        self._sidechains = Sidechains()
        self._context = _Context()
        self._own_before: list[Request] = []
        self._all_before: list[Request] = []

    def take(self, file: TrajectoryFile) -> None:
        """Read one file of the rollout.

        Raises:
            RolloutError: a step or total cannot be used.
        """
        own: list[Request] = []
        works: list[Work] = []
        is_known = True
        steps = file.steps()
        self._hear_copies([step for step in steps if _is_copied(step)], is_first=not file.path)
        for number, step in enumerate(steps, 1):
            if _is_copied(step):
                continue
            where = f"{file.place}step {number}"
            if is_sidechain(step):
                spent = step_requests(step, file, where) if step.get("source") == "agent" else ()
                works.append(self._sidechains.work(step, spent))
                self._works.append(works[-1])
                self.skipped["a subagent's step"] += 1
                continue
            self._watch.start(step.get("timestamp"))
            if step.get("source") == "agent":
                requests = step_requests(step, file, where)
                own += requests or ()
                is_known = is_known and requests is not None
                self._respond(step, requests, where)
            else:
                self._hear(step, where)
            named = list(self._subagents.named(step, file))
            works += named
            self._works += named
        for work in self._subagents.unnamed(file):
            works.append(work)
            self._place(work)
        is_continued = bool(file.path or file.value.get("continued_trajectory_ref"))
        if not works and not is_continued:
            refuse_missing_steps(file.value, len(steps), file.place)
        below = [request for work in works for request in work.requests]
        if is_known and all(work.is_known for work in works):
            both, earlier, before = [*own, *below], self._own_before, self._all_before
            scopes = (own, both, [*earlier, *own], [*before, *own], [*before, *both])
            sums = list(map(Sums.of, scopes))
            refuse_other_totals(file.value.get("final_metrics"), sums, file.place)
        self._own_before += own
        self._all_before += [*own, *below]

    def _hear_copies(self, copied: Sequence[Mapping[str, Any]], is_first: bool) -> None:
        """Read the copied steps that a file begins with.

        They are what its first request is given. Where they are all that was said, the context is
        the same and nothing is new; other copies begin a new one.
        """
        if not is_first:
            goes_on = list(map(_key, copied)) == self._said
            self._context.go_on(maybe=not copied, surely=goes_on)
            if goes_on:
                return
        for step in copied:
            self._heard += _contents(step, "a copied step")

    def _hear(self, step: Mapping[str, Any], where: str) -> None:
        source = step.get("source")
        if source not in ("system", "user"):
            self.skipped[f"source {log_fields.brief(source)}"] += 1
            return
        if step.get("metrics"):
            raise RolloutError(
                f"{where} is of source {source} and has metrics; expected metrics of agent steps "
                "alone, as no response shows what was paid for; correct the step, or remove the "
                "rollout"
            )
        contents = _contents(step, where)
        if source == "system" and not self._said and not self._heard:
            self.system += (content.text for content in contents)
        else:
            self._heard += contents
        if source == "user":
            self._said.append(_key(step))
        if replaces_context(step):
            self._context.replace()

    def _respond(
        self, step: Mapping[str, Any], requests: tuple[Request, ...] | None, where: str
    ) -> None:
        content, *observed = _contents(step, where)
        own = self._context.placed(requests or ())
        uncounted = next(filter(None, (each.uncounted for each in (*self._heard, content))), "")
        turn = LoggedTurn(
            len(self.turns) + 1,
            joined(each.text for each in self._heard),
            content.text,
            None if requests is None else own,
            reasoning=content.reasoning,
            uncounted=uncounted,
            unparsed=bool(own) and not (content.text or content.reasoning).strip(),
            tool_calls=content.tool_calls,
            seconds=self._watch.lap(step.get("timestamp")),
        )
        self.turns.append(_with_work(turn, self._works))
        self._ends.append(seconds_of(step.get("timestamp")))
        self._said.append(_key(step))
        self._heard = observed
        self._works = []

    def _place(self, work: Work) -> None:
        """Give a subagent's work to the first turn that ends after it, else to the last."""
        ends = enumerate(self._ends)
        later = (n for n, end in ends if work.end and end and end >= work.end)
        index = next(later, len(self.turns) - 1)
        if self.turns:
            self.turns[index] = _with_work(self.turns[index], [work])

    def close(self) -> None:
        """Give the last turn the subagents' work that no response follows."""
        if self.turns:
            self.turns[-1] = _with_work(self.turns[-1], self._works)


class _Context:
    """The context that the next request belongs to."""

    def __init__(self) -> None:
        self._number = 0
        self._history = 0
        self._may_end = False

    def replace(self) -> None:
        """Begin another context, if the one there is has had a request."""
        if self._history:
            self._number += 1
        self._history = 0
        self._may_end = False

    def go_on(self, maybe: bool, surely: bool) -> None:
        """Say whether the next file goes on in the same context.

        Args:
            maybe: the next request shows it: it is not shorter than the history that it replays.
            surely: it does.
        """
        if maybe and not surely:
            self._may_end = True
        elif not surely:
            self.replace()

    def placed(self, requests: Iterable[Request]) -> tuple[Request, ...]:
        """Return the requests of a response in their context."""
        own = tuple(requests)
        if own and self._may_end and own[0].input_tokens < self._history:
            self.replace()
        if own:
            self._may_end = False
            self._history = own[-1].input_tokens + own[-1].visible_tokens
        # a request may have a context of its own within the response, as an advisor's has
        number = str(self._number or "")
        return tuple(
            replace(each, context=" ".join(filter(None, (number, each.context)))) for each in own
        )


def _with_work(turn: LoggedTurn, works: Sequence[Work]) -> LoggedTurn:
    """Return a turn that pays for subagents' work too."""
    if not works:
        return turn
    requests = [request for work in works for request in work.requests]
    is_known = turn.requests is not None and all(work.is_known for work in works)
    return turn._replace(
        requests=(*requests, *(turn.requests or ())) if is_known else None, uncounted=_SUBAGENT
    )


def _is_copied(step: Mapping[str, Any]) -> bool:
    return step.get("is_copied_context") is True


def _key(step: Mapping[str, Any]) -> tuple[Any, str]:
    """Return what a copy of a step has in common with it."""
    return step.get("source"), str(step.get("message"))


def _contents(step: Mapping[str, Any], where: str) -> list[MessageContent]:
    """Return a step's own content, then what it observed."""
    calls = log_fields.sequence(step.get("tool_calls"), f"{where}: tool_calls")
    message = {
        "role": "assistant" if step.get("source") == "agent" else "user",
        "content": step.get("message"),
        "reasoning_content": step.get("reasoning_content"),
        "tool_calls": [
            {**call, "name": call.get("function_name")} if isinstance(call, dict) else call
            for call in calls
        ],
    }
    observation = log_fields.mapping(step.get("observation") or {}, f"{where}: observation")
    results = log_fields.sequence(observation.get("results"), f"{where}: observation.results")
    place = f"{where}: observation.results[]"
    observed = [
        message_content({"content": log_fields.mapping(result, place).get("content")}, place)
        for result in results
    ]
    return [message_content(message, where), *observed]
