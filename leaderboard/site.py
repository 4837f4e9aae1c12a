"""The site: static files made of results and of nothing else."""

import base64
import errno
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from bagen_data import published
from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.scores.early_stop import EARLY_STOP_SCORES, SUCCESS_WORTH
from bagen_data.steady_files import digest_of, steady_file
from bagen_data.wording import numbered
from leaderboard import formatting, paper, task_titles
from leaderboard.blocks import blocks_of
from leaderboard.decoupling import PAPER_REWARD, board_pairs, paper_pairs
from leaderboard.early_stop_table import EARLY_STOP_TITLES, UNCOUNTED, early_stop_blocks
from leaderboard.example_question import EXAMPLE
from leaderboard.figures import cost_figure, decoupling_figure
from leaderboard.kinds import SUBMITTED, standing_of
from leaderboard.main_table import rows_of, table_blocks
from leaderboard.manifest import replaced_ours
from leaderboard.pair_figures import pair_figure
from leaderboard.rankings import INTERVALS, RANKINGS, Ranking
from leaderboard.results import OVERALL, scores_of, write_results
from leaderboard.scripted_runs import has_baselines_alone, has_scripted_runs
from leaderboard.shown_ranks import with_shown_ranks
from leaderboard.start_scores import SCORE as START_SCORE
from leaderboard.submission_page import count_ranks, submission_page

TEMPLATES = Path(__file__).parent / "templates"
GUIDE = Path(__file__).parents[1] / "docs" / "leaderboard.md"
"""The file with the text of the page on how to submit."""
MANIFEST = "files.txt"
"""The list of files that a build wrote, a path a line: the next build replaces only these."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a full disk; they say nothing about the file that is copied."""
_COLUMNS = tuple({each.score: each for ranking in RANKINGS for each in ranking.columns}.values())
"""The columns of all tables, each once."""
_HUB_PAGES = {
    "dataset": f"{published.HUB_PAGE}/datasets/{published.HUB_ID}",
    "metric": f"{published.HUB_PAGE}/spaces/{published.METRIC_ID}",
}
"""Addresses of the benchmark's pages on the Hub."""


def write_site(
    results: Mapping[str, Any],
    out: Path,
    submissions: Path,
    files_url: str | None = None,
) -> list[str]:
    """Write results and pages, all or none.

    Args:
        results: as in `results.json`.
        out: the folder, replaced if an earlier build wrote all that it holds.
        submissions: the folder with the submissions' files.
        files_url: the address where readers find these files; without it the site has copies.

    Returns:
        The files of submissions, as FOLDER/NAME, that the site does not offer, because they are no
        longer those that were scored.

    Raises:
        OutputError: `out` cannot be written, or holds something else.
    """
    with replaced_ours(out, MANIFEST) as staging:
        write_results(results, staging)
        withheld = [] if files_url else _copy_files(results, submissions, staging)
        for path, text in _pages(_Pages(results, files_url, withheld)):
            target = staging / path
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
    return withheld


def _copy_files(results: Mapping[str, Any], submissions: Path, staging: Path) -> list[str]:
    """Copy the files that were scored, and return those that are gone or changed."""
    withheld = []
    for submission in (*results["submissions"], *results["apart"]):
        if submission.get("earlier") or submission["scores"] is None:
            continue  # another build has its files, or nothing of them was scored
        source = submissions / submission["folder"]
        target = staging / "files" / submission["folder"]
        target.mkdir(parents=True)
        withheld += [
            f"{submission['folder']}/{file['name']}"
            for file in submission["files"]
            if not _copied(source / file["name"], target / file["name"], file["sha256"])
        ]
    return withheld


def _copied(source: Path, target: Path, sha256: str) -> bool:
    """Copy a file if it holds the bytes of a hash; returns whether it does."""
    with target.open("xb") as copy:
        try:
            with steady_file(source, "refused") as file:
                is_same = digest_of(file, copy).sha256 == sha256
        except OSError as error:
            if error.errno in _FULL:
                raise
            is_same = False
    if not is_same:
        target.unlink()
    return is_same


def _pages(pages: "_Pages") -> Iterator[tuple[str, str]]:
    """Yield each page's path and text."""
    results = pages.results
    groups = [OVERALL, *results["dataset"]["tasks"]]
    for group in groups:
        path = "index.html" if group == OVERALL else f"tasks/{group}.html"
        yield path, pages.table(group, path)
    for submission in results["submissions"]:
        yield f"submissions/{submission['folder']}.html", pages.submission(submission)
    yield "early-stop.html", pages.early_stop(groups)
    yield "start.html", pages.start(groups)
    yield "decoupling.html", pages.decoupling()
    yield "apart.html", pages.render("apart.html", "apart.html")
    yield "refused.html", pages.render("refused.html", "refused.html")
    yield "submit.html", pages.guide()
    yield "README.md", (TEMPLATES / "space.md").read_text(encoding="utf-8")


