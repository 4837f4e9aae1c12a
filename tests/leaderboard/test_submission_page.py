"""A submission's page opens with its headline scores in words; figures and all scores follow."""

import re
from functools import partial
from pathlib import Path

import pytest

from leaderboard.formatting import bar, has_width, interval
from leaderboard.submission_page import rank_sentence
from tests.leaderboard.made_submissions import (
    FORECAST,
    Sample,
    budget_left,
    build_site,
    forecast,
    gold,
    submit,
)


def some_unreadable(sample: Sample) -> str:
    """A forecast, or after a first turn nothing that can be read."""
    return "unsure" if sample["sample_id"].endswith("/1") else forecast(sample, skill=0.5)


@pytest.fixture(scope="module")
def pages(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The text of the page of each submission, without line breaks."""
    folder = tmp_path_factory.mktemp("pages")
    model = {"provider": "lab", "model_id": "m", **FORECAST}
    submit(folder / "in/sees", dataset, partial(forecast, skill=0.8), estimator="Sees", **model)
    submit(folder / "in/some", dataset, some_unreadable, estimator="Some", **model)
    submit(folder / "in/left", dataset, budget_left)
    submit(folder / "in/stop", dataset, estimator="Always stop")
    submit(folder / "in/gold", dataset, gold, tasks=["searchr1", "swebench"], estimator="Labels")
    learned = {"estimator": "Learned", "trained_on": "benchmark", **model}
    submit(folder / "in/learned", dataset, forecast, **learned)
    build_site(folder / "in", dataset, folder / "site")
    return {
        path.stem: path.read_text().replace("\n", " ")
        for path in (folder / "site" / "submissions").iterdir()
    }


def words(html: str) -> str:
    """Text of a page as a reader has it."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", html))


def test_the_headlines_come_before_the_maker_the_figures_and_all_scores(
    pages: dict[str, str],
) -> None:
    page = pages["sees"]
    order = [
        "Will it finish?",
        "How much is needed?",
        "Feasible or impossible?",
        "Who made it",
        'aria-label="Reliability"',
        'aria-label="Net benefit"',
        "All scores by task",
        "<code>valid_rate</code>",
    ]
    places = [page.index(text) for text in order]
    assert places == sorted(places)


def test_every_table_of_scores_is_folded(pages: dict[str, str]) -> None:
    for page in pages.values():
        unfolded = re.sub("<details.*?</details>", "", page)
        tables = re.findall(r"<table>.*?</table>", unfolded)
        assert [re.findall("<caption>([^;]*)", table) for table in tables] in (
            [],
            [["The same scores by task"]],
        )
        assert page.count("<details") > 6


def test_a_forecast_is_compared_with_the_reference_in_words(pages: dict[str, str]) -> None:
    text = words(pages["sees"])
    assert "0 is the reference, which looks up what other instances came to" in text
    assert re.search(
        r"Will it finish\? skill 0\.\d\d 95% interval 0\.\d\d to 0\.\d\d Rank 1 of 2 submitted "
        "estimators: none is reliably better, and 1 is reliably worse.",
        text,
    )


def test_an_estimator_without_a_rank_says_why(pages: dict[str, str]) -> None:
    reasons = {
        "left": "A baseline without a language model: a line to compare with, which is not ranked.",
        "learned": "It learned from the benchmark itself, so it is not ranked.",
    }
    for name, reason in reasons.items():
        text = words(pages[name])
        assert reason in text
        assert not re.search(r"\b[Rr]ank \d", text)
    assert "not ranked:" not in words(pages["sees"]).partition("Who made it")[0]


def test_an_interval_estimator_opens_with_its_own_questions(pages: dict[str, str]) -> None:
    text = words(pages["left"])
    assert "Feasible or impossible? macro-F1 0." in text
    assert "How good are its intervals? skill" in text
    assert "Will it finish?" not in text


def test_a_partial_submission_shows_the_tasks_that_it_answers(pages: dict[str, str]) -> None:
    text = words(pages["gold"])
    assert "It answers Search-R1, SWE-bench only, so it has no overall score." in text
    assert re.search(r"Search-R1: macro-F1 \d\.\d\d .* SWE-bench: macro-F1 \d\.\d\d", text)


def test_answers_that_cannot_be_read_are_counted_at_the_top(pages: dict[str, str]) -> None:
    assert re.search(r"\d+ answers could not be read and count as wrong", words(pages["some"]))
    assert "could not be read and" not in words(pages["sees"])
    assert "Every answer could be read." in words(pages["sees"])


def test_labels_are_looked_for_where_there_are_intervals(pages: dict[str, str]) -> None:
    assert re.search(r"In \d+ of its \d+ intervals of feasible probes", words(pages["left"]))
    assert "intervals of feasible probes" not in words(pages["stop"])


def test_tasks_have_the_names_that_people_say(pages: dict[str, str]) -> None:
    main = re.sub(r"<details><summary>\d+ files?.*?</details>", "", pages["left"])
    main = main[main.index("<main") : main.index("</main>")]
    assert "Search-R1, scripted" in main
    assert not re.search(r">[^<]*\b(searchr1|swebench)\b", main)


def test_no_interval_without_width_is_written(pages: dict[str, str]) -> None:
    for page in pages.values():
        text = words(page)
        ends = re.findall(r"(\N{MINUS SIGN}?\d\.\d+) to (\N{MINUS SIGN}?\d\.\d+)", text)
        assert all(low != high for low, high in ends)
        assert ends
    assert "too few instances for a 95% interval" in words(pages["gold"])


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (None, None, ""),
        (1.0, 1.0, ""),
        (1 / 3, 1 / 3 + 1e-12, ""),
        (0.331, 0.334, "0.331 to 0.334"),
        (0.0, 0.5, "0.00 to 0.50"),
    ],
)
def test_an_interval_is_shown_where_its_ends_differ(
    low: float | None, high: float | None, text: str
) -> None:
    score = {"value": 0.33, "low": low, "high": high}
    assert interval(score) == text
    assert has_width(score) == bool(text)
    assert ("H" in bar(score)) == bool(text)


@pytest.mark.parametrize(
    ("first", "last", "compared"),
    [
        (1, 4, "1 to 4 of 4 submitted estimators: none is reliably better or worse."),
        (2, 3, "2 to 3 of 4 submitted estimators: 1 is reliably better, and 1 is reliably worse."),
        (4, 4, "4 of 4 submitted estimators: 3 are reliably better, and none is reliably worse."),
    ],
)
def test_a_rank_is_one_sentence(first: int, last: int, compared: str) -> None:
    assert rank_sentence({"first": first, "last": last}, 4) == f"Rank {compared}"
