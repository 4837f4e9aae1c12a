"""Draw the pictures of docs/scores.md from the project's own formulas.

python -m benchmarks.score_pictures            all of them
python -m benchmarks.score_pictures brier wis  some

Each picture is an SVG without a background, in tones that are readable on light and on dark pages.
Random draws have a seed, so a picture is the same, byte for byte, with the same versions of
altair and vl-convert. `interval-coverage` and `family-wise-error` simulate studies, which takes
some minutes, and print their numbers.
"""

import argparse
import io
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import attrgetter
from statistics import NormalDist
from typing import Any

import altair as alt
import numpy as np

from bagen_data.array_types import Floats
from bagen_data.ceiling.perfect_forecasts import perfect_brier
from bagen_data.scoring import score
from bagen_data.scoring.forecast_formulas import (
    CURVE_BUDGETS,
    brier,
    chance_within,
    log_score,
    weighted_interval_score,
)
from bagen_data.scoring.interval_formulas import covered, interval_reward, interval_score
from bagen_data.scoring.scores.early_stop import SUCCESS_WORTH
from benchmarks.measuring import REPO
from tests.bagen_data.scoring.simulated_studies import Setup, coverage, family_wise_error

FOLDER = REPO / "docs/scores"
TEXT = "#767c85"
"""Grey whose contrast is 4.2 on white and 4.5 on the dark pages of GitHub."""
GRID = "#8a919b"
COLOURS = ("#3f87c9", "#d0613f", "#3d9961", "#a9802f", "#8d70c4", "#c25a94")
WIDTH, HEIGHT = 520, 260
"""Pixels of the plot; with its axes it is as wide as a page of 600 pixels, and shrinks below."""
Row = dict[str, Any]

LOGNORMAL_SIGMA = 0.5
"""Spread of log R in the pictures of intervals; the median of R is 1."""
CHANCE = 0.7
"""True probability in the picture of Brier and log score."""
QUANTILES = (850.0, 1100.0, 1400.0, 1900.0, 2600.0)
"""The forecast of the page's examples, in tokens."""
SUCCESS, USED, BUDGET, TOTAL = 0.8, 1000.0, 3000.0, 2600.0
"""The probe of the page's example of a budget curve; the rollout succeeded."""
WORTHS = [2 ** (step / 8) for step in range(-16, 41)]
"""Worths of a success from 0.25 to 32 budgets."""
ROLLOUTS = {
    "a": (800, True),
    "b": (600, False),
    "c": (1500, True),
    "d": (2000, False),
}
"""Total tokens and success of the page's four rollouts; the budget is 1,000 tokens."""
CAP = 1000
TURNS = {1: 200, 2: 500}
"""Tokens used at the two probes of each of them."""
INSTANCES = (10, 16, 30, 64, 128)
"""Numbers of instances of the simulated studies."""
RANKED = ("macro_f1_open", "brier_skill", "wis_skill")
"""Scores that the board ranks by."""
SIMULATED = (*RANKED, "hit_rate", "wis")
"""Scores whose intervals are simulated where half of the rollouts are feasible."""
HARD = ("macro_f1_open",)
"""Scores whose intervals are simulated where a fifth of the rollouts is feasible."""
COVERAGE_STUDIES, ERROR_STUDIES = 1000, 300
"""Numbers of studies: of each number of instances, and of each correlation."""


def feasibility() -> Any:
    """Scores of answers that do not look at the probe, by the share of infeasible samples."""
    answers: Mapping[str, Callable[[int], str]] = {
        "always impossible": lambda _number: "impossible",
        "always an interval": lambda _number: "[1, 2]",
        "a coin": lambda number: ("impossible", "[1, 2]")[number % 2],
    }
    rows: list[Row] = []
    for infeasible in range(2, 100, 2):
        for name, answer in answers.items():
            # half of each class gets each side of the coin
            probes = [
                (feasible, answer(number))
                for feasible, count in ((True, 100 - infeasible), (False, infeasible))
                for number in range(count)
            ]
            scores = _class_scores(probes)
            rows += [
                {"x": infeasible / 100, "y": scores[shown], "line": f"{shown}, {name}"}
                for shown in ("macro_f1", "fail_f1")
                if shown == "macro_f1" or name == "always impossible"
            ]
    return alt.layer(
        _lines(
            rows,
            _quantity("x", "share of infeasible samples", format=".0%"),
            _quantity("y", "score", (0, 1)),
        )
    )


