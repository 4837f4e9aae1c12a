"""Curves of a submission go with its scores, and are drawn within their panels."""

import math
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from leaderboard.curve_figures import (
    budget_figure,
    net_benefit_figure,
    quantile_figure,
    reliability_figure,
)
from tests.leaderboard.made_submissions import (
    FORECAST,
    Sample,
    budget_left,
    build_site,
    forecast,
    samples_of,
    submit,
)

FIGURES = (reliability_figure, quantile_figure, budget_figure, net_benefit_figure)


def half_sees(sample: Sample) -> str:
    """Forecasts of all kinds, and some that cannot be read."""
    number = sum(map(ord, sample["sample_id"])) % 7
    return "unsure" if number == 6 else forecast(sample, skill=number / 6)


@pytest.fixture(scope="module")
def board(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("curves")
    submit(folder / "in" / "half", dataset, half_sees, **FORECAST)
    submit(folder / "in" / "left", dataset, budget_left)
    results = build_site(folder / "in", dataset, folder / "site", "--resamples", 0)
    pages = folder / "site" / "submissions"
    return {
        "by_folder": {each["folder"]: each for each in results["submissions"]},
        **{name: (pages / name).read_text() for name in ("half.html", "left.html")},
    }


def test_curves_go_with_the_scores_of_the_group(board: dict[str, Any]) -> None:
    for folder in ("half", "left"):
        record = board["by_folder"][folder]
        groups = {"overall": record["scores"]["overall"], **record["scores"]["tasks"]}
        assert record["curves"].keys() == groups.keys()
        for name, curves in record["curves"].items():
            points = curves["net_benefit"]
            slope = (points[-1]["estimator"] - points[0]["estimator"]) / (
                points[-1]["worth"] - points[0]["worth"]
            )
            at_2 = points[0]["estimator"] + slope * (2 - points[0]["worth"])
            assert at_2 == pytest.approx(groups[name]["net_benefit"]["value"])


def test_reliability_counts_the_open_probes_with_a_forecast(
    board: dict[str, Any], dataset: Path
) -> None:
    open_probes = [
        sample
        for sample in samples_of(dataset, "sokoban")
        if all(part["used"] <= part["budget"] for part in sample["resources"])
        and half_sees(sample) != "unsure"
    ]
    curve = board["by_folder"]["half"]["curves"]["sokoban"]["finish"]
    assert sum(each["n"] for each in curve) == len(open_probes)
    happened = sum(each["n"] * each["happened"] for each in curve if each["n"])
    assert happened == pytest.approx(sum(sample["feasible"] for sample in open_probes))


def test_an_interval_submission_has_the_net_benefit_alone(board: dict[str, Any]) -> None:
    curves = board["by_folder"]["left"]["curves"]
    assert [bool(figure(curves)) for figure in FIGURES] == [False, False, False, True]
    for label in ("Reliability", "Calibration of quantiles", "Success by budget"):
        assert f'aria-label="{label}"' in board["half.html"]
        assert f'aria-label="{label}"' not in board["left.html"]
    for page in ("half.html", "left.html"):
        assert 'aria-label="Net benefit"' in board[page]


def test_figures_are_drawn_within_their_panels(board: dict[str, Any]) -> None:
    for figure in FIGURES:
        tree = ET.fromstring(figure(board["by_folder"]["half"]["curves"]) or "")  # noqa: S314  ours
        for path in tree.findall(".//{*}g/{*}path"):
            for point in (path.get("d") or "")[1:].replace("V", "L").split("L"):
                for number in point.replace("H", " ").split():
                    assert -0.01 <= float(number) <= 250.01


def extreme(worth: float, value: float) -> dict[str, Any]:
    return {"worth": worth, "estimator": value, "foresight": 0.1, "never": None}


@pytest.mark.parametrize("values", [(0.0, 0.0), (5.0, -5.0), (-1e300, 1e300), (3.0, 3.0)])
def test_lines_end_where_they_leave_the_panel(values: tuple[float, float]) -> None:
    curve = [extreme(worth, value) for worth, value in zip((0.25, 32), values, strict=True)]
    none: dict[str, Any] = {"finish": [], "quantiles": [], "budget": []}
    svg = net_benefit_figure({"a": {**none, "net_benefit": curve}})
    tree = ET.fromstring(svg or "")  # noqa: S314  our own
    for path in tree.findall(".//{*}g/{*}path[@stroke-width]"):
        for point in (path.get("d") or "")[1:].split("L"):
            x, y = map(float, point.split())
            assert 0 <= x <= 250
            assert 0 <= y <= 160
            assert math.isfinite(x + y)


def test_lines_that_coincide_are_all_seen() -> None:
    """The first is solid, and those over it have gaps."""
    point = {"estimator": 0.0, "foresight": 0.0, "never": 0.0}
    curve = [{"worth": worth, **point} for worth in (0.25, 32)]
    budget = [{"budget": each, "n": 9, "said": 0.5, "happened": 0.5} for each in (0.5, 1)]
    curves = {"a": {"net_benefit": curve, "budget": budget}}
    for figure, lines in ((net_benefit_figure, 4), (budget_figure, 2)):
        tree = ET.fromstring(figure(curves) or "")  # noqa: S314  our own
        paths = tree.findall(".//{*}g/{*}path[@stroke-width]")
        assert len({path.get("d") for path in paths}) == 1
        first, *others = (path.get("stroke-dasharray") for path in paths)
        assert first is None
        assert None not in others
        assert len(set(others)) == lines - 1


def test_counts_stand_over_lines_and_points() -> None:
    """Counts are drawn last, shortened, and beside a point where its line does not go."""
    heights = (0.5, 0.3, 0.5)
    finish = [
        {"n": 1234, "said": 0.1 + 0.2 * place, "happened": height}
        for place, height in enumerate(heights)
    ]
    tree = ET.fromstring(reliability_figure({"a": {"finish": finish}}) or "")  # noqa: S314
    group = tree.find(".//{*}g")
    assert group is not None
    counts = [each for each in group if each.text == "1.2k"]
    assert list(group)[-3:] == counts
    points = [float(each.get("cy") or "nan") for each in group.findall("{*}circle")]
    shifts = [float(each.get("y") or "nan") - y for each, y in zip(counts, points, strict=True)]
    assert [shift > 0 for shift in shifts] == [False, True, False]
    twice = [finish[0], finish[0] | {"said": 0.11}]
    svg = reliability_figure({"a": {"finish": twice}}) or ""
    assert svg.count("1.2k") == 1


def test_without_forecasts_there_are_no_curves_of_them() -> None:
    assert [figure({}) for figure in FIGURES] == [None] * 4
