"""ATIF trajectories: turns, contexts, subagents, continuations, totals, and Harbor's outcomes."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import atif
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.log_formats import read_record
from bagen_data.logs.rollout_log import FamilyFacts, Log
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.usage import fresh_usage
from tests.making import SHARED_LOGS, needs_shared_logs, read, write_json, write_lines

FAMILY = "sokoban-origin-m"
USER = {"source": "user", "message": "Create hello.txt."}


def agent(message: str = "go", tokens: tuple[int, int] | None = None, **more: Any) -> Any:
    step: dict[str, Any] = {"source": "agent", "message": message}
    if tokens:
        step["metrics"] = {"prompt_tokens": tokens[0], "completion_tokens": tokens[1]}
    return step | more


def trajectory(*steps: Any, **more: Any) -> dict[str, Any]:
    numbered = [{"step_id": number, **step} for number, step in enumerate(steps, 1)]
    made = {
        "schema_version": "ATIF-v1.8",
        "agent": {"name": "terminus-2", "version": "2.0", "model_name": "gpt-4o"},
        "steps": numbered,
    } | more
    atif.Trajectory.model_validate(made)
    return made


def observed(*contents: Any, **more: Any) -> Any:
    return {"observation": {"results": [{"content": content} for content in contents]}} | more


def named(**reference: str) -> Any:
    return {"observation": {"results": [{"subagent_trajectory_ref": [reference]}]}}


def log(record: Any) -> Log:
    run_log = read_record(record, FamilyFacts())
    assert isinstance(run_log, Log)
    return run_log


def fresh(run_log: Log) -> list[tuple[int, int]]:
    """The fresh input and the output of each turn."""
    counts = iter(
        fresh_usage([r for turn in run_log.turns for r in turn.requests or ()], "request")
    )
    pairs = [[next(counts) for _ in turn.requests or ()] for turn in run_log.turns]
    return [(sum(n for n, _ in pair), sum(n for _, n in pair)) for pair in pairs]


def index(folder: Path, files: dict[str, Any]) -> FamilyIndex:
    for name, value in files.items():
        write_json(folder / FAMILY / name, value)
    return read(folder / FAMILY)


def test_what_a_step_observes_is_heard_in_the_next_turn() -> None:
    call = {"tool_call_id": "c", "function_name": "bash", "arguments": {"command": "ls"}}
    run_log = log(
        trajectory(
            {"source": "system", "message": "Be brief."},
            USER,
            agent("I look.", (100, 20), tool_calls=[call], **observed("a.txt", "b.txt")),
            {"source": "system", "message": "One minute left."},
            agent("Done.", (150, 5), reasoning_content="It is there.", **observed("bye")),
        )
    )
    assert run_log.system == "Be brief."
    assert [turn.user for turn in run_log.turns] == [
        "Create hello.txt.",
        "a.txt\n\nb.txt\n\nOne minute left.",
    ]
    assert run_log.turns[0].assistant == "I look.\n\n```bash\nls\n```"
    assert (run_log.turns[0].tool_calls, run_log.turns[1].reasoning) == (1, "It is there.")
    assert fresh(run_log) == [(100, 20), (30, 5)]
    assert (run_log.source, run_log.model) == ("terminus-2 2.0 (ATIF-v1.8)", "gpt-4o")


def test_seconds_cost_cache_and_model() -> None:
    first = USER | {"timestamp": "2026-01-01T00:00:00Z"}
    metrics = {"prompt_tokens": 9, "completion_tokens": 3, "cached_tokens": 4, "cost_usd": 0.5}
    step = agent(
        metrics=metrics | {"extra": {"reasoning_output_tokens": 2, "total_tokens": 12}},
        model_name="o3",
        timestamp="2026-01-01T00:00:08Z",
    )
    (turn,) = log(trajectory(first, step)).turns
    assert turn.requests is not None
    (request,) = turn.requests
    assert turn.seconds == 8
    assert (request.cost_usd, request.cached_tokens, request.model) == (0.5, 4, "o3")
    assert (request.output_tokens, request.visible_tokens) == (3, 1)


def test_iterations_of_one_response_are_requests_of_their_own() -> None:
    inner = [
        {"type": "message", "input_tokens": 4, "cache_read_input_tokens": read, "output_tokens": 10}
        for read in (100, 130)
    ]
    extra = {"cache_read_input_tokens": 230, "cache_creation_input_tokens": 0, "iterations": inner}
    metrics = {"prompt_tokens": 238, "completion_tokens": 20, "cached_tokens": 230, "extra": extra}
    assert fresh(log(trajectory(USER, agent(metrics=metrics)))) == [(104 + 20, 20)]


def test_an_image_is_named_and_no_tokenizer_counts_it() -> None:
    source = {"media_type": "image/png", "path": "a.png"}
    parts = [{"type": "text", "text": "See"}, {"type": "image", "source": source}]
    (turn,) = log(trajectory({"source": "user", "message": parts}, agent())).turns
    assert (turn.user, turn.uncounted, turn.requests) == ("See\n(an image)", "an image", None)


def test_a_step_without_a_model_call_spends_nothing() -> None:
    run_log = log(trajectory(USER, agent("route", llm_call_count=0), agent("go", (50, 5))))
    assert [turn.requests is not None and len(turn.requests) for turn in run_log.turns] == [
        0,
        1,
    ]


def test_the_second_action_of_a_response_of_openhands_is_no_request() -> None:
    steps = (USER, agent("a", (90, 9)), agent("b", metrics={}), agent("c", (120, 5)))
    made: dict[str, Any] = {"agent": {"name": "openhands", "version": "1.1"}}
    totals = {"final_metrics": {"total_prompt_tokens": 210, "total_completion_tokens": 14}}
    run_log = log(trajectory(*steps, **made, **totals))
    assert [turn.requests is not None and len(turn.requests) for turn in run_log.turns] == [
        1,
        0,
        1,
    ]
    assert log(trajectory(*steps, **made)).turns[1].requests is None


def test_a_billed_step_without_text_is_a_turn(tmp_path: Path) -> None:
    made = index(tmp_path, {"a.json": trajectory(USER, agent("", (50, 5)))} | trial(1))
    assert [len(rollout.turns) for rollout in made.rollouts] == [1]


@pytest.mark.parametrize(
    ("step", "problem"),
    [
        (agent("go", (90, 9), llm_call_count=3), "step 2 states llm_call_count 3"),
        (
            agent("go", (90, 9)) | {"metrics": {"prompt_tokens": -1, "completion_tokens": 1}},
            "is -1",
        ),
        (
            agent(metrics={"prompt_tokens": 1, "completion_tokens": 1, "extra": {"new_tokens": 4}}),
            "step 2: usage has new_tokens = 4",
        ),
    ],
)
def test_a_count_that_is_not_known_is_refused_by_name(step: Any, problem: str) -> None:
    with pytest.raises(RolloutError, match=problem):
        log(trajectory(USER, step))


def test_metrics_of_a_step_that_is_not_the_agents_are_refused() -> None:
    record = trajectory(USER, agent("go", (9, 9)))
    record["steps"][0]["metrics"] = {"prompt_tokens": 5, "completion_tokens": 5}
    with pytest.raises(RolloutError, match="step 1 is of source user and has metrics"):
        log(record)


def test_subagents_that_are_not_a_list_are_refused(tmp_path: Path) -> None:
    record = trajectory(USER, agent("a", (9, 9))) | {"subagent_trajectories": True}
    (refusal,) = index(tmp_path, {"a.json": record}).refused
    assert "subagent_trajectories is true; expected a list" in refusal.reason


def test_a_step_id_that_appears_twice_is_refused() -> None:
    record = trajectory(USER, agent("go", (9, 9)))
    record["steps"][1]["step_id"] = 1
    with pytest.raises(RolloutError, match="step_id is 1; expected 2"):
        log(record)


@pytest.mark.parametrize(
    ("totals", "problem"),
    [
        ({"total_prompt_tokens": 250, "total_completion_tokens": 30}, None),
        ({"total_prompt_tokens": 249}, "total_prompt_tokens is 249; expected 250"),
        ({"total_completion_tokens": 31}, "total_completion_tokens is 31; expected 30"),
        ({"total_cost_usd": 0.5}, None),  # the steps state no price
        ({"total_cached_tokens": 90, "total_steps": 2}, None),  # the steps state no cached tokens
        ({"total_cached_tokens": 251}, "total_cached_tokens is 251; expected at most 250"),
        ({"total_steps": 5000}, "total_steps is 5000, and the trajectory has 3 steps"),
    ],
)
def test_totals_agree_with_the_steps(totals: Any, problem: str | None) -> None:
    steps = (USER, agent("a", (100, 20)), agent("b", (150, 10)))
    record = trajectory(*steps, final_metrics=totals)
    if problem is None:
        assert len(log(record).turns) == 2
    else:
        with pytest.raises(RolloutError, match=problem):
            log(record)


def test_cached_tokens_agree_with_the_steps_that_state_them() -> None:
    metrics = {"prompt_tokens": 90, "completion_tokens": 3, "cached_tokens": 40}
    steps = (USER, agent("a", metrics=metrics), agent("b", metrics=metrics))
    for total in (80, 0, None):
        record = trajectory(*steps, final_metrics={"total_cached_tokens": total})
        assert len(log(record).turns) == 2
    with pytest.raises(RolloutError, match="total_cached_tokens is 70; expected 80"):
        log(trajectory(*steps, final_metrics={"total_cached_tokens": 70}))


def test_a_price_that_is_an_estimate_is_not_the_logs() -> None:
    metrics = {"prompt_tokens": 9, "completion_tokens": 3, "cost_usd": 0.5}
    step = agent(metrics=metrics | {"extra": {"cost_source": "litellm_estimate"}})
    (turn,) = log(trajectory(USER, step, final_metrics={"total_cost_usd": 0.7})).turns
    assert turn.requests is not None
    assert turn.requests[0].cost_usd is None


def test_an_embedded_subagent_is_paid_where_its_result_is_heard() -> None:
    child = trajectory(USER, agent("x", (70, 7)), agent("y", (80, 1)), trajectory_id="s1")
    run_log = log(
        trajectory(
            USER,
            agent("ask", (100, 10), **named(trajectory_id="s1")),
            agent("end", (115, 4)),
            subagent_trajectories=[child],
            final_metrics={"total_prompt_tokens": 215},
        )
    )
    assert fresh(run_log) == [(100, 10), (70 + 3 + 5, 7 + 1 + 4)]
    assert {r.context for r in run_log.turns[1].requests or ()} == {"agent s1", ""}
    assert run_log.turns[1].uncounted == "a subagent's work"


def test_a_subagent_that_no_step_names_is_paid_once() -> None:
    child = trajectory(USER, agent("x", (70, 7)), trajectory_id="s1")
    run_log = log(trajectory(USER, agent("end", (100, 10)), subagent_trajectories=[child]))
    assert fresh(run_log) == [(170, 17)]


def test_a_subagent_whose_file_is_missing_is_unknown_usage() -> None:
    steps = (USER, agent("ask", (9, 1), **named(trajectory_path="sub.json")), agent("end", (12, 1)))
    turns = log(trajectory(*steps)).turns
    assert [turn.requests is None for turn in turns] == [False, True]
    assert turns[1].uncounted == "a subagent's work"


def sidechain(step: Any, **more: Any) -> Any:
    return step | {"extra": {"is_sidechain": True} | more}


def test_steps_of_a_sidechain_are_a_subagents() -> None:
    run_log = log(
        trajectory(
            USER,
            agent("ask", (100, 10)),
            sidechain(USER, agent_id="a"),
            sidechain(USER, agent_id="b"),
            sidechain(agent("x", (70, 7)), agent_id="a"),
            sidechain(agent("y", (60, 6)), agent_id="b"),
            sidechain(agent("x", (80, 1)), agent_id="a"),
            agent("end", (115, 4)),
            final_metrics={"total_prompt_tokens": 425, "total_completion_tokens": 28},
        )
    )
    assert [turn.user for turn in run_log.turns] == ["Create hello.txt.", ""]
    assert fresh(run_log) == [(100, 10), (70 + 60 + 3 + 5, 7 + 6 + 1 + 4)]


@pytest.mark.parametrize(("at_once", "is_known"), [(False, True), (True, False)])
def test_sidechains_without_ids_follow_each_other(at_once: bool, is_known: bool) -> None:
    first, second = (sidechain(agent("x", (70, 7))), sidechain(agent("y", (60, 6))))
    steps = [sidechain(USER), first, sidechain(USER), second]
    if at_once:
        steps = [steps[0], steps[2], first, second]
    turns = log(trajectory(USER, *steps, agent("end", (100, 10)))).turns
    assert (turns[0].requests is not None) is is_known
    if is_known:
        assert [r.context for r in turns[0].requests or ()] == ["agent 1", "agent 2", ""]


COMPACTION = {
    "source": "system",
    "message": "Performed context summarization and handoff to continue task.",
    "extra": {"context_management": {"type": "compaction", "boundary": "replace"}},
}


def test_a_compaction_begins_a_context() -> None:
    steps = (USER, agent("a", (900, 50)), COMPACTION, USER, agent("b", (300, 10)))
    run_log = log(trajectory(*steps, agent("c", (330, 10))))
    assert fresh(run_log) == [(900, 50), (300, 10), (20, 10)]


def copies(*steps: Any) -> list[Any]:
    return [
        {name: value for name, value in step.items() if name != "metrics"}
        | {"is_copied_context": True}
        for step in steps
    ]


def trial(reward: float, **more: Any) -> dict[str, Any]:
    """The files of a trial in the family's folder."""
    result = {
        "task_name": "hello",
        "trial_name": "hello__x",
        "verifier_result": {"rewards": {"reward": reward}},
        "exception_info": None,
    }
    return {"result.json": result | more}