def _class_scores(probes: Sequence[tuple[bool, str]]) -> dict[str, float]:
    samples, answers = [], []
    for number, (feasible, answer) in enumerate(probes):
        sample_id = f"t/m/r{number}/1"
        amounts = {"resource": "tokens", "budget": 9.0, "used": 1.0, "remaining": 2.0}
        samples.append({"sample_id": sample_id, "feasible": feasible, "resources": [amounts]})
        answers.append({"sample_id": sample_id, "response": f"<answer>{answer}</answer>"})
    overall = score(samples, answers, resamples=0).overall
    return {name: each.value for name, each in overall.items() if each.value is not None}


def reward() -> Any:
    """Expected reward and coverage of the median +- w, for a lognormal R."""
    amounts = _lognormal()
    rows: list[Row] = []
    for percent in range(100):
        low, high = (np.full_like(amounts, 1 + sign * percent / 100) for sign in (-1, 1))
        rows += [
            {"x": percent / 100, "y": float(values.mean()), "line": line}
            for line, values in (
                ("reward", interval_reward(low[None], high[None], amounts[None])),
                ("coverage", covered(low, high, amounts)),
            )
        ]
    best = max((row for row in rows if row["line"] == "reward"), key=lambda row: row["y"])
    return _lines(
        rows,
        _quantity("x", "half-width of the interval, as a share of the median", format=".0%"),
        _quantity("y", "mean over R", (0, 1)),
    ) + _marked(best["x"], f"best reward: ±{best['x']:.0%}")


def interval_scores() -> Any:
    """Expected interval score at 80% of central intervals, for a lognormal R."""
    amounts = _lognormal()
    rows: list[Row] = []
    for percent in range(20, 99):
        reach = LOGNORMAL_SIGMA * NormalDist().inv_cdf(0.5 + percent / 200)
        low, high = (np.full_like(amounts, side) for side in (-reach, reach))
        scores = interval_score(low, high, np.log(amounts), alpha=0.2)
        rows.append({"x": percent / 100, "y": float(scores.mean()), "line": ""})
    return _lines(
        rows,
        _quantity("x", "probability that the interval said holds", format=".0%"),
        _quantity("y", "mean interval score, log scale", (1.5, 3)),
    ) + _marked(0.8, "honest: 80%")


def _lognormal() -> Floats:
    """Return 10,000 equally likely amounts."""
    shares = (np.arange(10_000) + 0.5) / 10_000
    normal = np.array([NormalDist().inv_cdf(share) for share in shares])
    return np.exp(LOGNORMAL_SIGMA * normal)


def brier_and_log() -> Any:
    """Expected Brier and log score of what is said, where the true probability is 0.7."""
    said = np.arange(1, 100) / 100
    rows: list[Row] = [
        {"x": float(chance), "y": float(mean), "line": line}
        for line, of in (("brier", brier), ("log_score", log_score))
        for chance, mean in zip(said, _expected(of, said), strict=True)
    ]
    return _lines(
        rows,
        _quantity("x", "probability said", (0, 1)),
        _quantity("y", "expected score", (0, 1.5)),
    ) + _marked(CHANCE, "true probability")


def _expected(of: Callable[..., Floats], said: Floats) -> Floats:
    happened, missed = (of(said, np.full(said.shape, fact)) for fact in (True, False))
    return CHANCE * happened + (1 - CHANCE) * missed


def wis() -> Any:
    """The weighted interval score of the example forecast, by what the rollout came to need."""
    remaining = np.geomspace(400, 6000, 120)
    scores = weighted_interval_score(
        np.log1p(np.array(QUANTILES))[:, None] * np.ones(len(remaining)), np.log1p(remaining)
    )
    rows: list[Row] = [
        {"x": float(amount), "y": float(each), "line": ""}
        for amount, each in zip(remaining, scores, strict=True)
    ]
    axis = _tokens("x", "tokens that the run went on to use (R)", (400, 6000))
    chart = _lines(rows, axis, _quantity("y", "weighted interval score", (0, 1)))
    for level, amount in zip(("10%", "25%", "50%", "75%", "90%"), QUANTILES, strict=True):
        chart += _marked(amount, level)
    return chart


