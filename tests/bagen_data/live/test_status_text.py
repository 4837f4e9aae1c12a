import pytest

from bagen_data.forecasters.kept import AmountForecast
from bagen_data.live.status_text import Standing, status_text
from bagen_data.schema import Amounts, Forecast

QUANTILES = (1_200.0, 2_000.0, 3_400.0, 5_000.0, 9_000.0)


def block(limits: Amounts, used: Amounts, at_least: tuple[str, ...] = ()) -> list[str]:
    return status_text(Standing(3, limits, used, at_least, None)).splitlines()


def test_every_budget_has_a_line_and_the_scarce_ones_a_rule() -> None:
    limits = {"tokens": 20_000, "search": 8, "cost_usd": 2, "seconds": 600, "turns": 30}
    used = {"tokens": 19_000, "search": 8, "cost_usd": 0.0421, "seconds": 75.25, "turns": 3}
    assert block(limits, used) == [
        "Budget after 3 turns:",
        "- tokens: 19,000 of 20,000 used (95%), 1,000 left: critical",
        "- search: 8 of 8 used (100%), 0 left: used up",
        "- cost: $0.0421 of $2.00 used (2%), $1.96 left: plenty",
        "- time: 75 s of 600 s used (13%), 525 s left: plenty",
        "- turns: 3 of 30 used (10%), 27 left: plenty",
        "The budget of search is used up. Go on without it, from what you have. The budget of "
        "tokens is critical. Stop exploring, and give your best answer in as few steps as "
        "possible.",
    ]


@pytest.mark.parametrize(
    ("used", "end"),
    [
        (0, "1,000 left: plenty"),
        (450, "550 left: half"),
        (750, "250 left: low"),
        (950, "50 left: critical"),
        (1_000, "0 left: used up"),
        (1_007, "7 over: used up"),
    ],
)
def test_a_word_for_each_level(used: int, end: str) -> None:
    assert block({"tokens": 1_000}, {"tokens": used})[1].endswith(end)


def test_a_budget_of_nothing_is_used_up() -> None:
    assert block({"search": 0}, {"search": 0})[1] == "- search: 0 of 0 used (all), 0 left: used up"


def test_lower_bounds_say_so() -> None:
    line = block({"tokens": 1_000}, {"tokens": 400}, ("tokens",))[1]
    assert line == "- tokens: at least 400 of 1,000 used (40%), at most 600 left: plenty"


def test_a_forecast_is_said_in_a_line() -> None:
    limits, used = {"tokens": 1_000, "cost_usd": 2}, {"tokens": 400, "cost_usd": 1}
    forecast = Forecast(0.65, 0.8, {"tokens": QUANTILES, "cost_usd": (0.1, 0.2, 0.3, 0.4, 1.5)})
    lines = status_text(Standing(1, limits, used, (), forecast)).splitlines()
    assert lines[0] == "Budget after 1 turn:"
    assert lines[-2] == (
        "Forecast: the chance to succeed within the budget is 65%. A run that succeeds probably "
        "still needs 1,200 to 9,000 tokens and $0.1000 to $1.50."
    )


def test_a_forecast_of_amounts_alone_speaks_of_no_success() -> None:
    forecast = AmountForecast({"tokens": QUANTILES}, 0.001)
    lines = status_text(Standing(2, {"tokens": 9}, {"tokens": 1}, (), forecast)).splitlines()
    assert lines[-2] == (
        "Forecast: the chance that what is still needed fits the budget is below 1%. A run like "
        "this probably still needs 1,200 to 9,000 tokens."
    )
