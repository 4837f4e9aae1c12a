"""The front page says what the benchmark is, and makes sense before anybody has submitted."""

import json
import re
from pathlib import Path

import pytest

from bagen_data.answers import parse
from bagen_data.published import CODE_PAGE, HUB_ID, METRIC_ID, PAPER_PAGE, PROJECT_PAGE, TITLE
from bagen_data.schema import Estimate, Interval
from leaderboard.example_question import EXAMPLE
from leaderboard.scripted_runs import SCRIPTED
from tests.leaderboard.made_submissions import (
    FORECAST,
    budget_left,
    build_site,
    forecast,
    samples_of,
    submit,
)
from tests.making import SAMPLE


@pytest.fixture(scope="module")
def site(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A board of two baselines, one of which forecasts."""
    folder = tmp_path_factory.mktemp("front")
    submit(folder / "in/rule", dataset, budget_left)
    submit(folder / "in/table", dataset, forecast, **FORECAST)
    build_site(folder / "in", dataset, folder / "site", "--resamples", 0)
    return folder / "site"


def test_the_picture_is_a_probe_of_the_sample(dataset: Path) -> None:
    [probe] = [each for each in samples_of(dataset) if each["sample_id"] == EXAMPLE.sample_id]
    [resource] = probe["resources"]
    assert probe["feasible"]
    assert (probe["completed_turns"], probe["total_turns"]) == (
        EXAMPLE.completed_turns,
        EXAMPLE.total_turns,
    )
    assert (resource["budget"], resource["used"], resource["remaining"]) == (
        EXAMPLE.budget,
        EXAMPLE.used,
        EXAMPLE.remaining,
    )
    assert EXAMPLE.low <= EXAMPLE.remaining <= EXAMPLE.high


def test_the_picture_shows_the_question_and_the_answer_in_the_colours_of_the_page(
    site: Path,
) -> None:
    page = (site / "index.html").read_text()
    picture = page[page.index('<figure class="question">') : page.index("</figure>")]
    for words in ("Sokoban, after turn 1 of 9", "404 of 2,500 tokens", "1,845 more", "budget"):
        assert words in picture
    assert "&lt;answer&gt;[1600, 2000]&lt;/answer&gt;" in picture
    assert "#" not in picture.replace("#{", "")
    assert "style=" not in picture
    assert 'class="question"' not in (site / "tasks/sokoban.html").read_text()


@pytest.mark.parametrize(
    "url",
    [
        PAPER_PAGE,
        PROJECT_PAGE,
        CODE_PAGE,
        f"https://huggingface.co/datasets/{HUB_ID}",
        f"https://huggingface.co/spaces/{METRIC_ID}",
    ],
)
def test_it_links_to_what_is_published_and_shows_the_address(url: str, site: Path) -> None:
    page = (site / "index.html").read_text()
    shown = url.removeprefix("https://").rstrip("/")
    assert f'<a href="{url}">{shown}</a>' in page
    assert f'href="{url}"' in (site / "tasks/sokoban.html").read_text()  # in the footer


def test_it_says_what_it_is_and_how_to_submit(site: Path) -> None:
    page = (site / "index.html").read_text()
    assert f"<h1>{TITLE}</h1>" in page
    assert '<a href="submit.html">How to hand in your predictions</a>' in page


def test_it_says_which_table_to_read_first_and_what_each_one_answers(site: Path) -> None:
    for path in ("index.html", "tasks/sokoban.html"):
        page = (site / path).read_text()
        for name, opening in (("forecasts", "The main table"), ("intervals", "The second table")):
            section = page[page.index(f'<section class="ranking" id="{name}">') :]
            sentence = section[section.index("<strong>") : section.index("</p>")]
            assert sentence.startswith(f"<strong>{opening}")
            assert sentence.endswith("?")
    links = (site / "index.html").read_text().partition("</dl>")[0]
    assert '<a href="#forecasts">Forecasts</a> (main)' in links


def test_open_probes_are_explained_where_they_are_first_named(site: Path) -> None:
    """The words are in the heading itself: a keyboard and a phone reach no title."""
    page = (site / "index.html").read_text()
    first = page.index("open probes")
    assert re.match("open probes</span><small>within the budget so far</small>", page[first:])


@pytest.mark.parametrize("path", ["index.html", "tasks/sokoban.html", "submissions/rule.html"])
def test_a_board_of_the_sample_says_that_its_scores_mean_nothing(path: str, site: Path) -> None:
    page = " ".join((site / path).read_text().split())
    assert (
        "The recorded runs are those of small scripted agents, and the estimators are rules and "
        "statistics without a language model: scores on them say nothing about any model."
    ) in page


def test_the_name_of_scripted_runs_is_the_one_that_recording_gives() -> None:
    families = {path.name for path in SAMPLE.iterdir() if path.is_dir()}
    assert {name.rpartition("-")[2] for name in families} == {SCRIPTED}


def test_baselines_alone_are_lines_and_nobody_has_submitted_yet(site: Path) -> None:
    for path in ("index.html", "tasks/sokoban.html"):
        page = (site / path).read_text()
        forecasts, _, intervals = page.partition('<section class="ranking" id="intervals">')
        assert "Nobody has submitted forecasts yet" in forecasts
        assert "Nobody has submitted an estimator yet" in intervals
        assert "Submitted estimators" not in page
        assert "Reference lines, not ranked" in intervals
        assert "<b>1</b>" not in page.partition("</dl>")[2].partition("</section>")[2]
        assert 'data-places="' not in page
        assert "ranked by <code>" not in page
        assert "sorted by <code>macro_f1_open</code>" in intervals
        first = forecasts[forecasts.index("<tbody>") :]
        assert first.index("Baselines") < first.index("submissions/table.html")
        assert 'class="reference"' in first
    ranks = json.loads((site / "results.json").read_text())["submissions"][0]["ranks"]
    assert ranks["overall"]["macro_f1_open"]["first"] == 1  # results rank all of them


def test_task_names_are_those_that_people_say(site: Path) -> None:
    for path in ("index.html", "early-stop.html", "tasks/searchr1.html"):
        page = (site / path).read_text()
        root = "../" if path.startswith("tasks/") else ""
        assert f'href="{root}tasks/searchr1.html"' in page
        assert ">searchr1<" not in page
    assert '<h2 id="searchr1">Search-R1</h2>' in (site / "early-stop.html").read_text()
    assert "<h1>Search-R1</h1>" in (site / "tasks/searchr1.html").read_text()


def test_an_answer_of_the_picture_can_be_read() -> None:
    estimate = parse(f"<answer>[{EXAMPLE.low}, {EXAMPLE.high}]</answer>", ["tokens"])
    assert estimate == Estimate("feasible", {"tokens": Interval(EXAMPLE.low, EXAMPLE.high)})
