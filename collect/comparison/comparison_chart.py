"""A comparison of families as a picture: success against unified cost, and the Pareto front."""

from collections.abc import Sequence
from typing import Any

import altair as alt

from collect.comparison.paired_comparison import ComparedFamilies, FamilyRow

_SIZE = {"width": 480, "height": 320}


def comparison_chart(compared: ComparedFamilies) -> Any:
    """Return the picture: a point a family, its 95% intervals, and steps along the front."""
    axis = alt.Axis(format="%")
    x = alt.X("cost:Q", title="unified cost of a rollout, US dollars", scale=alt.Scale(zero=False))
    y = alt.Y("success:Q", title="success", scale=alt.Scale(zero=False), axis=axis)
    legend = alt.Legend(orient="bottom", columns=1, labelLimit=_SIZE["width"])
    colour = alt.Color("family:N", title=None, sort=None, legend=legend)
    steps = _chart(compared.front).mark_line(
        interpolate="step-after", strokeDash=[4, 3], color="#888888"
    )
    base = _chart(compared.rows)
    costs = base.mark_rule().encode(x="cost_low:Q", x2="cost_high:Q", y=y, color=colour)
    successes = base.mark_rule().encode(x=x, y="success_low:Q", y2="success_high:Q", color=colour)
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x=x, y=y, color=colour)
    title = f"{compared.task}: success against cost, {compared.instances} instances"
    layers = alt.layer(steps.encode(x=x, y=y), costs, successes, points)
    return layers.properties(title=title, **_SIZE)


def _chart(rows: Sequence[FamilyRow]) -> Any:
    return alt.Chart(alt.Data(values=[_point(row) for row in rows]))  # type: ignore[no-untyped-call]


def _point(row: FamilyRow) -> dict[str, Any]:
    cost, success = row.means["cost_usd"], row.means["success"]
    (cost_low, cost_high), (low, high) = (
        each.interval or (each.value, each.value) for each in (cost, success)
    )
    return {
        "family": row.name,
        "cost": cost.value,
        "cost_low": cost_low,
        "cost_high": cost_high,
        "success": success.value,
        "success_low": low,
        "success_high": high,
    }
