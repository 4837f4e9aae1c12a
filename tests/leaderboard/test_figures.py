"""Figures, as far as their text tells."""

import re
import xml.etree.ElementTree as ET
from typing import Any

from leaderboard.figures import cost_figure, decoupling_figure
from leaderboard.main_table import EstimatorRow
from leaderboard.progress_figures import progress_figure, width_figure
from leaderboard.side_by_side import Room, side_by_side


def texts(svg: str | None) -> list[str]:
    assert svg is not None
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def row(name: str, cost: float, value: float) -> EstimatorRow:
    score = {"value": value, "n": 9, "low": value - 0.1, "high": value + 0.1}
    return EstimatorRow(name, name, 0, {"macro_f1": score}, costs={"cost_usd_per_1000": cost})


def test_each_power_of_ten_of_a_cost_is_written_out() -> None:
    labels = texts(
        cost_figure([row("a", 0.4, 0.5), row("b", 300.0, 0.9)], "macro_f1", "submissions")
    )
    assert {"0", "1", "10", "100"} <= set(labels)
    assert not any("e+" in text for text in labels)


def dots(svg: str | None) -> list[tuple[float, float]]:
    """Return the place of each dot."""
    assert svg is not None
    places = re.findall(r'graphics-symbol"[^>]* transform="translate\(([\d.]+),([\d.]+)\)"', svg)
    return [(float(x), float(y)) for x, y in places]


def test_estimators_of_equal_cost_and_score_do_not_hide_each_other() -> None:
    """Dots stand side by side within the axes, and each says its own name, score and cost."""
    free = [row(f"free{number}", 0.0, 0.5) for number in range(5)]
    paid = [row(f"paid{number}", 3.0, 0.9) for number in range(3)]
    svg = cost_figure([*free, *paid, row("alone", 0.4, 0.5)], "macro_f1", "submissions")
    places = dots(svg)
    assert len(set(places)) == len(places) == 9
    for number, (x, y) in enumerate(places):
        assert 0 <= x <= 840
        assert all(abs(x - a) > 8 or abs(y - b) > 8 for a, b in places[:number])
    assert {y for _, y in places[:5]} == {places[0][1]}
    assert places[0][0] == 0
    assert [x for x, _ in places[5:8]] == [840, 828, 816]
    for each in ("free4: macro_f1 0.50 at $0", "paid2: macro_f1 0.90 at $3"):
        assert f"<title>{each} for 1,000 probes</title>" in str(svg)
    assert str(svg).count("</title></path>") == len(places)  # the dashed line has no title


def test_estimators_that_judge_alike_do_not_hide_each_other() -> None:
    rows = [row(name, 0.0, 0.5) for name in "ab"]
    places = dots(decoupling_figure(rows, "macro_f1", "submissions"))
    (a, b), (c, d) = places
    assert b == d
    assert abs(a - c) > 8


def test_a_dot_that_hides_no_other_keeps_its_place() -> None:
    places = [(float(x), float(y)) for x in range(0, 100, 20) for y in range(0, 100, 20)]
    moved = side_by_side(places, Room(10.0, 10.0, 0.0, 100.0), range(len(places)))
    assert moved == [x for x, _ in places]


def test_dots_without_room_stay_where_they_are() -> None:
    moved = side_by_side([(5.0, 1.0)] * 100, Room(10.0, 1.0, 0.0, 30.0), range(100))
    assert moved == [5.0, 15.0, 25.0, *[5.0] * 97]


def parts(*widths: float) -> dict[str, dict[str, Any]]:
    return {
        f"{20 * place}-{20 * place + 20}%": {
            "relative_width": {"value": width},
            "coverage": {"value": 1.0},
        }
        for place, width in enumerate(widths)
    }


def test_names_of_parts_of_a_rollout_do_not_cover_each_other() -> None:
    labels = texts(width_figure({"near": parts(1.0, 1.01, 1.02), "far": parts(1.0, 2.0, 3.0)}))
    assert sum(text.endswith("%") for text in labels) == 1 + 3


def scores(value: float | None) -> dict[str, Any]:
    names = ("coverage", "optimistic", "conservative", "predicted_feasible_on_infeasible")
    return {name: {"value": value, "low": value, "high": value} for name in names}


def test_a_panel_has_a_point_for_each_score_of_each_part() -> None:
    groups = {"one": {"0-20%": scores(0.5), "20-40%": scores(None)}, "<b>": {"0-20%": scores(1.0)}}
    svg = progress_figure(groups)
    assert svg is not None
    tree = ET.fromstring(svg)  # noqa: S314  our own
    circles = tree.findall(".//{*}g/{*}circle")
    assert [circle.get("cy") for circle in circles] == ["80.0"] * 4 + ["0.0"] * 4
    assert {"one", "&lt;b&gt;", "0-20%", "covered"} <= set(texts(svg))


def test_an_interval_without_width_is_not_drawn() -> None:
    """A bar stands where the ends of an interval differ, and nowhere else."""
    same, wide = scores(0.5), scores(0.5)
    wide["coverage"] = {"value": 0.5, "low": 0.4, "high": 0.6}
    bars = [
        len(re.findall('opacity="0.5"', progress_figure({"one": {"0-20%": part}}) or ""))
        for part in (same, wide)
    ]
    assert bars == [0, 1]


def test_words_beside_a_point_stay_within_their_panel() -> None:
    """Words at an edge of a panel begin or end at their point."""
    anchors = re.findall(
        r'text-anchor="(\w+)"[^>]*>\d+-\d+%<',
        width_figure({"one": parts(0.0, 4.0, 8.0, 10.0)}) or "",
    )
    assert anchors == ["start", "middle", "end"]


def test_without_values_there_are_no_panels() -> None:
    assert progress_figure({}) is None
    assert progress_figure({"one": {"0-20%": scores(None)}}) is None
    assert width_figure({}) is None


def test_the_widest_intervals_are_within_their_panel() -> None:
    for width in (0.0, 5e-324, 1e-300, 0.3, 7.0, 1e250):
        tree = ET.fromstring(width_figure({"one": parts(width)}) or "")  # noqa: S314  our own
        places = [float(each.get("cx") or "nan") for each in tree.findall(".//{*}circle")]
        assert all(0 <= place <= 250 for place in places)
