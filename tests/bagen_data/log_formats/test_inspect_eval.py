"""Inspect's logs: real runs of a scripted model, records as Inspect writes them, and bad files."""

import json
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from inspect_ai import Task
from inspect_ai.agent import Agent, AgentState, agent, as_tool, handoff, react
from inspect_ai.log import read_eval_log, write_eval_log
from inspect_ai.model import ChatMessage, ChatMessageAssistant, ChatMessageUser, get_model
from inspect_ai.scorer import Score, Scorer, Target, accuracy, includes, model_graded_fact, scorer
from inspect_ai.solver import TaskState, generate
from inspect_ai.tool import Tool, tool

from bagen_data.errors import MissingExtraError, RolloutError
from bagen_data.log_formats import inspect_eval, inspect_json
from bagen_data.log_formats._inspect_messages import read_content
from bagen_data.logs.rollout_log import FamilyFacts, Log
from bagen_data.usage import fresh_usage
from tests.bagen_data.log_formats.inspect_runs import Script, call, run, samples, says
from tests.making import SHARED_LOGS, needs_shared_logs, read

pytestmark = pytest.mark.filterwarnings("ignore")  # of Inspect's event loops


@tool
def add() -> Tool:
    async def execute(a: int, b: int) -> str:
        """Add two numbers.

        Args:
            a: The first.
            b: The second.
        """
        return f"the sum is {a + b}"

    return execute


def logs(path: Path) -> list[Log]:
    named = list(inspect_eval.read(path, FamilyFacts()))
    errors = [each.log for each in named if isinstance(each.log, RolloutError)]
    assert errors == []
    return [each.log for each in named if isinstance(each.log, Log)]


def said(messages: Sequence[ChatMessage]) -> int:
    return sum(message.role == "assistant" for message in messages)


def contexts(log: Log) -> list[list[str]]:
    return [[request.context for request in turn.requests or ()] for turn in log.turns]


def paid(log: Log) -> tuple[int, int]:
    requests = [request for turn in log.turns for request in turn.requests or ()]
    return sum(r.input_tokens for r in requests), sum(r.output_tokens for r in requests)


def with_tools(messages: Sequence[ChatMessage]) -> Any:
    """Answer as an agent with a tool and a helper, as the helper, and as a grader."""
    if "Submission" in messages[-1].text:
        return says("GRADE: C")
    if messages[0].text.startswith("You help"):
        return call("add", a=1, b=1) if messages[-1].role != "tool" else call("submit", answer="ok")
    steps = [call("add", a=3, b=4), call("helper", input="help me"), call("submit", answer="7")]
    return steps[min(said(messages), 2)]


HELPER = react(name="helper", description="helps", prompt="You help.", tools=[add()])


def test_an_agent_with_a_subagent_a_grader_and_epochs(tmp_path: Path) -> None:
    script = Script(with_tools)
    solver = react(prompt="You solve.", tools=[add(), as_tool(HELPER)])
    task = Task(dataset=samples("what is 3+4", "again"), solver=solver, scorer=model_graded_fact())
    read_logs = list(
        inspect_eval.read(run(tmp_path, task, script.model(), epochs=2), FamilyFacts())
    )
    assert [each.name for each in read_logs] == [
        " [sample q1, epoch 1]",
        " [sample q2, epoch 1]",
        " [sample q1, epoch 2]",
        " [sample q2, epoch 2]",
    ]
    log = read_logs[0].log
    assert isinstance(log, Log)
    assert (log.instance_id, log.success, log.model) == ("q1", True, "mockllm/model")
    assert log.source.startswith("Inspect 0.")
    assert log.scores == {"model_graded_fact": 1}
    assert log.skipped["scorer's call"] == 1
    assert contexts(log) == [[""], [""], ["agent 1", "agent 1", ""]]
    assert [turn.tool_calls for turn in log.turns] == [1, 1, 1]
    assert log.turns[0].user == "what is 3+4"
    assert log.turns[1].user == "the sum is 7"
    assert log.turns[2].uncounted == "a subagent's work"
    assert log.turns[0].assistant.endswith('add({"a": 3, "b": 4})')
    assert log.system.startswith("You solve.")
    assert all(turn.seconds is not None and turn.seconds >= 0 for turn in log.turns)
    assert len(log.response_ids) == 5


