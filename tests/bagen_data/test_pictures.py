"""Pictures of rollouts, drawn from datasets that were built of collected families."""

import json
import re
from itertools import groupby
from typing import Any

import pytest

from bagen_data.cli import main
from bagen_data.hub import load_samples
from bagen_data.pictures import draw, sokoban_picture, warehouse_picture
from bagen_data.rollout_view import find_rollout, find_sample
from tests.making import SHARED, build, collect, exit_code, needs_shared

STARTS = {"svg": b"<svg", "png": b"\x89PNG", "html": b"<!DOCTYPE"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pictures")
    for task in ("sokoban", "searchr1", "warehouse"):
        out = folder / "origin" / f"{task}-origin-scripted"
        assert collect(task, "--agent", "scripted", "--rollouts", 6, "--out", out) == 0
    assert build(folder / "origin", folder / "built") == 0
    return str(folder / "built")


def sample_of(dataset: str, task: str, turn: int) -> str:
    rows = load_samples(dataset, task).table.to_pylist()
    return next(row["sample_id"] for row in rows if row["completed_turns"] == turn)


def rollout_of(dataset: str, task: str, turn: int) -> dict[str, Any]:
    return dict(find_rollout(dataset, find_sample(dataset, sample_of(dataset, task, turn))))


@pytest.mark.parametrize("ending", STARTS)
@pytest.mark.parametrize("task", ["sokoban", "warehouse"])
def test_a_picture_is_drawn(dataset, tmp_path, capsys, task, ending):
    path = tmp_path / f"p.{ending}"
    sample = sample_of(dataset, task, 2)
    assert exit_code(main, "show", sample, "--dataset", dataset, "--picture", path) == 0
    assert "is drawn in" in capsys.readouterr().out
    assert path.read_bytes().startswith(STARTS[ending])


@pytest.mark.parametrize(
    ("task", "name", "message"),
    [
        ("searchr1", "p.svg", "no picture of searchr1 can be drawn; expected sokoban or warehouse"),
        ("sokoban", "p.gif", "expected a file ending in .svg, .png, .html"),
        ("sokoban", "no/p.svg", "cannot be written"),
    ],
)
def test_what_cannot_be_drawn_is_one_message(dataset, tmp_path, capsys, task, name, message):
    arguments = ("show", sample_of(dataset, task, 1), "--dataset", dataset)
    assert exit_code(main, *arguments, "--picture", tmp_path / name) in (1, 2)
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_level_is_drawn_as_it_was_told(dataset):
    rollout = rollout_of(dataset, "sokoban", 2)
    rows = sokoban_picture.rollout_chart(rollout, 2).to_dict()["data"]["values"]
    marks = {frozenset(kinds): mark for mark, kinds in sokoban_picture._MARKS.items()}
    drawn = {}
    for number, things in groupby(rows, key=lambda row: row["turn"]):
        cells: dict[tuple[int, int], set[str]] = {}
        for thing in things:
            cells.setdefault((thing["row"], thing["column"]), set()).add(thing["what"])
        lines = groupby(sorted(cells), key=lambda cell: cell[0])
        drawn[number] = [
            "".join(marks[frozenset(cells[cell])] for cell in line) for _, line in lines
        ]
    grids = [turn["user"].split("Grid Map:\n")[1].split("\n")[:6] for turn in rollout["turns"]]
    assert [drawn[number] for number in sorted(drawn)] == grids
    assert {row["shown"] for row in rows if row["turn"] <= 2} == {1.0}
    assert all(row["shown"] < 1 for row in rows if row["turn"] > 2)


@pytest.mark.parametrize(
    ("task", "turn", "marks"),
    [
        ("sokoban", 0, ["asked before turn 1", "wall", "target", "box on target", "player"]),
        ("sokoban", 2, ["asked after turn 2", "wall", "target", "box on target", "player"]),
        ("warehouse", 0, ["here: asked before turn 1", "travel_dock", "cash"]),
        ("warehouse", 3, ["here: asked after turn 3", "travel_dock", "cash"]),
    ],
)
def test_a_picture_says_where_the_question_is_and_what_its_marks_are(
    dataset, tmp_path, task, turn, marks
):
    picture = tmp_path / "p.svg"
    draw(picture, rollout_of(dataset, task, turn or 1), turn)
    texts = re.findall(r"<(?:text|tspan)[^>]*>([^<]+)", picture.read_text("utf-8"))
    assert [mark for mark in marks if mark not in texts] == []
    assert [text for text in texts if "\u2026" in text] == []


@pytest.mark.parametrize(("turn", "framed"), [(0, 1), (1, 1), (2, 2)])
def test_one_level_has_a_frame(dataset, turn, framed):
    chart = sokoban_picture.rollout_chart(rollout_of(dataset, "sokoban", 2), turn).to_dict()
    rows = chart["data"]["values"]
    assert [row["turn"] for row in rows if row["is_framed"]] == [framed]
    assert {row["turn"] for row in rows if "asked" in row["heading"]} == {framed}
    [frame] = [layer for layer in chart["spec"]["layer"] if "stroke" in layer["mark"]]
    assert frame["mark"]["strokeWidth"] > 2
    assert frame["transform"] == [{"filter": {"equal": True, "field": "is_framed"}}]


def test_long_actions_are_wrapped_above_a_level():
    [heading] = {
        row["heading"] for row in level_of("###\n#P#\n###", f"<answer>{'Up ' * 12}</answer>")
    }
    lines = heading.split("\n")
    assert lines[-1] == "asked after turn 1"
    assert "".join(lines[:-1]).count("Up") == 12
    assert max(map(len, lines)) <= 20


@needs_shared
def test_recorded_levels_can_be_drawn():
    family = SHARED / "sokoban-origin-llama3.1-8b" / "rollouts.jsonl"
    messages = json.loads(family.read_bytes().split(b"\n", 1)[0])["messages"]
    texts = [message["content"] for message in messages]
    pairs = zip(texts[::2], texts[1::2], strict=False)  # the last observation is no turn
    turns = [{"user": user, "assistant": assistant} for user, assistant in pairs]
    chart = sokoban_picture.rollout_chart(
        {"turns": turns, "rollout_model": "m", "instance_id": "i"}, 1
    )
    assert {row["turn"] for row in chart.to_dict()["data"]["values"]} == set(range(1, 11))


def level_of(user: str, assistant: str = "<answer>Up</answer>") -> list[dict[str, Any]]:
    """The drawing of one turn."""
    turns = [{"user": user, "assistant": assistant}]
    picture = sokoban_picture.rollout_chart(
        {"turns": turns, "rollout_model": "m", "instance_id": "i"}, 1
    )
    return picture and picture.to_dict()["data"]["values"]


@pytest.mark.parametrize(
    ("mark", "things"),
    [
        ("#", ["wall"]),
        ("_", ["floor"]),
        ("O", ["floor", "target"]),
        ("X", ["floor", "box"]),
        ("P", ["floor", "player"]),
        ("√", ["floor", "target", "box on target"]),
        ("S", ["floor", "target", "player"]),
    ],
)
def test_each_mark_is_what_it_stands_for(mark, things):
    rows = level_of(f"###\n#{mark}#\n###")
    assert [row["what"] for row in rows if (row["row"], row["column"]) == (1, 1)] == things


def test_a_turn_is_its_last_grid_and_its_last_answer_after_the_thoughts():
    rows = level_of(
        "###\n#P#\n###\nand then:\n###\n#S#\n###",
        "<think><answer>Up</answer></think> <answer>Left || Left</answer>",
    )
    assert [row["what"] for row in rows].count("target") == 1
    assert {row["title"] for row in rows} == {"1: Left Left"}
    assert level_of("###\n#P#\n###", "<think><answer>Up</answer></think>")[0]["title"] == (
        "1: no answer"
    )


def test_messages_without_a_grid_have_no_picture():
    assert level_of("Where am I?", "Right") is None


def test_accounts_and_orders_are_drawn_as_they_were(dataset):
    rollout = rollout_of(dataset, "warehouse", 3)
    steps = list(warehouse_picture._steps(rollout["turns"]))
    orders = list(warehouse_picture._orders(rollout["turns"], steps))
    assert list(warehouse_picture._opening(rollout["turns"])) == [{"week": 0.0, "cash": 500_000.0}]
    assert [step["week"] for step in steps] == [2 * number for number in range(1, len(steps) + 1)]
    for step, turn in zip(steps, rollout["turns"], strict=True):
        usage = {pair["name"]: pair["value"] for pair in turn["usage"]}
        assert step["stock"] * 2 == usage["warehouse_item_weeks"]
        produced = sum(line.startswith("produce") for line in turn["assistant"].split("\n"))
        placed = sum(order["week"] == step["began"] for order in orders)
        assert placed <= produced
    assert orders


def test_a_log_without_orders_has_the_other_panels():
    accounts = {"time_weeks": 2, "warehouse_item_weeks": 10, "cumulative_cost_usd": 5}
    usage = [{"name": name, "value": value} for name, value in accounts.items()]
    state = [{"name": "cash_usd", "value": 7.0}]
    turn = {"user": "a foreign log", "assistant": "go", "usage": usage, "state": state}
    rollout = {"turns": [turn, turn], "conditions": [], "rollout_model": "m", "instance_id": "i"}
    assert len(warehouse_picture.rollout_chart(rollout, 1).to_dict()["vconcat"]) == 2
    target = [{"name": "target_cash_usd", "value": 900.0}]
    cash, stock = warehouse_picture.rollout_chart(rollout | {"conditions": target}, 1).to_dict()[
        "vconcat"
    ]
    assert [value["text"] for value in values(cash) if "text" in value] == ["target $900"] * 2
    for panel in (cash, stock):
        assert [value["week"] for value in values({"layer": [panel["layer"][-1]]})] == [2]


def values(panel: dict[str, Any]) -> list[dict[str, Any]]:
    """The marks of all layers of a panel."""
    return [
        value
        for layer in panel["layer"]
        for value in (values(layer) if "layer" in layer else layer["data"]["values"])
    ]
