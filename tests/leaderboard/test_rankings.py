"""The two rankings: who is in which, what stands beside estimators, and what is shown at first."""

import json
import re
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.ranking import RANKED
from bagen_data.versions import BENCHMARK_VERSION
from leaderboard import paper
from leaderboard.rankings import FORECASTS, INTERVALS, RANKINGS, TRICKS
from tests.leaderboard.made_submissions import (
    FORECAST,
    Sample,
    build_site,
    forecast,
    gold,
    leaderboard,
    submit,
)

TASKS = ["searchr1", "sokoban", "swebench", "warehouse"]


def test_the_rankings_are_by_what_is_ranked_on_and_no_column_is_twice() -> None:
    assert {score for ranking in RANKINGS for score in ranking.ranked} == set(RANKED)
    assert not TRICKS.keys() & set(RANKED)
    assert TRICKS.keys() == {"hit_rate", "fail_f1", "reward"}
    for ranking in RANKINGS:
        names = [column.score for column in ranking.columns]
        assert len(names) == len(set(names))
        assert set(names) <= set(SCORES)
        assert set(ranking.ranked) <= {column.score for column in ranking.first_columns}
        assert len(ranking.more) <= 4  # as many as style.css shows and hides


def test_the_papers_scores_are_those_of_its_own_definition() -> None:
    intervals = {column.score for column in INTERVALS.columns}
    assert set(paper.SCORES) <= intervals
    assert not {"hit_rate", "reward", "macro_f1_open"} & set(paper.SCORES)
    assert not {column.score for column in FORECASTS.columns} & set(paper.SCORES)