def budget_curve() -> Any:
    """The example forecast's chance to succeed within a budget, and what happened."""
    log_quantiles = np.log1p(np.array(QUANTILES))[:, None]
    shares = np.round(np.arange(0.35, 2.21, 0.01), 2)
    left = np.maximum(shares * BUDGET - USED, 0)
    chances = SUCCESS * chance_within(log_quantiles * np.ones(len(left)), np.log1p(left))
    rows: list[Row] = [
        {"x": float(share), "y": float(chance), "line": "forecast: success × F"}
        for share, chance in zip(shares, chances, strict=True)
    ]
    happened: list[Row] = [
        {"x": share, "y": float(share * BUDGET >= TOTAL), "line": "happened"}
        for share in (0.35, TOTAL / BUDGET - 1e-9, TOTAL / BUDGET, 2.2)
    ]
    scored = [
        {"x": times, "y": row["y"], "y2": float(times * BUDGET >= TOTAL)}
        for times in CURVE_BUDGETS
        for row in rows
        if math.isclose(row["x"], times)
    ]
    gaps = _chart(scored).mark_rule(color=TEXT, strokeDash=[3, 3], strokeWidth=1.5)
    points = _chart(scored).mark_point(color=COLOURS[0], filled=True, size=70)
    lines = _lines(
        rows + happened,
        _quantity("x", "budget, in budgets of the probe", (0.35, 2.2)),
        _quantity("y", "P(success within the budget)", (0, 1)),
    )
    return lines + gaps.encode(x="x:Q", y="y:Q", y2="y2:Q") + points.encode(x="x:Q", y="y:Q")


def start_correlation() -> Any:
    """Rollouts whose correlation of amounts said and used is 0.39 exactly."""
    rng = np.random.default_rng(0)
    used, noise = rng.standard_normal((2, 64))
    used = (used - used.mean()) / used.std()
    noise -= noise.mean() + used * (noise @ used) / (used @ used)
    said = 0.39 * used + math.sqrt(1 - 0.39**2) * noise / noise.std()
    rows: list[Row] = [
        {"x": math.expm1(7 + 0.5 * one), "y": math.expm1(7 + 0.6 * other), "line": ""}
        for one, other in zip(said, used, strict=True)
    ]
    points = _chart(rows).mark_point(
        color=COLOURS[0], filled=True, size=50, opacity=0.8, aria=False
    )
    return alt.layer(
        points.encode(
            x=_tokens("x", "tokens said before the start", (200, 6000)),
            y=_tokens("y", "tokens then used", (200, 6000)),
        )
    ).properties(width=WIDTH, height=HEIGHT)


def net_benefit() -> Any:
    """Net benefit over a hard cap by the worth of a success, for the page's four rollouts."""
    stops = {
        "the example": {"b": 2, "c": 1},
        "stops everything": dict.fromkeys("abcd", 1),
        "perfect foresight": dict.fromkeys("bcd", 1),
        "a hard cap alone": {},
    }
    lines = {name: _benefit_of(stopped) for name, stopped in stops.items()}
    late = [max(0, total - CAP) / CAP for total, _ in ROLLOUTS.values()]
    won = sum(success and total > CAP for total, success in ROLLOUTS.values())
    lines["never stops"] = lambda worth: (worth * won - sum(late)) / len(ROLLOUTS)
    rows: list[Row] = [
        {"x": worth, "y": benefit(worth), "line": name}
        for name, benefit in lines.items()
        for worth in WORTHS
        if -1 <= benefit(worth) <= 1.5
    ]
    worth = alt.X(
        "x:Q",
        title="worth of a success, in budgets",
        scale=alt.Scale(type="log", base=2, domain=[0.25, 32]),
        axis=alt.Axis(values=[0.25, 0.5, 1, 2, 4, 8, 16, 32], format="~g"),
    )
    return alt.layer(
        _lines(rows, worth, _quantity("y", "net benefit, budgets a rollout", (-1, 1.5)))
    )


