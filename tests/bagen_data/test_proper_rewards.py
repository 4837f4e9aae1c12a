"""The reward of forecasts: the scores of the benchmark, bounded, and best for who is honest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.answers import render
from bagen_data.array_types import Floats
from bagen_data.reward_parts import MOST_BUDGETS
from bagen_data.rewards import FORECAST_PARTS, PAPER, PROPER, JudgedAnswers, judge
from bagen_data.schema import QUANTILE_LEVELS, Forecast
from bagen_data.scoring import score

BUDGET = 900.0


def amounts(remaining: float, budget: float = BUDGET, used: float = 100.0) -> list[dict[str, Any]]:
    return [{"resource": "tokens", "budget": budget, "used": used, "remaining": remaining}]


def text_of(forecast: Forecast) -> str:
    return render(forecast.estimate(), "forecast")


def judged(
    texts: Sequence[str],
    feasible: Sequence[bool],
    success: Sequence[bool],
    resources: Sequence[Any],
) -> JudgedAnswers:
    return judge(texts, feasible, resources, ["forecast"] * len(texts), success)


def test_the_mean_parts_are_the_scores_of_those_names() -> None:
    """Open probes below the cap: parts equal the benchmark's scores but for the scale."""
    said = [
        Forecast(0.65, 0.8, {"tokens": (100, 200, 400, 500, 600)}),
        Forecast(0.1, 0.9, {"tokens": (1, 2, 3, 4, 5000)}),
        Forecast(0, 0, {"tokens": (0, 0, 0, 0, 0)}),
    ]
    feasible, success = [True, False, False], [True, True, False]
    left = [400.0, 2000.0, 30.0]
    samples = [
        {
            "sample_id": f"t/m/{row}/1",
            "feasible": feasible[row],
            "rollout_success": success[row],
            "resources": amounts(left[row]),
        }
        for row in range(3)
    ]
    texts = [text_of(each) for each in said]
    rows = [
        {"sample_id": sample["sample_id"], "response": text}
        for sample, text in zip(samples, texts, strict=True)
    ]
    parts = judged(texts, feasible, success, [each["resources"] for each in samples]).parts
    scores = score(samples, rows, question="forecast", resamples=0).overall
    assert 1 - parts["brier"].mean() == pytest.approx(scores["brier"].value)
    assert 1 - parts["success_brier"].mean() == pytest.approx(scores["success_brier"].value)
    greatest = np.log1p(MOST_BUDGETS * BUDGET)
    assert greatest * (1 - parts["wis"][:2].mean()) == pytest.approx(scores["wis"].value)
    assert parts["wis"][2] == 1  # did not succeed


def test_a_forecast_has_the_parts_of_its_interval_too() -> None:
    low_high = Forecast(0.5, 0.5, {"tokens": (360, 380, 400, 420, 440)})
    stop = Forecast(0.4, 0.5, {"tokens": (360, 380, 400, 420, 440)})
    answers = judged(
        [text_of(low_high), text_of(stop), ""],
        [True, False, True],
        [True, True, True],
        [amounts(400.0)] * 3,
    )
    assert answers.reward(PAPER) == pytest.approx([1.44, 0.2, 0])
    assert answers.parts["feasibility"].tolist() == [1, 1, 0]
    rates = answers.rates()
    assert [rates["valid_rate"], rates["mean_finish"]] == pytest.approx([2 / 3, 0.45])
    assert np.isnan(rates["impossible_rate"])  # a low probability, said honestly, is no collapse
    assert [answers.parts[name][2] for name in FORECAST_PARTS] == [0, 0, 0]


def test_questions_of_several_kinds_in_one_batch() -> None:
    texts = ["<answer>impossible</answer>", text_of(Forecast(1, 1, {"tokens": (1, 2, 3, 4, 5)}))]
    answers = judge(
        texts, [False, True], [amounts(9.0)] * 2, ["interval", "forecast"], [False, True]
    )
    assert answers.parts["impossible"].tolist() == [1, 0]
    assert answers.parts["brier"].tolist() == [0, 1]
    assert answers.rates()["impossible_rate"] == 1


def test_without_outcomes_forecasts_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="rollout_success is missing"):
        judge([""], [True], [amounts(9.0)], ["forecast"])


amount = st.one_of(st.integers(0, 30_000).map(float), st.just(1e12))


@given(
    st.floats(0, 1),
    st.floats(0, 1),
    st.lists(amount, min_size=5, max_size=5),
    amount,
    st.sampled_from([0.0, 1.0, 900.0, 1e9]),
    st.booleans(),
    st.booleans(),
)
def test_every_part_is_between_0_and_1(
    finish: float,
    more: float,
    quantiles: list[float],
    remaining: float,
    budget: float,
    feasible: bool,
    success: bool,
) -> None:
    forecast = Forecast(finish, max(finish, more), {"tokens": tuple(sorted(quantiles))})
    resources = amounts(remaining, budget)
    answers = judged([text_of(forecast)], [feasible], [success or feasible], [resources])
    for part in answers.parts.values():
        assert 0 <= part[0] <= 1
    assert 0 <= answers.reward(PROPER)[0] <= sum(PROPER.values()) == pytest.approx(1)


