"""The site: static files made of results and of nothing else."""

import base64
import errno
import hashlib
import re
from collections.abc import Collection, Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from bagen_data.scoring.all_scores import SCORES
from bagen_data.scoring.scores.early_stop import EARLY_STOP_SCORES
from bagen_data.steady_files import digest_of, steady_file
from bagen_data.wording import numbered
from leaderboard import formatting, paper
from leaderboard.decoupling import PAPER_REWARD, board_pairs, paper_pairs
from leaderboard.figures import cost_figure, decoupling_figure
from leaderboard.main_table import rows_of
from leaderboard.manifest import replaced_ours
from leaderboard.pair_figures import pair_figure
from leaderboard.rankings import INTERVALS, RANKINGS, Ranking
from leaderboard.results import OVERALL, scores_of, write_results
from leaderboard.start_scores import SCORE as START_SCORE
from leaderboard.submission_page import count_ranks, submission_page

TEMPLATES = Path(__file__).parent / "templates"
GUIDE = Path(__file__).parents[1] / "docs" / "leaderboard.md"
"""The file with the text of the page on how to submit."""
MANIFEST = "files.txt"
"""The list of files a build wrote, a path a line: the next one replaces these and no others."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of a disk that takes no more; they say nothing about the file that is copied."""
_COLUMNS = tuple({each.score: each for ranking in RANKINGS for each in ranking.columns}.values())
"""The columns of all tables, each once."""
_UNCOUNTED = ("paper_saved_rate", "saved_rate", "saved_below_cap", "net_benefit")
"""Scores of early stop that are no share of samples or rollouts."""


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
        submissions: where the submissions' files are.
        files_url: where readers find them; without it they are copied into the site.

    Returns:
        The files of submissions, as FOLDER/NAME, that the site does not offer, because they are no
        longer those that were scored.

    Raises:
        OutputError: `out` cannot be written, or holds something else.
    """
    with replaced_ours(out, MANIFEST) as staging:
        write_results(results, staging)
        withheld = [] if files_url else _copy_files(results, submissions, staging)
        for path, text in _pages(_Pages(results, files_url, withheld), results):
            target = staging / path
            target.parent.mkdir(exist_ok=True)
            target.write_text(text, encoding="utf-8")
    return withheld


def _copy_files(results: Mapping[str, Any], submissions: Path, staging: Path) -> list[str]:
    """Copy the files that were scored, and return those that are not there any more."""
    withheld = []
    for submission in (*results["submissions"], *results["apart"]):
        if submission.get("earlier") or submission["scores"] is None:
            continue  # of another build, or of whatever is in them
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


def _pages(pages: "_Pages", results: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield each page's path and text."""
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
        self._results = results
        self._environment = _environment()
        self._rank_counts = count_ranks(results)
        style, script = (_asset(name) for name in ("style.css", "site.js"))
        self._common = {
            "results": results,
            "groups": [OVERALL, *results["dataset"]["tasks"]],
            "style": style,
            "script": script,
            "policy": _policy(style, script),
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
        )

    def _table(self, group: str, ranking: Ranking) -> dict[str, Any]:
        """Return one ranking, as the template shows it."""
        rows = rows_of(self._results, group, ranking)
        folder = "submissions" if group == OVERALL else "../submissions"
        hidden = (self._results["hidden"] or {"scores": []})["scores"]
        return {
            "ranking": ranking,
            "rows": rows,
            "estimators": sum(row.standing == "estimator" for row in rows),
            "verified": [score for score in ranking.ranked if score in hidden],
            "cost_figure": _figure(cost_figure(rows, ranking.headline, folder)),
            "without_cost": sum(row.standing == "estimator" and row.cost is None for row in rows),
        }

    def submission(self, submission: Mapping[str, Any]) -> str:
        """Return one submission's page."""
        page = submission_page(submission, self._rank_counts)
        page["figures"] = {name: _figure(svg) for name, svg in page["figures"].items()}
        return self.render("submission.html", f"submissions/{submission['folder']}.html", **page)

    def early_stop(self, groups: list[str]) -> str:
        """Return the page of what stopping at the first `impossible` saves and costs.

        The paper's tables are beside it. Whoever saves most is first, ours before the paper's.
        """
        rows_by_group = {
            group: sorted(
                (
                    (submission, scores)
                    for submission in self._results["submissions"]
                    if (scores := scores_of(submission, group)) is not None
                ),
                key=_by_saved_rate,
            )
            for group in groups
        }
        return self.render(
            "early_stop.html",
            "early-stop.html",
            rows_by_group=rows_by_group,
            reported=paper.early_stop(),
            definitions=EARLY_STOP_SCORES,
            uncounted=_UNCOUNTED,
            paper=paper,
        )

    def start(self, groups: list[str]) -> str:
        """Return the page of scores before the first turn, the highest overall value first."""
        answered = [each for each in self._results["submissions"] if each["start"]]
        return self.render(
            "start.html",
            "start.html",
            answered=sorted(answered, key=_by_start),
            start_groups=groups,
            score=START_SCORE,
            meaning=SCORES[START_SCORE].meaning,
        )

    def decoupling(self) -> str:
        """Return the page on whether scores that the paper finds decoupled go together.

        The scores are correlated pooled and within tasks.
        """
        rows = rows_of(self._results, OVERALL, INTERVALS)
        pairs = {"paper": paper_pairs(), "board": board_pairs(self._results)}
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


def _by_saved_rate(row: tuple[Mapping[str, Any], Mapping[str, Any]]) -> tuple[Any, ...]:
    """Return a key that sorts the best first; those without a value last, and equals by name."""
    submission, scores = row
    value = scores["saved_rate"]["value"]
    name = submission["metadata"]["estimator"]
    return value is None, -(value or 0), name, submission["folder"]


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


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    for name in ("number", "count", "dollars", "interval", "plain", "clipped", "way", "breakable"):
        environment.filters[name] = getattr(formatting, name)
    environment.filters["numbered"] = numbered
    environment.globals["bar"] = formatting.bar
    return environment


def _asset(name: str) -> Markup:
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))  # noqa: S704  our own


def _figure(svg: str | None) -> Markup | None:
    return None if svg is None else Markup(svg)  # noqa: S704  escaped by who draws


def _policy(style: str, script: str) -> str:
    """Return the policy of a page: its own style and script, by hash, nothing from elsewhere."""

    def digest(text: str) -> str:
        return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"

    return (
        f"default-src 'none'; style-src {digest(style)}; script-src {digest(script)}; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
