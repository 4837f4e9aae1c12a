"""The metric's Space: published by one command, and loaded by its id."""

import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from bagen_data.versions import __version__
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.publish_commands import Maintainer

ID = "ORG/my-metric"
WHEEL = f"bagen_data-{__version__}-py3-none-any.whl"
SCORED = f"""
import evaluate
tokens = {{"resource": "tokens", "budget": 900.0, "used": 200.0, "remaining": 400.0}}
row = {{"sample_id": "sokoban/m/r1/1", "feasible": True, "resources": [tokens]}}
metric = evaluate.load("{ID}")
print(metric.compute(predictions=["<answer>[360, 440]</answer>"], references=[row])["reward"])
"""


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with loopback_hub() as hub:
        yield hub


@pytest.fixture
def maintainer(hub: LoopbackHub, tmp_path: Path) -> Maintainer:
    return Maintainer(hub, tmp_path)


def test_the_metric_is_published_and_loads_by_its_id(
    hub: LoopbackHub, maintainer: Maintainer
) -> None:
    hub.repository(ID, "space", sdk="gradio")
    old = {"bagen_data-0.0.1-py3-none-any.whl": b"old", "theirs.md": b"theirs"}
    hub.commit(ID, old, repo_type="space")
    done = maintainer.run("metrics", "publish", "--to", ID)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == f"{hub.endpoint}/spaces/{ID}"
    files = hub.files(ID, repo_type="space")
    ours = {"README.md", "app.py", "my-metric.py", "requirements.txt", WHEEL}
    assert set(files) == {*ours, ".gitattributes", "theirs.md"}
    assert b"sdk: gradio" in files["README.md"]
    assert f'evaluate.load("{ID}")' in files["README.md"].decode()
    required = [Requirement(line) for line in files["requirements.txt"].decode().splitlines()]
    [package] = [each for each in required if each.name == "bagen-data"]
    assert package.url == f"{hub.endpoint}/spaces/{ID}/resolve/main/{WHEEL}"
    assert package.extras == {"metric"}
    wheel = zipfile.ZipFile(BytesIO(files[WHEEL]))
    assert "bagen_data/scoring/score.py" in wheel.namelist()
    assert not [name for name in wheel.namelist() if name.startswith(("tests", "builders"))]
    assert maintainer.loaded(SCORED) == "0.8"
    head = hub.head(ID, "space")
    again = maintainer.run("metrics", "publish", "--to", ID)
    assert "has these files already; nothing is committed" in again.stderr
    assert hub.head(ID, "space") == head


def test_an_absent_space_is_created_for_gradio(hub: LoopbackHub, maintainer: Maintainer) -> None:
    command = ("metrics", "publish", "--to", "ORG/bagen", "--private")
    dry = maintainer.run(*command, "--dry-run")
    assert dry.returncode == 0, dry.stderr
    assert not hub.repositories
    done = maintainer.run(*command)
    assert done.returncode == 0, done.stderr
    assert "a private Space is not asked for its wheel without a token" in done.stderr
    space = hub.repositories["space", "ORG/bagen"]
    assert (space.sdk, space.private) == ("gradio", True)
    assert b"sdk: gradio" in hub.files("ORG/bagen", repo_type="space")["README.md"]


@pytest.mark.parametrize("to", ["bagen", "ORG/my.metric", "ORG/app"])
def test_a_name_that_evaluate_cannot_import_is_wrong_usage(
    hub: LoopbackHub, maintainer: Maintainer, to: str
) -> None:
    assert maintainer.run("metrics", "publish", "--to", to).returncode == 2
    assert not hub.requests