def test_a_handoff_is_a_context_of_its_own(tmp_path: Path) -> None:
    def answer(messages: Sequence[ChatMessage]) -> Any:
        helped = any("[helper]" in message.text for message in messages)
        if messages[0].text.startswith("You help"):
            return call("submit", answer="ok")
        return call("submit", answer="7") if helped else call("helper")

    solver = react(prompt="You solve.", tools=[handoff(HELPER, tool_name="helper")])
    task = Task(dataset=samples("q"), solver=solver, scorer=includes())
    (log,) = logs(run(tmp_path, task, Script(answer).model()))
    assert contexts(log) == [[""], ["agent 1", ""]]
    assert "[helper]" in log.turns[1].user


@agent
def forgetful() -> Agent:
    """Ask for a summary after two turns, and go on with it alone; repeat a refused request."""

    async def execute(state: AgentState) -> AgentState:
        model = get_model()
        task = state.messages[0]
        for _ in range(2):
            output = await model.generate(state.messages)
            state.messages += [output.message, ChatMessageUser(content="go on")]
        question = ChatMessageUser(content="summarise it please")
        summary = await model.generate([*state.messages, question])
        state.messages += [ChatMessageUser(content=f"SUMMARY {summary.completion}")]
        view: list[ChatMessage] = [task, state.messages[-1]]
        await model.generate(view)  # refused: nothing of it stays
        for _ in range(2):
            state.output = await model.generate(view)
            more = [state.output.message, ChatMessageUser(content="go further")]
            view, state.messages = view + more, state.messages + more
        return state

    return execute


def test_a_summary_starts_a_context_and_is_paid_in_the_old_one(tmp_path: Path) -> None:
    script = Script(lambda messages: says(f"answer number {len(messages)} and so on"))
    task = Task(dataset=samples("a long question"), solver=forgetful(), scorer=includes())
    (log,) = logs(run(tmp_path, task, script.model()))
    assert contexts(log) == [[""], [""], ["", "1", "1"], ["1"]]
    assert [turn.user for turn in log.turns] == [
        "a long question",
        "go on",
        "SUMMARY answer number 6 and so on",
        "go further",
    ]
    requests = [request for turn in log.turns for request in turn.requests or ()]
    assert fresh_usage(requests, "request") == [
        (3, 6),
        (2, 6),
        (5, 6),  # the summary: go on, summarise it please
        (10, 6),  # refused, the question and the summary read anew
        (0, 6),  # made again
        (2, 6),
    ]
    total = sum(u.total_tokens for u in script.usages)
    assert sum(paid(log)) == total


def test_what_is_asked_aside_replays_the_conversation(written: Any) -> None:
    writer = ModelEventWriter()
    question = writer.message("user", "question")
    first = writer.call([question], (100, 10, 0, 0))
    heard = writer.message("user", "heard")
    aside = [question, first, writer.message("user", "are you sure?")]
    more = [*aside, writer.call(aside, (115, 5, 0, 0)), writer.message("user", "really?")]
    writer.call(more, (124, 5, 0, 0))
    last = writer.call([question, first, heard], (118, 10, 0, 0))
    writer.messages = [question, first, heard, last]
    log = only(written | {"samples": [writer.sample()]})
    assert isinstance(log, Log), log
    assert contexts(log) == [[""], [" > aside 1", " > aside 1", ""]]
    requests = [request for turn in log.turns for request in turn.requests or ()]
    assert fresh_usage(requests, "request") == [(100, 10), (5, 5), (4, 5), (8, 10)]