class _Pages:
    """Renders pages of one set of results."""

    def __init__(
        self, results: Mapping[str, Any], files_url: str | None, withheld: Collection[str]
    ) -> None:
        self.results = results = with_shown_ranks(results)
        self._environment = _environment()
        self._rank_counts = count_ranks(results)
        style, script = (_asset(name) for name in ("style.css", "site.js"))
        self._common = {
            "results": results,
            "groups": [OVERALL, *results["dataset"]["tasks"]],
            "style": style,
            "script": script,
            "policy": _policy(style, script),
            "published": published,
            "hub": _HUB_PAGES,
            "scripted": {
                "runs": has_scripted_runs(results),
                "estimators": has_baselines_alone(results),
            },
            "files_url": files_url and files_url.rstrip("/"),
            "withheld": withheld,
        }

    def render(self, template: str, path: str, **more: Any) -> str:
        """Return a page at `path`, whose links lead from there."""
        root = "../" if "/" in path else ""
        page = self._environment.get_template(template)
        return page.render(**self._common, **more, root=root, path=path) + "\n"

    def table(self, group: str, path: str) -> str:
        """Return the page of a task, or overall, with its tables and plots."""
        return self.render(
            "table.html",
            path,
            group=group,
            tables=[self._table(group, ranking) for ranking in RANKINGS],
            columns=_COLUMNS,
            paper=paper,
            example=EXAMPLE,
        )

    def _table(self, group: str, ranking: Ranking) -> dict[str, Any]:
        """Return one ranking, as the template shows it."""
        rows = rows_of(self.results, group, ranking)
        estimators = [row for row in rows if row.folder is not None]
        folder = "submissions" if group == OVERALL else "../submissions"
        hidden = (self.results["hidden"] or {"scores": []})["scores"]
        return {
            "ranking": ranking,
            "rows": rows,
            "blocks": table_blocks(rows),
            "submitted": sum(row.standing == SUBMITTED for row in rows),
            "estimators": len(estimators),
            "verified": [score for score in ranking.ranked if score in hidden],
            "cost_figure": _figure(cost_figure(rows, ranking.headline, folder)),
            "without_cost": sum(row.cost is None for row in estimators),
        }

    def submission(self, submission: Mapping[str, Any]) -> str:
        """Return one submission's page."""
        page = submission_page(submission, self._rank_counts)
        page["figures"] = {name: _figure(svg) for name, svg in page["figures"].items()}
        return self.render(
            "submission.html",
            f"submissions/{submission['folder']}.html",
            standing=_standing_of(submission),
            **page,
        )

    def early_stop(self, groups: list[str]) -> str:
        """Return the page of what stopping at the first `impossible` saves and costs."""
        return self.render(
            "early_stop.html",
            "early-stop.html",
            blocks_by_group={group: early_stop_blocks(self.results, group) for group in groups},
            scores_of=scores_of,
            titles=EARLY_STOP_TITLES,
            definitions=EARLY_STOP_SCORES,
            uncounted=UNCOUNTED,
            success_worth=SUCCESS_WORTH,
            paper=paper,
        )

    def start(self, groups: list[str]) -> str:
        """Return the page of scores before the first turn, the highest overall value first."""
        answered = [each for each in self.results["submissions"] if each["start"]]
        return self.render(
            "start.html",
            "start.html",
            blocks=blocks_of(sorted(answered, key=_by_start), _standing_of),
            start_groups=groups,
            score=START_SCORE,
            meaning=SCORES[START_SCORE].meaning,
        )

    def decoupling(self) -> str:
        """Return the page on whether scores that the paper finds decoupled go together."""
        rows = rows_of(self.results, OVERALL, INTERVALS)
        pairs = {"paper": paper_pairs(), "board": board_pairs(self.results)}
        return self.render(
            "decoupling.html",
            "decoupling.html",
            pairs=pairs,
            figures={name: _figure(pair_figure(each[0])) for name, each in pairs.items()},
            decoupling_figure=_figure(decoupling_figure(rows, PAPER_REWARD, "submissions")),
            paper=paper,
        )

    def guide(self) -> str:
        """Return the page on how to submit."""
        text = _rendered(GUIDE.read_text(encoding="utf-8"))
        return self.render("guide.html", "submit.html", text=text)


def _rendered(markdown: str) -> Markup:
    """Return Markdown as HTML, whose headings can be linked to."""
    reader = MarkdownIt("commonmark").enable("table")
    tokens = reader.parse(markdown)
    for opening, inside in pairwise(tokens):
        if opening.type == "heading_open":
            opening.attrSet("id", re.sub(r"\W+", "-", inside.content.lower()))
    return Markup(reader.renderer.render(tokens, reader.options, {}))  # noqa: S704  our own


def _standing_of(submission: Mapping[str, Any]) -> str:
    return standing_of(submission["metadata"])


def _by_start(submission: Mapping[str, Any]) -> tuple[Any, ...]:
    """Return a key that sorts the highest overall correlation first.

    Submissions without one come last, by their mean over tasks.
    """
    values = {group: scores[START_SCORE]["value"] for group, scores in submission["start"].items()}
    overall = values.get(OVERALL)
    known = [value for value in values.values() if value is not None]
    mean = sum(known) / len(known) if known else None
    keys = [(value is None, -(value or 0)) for value in (overall, mean)]
    return *keys, submission["metadata"]["estimator"], submission["folder"]


@cache
def _environment() -> jinja2.Environment:
    """Return the environment of the templates, which are compiled once."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    for name in ("number", "count", "dollars", "interval", "plain", "clipped", "way", "address"):
        environment.filters[name] = getattr(formatting, name)
    environment.filters["task_title"] = task_titles.task_title
    environment.filters["numbered"] = numbered
    environment.globals["bar"] = formatting.bar
    for name in ("group_title", "family_title"):
        environment.globals[name] = getattr(task_titles, name)
    return environment


def _asset(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704  our own


def _figure(svg: str | None) -> Markup | None:
    return None if svg is None else Markup(svg)  # noqa: S704  the figures escape their words


def _policy(style: str, script: str) -> str:
    """Return the policy of a page: its own style and script, by hash, nothing from elsewhere."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