def test_a_continuation_is_a_part_of_the_rollout(tmp_path: Path) -> None:
    first = trajectory(
        USER,
        agent("a", (900, 50)),
        COMPACTION | named(trajectory_path="summary.json"),
        continued_trajectory_ref="t.cont-1.json",
        final_metrics={"total_prompt_tokens": 900},
    )
    summary = trajectory(*copies(USER, agent("a")), agent("so far", (960, 30)))
    rest = trajectory(
        *copies(USER, {"source": "user", "message": "so far"}),
        agent("b", (300, 10)),
        final_metrics={"total_prompt_tokens": 900 + 960 + 300},
    )
    files = {"t.cont-1.json": rest, "summary.json": summary, "t.json": first}
    made = index(tmp_path, files | trial(1))
    assert made.refused == []
    (rollout,) = made.rollouts
    used = [(turn.usage["input_tokens"], turn.usage["output_tokens"]) for turn in rollout.turns]
    assert used == [(900, 50), (960 + 300, 30 + 10)]
    assert rollout.turns[1].user.endswith("so far")


@pytest.mark.parametrize("is_copied", [True, False])
def test_a_file_that_goes_on_with_all_that_was_said_keeps_the_context(
    tmp_path: Path, is_copied: bool
) -> None:
    begin = (USER, agent("a", (100, 50)))
    first = trajectory(*begin, continued_trajectory_ref="b.json")
    rest = trajectory(*(copies(*begin) if is_copied else ()), agent("b", (170, 10)))
    made = index(tmp_path, {"a.json": first, "b.json": rest} | trial(1))
    (rollout,) = made.rollouts
    assert [turn.usage["input_tokens"] for turn in rollout.turns] == [100, 20]