def test_what_a_cache_answers_costs_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("INSPECT_CACHE_DIR", str(tmp_path / "cache"))
    script = Script(lambda _: says("it is 7"))
    task = Task(dataset=samples("what is 3+4"), solver=generate(cache=True), scorer=includes())
    first, second = (logs(run(tmp_path / str(n), task, script.model()))[0] for n in (1, 2))
    assert len(script.usages) == 1
    assert [len(turn.requests or ()) for turn in first.turns] == [1]
    assert [turn.requests for turn in second.turns] == [()]
    assert second.response_ids == frozenset()


def test_an_error_is_not_judged_and_a_limit_is(tmp_path: Path) -> None:
    def answer(messages: Sequence[ChatMessage]) -> Any:
        if "break" in messages[-1].text:
            raise ValueError("out of order")
        return call("add", a=3, b=4)

    solver = react(prompt="You solve.", tools=[add()])
    task = Task(dataset=samples("break", "run"), solver=solver, scorer=includes(), message_limit=6)
    broken, limited = logs(run(tmp_path, task, Script(answer).model()))
    assert (broken.success, len(broken.turns)) == (None, 0)
    assert "out of order" in broken.scores["error"]
    assert broken.skipped["failed call"] == 1
    assert limited.success is False
    assert limited.scores["limit"] == "message limit of 6"
    assert len(limited.turns) == 2


@scorer(metrics=[accuracy()])
def scored(value: Any) -> Scorer:
    async def score(_state: TaskState, _target: Target) -> Score:
        return Score(value=value)

    return score


@pytest.mark.parametrize(
    ("values", "success", "scores"),
    [
        (["C"], True, {"scored": 1}),
        (["I"], False, {"scored": 0}),
        ([1], True, {"scored": 1}),
        ([0.0], False, {"scored": 0.0}),
        ([True], True, {"scored": True}),
        (["P"], None, {"scored": 0.5}),
        ([0.75], None, {"scored": 0.75}),
        ([{"f1": 0.5, "exact": 1}], None, {"scored.f1": 0.5, "scored.exact": 1}),
        (["C", "I"], None, {"scored": 1, "scored1": 0}),
    ],
)
def test_the_outcome_is_one_scorers_clear_word(
    tmp_path: Path, values: list[Any], success: bool | None, scores: dict[str, Any]
) -> None:
    task = Task(dataset=samples("q"), solver=generate(), scorer=[scored(value) for value in values])
    (log,) = logs(run(tmp_path, task, Script(lambda _: says("7")).model()))
    assert log.success is success
    assert log.scores == scores


def test_a_json_log_is_read_as_the_same(tmp_path: Path) -> None:
    solver = react(prompt="You solve.", tools=[add(), as_tool(HELPER)])
    task = Task(dataset=samples("what is 3+4"), solver=solver, scorer=model_graded_fact())
    path = run(tmp_path, task, Script(with_tools).model())
    record = as_json(path, tmp_path / "same.json")
    assert inspect_json.recognises(record)
    assert [each.log for each in inspect_json.read(record, FamilyFacts())] == logs(path)


def as_json(path: Path, target: Path) -> dict[str, Any]:
    write_eval_log(read_eval_log(str(path)), str(target))
    record: dict[str, Any] = json.loads(target.read_text())
    return record


@pytest.fixture(scope="module")
def written(tmp_path_factory: Any) -> dict[str, Any]:
    """Return a small log as JSON, for records that are changed or written by hand."""
    folder = tmp_path_factory.mktemp("written")
    task = Task(dataset=samples("what is 3+4"), solver=generate(), scorer=includes())
    path = run(folder, task, Script(lambda _: says("it is 7")).model())
    return as_json(path, folder / "log.json")


def only(record: dict[str, Any]) -> Log | RolloutError:
    (named,) = inspect_json.read(record, FamilyFacts())
    return named.log


def changed(record: dict[str, Any], **fields: Any) -> dict[str, Any]:
    (sample,) = record["samples"]
    return record | {"samples": [sample | fields]}


