"""Families of all kinds for tests: duplicates, copies, labels, broken files, sessions and more."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from bagen_data.errors import InputError
from bagen_data.executors import ExecutorChoice, open_executor
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.family_reading import read_in_shards
from bagen_data.reading.origin import Family, find_families
from bagen_data.reading.reading_options import ReadingOptions, ShardSizes
from bagen_data.reading.workplace import Workplace
from tests.bagen_data.log_formats import test_openhands as openhands
from tests.bagen_data.log_formats.session_logs import stamp
from tests.making import chat, write_trajectories

COUNTS = {
    "request": [[20, 1], [40, 1]],
    "turn": [[50, 1], [9, 1]],
}
"""Bare counts of two turns, by what they can mean."""


@dataclass(frozen=True)
class AnyFamily:
    """A family's files by path, and how the family is read."""

    files: dict[str, str]
    resolved: tuple[str, ...]
    """Instances that an evaluation report resolves; empty where there is no report."""
    task: str
    limit: int | None
    is_scrubbed: bool

    def write(self, folder: Path) -> None:
        """Write the files below a folder."""
        for path, text in self.files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(text.encode())
        if self.resolved:
            write_trajectories(folder, ["i0", "i1", "i2"], self.resolved)

    def read(self, folder: Path, spools: Path, sizes: ShardSizes, workers: int = 1) -> Any:
        """Return all that the index of the family holds, or the error that it ends with."""
        family = find_families(folder, [self.task], rollout_model="m")[0]
        options = ReadingOptions(Counting(), self.limit, None, self.is_scrubbed, sizes)
        spools.mkdir(exist_ok=True)
        try:
            (index,) = read_with(workers, [family], spools, options)
        except InputError as error:
            return str(error)
        return facts(index)


def read_with(
    workers: int, families: Sequence[Family], spools: Path, options: ReadingOptions
) -> list[FamilyIndex]:
    """Read families by so many processes."""
    with open_executor(ExecutorChoice(workers=workers)) as executor:
        return read_in_shards(families, Workplace(executor, spools), options)


def facts(index: FamilyIndex) -> dict[str, Any]:
    """Return all that an index holds, in values that can be compared."""
    return vars(index) | {"rollouts": list(index.rollouts)}


def _conversation(name: str, variant: int, success: bool | None, kind: str) -> dict[str, Any]:
    texts = [f"look {name} {variant}", "go", "in /home/anna/x", "mail ann@a.io"]
    record = chat(texts, success, per_turn_api_tokens=COUNTS[kind])
    return record | {"custom_id": name}


def openhands_run(instance: str, responses: list[str], resolved: bool | None) -> dict[str, Any]:
    """Return the record of a run of OpenHands with these responses."""
    usages = [openhands.usage(name, 900 + 100 * k, 40) for k, name in enumerate(responses)]
    actions = [openhands.run(name, f"ls {name}") for name in responses]
    result = {} if resolved is None else {"report": {"resolved": resolved}}
    return openhands.rollout(
        *actions, usages=usages, instance_id=instance, test_result=result, metadata={}
    )


def session(name: str, message: str) -> str:
    """Return the lines of a Claude Code session of one response."""
    place = {"sessionId": name, "isSidechain": False, "version": "2.1.80"}
    asked = {"type": "user", "uuid": "u", "parentUuid": None, "timestamp": stamp(0)}
    asked |= place | {"message": {"role": "user", "content": f"go {name}"}}
    usage = {"input_tokens": 900, "output_tokens": 20}
    said = {"id": message, "role": "assistant", "model": "c", "stop_reason": "end_turn"}
    said |= {"content": [{"type": "text", "text": "Done."}], "usage": usage}
    answer = {"type": "assistant", "uuid": "a", "parentUuid": "u", "timestamp": stamp(1)}
    answer |= place | {"message": said}
    return f"{json.dumps(asked)}\n{json.dumps(answer)}\n"


NAMES = st.sampled_from(["a", "b", "c"])
OUTCOMES = st.sampled_from([True, True, True, False, None])


def _records(kind: str) -> st.SearchStrategy[Any]:
    kinds = st.just(kind) if kind in COUNTS else st.sampled_from(sorted(COUNTS))
    conversations = st.builds(_conversation, NAMES, st.integers(0, 1), OUTCOMES, kinds)
    responses = st.lists(st.sampled_from(["r1", "r2", "r3"]), min_size=1, max_size=2, unique=True)
    runs = st.builds(openhands_run, st.sampled_from(["i0", "i7", "i8"]), responses, OUTCOMES)
    junk = st.sampled_from([{}, 3, {"a": 1}, {"messages": []}])
    return st.one_of(conversations, conversations, conversations, runs, runs, junk)


def _lines(records: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    line = st.one_of(records.map(json.dumps), records.map(json.dumps), st.just("{"), st.just(""))
    ended = st.tuples(line, st.sampled_from(["\n", "\n", "\r\n"])).map("".join)
    last = st.one_of(st.just(""), records.map(json.dumps))
    return st.tuples(st.lists(ended, max_size=6).map("".join), last).map("".join)


@st.composite
def any_families(draw: st.DrawFn) -> AnyFamily:
    """Draw a family."""
    records = _records(draw(st.sampled_from(["request", "turn", "any"])))
    contents = {
        "jsonl": st.one_of(
            _lines(records),
            _lines(records),
            st.builds(session, st.sampled_from(["s1", "s2"]), st.sampled_from(["m1", "m2"])),
        ),
        "json": st.one_of(
            records.map(json.dumps),
            st.lists(records, max_size=3).map(json.dumps),
            st.sampled_from(["", "[{", '{"agentType": "x"}']),
        ),
        "txt": st.just("notes"),
    }
    files = {}
    for number in range(draw(st.integers(0, 6))):
        suffix = draw(st.sampled_from(["jsonl", "jsonl", "json", "json", "txt"]))
        folder = draw(st.sampled_from(["", "x/", ".hidden/"]))
        files[f"{folder}f{number}.{suffix}"] = draw(contents[suffix])
    if draw(st.booleans()):
        places = [f"{path}{end}" for path in files for end in ("", ":1", ":3", "[0]", "[1]")]
        names = st.sampled_from(["a", "b", "i7", "s1", "nobody", "./f0.json", *places])
        label = st.tuples(names, st.booleans()).map(
            lambda row: json.dumps({"rollout": row[0], "success": row[1]})
        )
        lines = draw(st.lists(st.one_of(*[label] * 9, st.just("{")), max_size=3))
        files["labels.jsonl"] = "".join(f"{line}\n" for line in lines)
    task = draw(st.sampled_from(["support", "swebench"]))
    resolved = draw(st.sampled_from([(), (), ("i0",), ("i0", "i2"), ("elsewhere",)]))
    limit = draw(st.sampled_from([None, None, 1, 2, 3]))
    return AnyFamily(files, resolved, task, limit, draw(st.booleans()))
