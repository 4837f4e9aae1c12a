"""Recorded rollouts played on: the recorded turns again, then others."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bagen_data.continuation_names import ContinuationName
from tests.collect.swebench.played_toys import needs_tool
from tests.making import build, build_record, collect, contents

TASKS = ("sokoban", "searchr1", "warehouse")


def name(task: str) -> str:
    return f"{task}-origin-scripted"


def file(folder: Path) -> Path:
    return next(folder.glob("*_dialogues.json"))


def rollouts(folder: Path) -> list[dict[str, Any]]:
    read: list[dict[str, Any]] = json.loads(file(folder).read_bytes())
    return read


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Families of 12 rollouts."""
    folder = tmp_path_factory.mktemp("origin")
    for task in TASKS:
        options = ("--agent", "scripted", "--rollouts", 12, "--seed", 5)
        assert collect(task, *options, "--out", folder / name(task)) == 0
    return folder


def play_on(task: str, source: object, out: Path, *more: object, turn: int = 2, n: int = 4) -> int:
    options = ("--agent", "scripted", "--resume-from", source, "--turn", turn)
    return collect(task, *options, "--continuations", n, "--out", out / name(task), *more)


@pytest.mark.parametrize("task", TASKS)
def test_a_continuation_begins_with_the_recorded_turns_and_then_differs(
    tmp_path: Path, recorded: Path, task: str
) -> None:
    assert play_on(task, recorded / name(task), tmp_path) == 0
    sources = rollouts(recorded / name(task))
    played = rollouts(tmp_path / name(task))
    long = [number for number, each in enumerate(sources) if len(each["turns"]) > 2]
    starts = Counter(each["continues"]["rollout"] for each in played)
    assert starts == dict.fromkeys(long, 4)
    tails: dict[int, set[str]] = {}
    for each in played:
        source = each["continues"]
        recorded_turns = sources[source["rollout"]]["turns"]
        assert each["turns"][:2] == recorded_turns[:2]
        assert each["turns"][2]["user_prompt"] == recorded_turns[2]["user_prompt"]
        assert each["instance_id"] == str(
            ContinuationName(
                sources[source["rollout"]]["instance_id"],
                source["rollout"],
                source["turn"],
                source["continuation"],
            )
        )
        tails.setdefault(source["rollout"], set()).add(json.dumps(each["turns"][2:]))
    assert max(map(len, tails.values())) == 4


@pytest.mark.parametrize("task", TASKS)
def test_equal_continuations_stay_apart_in_a_build(
    tmp_path: Path, recorded: Path, task: str
) -> None:
    assert play_on(task, recorded / name(task), tmp_path / "origin", n=6) == 0
    assert build(tmp_path / "origin", tmp_path / "built", "--strict") == 0
    (family,) = build_record(tmp_path / "built")["families"]
    assert family["counts"]["duplicates"] == 0
    assert family["counts"]["rollouts"] == len(rollouts(tmp_path / "origin" / name(task)))


@pytest.mark.parametrize("task", ["sokoban", "searchr1"])
def test_recorded_rollouts_end_as_their_continuations_do(tmp_path: Path, task: str) -> None:
    """The recorded rest is one more draw, and differs from the others by chance on average."""
    source = tmp_path / "origin" / name(task)
    assert collect(task, "--agent", "scripted", "--rollouts", 60, "--out", source) == 0
    assert play_on(task, source, tmp_path, "--seed", 1) == 0
    ends: dict[int, list[tuple[int, int]]] = {}
    for each in rollouts(tmp_path / name(task)):
        end = each["rollout_success"], len(each["turns"])
        ends.setdefault(each["continues"]["rollout"], []).append(end)
    recorded = rollouts(source)
    differences = np.array(
        [
            (recorded[number]["rollout_success"], len(recorded[number]["turns"]))
            - np.mean(played, axis=0)
            for number, played in ends.items()
        ]
    )
    error = differences.std(axis=0) / len(differences) ** 0.5
    assert (abs(differences.mean(axis=0)) < 3 * error).all()