def test_a_sample_without_events_has_the_usage_of_its_one_response(written: Any) -> None:
    log = only(changed(written, events=[]))
    assert isinstance(log, Log)
    assert log.turns[0].requests is not None
    (sample,) = written["samples"]
    two = [*sample["messages"], *({**each, "id": None} for each in sample["messages"])]
    several = only(changed(written, events=[], messages=two))
    assert isinstance(several, Log)
    assert [turn.requests for turn in several.turns] == [None, None]


def test_usage_that_its_events_do_not_come_to_is_refused(written: Any) -> None:
    stated = {"mockllm/model": {"input_tokens": 900, "output_tokens": 3, "total_tokens": 903}}
    error = only(changed(written, model_usage=stated))
    assert isinstance(error, RolloutError)
    assert "900 input, 3 output" in str(error)
    assert "3 input, 3 output" in str(error)


def test_a_sample_that_cannot_be_read_is_one_refusal(written: Any) -> None:
    error = only(changed(written, messages=[{"role": "nobody"}]))
    assert isinstance(error, RolloutError)
    assert "Inspect cannot read the sample" in str(error)
    with pytest.raises(RolloutError, match="has no samples"):
        list(inspect_json.read(written | {"samples": []}, FamilyFacts()))


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_cut_file_is_one_refusal(tmp_path: Path, kept: float) -> None:
    task = Task(dataset=samples("q"), solver=generate(), scorer=includes())
    path = run(tmp_path / "logs", task, Script(lambda _: says("7")).model())
    data = path.read_bytes()
    cut = tmp_path / "sokoban-origin-m" / "cut.eval"
    cut.parent.mkdir()
    cut.write_bytes(data[: int(len(data) * kept)])
    assert inspect_eval.recognises(cut)
    (refusal,) = read(cut.parent).refused
    assert "Inspect cannot read its header" in refusal.reason


SAMPLE = "samples/q1_epoch_1.json"


@pytest.fixture(scope="module")
def members(tmp_path_factory: Any) -> dict[str, bytes]:
    """Return the files in the zip of a small log."""
    task = Task(dataset=samples("what is 3+4"), solver=generate(), scorer=includes())
    path = run(tmp_path_factory.mktemp("zip"), task, Script(lambda _: says("it is 7")).model())
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def zipped(path: Path, members: dict[str, bytes], name: str, value: Any) -> Path:
    """Write an `.eval` file with one of its files changed or added."""
    with zipfile.ZipFile(path, "w") as file:
        for member, data in (members | {name: json.dumps(value).encode()}).items():
            file.writestr(member, data)
    return path


def test_what_the_list_of_samples_does_not_say_is_refused(
    tmp_path: Path, members: dict[str, bytes]
) -> None:
    def refusals(name: str, value: Any) -> str:
        path = zipped(tmp_path / "log.eval", members, name, value)
        named = inspect_eval.read(path, FamilyFacts())
        return "; ".join(f"{name}: {log}" for name, log in named if isinstance(log, RolloutError))

    sample, listed = json.loads(members[SAMPLE]), json.loads(members["summaries.json"])
    assert refusals(SAMPLE, sample) == ""
    added = refusals("samples/q2_epoch_1.json", sample | {"id": "q2"})
    assert "[samples/q2_epoch_1.json]: is not in the log's list of samples" in added
    other = refusals(SAMPLE, sample | {"id": "q7"})
    assert f"{SAMPLE} holds sample q7, epoch 1; expected the sample" in other
    (scorer_name,) = listed[0]["scores"]
    said = listed[0]["scores"][scorer_name]["value"]
    listed[0]["scores"][scorer_name]["value"] = {"C": "I", "I": "C"}[said]
    assert f"has the score {scorer_name} " in refusals("summaries.json", listed)