def test_copied_steps_that_come_first_are_what_the_first_request_is_given() -> None:
    earlier = copies(USER, agent("a", (100, 50)))
    run_log = log(
        trajectory(*earlier, {"source": "user", "message": "next"}, agent("b", (190, 10)))
    )
    assert fresh(run_log) == [(190, 10)]
    assert run_log.turns[0].user == "Create hello.txt.\n\na\n\nnext"


@pytest.mark.parametrize(
    ("name", "record", "problem"),
    [
        ("t.cont-1.json", trajectory(USER, agent("b", (9, 9))), "is a continuation"),
        ("a.json", trajectory(USER, continued_trajectory_ref="b.json"), 'names "b.json"; expected'),
        ("a.json", trajectory(USER, continued_trajectory_ref="a.json"), "names itself as a part"),
    ],
)
def test_a_part_alone_is_refused(tmp_path: Path, name: str, record: Any, problem: str) -> None:
    (refusal,) = index(tmp_path, {name: record}).refused
    assert problem in refusal.reason


# Harbor


def test_a_job_folder(tmp_path: Path) -> None:
    family = tmp_path / FAMILY
    for name, reward in (("a", 1.0), ("b", 0.0), ("c", 0.5), ("d", None)):
        folder = family / "job" / f"hello__{name}"
        record = trajectory(USER, agent(f"go {name}", (100, 20)))
        write_json(folder / "agent" / "trajectory.json", record)
        write_lines(folder / "agent" / "sessions" / "log.jsonl", [{"messages": []}])
        write_json(folder / "agent" / "episode-0" / "debug.json", {"input": []})
        write_json(folder / "verifier" / "ctrf.json", {"results": {}})
        write_json(folder / "config.json", {"task": {}, "trial_name": "x", "agent": {}})
        rewards = trial(reward)["result.json"] if reward is not None else trial(1)["result.json"]
        if reward is None:
            rewards |= {"verifier_result": None, "exception_info": {"exception_type": "E"}}
        write_json(folder / "result.json", rewards)
    write_json(family / "job" / "result.json", {"stats": {}, "n_total_trials": 4})
    write_json(family / "job" / "config.json", {"job_name": "job", "agents": []})
    made = read(family)
    assert [(rollout.instance_id, rollout.success) for rollout in made.rollouts] == [
        ("hello", True),
        ("hello", False),
    ]
    assert [refusal.where for refusal in made.refused] == [
        "job/hello__c/agent/trajectory.json",
        "job/hello__d/agent/trajectory.json",
    ]
    half, broken = (refusal.reason for refusal in made.refused)
    assert "is not judged: the trial's reward is 0.5, neither 0 nor 1; name a threshold" in half
    assert "is not judged: the trial ended with E; run it again" in broken


