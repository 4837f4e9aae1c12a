"""A release says the same of itself everywhere."""

import re
import tomllib
from typing import Any

import yaml

from bagen_data import published
from bagen_data.versions import __version__
from tests.making import REPO
from tools.readme_commands import fitted
from tools.release_check import page_commands

PROJECT: dict[str, Any] = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
CITATION: dict[str, Any] = yaml.safe_load((REPO / "CITATION.cff").read_text())


def test_the_package_names_the_published_places() -> None:
    assert PROJECT["urls"] == {
        "Homepage": published.PROJECT_PAGE,
        "Repository": published.CODE_PAGE,
        "Paper": published.PAPER_PAGE,
        "Dataset": f"{published.HUB_PAGE}/datasets/{published.HUB_ID}",
        "Issues": f"{published.CODE_PAGE}/issues",
        "Changelog": f"{published.CODE_PAGE}/blob/main/CHANGELOG.md",
    }


def test_the_citation_is_of_the_paper_and_of_this_version() -> None:
    paper = CITATION["preferred-citation"]
    people = [f"{person['given-names']} {person['family-names']}" for person in paper["authors"]]
    assert (*people,) == published.AUTHORS
    assert paper["title"] == published.TITLE
    assert paper["url"] == published.PAPER_PAGE
    number = published.PAPER_PAGE.rpartition("/")[2]
    assert paper["identifiers"][0]["value"] == f"arXiv:{number}"
    assert (paper["year"], paper["month"]) == (2000 + int(number[:2]), int(number[2:4]))
    assert CITATION["authors"] == PROJECT["authors"] == [{"name": "The BAGEN authors"}]
    assert CITATION["version"] == __version__
    assert CITATION["license"] == PROJECT["license"]
    assert CITATION["keywords"] == PROJECT["keywords"]
    assert CITATION["repository-code"] == published.CODE_PAGE
    assert CITATION["url"] == published.PROJECT_PAGE


def test_the_package_is_for_the_pythons_that_it_is_tested_on() -> None:
    workflow = yaml.safe_load((REPO / ".github/workflows/test.yml").read_text())
    tested = workflow["jobs"]["test"]["strategy"]["matrix"]["python"]
    stated = [
        classifier.rpartition(" ")[2]
        for classifier in PROJECT["classifiers"]
        if re.search(r":: 3\.\d+$", classifier)
    ]
    assert stated == tested
    assert PROJECT["requires-python"] == f">={tested[0]}"


def test_a_release_runs_the_commands_of_the_pages() -> None:
    commands = page_commands()
    run = [fitted(command, REPO, "t/m/r/1") for command in commands]
    assert {"predict", "score"} <= {command.words[1] for command in run if not command.skipped}