def _benefit_of(stops: Mapping[str, int]) -> Callable[[float], float]:
    """Return the net benefit as a function of a success's worth.

    Args:
        stops: by rollout, the turn of its first `impossible`.
    """
    samples, answers = [], []
    for name, (total, success) in ROLLOUTS.items():
        for turn, used in TURNS.items():
            sample_id = f"t/m/{name}/{turn}"
            amounts = {"resource": "tokens", "budget": float(CAP), "used": float(used)}
            samples.append(
                {
                    "sample_id": sample_id,
                    "feasible": success and total <= CAP,
                    "rollout_success": success,
                    "resources": [amounts | {"remaining": float(total - used)}],
                }
            )
            says = "impossible" if turn >= stops.get(name, 9) else "[0, 1000]"
            answers.append({"sample_id": sample_id, "response": f"<answer>{says}</answer>"})
    overall = score(samples, answers, resamples=0).overall
    at_two, drop = (overall[each].value or 0.0 for each in ("net_benefit", "success_drop"))
    return lambda worth: at_two + (SUCCESS_WORTH - worth) * drop


def ceiling() -> Any:
    """Expected Brier scores of a perfect forecaster, from n continuations of probability 0.7."""
    rows: list[Row] = []
    for n in range(2, 31):
        ways = [
            math.comb(n, hits) * CHANCE**hits * (1 - CHANCE) ** (n - hits) for hits in range(n + 1)
        ]
        estimates = [perfect_brier(np.arange(n) < hits) for hits in range(n + 1)]
        rows += [
            {
                "x": n,
                "y": sum(map(math.prod, zip(ways, map(of, estimates), strict=True))),
                "line": line,
            }
            for line, of in (
                ("leave one out", attrgetter("leave_one_out")),
                ("ceiling", attrgetter("value")),
                ("in sample", attrgetter("in_sample")),
            )
        ]
    return alt.layer(
        _lines(
            rows,
            _quantity("x", "continuations of a prefix", (2, 30)),
            _quantity("y", "expected Brier score", (0, 0.45)),
        )
    )


def interval_coverage() -> Any:
    """Share of 95% intervals that hold the true value, by instances, in simulated studies."""
    rows: list[Row] = []
    for instances in INSTANCES:
        half = coverage(Setup(instances), SIMULATED, studies=COVERAGE_STUDIES)
        fifth = coverage(Setup(instances, feasible=0.2), HARD, studies=COVERAGE_STUDIES)
        by_score = half | {f"{name}, 20% feasible": each for name, each in fifth.items()}
        print(instances, {name: (each.covered, each.intervals) for name, each in by_score.items()})
        rows += [
            {"x": instances, "y": each.covered, "line": name}
            for name, each in by_score.items()
            if each.intervals >= COVERAGE_STUDIES / 2
        ]
    rows.sort(key=lambda row: row["line"])
    axis = _quantity("x", "instances", (10, 128), type="log", values=list(INSTANCES), format="d")
    share = _quantity("y", "intervals that hold the truth", (0.8, 1), format=".0%")
    return _lines(rows, axis, share) + _level(0.95)


def family_wise() -> Any:
    """Share of simulated studies that tell equal estimators apart, the most of any ranked score."""
    rows: list[Row] = []
    for instances in (30, 128):
        for correlation in (0.0, 0.3, 0.6):
            setup = Setup(instances, families=5, correlation=correlation)
            errors = family_wise_error(setup, RANKED, studies=ERROR_STUDIES)
            print(instances, correlation, errors)
            rows.append(
                {"x": correlation, "y": max(errors.values()), "line": f"{instances} instances"}
            )
    axis = _quantity("x", "correlation of families on an instance", (0, 0.6), values=[0, 0.3, 0.6])
    share = _quantity("y", "studies with a false difference", (0, 0.1), format=".0%")
    return _lines(rows, axis, share) + _level(0.05)


PICTURES: Mapping[str, Callable[[], Any]] = {
    "feasibility": feasibility,
    "reward": reward,
    "interval-score": interval_scores,
    "brier": brier_and_log,
    "wis": wis,
    "budget-curve": budget_curve,
    "start-correlation": start_correlation,
    "net-benefit": net_benefit,
    "ceiling": ceiling,
    "interval-coverage": interval_coverage,
    "family-wise-error": family_wise,
}
"""Functions that draw a picture, by file name without its ending."""