@pytest.mark.parametrize(
    ("more", "success"),
    [
        ({}, True),
        ({"exception_info": {"exception_type": "AgentTimeoutError"}}, True),
        ({"exception_info": {"exception_type": "E"}}, None),
        ({"exception_info": {"exception_type": "E"}, "reward_valid": True}, True),
    ],
)
def test_an_exception_leaves_a_trial_unjudged(
    tmp_path: Path, more: dict[str, Any], success: bool | None
) -> None:
    made = index(tmp_path, {"a.json": trajectory(USER, agent("a", (9, 9)))} | trial(1, **more))
    assert [rollout.success for rollout in made.rollouts] == ([success] if success else [])


@pytest.mark.parametrize("folder", ["t", "t/agent", "t/agent/logs/x", ""])
def test_a_trajectory_may_lie_anywhere_in_the_agents_folder(tmp_path: Path, folder: str) -> None:
    record = trajectory(USER, agent("a", (9, 9)))
    path = f"{folder}/run.json".lstrip("/")
    result = "t/result.json" if folder else "result.json"
    (rollout,) = index(tmp_path, {path: record, result: trial(0)["result.json"]}).rollouts
    assert (rollout.instance_id, rollout.success) == ("hello", False)


def test_a_step_of_a_task_has_its_own_outcome(tmp_path: Path) -> None:
    steps = [{"step_name": "two", "verifier_result": {"rewards": {"reward": 0}}}]
    files = {"t/steps/two/agent/trajectory.json": trajectory(USER, agent("a", (9, 9)))}
    result = trial(1, step_results=steps)["result.json"]
    (rollout,) = index(tmp_path, files | {"t/result.json": result}).rollouts
    assert (rollout.instance_id, rollout.success) == ("hello/two", False)


