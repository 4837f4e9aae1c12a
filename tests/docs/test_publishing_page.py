"""docs/publishing.md: each of its lines runs, in order, and each of its promises holds."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.forks import Forks
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.making import REPO, SAMPLE, WITHOUT_TRANSFORMERS, contents

PAGE = REPO / "docs" / "publishing.md"
DATASET, METRIC, BOARD = "ORG/BAGEN", "ORG/bagen", "ORG/bagen-leaderboard"
SUBMISSIONS = "ORG/bagen-submissions"
TOKENS = {"A submission": "hf_submit", "Review": "hf_comment"}
"""Tokens of those sections that are not the maintainer's."""
EVENT = {
    "repo": {"type": "dataset", "name": SUBMISSIONS},
    "updatedRefs": [{"ref": "refs/pr/1", "newSha": "0" * 40}],
}
"""The event that a webhook sends about the page's pull request."""
FOREIGN = {".gitattributes", "eval.yaml"}
IMPORTED = (
    "builders.cli",
    "builders.build",
    "bagen_data.repositories.publish_command",
    "leaderboard.boards",
    "leaderboard.cli",
    "leaderboard.handed_in.merged",
    "leaderboard.handed_in.reviewing",
    "leaderboard.site_space",
    "huggingface_hub.hf_api",
    "pandas",
    "tests.short_pauses",
)
"""Modules that most lines import, which takes most of their time."""


@dataclass
class Followed:
    """The outcome of the page's lines."""

    hub: LoopbackHub
    folder: Path
    forks: Forks
    """Runs the lines that begin with `python -m`, which share imports."""
    outputs: dict[str, list[str]] = field(default_factory=dict)
    """The output of each line, each time it ran."""
    states: dict[str, Any] = field(default_factory=dict)
    """Facts that were noted at some moments."""

    def results(self) -> dict[str, Any]:
        """The leaderboard's results, as its Space has them."""
        files = self.hub.files(BOARD, repo_type="space")
        results: dict[str, Any] = json.loads(files["results.json"])
        return results


def lines_of(text: str) -> Iterator[tuple[str, str]]:
    """The heading and the text of each line of shell."""
    for section in re.split(r"(?m)^##+ ", text):
        heading = section.partition("\n")[0]
        for block in re.findall(r"(?ms)^```bash\n(.*?)^```$", section):
            for line in block.splitlines():
                yield heading, line


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Followed]:
    folder = tmp_path_factory.mktemp("page")
    (folder / "sample").symlink_to(REPO / "sample")
    shutil.copytree(SAMPLE, folder / "NEW_ORIGIN")
    family = folder / "NEW_ORIGIN" / "sokoban-origin-scripted"
    family.rename(family.with_name("sokoban-origin-renamed"))
    with loopback_hub() as hub:
        forks = Forks(*IMPORTED, environment=hub.environment(folder / "home"))
        page = Followed(hub, folder, forks)
        for heading, line in lines_of(PAGE.read_text(encoding="utf-8")):
            before(page, line)
            run(page, heading, line)
            after(page, line)
        forks.close()
        yield page


