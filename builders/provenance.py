"""Origin of a dataset: its name, licence, authors and contact, for its card and Croissant.

A dataset of the benchmark's own tasks is the paper's. One that has any other task is made of
somebody's own logs: neither the paper's authors nor its licence are claimed for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagen_data.published import (
    AUTHORS,
    CODE_PAGE,
    HUB_PAGE,
    LEADERBOARD_ID,
    METRIC_ID,
    PAPER_PAGE,
    PROJECT_PAGE,
    TITLE,
)

BENCHMARK_TASKS = {
    "searchr1": "Search-R1",
    "sokoban": "Sokoban",
    "swebench": "SWE-bench",
    "warehouse": "Warehouse",
}
"""The tasks of the paper, and their names in sentences."""
ISSUES_PAGE = f"{CODE_PAGE}/issues"
_CODE = f"[code]({CODE_PAGE})"
_PAPER = f"[paper]({PAPER_PAGE})"
_METRIC = f"[metric]({HUB_PAGE}/spaces/{METRIC_ID})"


@dataclass(frozen=True)
class Provenance:
    """Origin of a dataset, in the words of its card."""

    name: str
    """Name of the dataset, as the Hub shows it."""
    headline: str
    """Title of the card."""
    licence: str
    """Name of the licence as the Hub lists it."""
    licence_page: str | None
    """Address of the licence; None of data whose licence is not known."""
    licence_sentence: str
    links: str
    """Links to paper, code and more, in Markdown."""
    authors: tuple[str, ...]
    """Authors of the data; empty where the data is not the paper's."""
    sources: str
    """Origin of the rollouts, as the Hub's `source_datasets` has it."""
    citation_sentence: str
    contact: str


_PAPERS = Provenance(
    name="BAGEN",
    headline="BAGEN: does an LLM agent know what it is about to spend?",
    licence="mit",
    licence_page="https://spdx.org/licenses/MIT.html",
    licence_sentence="MIT. Rollouts keep the licence under which they were published; instances of "
    "SWE-bench, HotpotQA and the repositories they quote keep theirs.",
    links=" · ".join(
        [
            _PAPER,
            _CODE,
            f"[project page]({PROJECT_PAGE})",
            f"[leaderboard]({HUB_PAGE}/spaces/{LEADERBOARD_ID})",
            _METRIC,
        ]
    ),
    authors=AUTHORS,
    sources="original",
    citation_sentence="Please cite the paper:",
    contact=f"Questions, corrections and requests to take something down: [issues of the code]"
    f"({ISSUES_PAGE}).",
)
_SOMEBODYS = Provenance(
    name="Agent rollouts with the questions of BAGEN",
    headline="Agent rollouts with the questions of BAGEN: what is still needed?",
    licence="unknown",
    licence_page=None,
    licence_sentence="Whoever built this dataset says under which licence its rollouts are.",
    links=" · ".join([f"{_PAPER} of the questions and scores", _CODE, _METRIC]),
    authors=(),
    sources="original",
    citation_sentence="The rollouts are not those of the paper, and its authors did not make this "
    "dataset. The questions and the scores are from it:",
    contact="Questions about the rollouts, and requests to take something down: whoever published "
    "this dataset. Questions about the format and the scores: [issues of the "
    f"code]({ISSUES_PAGE}).",
)


def provenance_of(record: Mapping[str, Any]) -> Provenance:
    """Return whose data a dataset is.

    Args:
        record: `build.json`.

    >>> provenance_of({"families": [{"task": "sokoban"}]}).licence
    'mit'
    >>> provenance_of({"families": [{"task": "sokoban"}, {"task": "wiki"}]}).licence
    'unknown'
    """
    tasks = {family["task"] for family in record["families"]}
    return _PAPERS if tasks <= BENCHMARK_TASKS.keys() else _SOMEBODYS


def citation() -> str:
    """Return the BibTeX entry of the paper."""
    number = PAPER_PAGE.rpartition("/")[2]
    fields = {
        "title": TITLE,
        "author": " and ".join(AUTHORS),
        "year": f"20{number[:2]}",
        "eprint": number,
        "archivePrefix": "arXiv",
        "url": PAPER_PAGE,
    }
    lines = ",\n".join(f"  {name:<13} = {{{value}}}" for name, value in fields.items())
    return f"@misc{{bagen2026,\n{lines}\n}}"