# Properties

AMOUNT = st.integers(1, 500)
CALL = st.fixed_dictionaries(
    {
        "new": AMOUNT,
        "output": AMOUNT,
        "reasoning": st.integers(0, 3),
        "cached": st.integers(0, 1),
        "before": st.sampled_from(["", "", "compacted", "subagent", "continued"]),
    }
)


def written(calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The files that an agent with these calls writes, by name."""
    files: list[list[Any]] = [[USER]]
    children: dict[int, list[Any]] = {}
    history = 0
    for number, call in enumerate(calls):
        here = files[-1]
        if call["before"] == "compacted" and history:
            here.append(COMPACTION)
            history = 0
        if call["before"] == "subagent":
            child = trajectory(USER, agent("x", (40, 4)), trajectory_id=f"s{number}")
            children.setdefault(len(files), []).append(child)
            here.append({"source": "system", "message": ""} | named(trajectory_id=f"s{number}"))
        if call["before"] == "continued":
            files.append([])
        reasoning = min(call["reasoning"], call["output"])
        metrics: dict[str, Any] = {
            "prompt_tokens": history + call["new"],
            "completion_tokens": call["output"],
            "extra": {"reasoning_tokens": reasoning},
        }
        if call["cached"]:
            metrics["cached_tokens"] = history
        files[-1].append(agent(f"turn {number}", metrics=metrics))
        history += call["new"] + call["output"] - reasoning
    made = {}
    for number, steps in enumerate(files, 1):
        below = children.get(number)
        more: dict[str, Any] = {"subagent_trajectories": below} if below else {}
        if number < len(files):
            more["continued_trajectory_ref"] = f"t{number}.json"
        made[f"t{number - 1}.json"] = trajectory(*steps, **more)
    return made


class Files:
    """Neighbours from a dictionary."""

    def __init__(self, files: dict[str, Any]) -> None:
        self.files = json.loads(json.dumps(files))

    def names(self, _pattern: str) -> list[str]:
        return []

    def value(self, relative: str) -> Any:
        return self.files.get(relative)

    def lines(self, _relative: str) -> Any:
        return iter(())

    def survey(self, look: Any) -> Any:
        return look(self)


@given(st.lists(CALL, min_size=1, max_size=8))
def test_requests_come_back_as_they_were_written(calls: list[dict[str, Any]]) -> None:
    beside = Files(written(calls))
    run_log = read_record(beside.files["t0.json"], FamilyFacts(path="t0.json", beside=beside))
    assert isinstance(run_log, Log)
    paid = [40 * (call["before"] == "subagent") for call in calls]
    assert fresh(run_log) == [
        (call["new"] + more, call["output"] + more // 10)
        for call, more in zip(calls, paid, strict=True)
    ]


@needs_shared_logs
def test_shared_files() -> None:
    folder = SHARED_LOGS / "atif"
    run_log = log(json.loads((folder / "atif_openhands.json").read_text(encoding="utf-8")))
    assert [turn.tool_calls for turn in run_log.turns] == [1, 1]
    assert run_log.turns[1].user == "File created successfully at: /app/hello.txt"
    costs = [request.cost_usd for turn in run_log.turns for request in turn.requests or ()]
    assert sum(cost or 0 for cost in costs) == pytest.approx(0.00135)
    unfinished = json.loads((folder / "atif_t2.json").read_text(encoding="utf-8"))
    with pytest.raises(RolloutError, match=r'names "trajectory.cont-1.json"'):
        log(unfinished)
    del unfinished["continued_trajectory_ref"]
    run_log = log(unfinished)
    assert fresh(run_log)[:2] == [(682, 60), (8, 50)]
    assert run_log.turns[2].requests is None  # its subagents' files are missing
