"""Scripted families: the same bytes each time, a spread of outcomes, and builders read them."""

import filecmp
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq
import pytest

from bagen_data.errors import InputError
from bagen_data.log_formats.mini_swe_agent import read
from bagen_data.logs.rollout_log import FamilyFacts
from collect.swebench.instances import take
from collect.swebench.trajectory_layout import Trajectories
from sample.actors.swebench_agents import DECK, RESOLVING, SCRIPTS, script_name
from sample.actors.toy_repositories import make_repositories, toys
from tests.collect.swebench.played_toys import (
    ROLLOUTS,
    STEPS,
    needs_tool,
    scripted_family,
)
from tests.making import build

pytestmark = needs_tool


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_the_same_seed_gives_the_same_bytes(family: Path, tmp_path: Path) -> None:
    Trajectories().write(tmp_path / "again", scripted_family(tmp_path / "toys"))
    names = files(family)
    assert names == files(tmp_path / "again")
    same, *others = filecmp.cmpfiles(family, tmp_path / "again", names, shallow=False)
    assert (same, others) == (names, [[], []])


def test_the_layout_is_the_tools_own(family: Path) -> None:
    report = orjson.loads((family / "report.json").read_bytes())
    predictions = orjson.loads((family / "run" / "preds.json").read_bytes())
    trajectories = [f"run/{name}/{name}.traj.json" for name in predictions]
    assert files(family) == sorted(["report.json", "run/preds.json", *trajectories])
    assert report["submitted_ids"] == sorted(predictions)
    outcomes = ("resolved_ids", "unresolved_ids", "empty_patch_ids")
    assert sorted(name for each in outcomes for name in report[each]) == sorted(predictions)
    assert [name for name, each in predictions.items() if not each["model_patch"]] == report[
        "empty_patch_ids"
    ]


def test_outcomes_spread(family: Path) -> None:
    played = dict(Trajectories().read(family))
    assert sorted(played) == list(range(ROLLOUTS))
    resolved = [each["info"]["evaluation"]["resolved"] for each in played.values()]
    assert 0.4 <= sum(resolved) / len(resolved) <= 0.7
    names = {each["info"]["config"]["model"]["model_name"] for each in played.values()}
    assert names == {f"scripted/{name}" for name in SCRIPTS}
    calls = [each["info"]["model_stats"]["api_calls"] for each in played.values()]
    assert max(calls) == STEPS
    assert len(set(calls)) >= 5


def test_scripts_do_what_they_say(family: Path) -> None:
    resolving = {f"scripted/{name}" for name in RESOLVING}
    for _, each in Trajectories().read(family):
        info = each["info"]
        name = info["config"]["model"]["model_name"]
        assert info["evaluation"]["resolved"] == (name in resolving)
        commands = [action["command"] for m in each["messages"] for action in _actions(m)]
        codes = [m["extra"]["returncode"] for m in each["messages"] if m["role"] == "tool"]
        failed = [command for command, code in zip(commands, codes, strict=False) if code]
        assert all(command.startswith("git grep") for command in failed)


def _actions(message: dict[str, Any]) -> list[dict[str, Any]]:
    return message["extra"].get("actions", []) if message["role"] == "assistant" else []


def test_every_deck_has_all_scripts_in_an_order_of_its_own() -> None:
    decks = [[script_name(0, len(DECK) * k + place) for place in range(len(DECK))] for k in (0, 1)]
    assert sorted(decks[0]) == sorted(decks[1]) == sorted(DECK)
    assert set(DECK) == set(SCRIPTS)
    assert decks[0] != decks[1]


def test_simulated_usage_counts_every_message_once(family: Path) -> None:
    for _, each in Trajectories().read(family):
        assert each["info"]["simulated_usage"] == "words and marks"
        log = read(each, FamilyFacts(frozenset([each["instance_id"]])))
        requests = [request for turn in log.turns for request in turn.requests or ()]
        assert len(requests) == len(log.turns)
        for before, after in pairwise(requests):
            assert after.input_tokens > before.input_tokens + before.output_tokens


def test_the_family_builds_with_feasible_and_infeasible_probes(
    family: Path, tmp_path: Path
) -> None:
    assert build(family.parent, tmp_path / "out", "--strict") == 0
    feasible = [
        value.as_py()
        for path in (tmp_path / "out").rglob("*.parquet")
        for column in [pq.read_table(path)]
        if "feasible" in column.column_names
        for value in column["feasible"]
    ]
    assert {True, False} <= set(feasible)


def test_a_family_can_be_taken_up_again(family: Path, tmp_path: Path) -> None:
    layout = Trajectories()
    rollouts = dict(layout.read(family))
    layout.write(tmp_path / "copy", (rollouts[number] for number in sorted(rollouts)))
    names = files(family)
    assert filecmp.cmpfiles(family, tmp_path / "copy", names, shallow=False)[0] == names


def test_one_rollout_of_each_instance(family: Path, tmp_path: Path) -> None:
    rollouts = [each for _, each in Trajectories().read(family)]
    with pytest.raises(InputError, match="two rollouts of toys__"):
        Trajectories().write(tmp_path / "twice", [rollouts[0], rollouts[0]])
    instances = make_repositories(toys()[:2], tmp_path / "toys")
    assert take(instances, 1) == instances[:1]
    with pytest.raises(InputError, match="3 rollouts need as many instances, and there are 2"):
        take(instances, 3)