def test_more_are_added_and_neither_workers_nor_stops_change_one(
    tmp_path: Path, recorded: Path
) -> None:
    source = recorded / name("sokoban")
    assert play_on("sokoban", source, tmp_path / "at once", "--workers", 2, "--turn", 1) == 0
    assert play_on("sokoban", source, tmp_path / "later", "--turn", 1, n=1) == 0
    assert play_on("sokoban", source, tmp_path / "later", "--turn", 1, "--resume") == 0
    assert contents(tmp_path / "at once") == contents(tmp_path / "later")
    turns = {each["continues"]["turn"] for each in rollouts(tmp_path / "later" / name("sokoban"))}
    assert turns == {1, 2}


def test_another_seed_gives_other_continuations(tmp_path: Path, recorded: Path) -> None:
    for seed in (0, 1):
        out = tmp_path / str(seed)
        assert play_on("sokoban", recorded / name("sokoban"), out, "--seed", seed) == 0
    first, second = (rollouts(tmp_path / str(seed) / name("sokoban")) for seed in (0, 1))
    assert [each["turns"] for each in first] != [each["turns"] for each in second]


def test_one_rollout_is_named_by_its_number_or_its_instance(tmp_path: Path, recorded: Path) -> None:
    source = recorded / name("warehouse")
    instance = rollouts(source)[7]["instance_id"]
    for out, rollout in (("number", 7), ("instance", instance)):
        assert play_on("warehouse", f"{source}:{rollout}", tmp_path / out) == 0
    assert contents(tmp_path / "number") == contents(tmp_path / "instance")
    played = rollouts(tmp_path / "number" / name("warehouse"))
    assert [each["continues"]["rollout"] for each in played] == [7] * 4


def test_equal_continuations_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    origin = tmp_path / "origin" / name("warehouse")
    agent = ("--agent", "scripted/sensible")  # it leaves nothing to chance
    assert collect("warehouse", *agent, "--rollouts", 2, "--out", origin) == 0
    assert play_on("warehouse", origin, tmp_path, *agent, n=3) == 0
    warning = capsys.readouterr().err
    assert "warning: all continuations are equal at 2 of 2 starts: rollout 0 at turn 2" in warning
    assert "a deterministic agent, whose noise ceiling says nothing" in warning


REFUSED = [
    (":99", (), "rollout '99' is missing; expected a number from 0 to 11"),
    (":0", ("--turn", 11), "has 11 turns; expected a turn from 1 to 10, as nothing is left"),
    ("", ("--turn", 40), "the longest rollout of"),
    ("-x", (), "is missing; expected the folder of a recorded family"),
    ("", ("--agent", "scripted/greedy"), "was recorded with agent 'scripted', not 'scripted/gre"),
    ("", ("--rollouts", 3), "--rollouts: of no use with --resume-from"),
]


@pytest.mark.parametrize(("which", "more", "message"), REFUSED)
def test_what_cannot_be_played_on_is_refused(
    tmp_path: Path,
    recorded: Path,
    capsys: pytest.CaptureFixture[str],
    which: str,
    more: tuple[object, ...],
    message: str,
) -> None:
    source = f"{recorded / name('warehouse')}{which}"
    assert play_on("warehouse", source, tmp_path, *more) in (1, 2)
    assert message in capsys.readouterr().err.replace("\n", " ")
    assert not (tmp_path / name("warehouse")).exists()


