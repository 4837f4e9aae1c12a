"""SWE-agent trajectories."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.log_formats import read_record
from bagen_data.logs.rollout_log import FamilyFacts, Log
from bagen_data.logs.turn_readers import Counting
from tests.builders.test_usage_cases import Bytes
from tests.making import read, write_json

FAMILY = "sokoban-origin-m"
OPENING = [{"role": "system", "content": "Fix it."}, {"role": "user", "content": "The issue"}]
EXIT = {
    "query": [{}],
    "response": "Exit due to cost limit",
    "thought": "Exit due to cost limit",
    "action": "",
    "observation": "Exited (autosubmitted)",
}


def step(query: list[Any], response: str, action: str = "", observation: str = "") -> Any:
    return {
        "query": query,
        "response": response,
        "thought": response,
        "action": action,
        "observation": observation,
        "execution_time": 0.1,
        "state": {},
    }


def trajectory(*steps: Any, api_calls: int | None = None, **more: Any) -> dict[str, Any]:
    stats = {"instance_cost": 0.7, "tokens_sent": 99, "tokens_received": 9, "api_calls": api_calls}
    info = {"exit_status": "submitted", "submission": "diff", "model_stats": stats}
    return {"trajectory": list(steps), "history": OPENING, "info": info, "environment": "e"} | more


def spoken(*exchanges: tuple[str, str]) -> list[Any]:
    """A query after some responses and what they led to."""
    query: list[Any] = list(OPENING)
    for response, heard in exchanges:
        query += [{"role": "assistant", "content": response}, {"role": "user", "content": heard}]
    return query


LOOKS = (
    step(spoken(), "I look.", "ls\n", "a.py"),
    step(
        spoken(("I look.", "Observation: a.py")), "I am done.\n```\nsubmit\n```", "submit", "diff"
    ),
)


def log(record: Any) -> Log:
    run_log = read_record(record, FamilyFacts(path="run/x-1/x-1.traj"))
    assert isinstance(run_log, Log)
    return run_log


def test_steps_are_turns() -> None:
    run_log = log(trajectory(*LOOKS, api_calls=2))
    assert (run_log.system, run_log.instance_id, run_log.success) == (
        "Fix it.",
        "x-1",
        None,
    )
    assert [turn.user for turn in run_log.turns] == ["The issue", "Observation: a.py"]
    assert [turn.assistant for turn in run_log.turns] == [
        "I look.\n\n```bash\nls\n```",
        "I am done.\n```\nsubmit\n```",
    ]
    assert [turn.requests for turn in run_log.turns] == [None, None]


def test_thinking_stands_in_the_history() -> None:
    history = spoken(("I look.", "a.py"), ("I am done.", "diff"))
    said = [message for message in history if message["role"] == "assistant"]
    said[0]["thinking_blocks"] = [{"type": "thinking", "thinking": "Hm.", "signature": "x"}]
    said[1]["thinking_blocks"] = [{"type": "redacted_thinking", "data": "x"}]
    turns = log(trajectory(*LOOKS, history=history)).turns
    assert [turn.reasoning for turn in turns] == ["Hm.", ""]
    assert [turn.uncounted for turn in turns] == ["", "encrypted reasoning"]
    turns = log(trajectory(*LOOKS[:1], history=history)).turns
    assert turns[0].uncounted == "thinking of responses without a step"


def test_a_response_that_could_not_be_parsed_is_a_turn() -> None:
    complaint = [*spoken(), {"role": "assistant", "content": "???"}]
    again = step([*complaint, {"role": "user", "content": "No action found."}], "ls", "ls")
    run_log = log(trajectory(step(spoken(), "???"), again, api_calls=2))
    assert [turn.user for turn in run_log.turns] == ["The issue", "No action found."]


def test_an_exit_of_swe_agent_itself_is_no_turn() -> None:
    run_log = log(trajectory(*LOOKS, EXIT, api_calls=2))
    assert len(run_log.turns) == 2
    assert run_log.skipped == {"a step without a request": 1}


@pytest.mark.parametrize("calls", [1, 3])
def test_requests_without_a_step_are_refused_by_name(calls: int) -> None:
    problem = f"states {calls} api_calls; expected 2, one a step"
    with pytest.raises(RolloutError, match=problem):
        log(trajectory(*LOOKS, api_calls=calls))


def test_older_trajectories_have_no_queries() -> None:
    steps = [{k: v for k, v in each.items() if k != "query"} for each in (*LOOKS, EXIT)]
    run_log = log(trajectory(*steps, api_calls=2))
    assert [turn.user for turn in run_log.turns] == ["The issue", "a.py"]


def test_attempts_are_one_rollout() -> None:
    attempts = [trajectory(*LOOKS, api_calls=2), trajectory(LOOKS[0], api_calls=1)]
    run_log = log({"attempts": attempts, **trajectory(*LOOKS, api_calls=3)})
    assert [turn.number for turn in run_log.turns] == [1, 2, 3]
    reviewed = {"attempts": attempts, **trajectory(*LOOKS, api_calls=5)}
    reviewed["info"]["rloop_model_stats"] = {"api_calls": 2}
    assert log(reviewed).turns[-1].uncounted == "the requests of a reviewer of attempts"


def test_a_folder_of_trajectories(tmp_path: Path) -> None:
    family = tmp_path / FAMILY
    for name in ("x-1", "x-2", "x-3"):
        write_json(family / "run" / name / f"{name}.traj", trajectory(*LOOKS, api_calls=2))
    write_json(family / "run" / "x-1" / "attempt_0" / "x-1.traj", trajectory(*LOOKS))
    write_json(family / "run" / "preds.json", {"x-1": {"model_patch": "diff"}})
    write_json(family / "report.json", {"resolved_ids": ["x-1"], "unresolved_ids": ["x-2"]})
    made = read(family, Counting(tokenizer=Bytes()))
    assert [(rollout.instance_id, rollout.success) for rollout in made.rollouts] == [
        ("x-1", True),
        ("x-2", False),
    ]
    (refusal,) = made.refused
    assert refusal.where == "run/x-3/x-3.traj"
    assert "not judged" in refusal.reason
    assert "--tokenizer" in read(family).refused[0].reason


@given(
    st.lists(
        st.tuples(
            st.text("ab", min_size=1), st.text("cd"), st.text("ef"), st.booleans(), st.booleans()
        ),
        min_size=1,
        max_size=6,
    )
)
def test_texts_come_back_as_they_were_written(steps: list[Any]) -> None:
    """A tokenizer counts each response and each text that was heard, once."""
    said: list[tuple[str, str]] = []
    written = []
    heard = ["The issue"]
    for response, action, observation, is_parsed, has_query in steps:
        query = {"query": spoken(*said)} if has_query else {}
        done = action if is_parsed else ""
        made = step([], response, done, observation)
        del made["query"]
        written.append(made | query)
        said.append((response, observation))
        heard.append(observation)
    turns = log(trajectory(*written, api_calls=len(steps))).turns
    assert [turn.user for turn in turns] == heard[:-1]
    assert all(turn.assistant.startswith(each[0]) for turn, each in zip(turns, steps, strict=True))