def test_the_bounds_are_reached() -> None:
    """Five quantiles at one end, the truth at the other; and the truth itself."""
    texts = [
        text_of(Forecast(p, p, {"tokens": (q,) * 5})) for p, q in ((0, 0), (1, 0), (1, 30_000))
    ]
    remaining = [MOST_BUDGETS * BUDGET, 0.0, 0.0]
    answers = judged(texts, [True] * 3, [True] * 3, [amounts(each) for each in remaining])
    assert answers.reward(PROPER) == pytest.approx([0, 1, 0.6])


# Propriety: of all answers, none earns more on average than what is believed.


@dataclass(frozen=True)
class Belief:
    """A distribution of what becomes of a run: m equally likely futures."""

    remaining: Floats
    success: Any
    budget: float

    @property
    def feasible(self) -> Any:
        return self.success & (self.remaining + 100 <= self.budget)

    def honest(self) -> Forecast:
        """The probabilities and quantiles of this distribution, without interpolation."""
        ends = np.sort(self.remaining[self.success])
        places = [int(np.ceil(level * len(ends))) - 1 for level in QUANTILE_LEVELS]
        finish, success = self.feasible.mean(), self.success.mean()
        quantiles = tuple(ends[places].tolist()) if len(ends) else (0.0,) * 5
        return Forecast(float(finish), float(success), {"tokens": quantiles})

    def judged(self, answers: Sequence[Forecast]) -> JudgedAnswers:
        """Each answer, held against each future in turn."""
        many = len(answers)
        resources = [amounts(each, self.budget) for each in self.remaining.tolist()]
        texts = [text_of(answer) for answer in answers for _ in resources]
        feasible, success = self.feasible.tolist(), self.success.tolist()
        return judged(texts, feasible * many, success * many, resources * many)

    def earned(self, answers: JudgedAnswers, weights: Mapping[str, float]) -> Floats:
        """The mean reward of each answer over all futures."""
        rewards: Floats = answers.reward(weights).reshape(-1, len(self.remaining)).mean(axis=1)
        return rewards


def beliefs() -> list[Belief]:
    """Narrow, wide and two-humped ones, some with a tail beyond ten budgets."""
    rng = np.random.default_rng(5)
    spreads = [rng.lognormal(mean, sigma, 60) for mean, sigma in ((5, 0.3), (6, 1.0), (7, 2.5))]
    spreads.append(np.concatenate([spreads[0][:30], spreads[2][:30]]))
    return [
        Belief(spent.round(), rng.random(60) < chance, budget)
        for spent in spreads
        for chance, budget in ((0.15, 900.0), (0.6, 300.0), (0.9, 5000.0))
    ]


def rivals(honest: Forecast, rng: np.random.Generator) -> list[Forecast]:
    """Answers beside an honest one: narrower, wider, shifted, surer, and any at all."""
    own = np.array(honest.quantiles["tokens"])
    made = []
    for _ in range(25):
        shift, width = rng.normal(1, 0.4), rng.choice([0.0, 0.5, 0.8, 1.2, 2.0])
        quantiles = np.sort(np.abs(own[2] * shift + width * (own - own[2])).round())
        if rng.random() < 0.2:
            quantiles = np.sort(rng.integers(0, 20_000, 5)).astype(float)
        finish = np.clip(honest.finish + rng.normal(0, 0.2), 0, 1)
        success = max(finish, np.clip(honest.success + rng.normal(0, 0.2), 0, 1))
        one = finish, success, tuple(quantiles.tolist())
        pairs = zip(one, parts_of(honest), strict=True)
        finish, success, amounts_said = (pair[int(rng.random() < 0.5)] for pair in pairs)
        made.append(Forecast(float(finish), float(max(finish, success)), {"tokens": amounts_said}))
    return made


def parts_of(forecast: Forecast) -> tuple[float, float, Any]:
    return forecast.finish, forecast.success, forecast.quantiles["tokens"]


@pytest.fixture(scope="module")
def tried() -> list[tuple[Belief, JudgedAnswers]]:
    """Each belief with its honest answer, which is the first, and the rivals."""
    rng = np.random.default_rng(7)
    return [
        (belief, belief.judged([belief.honest(), *rivals(belief.honest(), rng)]))
        for belief in beliefs()
    ]


@pytest.mark.parametrize(
    "weights",
    [PROPER, {"brier": 1.0}, {"wis": 1.0}, {"success_brier": 0.1, "wis": 3.0}],
    ids=["proper", "brier", "wis", "two parts"],
)
def test_no_answer_earns_more_than_the_honest_one(
    tried: list[tuple[Belief, JudgedAnswers]], weights: Mapping[str, float]
) -> None:
    worse = 0
    for belief, answers in tried:
        honest, *others = belief.earned(answers, weights).tolist()
        assert max(others) <= honest + 1e-12
        worse += sum(each < honest - 1e-6 for each in others)
    assert worse > 100  # the rivals are not all ties


def test_the_papers_reward_pays_for_a_lie() -> None:
    """The same fails under coverage x tightness: an interval that is too narrow earns more."""
    belief = beliefs()[5]
    honest = belief.honest()
    middle = honest.quantiles["tokens"][2]
    narrow = tuple(round(middle * times) for times in (0.78, 0.9, 1, 1.1, 1.22))
    lie = Forecast(honest.finish, honest.success, {"tokens": narrow})
    answers = belief.judged([honest, lie])
    by_paper, by_proper = (belief.earned(answers, weights) for weights in (PAPER, PROPER))
    assert by_paper[1] > by_paper[0] + 0.05
    assert by_proper[1] < by_proper[0]