def test_a_log_that_completed_more_samples_than_it_holds_is_refused(
    tmp_path: Path, members: dict[str, bytes], written: Any
) -> None:
    header = json.loads(members["header.json"])
    counts = {"total_samples": 50, "completed_samples": 50}
    header["results"] |= counts
    record = written | {"results": written["results"] | counts}
    path = zipped(tmp_path / "log.eval", members, "header.json", header)
    problem = "completed_samples is 50, and the log holds 1 samples"
    with pytest.raises(RolloutError, match=problem):
        list(inspect_eval.read(path, FamilyFacts()))
    with pytest.raises(RolloutError, match=problem):
        list(inspect_json.read(record, FamilyFacts()))
    header["status"] = "cancelled"
    assert len(logs(zipped(path, members, "header.json", header))) == 1
    assert isinstance(only(record | {"status": "error"}), Log)


def test_a_file_that_only_ends_so_is_not_a_log(tmp_path: Path) -> None:
    for name, data in (("a.eval", b"hello"), ("b.eval", b"PK"), ("c.eval", b"")):
        (tmp_path / name).write_bytes(data)
        assert not inspect_eval.recognises(tmp_path / name)


def test_a_folder_of_logs_may_have_its_own_descriptions(tmp_path: Path) -> None:
    task = Task(dataset=samples("q1", "q2"), solver=generate(), scorer=includes())
    folder = tmp_path / "sokoban-origin-m"
    path = run(folder, task, Script(lambda _: says("7")).model())
    (folder / "logs.json").write_text(json.dumps({path.name: {"version": 2, "eval": {}}}))
    (folder / "eval-set.json").write_text(json.dumps({"eval_set_id": "s", "tasks": []}))
    index = read(folder)
    assert (len(index.entries), index.refused) == (2, [])