def test_a_family_of_another_task_is_not_played_on(
    tmp_path: Path, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play_on("searchr1", recorded / name("sokoban"), tmp_path) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "was recorded for task sokoban; expected a family of searchr1" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--turn", 1, "--rollouts", 2), "--turn: of no use with rollouts that begin anew"),
        (("--resume-from", "x", "--turn", 1), "--resume-from: --continuations must be given, too"),
        ((), "--rollouts is missing; expected how many to record"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[object, ...], message: str
) -> None:
    out = tmp_path / name("sokoban")
    assert collect("sokoban", "--agent", "scripted", *options, "--out", out) == 2
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_other_options_of_the_environment_are_refused(
    tmp_path: Path, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = recorded / name("sokoban")
    assert play_on("sokoban", source, tmp_path, "--size", "8x8") == 2
    said = " ".join(capsys.readouterr().err.split())
    assert "was recorded with options columns 6, not 8, and options rows 6, not 8" in said


CHANGES = [
    ("user_prompt", 0, "turn 1: messages is recorded as"),
    ("user_prompt", 2, "turn 2: observation is recorded as"),
    ("financials", 1, "turn 2: financials is recorded as"),
    ("parsed_response", 1, "turn 2: the scripted agent answers"),
]


@pytest.mark.parametrize(("field", "place", "message"), CHANGES)
def test_a_rollout_of_another_version_is_refused_by_its_first_difference(
    tmp_path: Path,
    recorded: Path,
    capsys: pytest.CaptureFixture[str],
    field: str,
    place: int,
    message: str,
) -> None:
    source = tmp_path / "old" / name("warehouse")
    source.mkdir(parents=True)
    for path in (recorded / name("warehouse")).iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    changed = rollouts(source)
    turn = changed[0]["turns"][place]
    if field == "financials":
        turn["financials"]["cash"] += 1
    else:
        turn[field] = "Otherwise. " + turn[field]
        turn["messages"][-1]["content"] = turn["user_prompt"]
    file(source).write_text(json.dumps(changed))
    assert play_on("warehouse", f"{source}:0", tmp_path) == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert message in error
    assert f"{source}:0: turn" in error
    assert not (tmp_path / name("warehouse")).exists()


def test_a_rollout_of_another_instance_is_refused(
    tmp_path: Path, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "old" / name("sokoban")
    source.mkdir(parents=True)
    for path in (recorded / name("sokoban")).iterdir():
        (source / path.name).write_bytes(path.read_bytes())
    changed = rollouts(source)
    changed[0]["instance_id"] = "level-of-old"
    file(source).write_text(json.dumps(changed))
    assert play_on("sokoban", f"{source}:0", tmp_path, turn=1) == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert "the instance is recorded as level-of-old, and the environment gives level-" in error


def test_a_family_of_another_origin_is_refused(
    tmp_path: Path, recorded: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "published" / name("sokoban")
    source.mkdir(parents=True)
    path = file(recorded / name("sokoban"))
    (source / path.name).write_bytes(path.read_bytes())
    assert play_on("sokoban", source, tmp_path) == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert "holds no collection.yaml, so its environments cannot be restored" in error


def test_containers_of_swebench_are_not_restored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert play_on("swebench", tmp_path, tmp_path, "--agent", "openai/m") == 2
    error = capsys.readouterr().err.replace("\n", " ")
    assert "the files, processes and clocks of its container are not recorded" in error


def trajectories(folder: Path) -> dict[str, dict[str, Any]]:
    paths = sorted(folder.glob("run/*/*.traj.json"))
    return {path.parent.name: json.loads(path.read_bytes()) for path in paths}


@needs_tool
def test_commands_on_toys_are_run_again_and_then_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "origin" / name("swebench")
    steps = ("--steps", 12)
    recorded = ("--agent", "scripted", "--rollouts", 2, "--seed", 4, *steps)
    assert collect("swebench", *recorded, "--out", source) == 0
    start = f"{source}:1"
    assert play_on("swebench", start, tmp_path / "played", *steps, turn=3, n=2) == 0
    (rollout,) = (
        each for each in trajectories(source).values() if each["info"]["rollout_number"] == 1
    )
    said = [k for k, each in enumerate(rollout["messages"]) if each["role"] == "assistant"]
    played = trajectories(tmp_path / "played" / name("swebench"))
    assert len(played) == 2
    for instance, each in played.items():
        assert each["messages"][: said[3]] == rollout["messages"][: said[3]]
        assert instance == each["instance_id"]
        assert ContinuationName.parse(instance) == ContinuationName(
            rollout["instance_id"], 1, 3, each["info"]["continues"]["continuation"]
        )
    assert build(tmp_path / "played", tmp_path / "built", "--strict") == 0
    (family,) = build_record(tmp_path / "built")["families"]
    assert family["counts"]["rollouts"] == 2

    rollout["messages"][said[1] + 1]["content"] = "<returncode>3</returncode>"
    path = source / "run" / rollout["instance_id"] / f"{rollout['instance_id']}.traj.json"
    path.write_text(json.dumps(rollout))
    assert play_on("swebench", start, tmp_path / "changed", *steps, turn=3) == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert "turn 2: content is recorded as '<returncode>3" in error


@needs_tool
def test_toys_are_played_on_with_the_recorded_options(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / name("swebench")
    recorded = ("--agent", "scripted", "--rollouts", 1, "--steps", 4)
    assert collect("swebench", *recorded, "--out", source) == 0
    assert play_on("swebench", source, tmp_path / "played") == 2
    error = capsys.readouterr().err.replace("\n", " ")
    assert "options steps 4, not 160" in error
