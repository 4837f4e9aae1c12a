"""The curve of a policy as a picture: what is saved against what is lost, and what it is worth."""

from collections.abc import Mapping, Sequence
from typing import Any

from bagen_data.live.policies import SequentialPolicy, ThresholdPolicy
from bagen_data.policies.measured_policies import PolicyScores
from bagen_data.policies.policy_report import PolicyReport
from bagen_data.policies.policy_tables import facts
from bagen_data.scoring.report import Score

_Row = Mapping[str, Any]

_LINE, _LOST, _UNSEEN, _PALE = "#2f6db3", "#c8553d", "#4f8f5b", "#8a8f99"
_WORDS = {"saved": "cost saved", "lost": "successes lost"}
_SIDE = 330
_PANEL = {"width": _SIDE, "height": 142}
_BAR_EVERY = 0.1
"""Thresholds at which the left panel has bars, and names a point."""
_APART = 0.04
"""Shares saved or lost by which points with a name differ."""
_WIDE = 110
"""Characters of a line of the subtitle."""


def policy_chart(report: PolicyReport) -> Any:
    """Return the picture of a policy.

    On the left, the share of the cost saved against the share of the successes lost, a point a
    threshold. On the right, both over the threshold, and the net benefit. Bars and bands are 95%
    intervals over instances.
    """
    import altair as alt

    rows = [_row(point.policy, point.scores) for point in report.choice.curve]
    right = alt.vconcat(_shares(rows, report), _benefits(rows, report), spacing=14)
    title = alt.TitleParams(
        f"{report.request.forecaster} on {report.request.config}: cost saved and successes lost",
        subtitle=_lines(facts(report)),
        anchor="start",
    )
    return (
        alt.hconcat(_trade(rows, report), right, spacing=34)
        .resolve_scale(color="independent", shape="independent")
        .properties(title=title)
        .configure_view(stroke=None)
        .configure_axis(gridColor="#ececec", titleFontWeight="normal")
    )


def _trade(rows: Sequence[_Row], report: PolicyReport) -> Any:
    import altair as alt

    chosen = _named(report)
    x = _axis("lost", "share of the successes lost", [0, 1])
    y = _axis("saved", "share of the cost saved", _reach(rows, report))
    line = (
        _chart(rows)
        .mark_line(color=_LINE, interpolate="linear")
        .encode(x=x, y=y, order="threshold:Q")
    )
    few = _few(rows, report)
    bars = [
        _chart(values).mark_rule(color=colour, opacity=0.55).encode(**ends)
        for values, colour in ((few, _LINE), (chosen[1:2], _UNSEEN))
        for ends in (
            {"x": x, "y": "saved_low:Q", "y2": "saved_high:Q"},
            {"x": "lost_low:Q", "x2": "lost_high:Q", "y": y},
        )
    ]
    dots = _chart(few).mark_point(filled=True, size=28, color=_LINE, opacity=1).encode(x=x, y=y)
    names = (
        _chart(few)
        .mark_text(align="left", dx=5, dy=9, fontSize=10, color=_LINE)
        .encode(x=x, y=y, text="name:N")
    )
    scale = alt.Scale(
        domain=[each["label"] for each in chosen], range=[_LINE, _UNSEEN, _PALE, _PALE]
    )
    shape = alt.Scale(
        domain=[each["label"] for each in chosen], range=["circle", "diamond", "square", "triangle"]
    )
    legend = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=240, symbolSize=90)
    marks = (
        _chart(chosen)
        .mark_point(filled=True, size=130, opacity=0.95)
        .encode(
            x=x,
            y=y,
            color=alt.Color("label:N", scale=scale, legend=legend),
            shape=alt.Shape("label:N", scale=shape, legend=legend),
        )
    )
    return alt.layer(*bars, line, dots, names, marks).properties(width=_SIDE, height=_SIDE)


def _shares(rows: Sequence[_Row], report: PolicyReport) -> Any:
    import altair as alt

    y = alt.Y("share:Q", title="share", scale=alt.Scale(domain=[0, 1]), axis=_percents())
    scale = alt.Scale(domain=list(_WORDS.values()), range=[_LINE, _LOST])
    legend = alt.Legend(title=None, orient="top", symbolType="stroke", symbolOpacity=1)
    colour = alt.Color("what:N", scale=scale, legend=legend)
    values = [
        {
            "threshold": row["threshold"],
            "what": text,
            "share": row[name],
            "low": row[f"{name}_low"],
            "high": row[f"{name}_high"],
        }
        for name, text in _WORDS.items()
        for row in rows
    ]
    base = _chart(values).encode(x=_threshold(report, rows), color=colour)
    bands = base.mark_area(opacity=0.15).encode(y="low:Q", y2="high:Q")
    return alt.layer(bands, base.mark_line().encode(y=y), _rule(rows, report)).properties(**_PANEL)