def test_the_extra_that_is_missing_is_named(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    with pytest.raises(MissingExtraError, match=r"bagen-data\[models\]"):
        list(inspect_eval.read(tmp_path / "a.eval", FamilyFacts()))


@needs_shared_logs
def test_a_real_log() -> None:
    (log,) = logs(SHARED_LOGS / "inspect" / "inspect.eval")
    assert (log.model, log.success, log.instance_id) == ("ollama/gemma3", True, "1")
    (turn,) = log.turns
    assert turn.requests is not None
    assert (turn.requests[0].input_tokens, turn.requests[0].output_tokens) == (66, 3)
    assert turn.user.startswith("Is the following statement")  # an attachment, put in its place


def test_reasoning_and_a_providers_own_calls() -> None:
    message = ChatMessageAssistant.model_validate(
        {
            "role": "assistant",
            "content": [
                {"type": "reasoning", "reasoning": "hm"},
                {"type": "reasoning", "reasoning": "x9f", "redacted": True, "summary": "short"},
                {"type": "text", "text": "done"},
                {
                    "type": "tool_use",
                    "tool_type": "web_search",
                    "id": "1",
                    "name": "search",
                    "arguments": '{"q": "a"}',
                    "result": "[]",
                },
            ],
        }
    )
    content = read_content(message, "here")
    assert content.text == 'done\n\nsearch({"q": "a"})'
    assert (content.reasoning, content.tool_calls) == ("hm\nshort", 1)


# Records as Inspect writes them, from random requests


class ModelEventWriter:
    """Writes model events of an agent, its subagents and its grader."""

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.messages: list[dict[str, Any]] = []
        self.usage = [0] * 6
        self._clock = 0
        self._made = 0

    def message(self, role: str, text: str) -> dict[str, Any]:
        self._made += 1
        return {"id": f"m{self._made}", "role": role, "content": f"{text} {self._made}"}

    def event(self, kind: str, **fields: Any) -> None:
        self._clock += 1
        at = f"2026-01-01T00:00:{self._clock % 60:02}+00:00"
        self.events.append({"event": kind, "timestamp": at, "working_start": self._clock, **fields})

    def call(
        self, view: list[dict[str, Any]], counts: Any, span: str = "main", cache: Any = None
    ) -> dict[str, Any]:
        """Write one call, and return its response."""
        read, written, reasoning, cached = counts
        response = self.message("assistant", "said")
        usage = {
            "input_tokens": read - cached,
            "output_tokens": written,
            "total_tokens": read + written,
            "input_tokens_cache_read": cached,
            "reasoning_tokens": reasoning,
        }
        if cache != "read":
            spent = (read - cached, written, read + written, cached, 0, reasoning)
            self.usage = [sum(pair) for pair in zip(self.usage, spent, strict=True)]
        self.event(
            "model",
            span_id=span,
            model="m",
            input=view,
            tools=[],
            tool_choice="auto",
            config={},
            cache=cache,
            output={"model": "m", "choices": [{"message": response}], "usage": usage},
        )
        return response

    def sample(self) -> dict[str, Any]:
        names = ("input_tokens", "output_tokens", "total_tokens", "input_tokens_cache_read")
        more = ("input_tokens_cache_write", "reasoning_tokens")
        return {
            "id": "q",
            "epoch": 1,
            "input": "q",
            "target": "7",
            "messages": self.messages,
            "events": self.events,
            "model_usage": {"m": dict(zip((*names, *more), self.usage, strict=True))},
            "scores": {"match": {"value": "C"}},
        }


COUNTS = (
    st.tuples(st.integers(1, 9_000), st.integers(1, 900), st.floats(0, 1), st.floats(0, 1))
    .map(lambda drawn: (*drawn[:2], int(drawn[1] * drawn[2]), int(drawn[0] * drawn[3])))
    .filter(lambda counts: not counts[2] or counts[2] != counts[3])
)
"""Input, output, reasoning and cached tokens; as many cached as reasoning ones are refused."""
KINDS = ["turn", "cached", "subagent", "aside", "trim", "summary"]
STEPS = st.lists(
    st.tuples(st.sampled_from(KINDS), COUNTS, COUNTS),
    min_size=1,
    max_size=12,
)

Expected = list[tuple[int, int, int, str]]


def normal(counts: Any, context: str) -> tuple[int, int, int, str]:
    read, written, reasoning, _ = counts
    return read, written, written - reasoning, context


def written_as_inspect(steps: Any) -> tuple[dict[str, Any], list[Expected]]:
    """Return a sample that Inspect would write of these steps, and each turn's requests."""
    writer = ModelEventWriter()
    writer.event("span_begin", id="main", name="agent", type="agent")
    question = writer.message("user", "question")
    view, writer.messages = [question], [question]
    context, others, waiting = 0, 0, []
    turns: list[Expected] = []
    for kind, counts, own in steps:
        if kind == "subagent":
            others += 1
            span = f"tool {others}"
            writer.event("span_begin", id=span, name="ask", type="tool", parent_id="main")
            writer.call([*view, writer.message("user", "help")], counts, span)
            waiting.append(normal(counts, f"agent {others}"))
        elif kind == "aside" and turns:
            others += 1
            writer.call([*view, writer.message("user", "sure?")], counts)
            waiting.append(normal(counts, f"{context or ''} > aside {others}"))
        elif kind == "summary" and turns:
            writer.call([*view, writer.message("user", "summarise")], counts)
            waiting.append(normal(counts, str(context or "")))
            view, context = [question, writer.message("user", "summary")], context + 1
            writer.messages = [*writer.messages, view[-1]]
        elif kind == "trim" and len(view) > 3:
            view, context = [question, *view[3:]], context + 1
        cache = "read" if kind == "cached" else None
        response = writer.call(view, own, cache=cache)
        turns.append(waiting if cache else [*waiting, normal(own, str(context or ""))])
        waiting = []
        heard = writer.message("user", "heard")
        view = [*view, response, heard]
        writer.messages = [*writer.messages, response, heard]
    writer.event("span_begin", id="grading", name="match", type="scorer")
    writer.call([question], (10, 2, 0, 0), "grading")
    return writer.sample(), turns


@settings(max_examples=60)
@given(steps=STEPS)
def test_requests_come_back_as_they_were_made(written: Any, steps: Any) -> None:
    sample, turns = written_as_inspect(steps)
    log = only(written | {"samples": [sample]})
    assert isinstance(log, Log), log
    assert [list(_normal_form(turn)) for turn in log.turns] == turns
    assert log.skipped["scorer's call"] == 1


def _normal_form(turn: Any) -> Iterator[tuple[int, int, int, str]]:
    for request in turn.requests:
        yield (
            request.input_tokens,
            request.output_tokens,
            request.visible_tokens,
            request.context,
        )


# Logs of other versions


def test_logs_before_spans_have_steps_and_events_inside_tools(written: Any) -> None:
    writer = ModelEventWriter()
    question = writer.message("user", "question")
    first = writer.call([question], (100, 10, 0, 0), "")
    writer.event("tool", id="t1", function="ask", arguments={}, result="ok", events=[])
    tool = writer.events[-1]
    writer.call([writer.message("user", "help")], (50, 5, 0, 0), "")
    tool["events"] = [writer.events.pop()]
    heard = writer.message("user", "heard")
    last = writer.call([question, first, heard], (120, 10, 0, 0), "")
    writer.messages = [question, first, heard, last]
    writer.event("step", action="begin", type="scorer", name="match")
    writer.call([question], (10, 2, 0, 0), "")
    writer.event("step", action="end", type="scorer", name="match")
    log = only(written | {"samples": [writer.sample()]})
    assert isinstance(log, Log), log
    assert contexts(log) == [[""], ["agent 1", ""]]
    assert (paid(log), log.skipped["scorer's call"]) == ((270, 25), 1)


@pytest.mark.parametrize("graders_in_usage", [True, False])
def test_scores_may_be_given_after_the_usage_was_written(
    written: Any, graders_in_usage: bool
) -> None:
    writer = ModelEventWriter()
    question = writer.message("user", "question")
    writer.messages = [question, writer.call([question], (100, 10, 0, 0))]
    before = list(writer.usage)
    writer.event("span_begin", id="grading", name="scorers", type="scorers")
    writer.call([question], (10, 2, 0, 0), "grading")
    writer.usage = writer.usage if graders_in_usage else before
    log = only(written | {"samples": [writer.sample()]})
    assert isinstance(log, Log), log
    assert paid(log) == (100, 10)


def test_a_total_that_was_never_set_says_nothing(written: Any) -> None:
    writer = ModelEventWriter()
    question = writer.message("user", "question")
    writer.messages = [question, writer.call([question], (100, 10, 0, 0))]
    sample = writer.sample()
    for usage in (sample["model_usage"]["m"], sample["events"][0]["output"]["usage"]):
        usage["total_tokens"] = 0
    log = only(written | {"samples": [sample]})
    assert isinstance(log, Log), log
    assert paid(log) == (100, 10)
    sample["events"][0]["output"]["usage"]["total_tokens"] = 105
    sample["model_usage"]["m"]["total_tokens"] = 105
    error = only(written | {"samples": [sample]})
    assert isinstance(error, RolloutError)
    assert "model call 1 (m): usage states a total of 105 tokens" in str(error)


def test_a_response_without_usage_is_unknown_and_a_last_one_is_a_turn(written: Any) -> None:
    writer = ModelEventWriter()
    question = writer.message("user", "question")
    first = writer.call([question], (100, 10, 0, 0))
    heard = writer.message("user", "heard")
    writer.call([question, first, heard], (120, 10, 0, 0))  # a limit kept it from the messages
    writer.messages = [question, first, heard]
    sample = writer.sample() | {"limit": {"type": "token", "limit": 200}}
    log = only(written | {"samples": [sample]})
    assert isinstance(log, Log), log
    assert contexts(log) == [[""], [""]]
    assert log.scores["limit"] == "token limit of 200"
    del sample["events"][0]["output"]["usage"]
    log = only(written | {"samples": [sample]})
    assert isinstance(log, Log), log
    assert [turn.requests is None for turn in log.turns] == [True, False]
