"""Figures, as far as their text tells."""

import re
from typing import Any

from leaderboard.figures import cost_figure, width_figure
from leaderboard.main_table import EstimatorRow


def texts(svg: str | None) -> list[str]:
    assert svg is not None
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def row(name: str, cost: float, value: float) -> EstimatorRow:
    score = {"value": value, "n": 9, "low": value - 0.1, "high": value + 0.1}
    return EstimatorRow(name, name, 0, {"macro_f1": score}, costs={"cost_usd_per_1000": cost})


def test_each_power_of_ten_of_a_cost_is_written_out() -> None:
    labels = texts(cost_figure([row("a", 0.4, 0.5), row("b", 300.0, 0.9)], "submissions"))
    assert {"0", "1", "10", "100"} <= set(labels)
    assert not any("e+" in text for text in labels)


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