@pytest.fixture(scope="module")
def site(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("rankings")
    submit(folder / "in/sees", dataset, partial(forecast, skill=0.8), **FORECAST)
    submit(folder / "in/blind", dataset, partial(forecast, skill=-0.5), **FORECAST)
    submit(folder / "in/labels", dataset, gold)
    submit(folder / "in/numbers", dataset, point, prompt_variant="point_no_think")
    build_site(folder / "in", dataset, folder / "site", "--ceiling", ceiling(folder, dataset))
    return folder / "site"


def point(sample: Sample) -> str:
    """The amount itself, over the budget or not."""
    parts = [f"{part['resource']}:{part['remaining']:.3f}" for part in sample["resources"]]
    answer = parts[0].partition(":")[2] if len(parts) == 1 else ", ".join(parts)
    return f"<answer>{answer}</answer>"


def ceiling(folder: Path, built: Path, **more: Any) -> Path:
    revision = json.loads((built / "build.json").read_text())["revision"]
    score = {"value": 0.875, "n": 12, "low": 0.8, "high": 0.9, "instances": 11}
    scores = {"brier_skill": score, "wis_skill": score | {"value": None}, "brier": score}
    content = {
        "benchmark_version": BENCHMARK_VERSION,
        "dataset": {"path": "somewhere", "revision": revision},
        "continuations": {"rollouts": 96},
        "overall": scores,
        "tasks": {"sokoban": scores},
        **more,
    }
    file = folder / "ceiling.json"
    file.write_text(json.dumps(content))
    return file


def table(page: Path, name: str) -> str:
    text = page.read_text()
    section = text[text.index(f'id="{name}"') :]
    return section[: section.index("</section>")]


def rows(section: str) -> list[str]:
    return re.findall(
        r"<tr(?! class=\"groups\")[^>]*>\n<td class=\"rank\">.*?</tr>", section, re.DOTALL
    )


def test_a_forecast_is_in_both_and_others_in_the_second_alone(site: Path) -> None:
    results = json.loads((site / "results.json").read_text())
    ranked = {each["folder"]: set(each["ranks"]["overall"]) for each in results["submissions"]}
    assert ranked == {
        "sees": {"brier_skill", "wis_skill", "macro_f1_open"},
        "blind": {"brier_skill", "wis_skill", "macro_f1_open"},
        "labels": {"macro_f1_open"},
        "numbers": {"macro_f1_open"},
    }
    assert {each["folder"]: each["question"] for each in results["submissions"]} == {
        "sees": "forecast",
        "blind": "forecast",
        "labels": "interval",
        "numbers": "point",
    }
    first, second = (table(site / "index.html", name) for name in ("forecasts", "intervals"))
    assert ("labels.html" in first, "numbers.html" in first) == (False, False)
    for name in ranked:
        assert f"submissions/{name}.html" in second


def test_the_reference_is_the_line_at_0(site: Path) -> None:
    section = table(site / "index.html", "forecasts")
    standing = [
        "reference" if 'class="reference"' in row else re.findall(r"submissions/(\w+)", row)[0]
        for row in rows(section)
    ]
    assert standing == ["sees", "reference", "blind"]
    reference = rows(section)[1]
    assert reference.count(">0.00<") == len(FORECASTS.first_columns)
    assert 'data-zero="50"' in section
    assert 'class="reference"' not in table(site / "index.html", "intervals")


def test_nothing_of_the_paper_is_among_forecasts(site: Path) -> None:
    for page in ("index.html", "tasks/sokoban.html"):
        assert "paper" not in "".join(rows(table(site / page, "forecasts")))
        intervals = [row for row in rows(table(site / page, "intervals")) if 'class="paper"' in row]
        assert len(intervals) == 5
        for row in intervals:
            assert row.count("data-v=") == len(paper.SCORES)
        heading, _, papers = table(site / page, "intervals").rpartition("<tbody>")
        assert paper.MARK in papers
        assert papers.count('<tr class="paper"') == 5
        assert 'class="paper"' not in heading


def test_the_ceiling_is_shown_where_it_is_known(site: Path) -> None:
    results = json.loads((site / "results.json").read_text())
    shown = {"value": 0.875, "n": 12, "low": 0.8, "high": 0.9}
    assert results["ceiling"] == {
        "groups": {"sokoban": {"brier_skill": shown}},
        "continuations": 96,
    }
    section = table(site / "tasks/sokoban.html", "forecasts")
    (row,) = [each for each in rows(section) if 'class="ceiling"' in each]
    assert "0.80 to 0.90" in row
    assert "96 continued rollouts" in row
    assert 'class="ceiling"' not in (site / "index.html").read_text()  # of one task alone


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"dataset": {"path": "x", "revision": "f" * 40}}, "is the ceiling of 'x', revision 'fff"),
        ({"benchmark_version": "0.9"}, "was scored by BAGEN '0.9'"),
        ({"tasks": 7}, "is not a ceiling"),
        ({"continuations": None}, "is not a ceiling"),
        ({"tasks": {"sokoban": {"brier_skill": {"value": "<b>"}}}}, "is not a ceiling"),
    ],
)
def test_a_ceiling_of_something_else_is_refused(
    more: dict[str, Any],
    message: str,
    dataset: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    submit(tmp_path / "in" / "a", dataset)
    flags = ("--submissions", tmp_path / "in", "--dataset", dataset, "--out", tmp_path / "out")
    file = ceiling(tmp_path, dataset, **more)
    assert leaderboard("build", *flags, "--no-cache", "--ceiling", file) == 1
    error = " ".join(capsys.readouterr().err.split())
    assert f"--ceiling {file}: " in error
    assert message in error
    file.write_text("{")
    assert leaderboard("build", *flags, "--no-cache", "--ceiling", file) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_scores_that_a_trick_tops_say_so(site: Path) -> None:
    page = (site / "index.html").read_text()
    for score, trick in TRICKS.items():
        assert f"<code>{score}</code>, {trick}" in page
        heading = page[page.index(f'data-key="{score}"') :]
        assert "not ranked" in heading[: heading.index("</th>")]
        assert f"topped by {trick}" in (site / "submissions/labels.html").read_text()


def test_each_column_is_explained_once(site: Path) -> None:
    page = (site / "index.html").read_text()
    explained = re.findall(r"<dt>[^<]*, <code>(\w+)</code></dt>", page)
    assert sorted(explained) == sorted(set(explained))
    assert {"net_benefit", "brier_skill", "coverage"} <= set(explained)
    assert "neither is better" not in page


def test_decoupling_is_reported_pooled_and_within_tasks(site: Path) -> None:
    page = (site / "decoupling.html").read_text()
    papers, _, boards = page.partition("<h2>On this board</h2>")
    row = papers[papers.index("<code>success</code>") :]
    assert re.findall(r"<td>([\d.]+)", row)[:2] == ["0.45", "0.74"]
    for half in (papers, boards):
        scores = re.findall(r"<code>macro_f1</code> and <code>(\w+)</code>", half)
        assert scores == ["paper_hit_rate", "paper_reward"]
    points = str(4 * len(TASKS))
    assert f"<td>{points}</td>" in boards