def run(page: Followed, heading: str, line: str, **more: str) -> None:
    token = None if "--dry-run" in line else TOKENS.get(heading, "hf_write")
    environment = page.hub.environment(page.folder / "home", token) | more
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    program, *words = shlex.split(line)
    if program == "python" and words[0] == "-m":
        done = page.forks.run(words, environment, page.folder)
    else:
        done = subprocess.run(
            ["/bin/bash", "-c", line],
            cwd=page.folder,
            env=environment | {"PYTHONPATH": WITHOUT_TRANSFORMERS},
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, f"{line}\n{done.stdout}\n{done.stderr}"
    page.outputs.setdefault(line, []).append(done.stdout + done.stderr)


def before(page: Followed, line: str) -> None:
    """Do what others do meanwhile, and note the facts of that moment."""
    hub = page.hub
    if line.endswith("--tag v2.1"):
        hub.commit(DATASET, {"eval.yaml": b"name: BAGEN\n"})
    if line.startswith("hf discussions merge"):
        page.states["first board"] = page.results()
        card = hub.files(DATASET)["README.md"]
        hub.commit(DATASET, {"README.md": card + b"\nA line more.\n"}, title="Mend the card")


def after(page: Followed, line: str) -> None:
    """Note the facts when a line has run."""
    hub = page.hub
    if line.endswith("--dry-run"):
        page.states["repositories after a dry run"] = set(hub.repositories)
    if line.startswith("python -m leaderboard review"):
        discussion = hub.repositories["dataset", SUBMISSIONS].discussions[0]
        page.states["reviewed"] = list(discussion.comments)
        job = line.replace("leaderboard review", "leaderboard.jobs.on_webhook review")
        run(page, "Review", job, WEBHOOK_PAYLOAD=json.dumps(EVENT))
        page.states["reviewed by a webhook"] = list(discussion.comments)
    if line.startswith(("python -m leaderboard update", "python -m leaderboard publish")):
        heads = page.states.setdefault("heads of the board", [])
        heads.append(hub.head(BOARD, "space"))
    for tag in ("v2.0", "v2.1"):
        if line.endswith(f"--tag {tag}"):
            page.states[tag] = (contents(page.folder / "out" / "bagen"), hub.files(DATASET, tag))


def test_a_dry_run_sends_nothing(followed: Followed) -> None:
    assert followed.states["repositories after a dry run"] == set()


@pytest.mark.parametrize("tag", ["v2.0", "v2.1"])
def test_the_dataset_is_what_was_built(followed: Followed, tag: str) -> None:
    built, published = followed.states[tag]
    data = {path for path in built if path.endswith(".parquet")}
    assert {path: published[path] for path in data} == {path: built[path] for path in data}
    assert {path for path in published if path.endswith(".parquet")} == data
    assert published.keys() - built.keys() <= FOREIGN
    revisions = [json.loads(files["build.json"])["revision"] for files in (built, published)]
    assert revisions[0] == revisions[1]
    assert followed.hub.files(DATASET, tag) == published  # a tag stays where it is


def test_what_a_build_no_longer_has_is_gone_and_what_is_of_others_stays(
    followed: Followed,
) -> None:
    _, old = followed.states["v2.0"]
    _, new = followed.states["v2.1"]
    assert "data/sokoban/test-scripted.parquet" in old
    assert "data/sokoban/test-scripted.parquet" not in new
    assert "data/sokoban/test-renamed.parquet" in new
    assert new["eval.yaml"] == b"name: BAGEN\n"
    assert b"test-scripted.parquet" not in re.findall(rb"sokoban/\S+", new["README.md"])


def test_the_metric_loads(followed: Followed) -> None:
    (line,) = [line for line in followed.outputs if "evaluate.load" in line]
    assert followed.outputs[line][0].splitlines()[0] == "bagen"
    assert any(name.endswith(".whl") for name in followed.hub.files(METRIC, repo_type="space"))


def test_a_submission_is_reviewed_once_and_only_commented(followed: Followed) -> None:
    discussion = followed.hub.repositories["dataset", SUBMISSIONS].discussions[0]
    assert discussion.author == "submitter"
    by_reviewer = [each for each in discussion.events if each["author"]["name"] == "reviewer"]
    assert [each["type"] for each in by_reviewer] == ["comment"]
    assert "submissions/median" in followed.states["reviewed"][-1]
    assert followed.states["reviewed by a webhook"] == followed.states["reviewed"]


def test_a_merge_adds_a_row_and_a_commit_of_the_card_changes_none(followed: Followed) -> None:
    first, last = followed.states["first board"], followed.results()
    assert first["dataset"]["revision"] == last["dataset"]["revision"]
    assert not first["apart"]
    assert not last["apart"]
    kept, added = (
        [each for each in last["submissions"] if (each["folder"] == "median") is is_added]
        for is_added in (False, True)
    )
    assert len(added) == 1
    assert [each["scores"] for each in kept] == [each["scores"] for each in first["submissions"]]


def test_a_site_is_published_if_anything_changed(followed: Followed) -> None:
    first, again, last = followed.states["heads of the board"]
    assert first == again != last


def test_no_token_is_shown_or_published(followed: Followed) -> None:
    texts = [text for outputs in followed.outputs.values() for text in outputs]
    assert not [text for text in texts if re.search("hf_(write|comment|submit)", text)]
    for repository in followed.hub.repositories.values():
        for commit in repository.commits.values():
            for kept in commit.files.values():
                assert b"hf_write" not in kept.data


def test_messages_are_those_of_the_commands() -> None:
    folders = ("bagen_data", "bagen_data/repositories", "builders")
    files = sorted(path for folder in folders for path in (REPO / folder).glob("*.py"))
    code = "\n".join(path.read_text(encoding="utf-8") for path in files)
    code = re.sub(r'"\s+f?"', "", code)
    table = PAGE.read_text(encoding="utf-8").partition("| message |")[2]
    messages = re.findall(r"(?m)^\| `([^`]+)` \|", table)
    assert len(messages) > 5
    values = {"v2.0": "{tag}", "403": "{status}", " 6 tries": " {tries} "}
    for value, name in values.items():
        messages = [message.replace(value, name) for message in messages]
    assert [message for message in messages if message not in code] == []


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)\s#]+)\)", PAGE.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (PAGE.parent / target).exists(), target