def _benefits(rows: Sequence[_Row], report: PolicyReport) -> Any:
    import altair as alt

    base = _chart(rows).encode(x=_threshold(report, rows))
    title = f"net benefit, success worth {report.request.worth:g}"
    y = alt.Y("benefit:Q", title=title, axis=alt.Axis(tickCount=5))
    zero = _chart([{"benefit": 0.0}]).mark_rule(color=_PALE, strokeDash=[2, 3]).encode(y=y)
    return alt.layer(
        base.mark_area(color=_LINE, opacity=0.15).encode(y="benefit_low:Q", y2="benefit_high:Q"),
        zero,
        base.mark_line(color=_LINE).encode(y=y),
        _rule(rows, report),
    ).properties(**_PANEL)


def _rule(rows: Sequence[_Row], report: PolicyReport) -> Any:
    """Return a line at the policy that was chosen."""
    chosen = [{"threshold": _strictness(report.policy)}]
    return (
        _chart(chosen)
        .mark_rule(color="#4a4e57", strokeDash=[4, 3])
        .encode(x=_threshold(report, rows))
    )


def _threshold(report: PolicyReport, rows: Sequence[_Row]) -> Any:
    import altair as alt

    is_test = isinstance(report.policy, SequentialPolicy)
    title = "share of false aborts allowed" if is_test else "stop below this chance to finish"
    most = max(row["threshold"] for row in rows)
    scale = alt.Scale(domain=[0, most], nice=False)
    return alt.X("threshold:Q", title=title, scale=scale, axis=_percents())


def _named(report: PolicyReport) -> list[dict[str, Any]]:
    """Return the points that have a name: the policy, seen and unseen, foresight and the cap."""
    chosen, nothing = report.choice, Score(0.0, 0)
    cap = PolicyScores(nothing, nothing, nothing, nothing, nothing)
    named = {
        "policy, where it was chosen": chosen.seen,
        "policy, on unseen instances": chosen.unseen,
        "perfect foresight": report.foresight,
        "hard cap alone": cap,
    }
    return [{"label": name, **_measures(scores)} for name, scores in named.items()]


def _few(rows: Sequence[_Row], report: PolicyReport) -> list[_Row]:
    """Return the points of the curve that have bars and a name, no two close to each other."""
    is_test = isinstance(report.policy, SequentialPolicy)
    few: list[_Row] = []
    for row in rows:
        tens = row["threshold"] / _BAR_EVERY
        is_named = row["saved"] and (is_test or abs(tens - round(tens)) < 1e-6)
        if is_named and all(_distance(row, other) > _APART for other in few):
            few.append(row)
    return few


def _distance(one: _Row, other: _Row) -> float:
    return float(max(abs((one[name] or 0.0) - (other[name] or 0.0)) for name in ("saved", "lost")))


def _row(policy: ThresholdPolicy | SequentialPolicy, scores: PolicyScores) -> dict[str, Any]:
    strictness = _strictness(policy)
    return {"threshold": strictness, "name": f"{100 * strictness:g}%", **_measures(scores)}


def _strictness(policy: ThresholdPolicy | SequentialPolicy) -> float:
    if isinstance(policy, SequentialPolicy):
        return policy.max_false_abort
    return policy.stop_below


def _measures(scores: PolicyScores) -> dict[str, float | None]:
    """Return each measure with its interval; its value alone without an interval."""
    measures: dict[str, float | None] = {}
    for name, score in (
        ("saved", scores.cost_saved),
        ("lost", scores.successes_lost),
        ("benefit", scores.net_benefit),
    ):
        measures[name] = score.value
        measures[f"{name}_low"] = score.value if score.low is None else score.low
        measures[f"{name}_high"] = score.value if score.high is None else score.high
    return measures


def _reach(rows: Sequence[_Row], report: PolicyReport) -> list[float]:
    highest = [row["saved_high"] or 0.0 for row in rows]
    foresight = report.foresight.cost_saved.value or 0.0
    return [0, min(1.0, max(*highest, foresight, 0.05) * 1.05)]


def _axis(name: str, title: str, domain: Sequence[float]) -> Any:
    import altair as alt

    make = alt.X if title.endswith("lost") else alt.Y
    return make(
        f"{name}:Q",
        title=title,
        scale=alt.Scale(domain=list(domain), nice=False),
        axis=_percents(),
    )


def _percents() -> Any:
    import altair as alt

    return alt.Axis(format="~%", tickCount=6)


def _lines(text: str) -> list[str]:
    """Return the lines of a text, broken between words."""
    lines = [""]
    for word in text.split():
        if len(lines[-1]) + len(word) > _WIDE:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}".strip()
    return lines


def _chart(values: Sequence[_Row]) -> Any:
    import altair as alt

    return alt.Chart(alt.Data(values=[dict(each) for each in values]))  # type: ignore[no-untyped-call]
