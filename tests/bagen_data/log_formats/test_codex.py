"""Codex's sessions: requests from sums and single counts, compactions, resumed and forked ones."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.logs.rollout_log import Log
from tests.bagen_data.log_formats.session_logs import (
    STEPS,
    logs_in,
    normal_form,
    only_log,
    own_requests,
    spent,
    stamp,
    write,
)
from tests.making import SHARED_LOGS, needs_shared_logs

Record = dict[str, Any]
NAMES = ("input_tokens", "cached_input_tokens", "output_tokens", "reasoning_output_tokens")


def record(kind: str, payload: Mapping[str, Any], second: float = 0, **more: Any) -> Record:
    return {"timestamp": stamp(second), "type": kind, "payload": dict(payload)} | more


def meta(name: str = "c1", **more: Any) -> Record:
    return record("session_meta", {"id": name, "cli_version": "0.146.0", "source": "cli"} | more)


def item(kind: str, second: float = 0, **more: Any) -> Record:
    return record("response_item", {"type": kind} | more, second)


def heard(text: str, role: str = "user", second: float = 0) -> Record:
    return item("message", second, role=role, content=[{"type": "input_text", "text": text}])


def said(text: str, second: float = 0) -> Record:
    content = [{"type": "output_text", "text": text}]
    return item("message", second, role="assistant", content=content)


def call(name: str, second: float = 0) -> Record:
    return item("function_call", second, name="shell", arguments=f'{{"a": "{name}"}}', call_id=name)


def output(name: str, second: float = 0) -> Record:
    return item("function_call_output", second, call_id=name, output=f"output of {name}")


def event(kind: str, second: float = 0, **more: Any) -> Record:
    return record("event_msg", {"type": kind} | more, second)


def usage(counts: Sequence[int]) -> dict[str, int]:
    return dict(zip(NAMES, counts, strict=True)) | {"total_tokens": counts[0] + counts[2]}


class TokenCountWriter:
    """Writes token counts as Codex does."""

    def __init__(self) -> None:
        self.sums = [0, 0, 0, 0]

    def count(self, *counts: int, second: float = 0, last: bool = True) -> Record:
        """Bill a request of input, cached input, output and reasoning tokens."""
        self.sums = [sum(pair) for pair in zip(self.sums, counts, strict=True)]
        info = {"total_token_usage": usage(self.sums)}
        return event(
            "token_count",
            second,
            info=info | ({"last_token_usage": usage(counts)} if last else {}),
        )


def session(folder: Path, records: Sequence[Any]) -> Log:
    write(folder / "rollout-1.jsonl", records)
    return only_log(folder)


def test_the_items_before_a_token_count_are_one_response(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    first = meter.count(9000, 0, 700, 600, second=4)
    log = session(
        tmp_path,
        [
            meta(base_instructions={"text": "You are Codex"}),
            record("turn_context", {"model": "gpt-5.5"}),
            event("token_count", info=None),
            heard("<environment_context>", "developer"),
            heard("fix it"),
            item("reasoning", summary=[{"type": "summary_text", "text": "hm"}]),
            call("one", 2),
            call("two", 3),
            first,
            output("one", 5),
            output("two", 5),
            first,
            event("of_next_year"),
            said("Done.", 6),
            meter.count(9150, 8960, 90, 0, second=7),
            record("of_next_year", {}),
        ],
    )
    assert spent(log) == [(9000, 700), (50, 90)]
    turn = log.turns[0]
    assert turn.user == "<environment_context>\n\nfix it"
    assert turn.assistant == 'shell({"a": "one"})\n\nshell({"a": "two"})'
    assert (turn.reasoning, turn.tool_calls, turn.seconds) == ("hm", 2, 4)
    assert log.turns[1].user == "output of one\n\noutput of two"
    assert (log.system, log.model, log.source) == ("You are Codex", "gpt-5.5", "Codex 0.146.0")
    assert log.skipped["token_count of no request"] == 1
    assert log.skipped["of_next_year"] == log.skipped["event of_next_year"] == 1


def test_reasoning_that_is_not_a_list_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "rollout-1.jsonl", [meta(), heard("a"), item("reasoning", summary=7)])
    (refusal,) = logs_in(tmp_path).values()
    assert "summary is 7; expected a list" in str(refusal)


def test_outputs_may_come_before_the_bill(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    records = [
        *(meta(), heard("go"), call("one"), output("one"), meter.count(900, 0, 20, 0)),
        *(said("Done."), meter.count(950, 0, 10, 0)),
    ]
    log = session(tmp_path, records)
    assert spent(log) == [(900, 20), (30, 10)]
    assert log.turns[1].user == "output of one"


def test_older_logs_bill_a_response_before_its_items(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    records = [
        *(meta(), heard("go"), meter.count(900, 0, 20, 0), call("one"), output("one")),
        *(meter.count(950, 0, 10, 0), said("Done.")),
    ]
    assert spent(session(tmp_path, records)) == [(900, 20), (30, 10)]


def test_sums_alone_are_told_apart(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    records = [
        *(meta(), heard("go"), call("one"), meter.count(900, 0, 20, 5, last=False), output("one")),
        *(said("Done."), meter.count(950, 800, 10, 0, last=False)),
    ]
    assert spent(session(tmp_path, records)) == [(900, 20), (35, 10)]


def test_a_compaction_is_paid_for_in_the_old_context(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    records = [
        *(meta(), heard("go"), call("one"), meter.count(900, 0, 20, 0), output("one")),
        *(meter.count(960, 0, 100, 0), record("compacted", {"message": "in short"})),
        event(
            "token_count",
            info={"total_token_usage": usage(meter.sums)}
            | {"last_token_usage": {"total_tokens": 300}},
        ),
        *(said("Done."), meter.count(300, 0, 10, 0)),
    ]
    log = session(tmp_path, records)
    assert spent(log) == [(900, 20), (40 + 300, 100 + 10)]
    assert log.turns[1].user == "output of one\n\nin short"


def test_newer_logs_state_a_compaction_in_a_record_of_its_own(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    records = [
        *(meta(), heard("go"), said("So."), meter.count(900, 0, 20, 0)),
        record("token_usage_record", {"response_id": "r1", "usage": usage((900, 0, 20, 0))}),
        record("token_usage_record", {"response_id": "r2", "usage": usage((930, 0, 80, 0))}),
        record("compacted", {"message": "in short", "compaction_response_id": "r2"}),
        *(heard("more"), said("Done."), meter.count(300, 0, 10, 0)),
    ]
    assert spent(session(tmp_path, records)) == [(900, 20), (10 + 300, 80 + 10)]


def test_sums_that_grow_by_more_than_a_request_are_refused(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    records = [meta(), heard("go"), call("one"), meter.count(900, 0, 20, 0), output("one")]
    meter.count(950, 0, 10, 0)
    records += [said("Done."), meter.count(990, 0, 10, 0)]
    with pytest.raises(RolloutError, match="line 7: total_token_usage grows by 1940 input and 20"):
        session(tmp_path, records)
    with pytest.raises(RolloutError, match=r"grows by .* since the start"):
        session(tmp_path, [*records[:3], records[-1]])


def test_another_request_beside_the_same_sums_is_refused(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    records = [meta(), heard("go"), said("So."), meter.count(900, 0, 20, 0)]
    again = json.loads(json.dumps(records[-1]))
    assert spent(session(tmp_path, [*records, again])) == [(900, 20)]
    again["payload"]["info"]["last_token_usage"] = usage((400, 0, 20, 0))
    with pytest.raises(RolloutError, match="400 input and 20 output tokens, and total_token_usage"):
        session(tmp_path, [*records, again])


def test_a_resumed_session_repeats_items_and_begins_its_sums_anew(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    history = [heard("go"), call("one"), meter.count(900, 0, 20, 0), output("one")]
    history += [said("So."), meter.count(950, 0, 10, 0)]
    items = [each for each in history if each["type"] == "response_item"]
    again = TokenCountWriter()
    resumed = [heard("more"), said("Done."), again.count(1000, 0, 30, 0)]
    log = session(tmp_path, [meta(), *history, meta(), *items, *resumed])
    assert spent(log) == [(900, 20), (30, 10), (40, 30)]
    assert log.turns[2].user == "more"
    going_on = [heard("more"), said("Done."), meter.count(1000, 0, 30, 0)]
    log = session(tmp_path, [meta(), *history, meta(), *history, *going_on])
    assert spent(log) == [(900, 20), (30, 10), (40, 30)]


def test_sums_of_a_resumed_session_may_go_on_or_begin_anew(tmp_path: Path) -> None:
    records = [
        meta(),
        heard("go"),
        said("So."),
        TokenCountWriter().count(900, 0, 20, 0, last=False),
    ]
    records += [meta(), heard("more"), said("Done.")]
    fallen = TokenCountWriter().count(800, 0, 10, 0, last=False)
    assert spent(session(tmp_path, [*records, fallen])) == [(900, 20), (0, 10)]
    with pytest.raises(RolloutError, match="line 8: total_token_usage goes on or begins anew"):
        session(tmp_path, [*records, TokenCountWriter().count(950, 0, 30, 0, last=False)])


def test_a_fork_opens_with_its_parents_history_and_is_its_copy(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    history = [heard("go"), call("one"), meter.count(900, 0, 20, 0), output("one")]
    parent = [meta(), *history, said("So."), meter.count(950, 0, 10, 0)]
    meter.sums = [900, 0, 20, 0]
    fork = [
        meta("c2", forked_from_id="c1"),
        meta(),
        *history,
        said("No."),
        meter.count(950, 0, 9, 0),
    ]
    write(tmp_path / "rollout-1.jsonl", parent)
    write(tmp_path / "rollout-2.jsonl", fork)
    logs = [log for log in logs_in(tmp_path).values() if isinstance(log, Log)]
    assert [spent(log) for log in logs] == [[(900, 20), (30, 10)], [(900, 20), (30, 9)]]
    assert len(logs[0].response_ids & logs[1].response_ids) == 1


def test_sessions_that_only_look_alike_are_no_copies(tmp_path: Path) -> None:
    for name in ("c1", "c2"):
        records = [
            meta(name),
            heard(f"task of {name}"),
            call("one"),
            TokenCountWriter().count(900, 0, 20, 0),
        ]
        write(tmp_path / f"{name}.jsonl", [*records, output("one")])
    first, second = (log for log in logs_in(tmp_path).values() if isinstance(log, Log))
    assert not first.response_ids & second.response_ids


def test_turns_that_were_rolled_back_are_no_history(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    records = [meta(), heard("AGENTS.md"), heard("go"), said("So."), meter.count(900, 0, 20, 0)]
    records += [heard("wrong way"), call("one"), meter.count(950, 0, 300, 0), output("one")]
    records += [said("Hm."), meter.count(1300, 0, 30, 0)]
    records += [event("thread_rolled_back", num_turns=1), heard("right way"), said("Done.")]
    log = session(tmp_path, [*records, meter.count(960, 0, 10, 0)])
    assert spent(log) == [(900, 20), (30, 300), (50, 30), (40, 10)]


def test_two_sessions_in_one_file_are_two_rollouts(tmp_path: Path) -> None:
    def whole(name: str, read: int) -> list[Record]:
        return [meta(name), heard("go"), said("Done."), TokenCountWriter().count(read, 0, 20, 0)]

    write(tmp_path / "both.jsonl", [*whole("c1", 900), *whole("c2", 700)])
    logs = logs_in(tmp_path)
    assert list(logs) == ["both.jsonl (session c1)", "both.jsonl (session c2)"]
    assert [spent(log) for log in logs.values() if isinstance(log, Log)] == [
        [(900, 20)],
        [(700, 20)],
    ]


def spawning(meter: TokenCountWriter) -> list[Record]:
    return [
        *(meta(), heard("go", second=1), call("spawn", 2), meter.count(900, 0, 20, 0, second=2)),
        event("collab_agent_spawn_end", 3, new_thread_id="c2"),
        *(output("spawn", 9), said("Done.", 10), meter.count(950, 0, 10, 0, second=10)),
    ]


AGENT = {"parent_thread_id": "c1", "source": {"subagent": {"thread_spawn": {}}}}


def test_a_subagent_is_paid_for_in_the_turn_after_it(tmp_path: Path) -> None:
    write(tmp_path / "2026/03/rollout-1.jsonl", spawning(TokenCountWriter()))
    meter = TokenCountWriter()
    forked = [
        meta("c2", forked_from_id="c1", **AGENT),
        *(meta(), heard("go"), call("spawn"), meter.count(900, 0, 20, 0, second=4)),
        *(said("Found."), meter.count(930, 0, 40, 0, second=5)),
    ]
    write(tmp_path / "2026/04/rollout-2.jsonl", forked)
    log = only_log(tmp_path)
    assert spent(log) == [(900, 20), (930 + 30, 40 + 10)]
    requests = log.turns[1].requests
    assert requests is not None
    assert [request.context for request in requests] == ["agent c2", ""]


def test_a_subagent_without_a_file_is_unknown_usage(tmp_path: Path) -> None:
    log = session(tmp_path, spawning(TokenCountWriter()))
    assert [turn.requests is None for turn in log.turns] == [False, True]
    assert log.turns[1].uncounted == "a subagent's work"


def test_a_subagent_without_its_session_is_refused_by_name(tmp_path: Path) -> None:
    records = [meta("c2", **AGENT), said("Done."), TokenCountWriter().count(900, 0, 20, 0)]
    with pytest.raises(RolloutError, match="a subagent of session c1"):
        session(tmp_path, records)


def test_what_was_stopped_is_unknown_and_what_is_coming_in_is_dropped(tmp_path: Path) -> None:
    meter = TokenCountWriter()
    stopped = [meta(), heard("go"), said("Hm."), event("turn_aborted"), heard("stop that")]
    records = [*stopped, said("So."), meter.count(950, 0, 10, 0), heard("more"), call("one")]
    log = session(tmp_path, records)
    assert [turn.requests is None for turn in log.turns] == [True, False]
    assert log.skipped["unfinished response"] == 1


def test_the_usage_of_whole_turns_is_no_requests(tmp_path: Path) -> None:
    counts = {"input_tokens": 1420, "cached_input_tokens": 380, "output_tokens": 910}
    turn = [heard("go"), said("Done."), event("turn.completed", usage=counts)]
    assert spent(session(tmp_path, [meta(), *turn])) == [(1420, 910)]
    log = session(tmp_path, [meta(), *turn, *turn])
    assert [each.requests for each in log.turns] == [None, None]


@given(steps=STEPS, data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_requests_come_back_as_they_were_made(tmp_path: Path, steps: Any, data: Any) -> None:
    made = normal_form(steps)
    is_sum = data.draw(st.booleans())
    is_bill_first = data.draw(st.booleans())
    meter, records = TokenCountWriter(), [meta()]
    history = [heard("go")]
    records += history
    for number, (read, written, visible, context) in enumerate(made):
        new: list[Record] = []
        if number and context != made[number - 1][3]:
            new.append(record("compacted", {"message": f"in short, {number}"}))
        elif number and not is_sum and not is_bill_first and data.draw(st.booleans()):
            is_whole = data.draw(st.booleans())
            records.append(meta())
            records += [x for x in history if is_whole or x["type"] == "response_item"]
            meter.sums = meter.sums if data.draw(st.booleans()) else [0, 0, 0, 0]
        cached = data.draw(st.integers(0, read))
        bill = meter.count(read, cached, written, written - visible, last=not is_sum)
        items = [item("reasoning", encrypted_content="x"), call(f"k{number}")]
        outputs = [output(f"k{number}")]
        if is_bill_first:
            new += [bill, *items, *outputs]
        elif data.draw(st.booleans()):
            new += [*items, *outputs, bill]
        else:
            new += [*items, bill, *outputs]
        if data.draw(st.booleans()):
            new.append(bill)
        records += new
        history += new
    log = session(tmp_path, records)
    assert own_requests(log) == made
    assert len(log.turns) == len(made)


@needs_shared_logs
def test_real_files_are_read() -> None:
    logs = logs_in(SHARED_LOGS / "codex")
    (first, *_) = [log for log in logs.values() if isinstance(log, Log)]
    requests = first.turns[0].requests
    assert requests is not None
    assert (requests[0].input_tokens, requests[0].visible_tokens) == (16341, 18)
    assert first.turns[1].requests is None
    assert "holds no response of a model" in str(logs["codex_051_usage.jsonl"])


@pytest.mark.parametrize("place", [3, 6])
@pytest.mark.parametrize("part", ["total_token_usage", "last_token_usage"])
def test_a_total_that_is_no_sum_is_refused_also_where_it_is_written_again(
    tmp_path: Path, place: int, part: str
) -> None:
    meter = TokenCountWriter()
    records = [meta(), heard("go"), call("one"), meter.count(900, 0, 20, 0), output("one")]
    records += [said("Done."), meter.count(950, 0, 10, 0)]
    for again in (False, True):
        copies = json.loads(json.dumps(records))
        for each in (copies[3], copies[6]):
            for usage in each["payload"]["info"].values():
                if isinstance(usage, dict):
                    usage["total_tokens"] = usage["input_tokens"] + usage["output_tokens"]
        assert len(session(tmp_path, copies).turns) == 2
        if again:
            copies.insert(place + 1, json.loads(json.dumps(copies[place])))
        copies[place + again]["payload"]["info"][part]["total_tokens"] += 7
        with pytest.raises(RolloutError, match=r"total"):
            session(tmp_path, copies)