# --- how they look ----------------------------------------------------------------------------


def _chart(rows: Sequence[Row]) -> Any:
    return alt.Chart(alt.Data(values=rows))  # type: ignore[no-untyped-call]


def _quantity(
    channel: str, title: str, domain: tuple[float, float] | None = None, **options: Any
) -> Any:
    """Return an axis of a number, from the field named as the channel."""
    axis = {name: options.pop(name) for name in ("format", "values") if name in options}
    if domain:
        options["domain"] = list(domain)
    encoding = alt.X if channel == "x" else alt.Y
    scale = alt.Scale(zero=False, nice=False, **options)
    return encoding(f"{channel}:Q", title=title, scale=scale, axis=alt.Axis(**axis))


def _tokens(channel: str, title: str, domain: tuple[float, float]) -> Any:
    """Return a logarithmic axis of tokens."""
    values = [200, 500, 1000, 2000, 5000]
    return _quantity(channel, title, domain, type="log", format=",d", values=values)


def _lines(rows: Sequence[Row], x: Any, y: Any) -> Any:
    """Return a line for each name in `line`, with a legend where there are several."""
    names = list(dict.fromkeys(row["line"] for row in rows))
    legend = (
        alt.Legend(orient="top", title=None, columns=2, symbolStrokeWidth=4, labelLimit=WIDTH)
        if len(names) > 1
        else None
    )
    scale = alt.Scale(domain=names, range=list(COLOURS[: len(names)]))
    line = _chart(rows).mark_line(strokeWidth=3, clip=True)
    encoded = line.encode(x=x, y=y, color=alt.Color("line:N", scale=scale, legend=legend))
    return alt.layer(encoded).properties(width=WIDTH, height=HEIGHT)


def _marked(place: float, text: str) -> Any:
    """Return a dashed upright line with a text at its top."""
    chart = _chart([{"x": place, "text": text}])
    rule = chart.mark_rule(color=TEXT, strokeDash=[5, 4], strokeWidth=1.5).encode(x="x:Q")
    label = chart.mark_text(color=TEXT, align="left", baseline="top", dx=5, dy=2, fontSize=17)
    return rule + label.encode(x="x:Q", y=alt.value(0), text="text:N")


def _level(share: float) -> Any:
    """Return a dashed line across the plot."""
    rule = _chart([{"y": share}]).mark_rule(color=TEXT, strokeDash=[5, 4], strokeWidth=1.5)
    return alt.layer(rule.encode(y="y:Q"))


def _styled(chart: Any) -> Any:
    font = "Helvetica, Arial, sans-serif"
    texts = {"labelColor": TEXT, "titleColor": TEXT, "labelFont": font, "titleFont": font}
    return (
        chart.configure(background="transparent", padding=6)
        .configure_view(stroke=None)
        .configure_axis(
            **texts,
            labelFontSize=17,
            titleFontSize=17,
            titleFontWeight="normal",
            titlePadding=8,
            gridColor=GRID,
            gridOpacity=0.25,
            domainColor=TEXT,
            tickColor=TEXT,
            tickCount=6,
        )
        .configure_legend(**texts, labelFontSize=17, symbolSize=300, rowPadding=4)
        .configure_text(font=font)
    )


def draw(names: Iterable[str] = PICTURES) -> None:
    """Draw these pictures into docs/scores."""
    for name in names:
        svg = io.StringIO()
        _styled(PICTURES[name]()).save(svg, format="svg")
        (FOLDER / f"{name}.svg").write_text(_renumbered(svg.getvalue()) + "\n", encoding="utf-8")


def _renumbered(svg: str) -> str:
    """Number clip paths from 0: Vega counts on from picture to picture of a process."""
    numbers: dict[str, int] = {}
    return re.sub(r"\bclip\d+", lambda m: f"clip{numbers.setdefault(m[0], len(numbers))}", svg)


def main() -> None:
    """Draw the pictures that are named on the command line, or all."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("picture", nargs="*", choices=[*PICTURES, []], help="[default: all]")
    FOLDER.mkdir(parents=True, exist_ok=True)
    draw(parser.parse_args().picture or PICTURES)


if __name__ == "__main__":
    main()
