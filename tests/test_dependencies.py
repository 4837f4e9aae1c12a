"""Packages are locked by hash, and workflows run what is in the repository."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.making import REPO

LOCKS = sorted((REPO / "requirements").glob("*.lock"))
WORKFLOWS = sorted((REPO / ".github" / "workflows").glob("*.yml"))
PROJECT: dict[str, Any] = tomllib.loads((REPO / "pyproject.toml").read_text())["project"]
ROOMS = ("bagen_data", "builders", "collect", "leaderboard", "metrics", "train")
PIN = re.compile(r"^(\S+)==(\S+)(?: ; ([^\\]+))? \\$")
ACTION = re.compile(
    r"actions/[a-z-]+@(v\d+|[0-9a-f]{40})|pypa/gh-action-pypi-publish@(release/v1|[0-9a-f]{40})"
)
OURS = re.compile(r"make |python -m leaderboard ")
INSTALL = re.compile(
    r"python -m pip install (uv|--no-deps --require-hashes -r requirements/[a-z]+\.lock)"
)
HASH = re.compile(r"^    --hash=sha256:[0-9a-f]{64}(?: \\)?$")


def pins(lock: Path) -> dict[str, set[str]]:
    """The locked versions of each package, for some Python and system."""
    versions: dict[str, set[str]] = {}
    for line in lock.read_text().splitlines():
        if match := PIN.match(line):
            versions.setdefault(canonicalize_name(match[1]), set()).add(match[2])
    return versions


def wanted(extra: str) -> list[Requirement]:
    """Return the packages that an extra needs, with those of the extras in it."""
    requirements = []
    for text in PROJECT["optional-dependencies"][extra]:
        requirement = Requirement(text)
        if requirement.name == PROJECT["name"]:
            requirements += [each for name in requirement.extras for each in wanted(name)]
        else:
            requirements.append(requirement)
    return requirements


def test_the_wheel_alone_reads_asks_scores_hands_in_and_watches() -> None:
    names = [Requirement(text).name for text in PROJECT["dependencies"]]
    assert names == [
        *("huggingface-hub", "numpy", "orjson", "pyarrow"),  # datasets and logs, Hub and disk
        *("pydantic", "pyyaml", "rich", "safetensors", "typer"),  # the command, kept forecasters
    ]


def test_an_extra_that_somebody_asks_for_stays_valid() -> None:
    extras = PROJECT["optional-dependencies"]
    assert set(extras) >= {"baselines", "builders", "cli", "collect", "dask", "langchain"}
    assert set(extras) >= {"leaderboard", "lm-eval", "load", "metric", "models", "openai-agents"}
    assert set(extras) >= {"pictures", "prices", "ray", "scrub", "tokenizer", "train"}
    default = {Requirement(text).name for text in PROJECT["dependencies"]}
    for extra in extras:
        assert not default & {requirement.name for requirement in wanted(extra)}, extra


def test_every_extra_that_a_text_names_exists() -> None:
    named = re.compile(
        r"(?:bagen-data|'\.)\[([a-z,-]+)\]'?|MissingExtraError\([^()]*\"([a-z-]+)\"\)"
    )
    texts = [*REPO.glob("*.md"), *(REPO / "docs").rglob("*.md"), *(REPO / "metrics").rglob("*.*")]
    code = [path for room in ROOMS for path in (REPO / room).rglob("*.py")]
    named_extras = {
        (extra, path.name)
        for path in [*texts, *code]
        if path.suffix in {".md", ".py", ".txt"}
        for listed in named.findall(path.read_text(encoding="utf-8"))
        for extra in "".join(listed).split(",")
    }
    assert ("load", "README.md") in named_extras
    assert ("ray", "ray_executor.py") in named_extras
    assert {extra for extra, _ in named_extras} <= set(PROJECT["optional-dependencies"])


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.name)
def test_a_lock_has_versions_and_hashes_and_no_address(lock: Path) -> None:
    lines = lock.read_text().splitlines()
    assert all(PIN.match(line) or HASH.match(line) for line in lines)
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        assert not line.endswith("\\") or HASH.match(following), line


@pytest.mark.parametrize("extra", ["demo", "dev"])
def test_a_lock_has_what_the_project_asks_for(extra: str) -> None:
    locked = pins(REPO / "requirements" / f"{extra}.lock")
    for requirement in [*map(Requirement, PROJECT["dependencies"]), *wanted(extra)]:
        if requirement.name == "torch":  # each machine has its own build
            continue
        versions = locked[canonicalize_name(requirement.name)]
        assert all(map(requirement.specifier.contains, versions)), requirement


def test_each_floor_of_training_is_a_version_that_was_run() -> None:
    """The locked version, up to its patch release, and PyTorch's in the Makefile."""
    locked = pins(REPO / "requirements" / "dev.lock") | {"torch": {torch_of_makefile()}}
    own = [Requirement(text) for text in PROJECT["optional-dependencies"]["train"]]
    for requirement in own:
        if requirement.name != PROJECT["name"]:
            (floor,) = (each.version for each in requirement.specifier if each.operator == ">=")
            (version,) = locked[canonicalize_name(requirement.name)]
            assert version.split(".")[:2] == floor.split(".")[:2], requirement


def torch_of_makefile() -> str:
    (version,) = set(re.findall(r"torch==([0-9.]+)", (REPO / "Makefile").read_text()))
    return str(version)


def test_the_environment_of_vllm_has_the_versions_that_the_tests_run() -> None:
    lines = (REPO / "requirements" / "vllm.in").read_text().splitlines()
    pinned = [Requirement(line) for line in lines if not line.startswith("#")]
    locked = pins(REPO / "requirements" / "dev.lock") | {"torch": {torch_of_makefile()}}
    floors = {requirement.name: requirement.specifier for requirement in wanted("train")}
    assert {"torch", "transformers", "trl", "vllm"} <= {each.name for each in pinned}
    for requirement in pinned:
        (exact,) = requirement.specifier
        assert exact.operator == "=="
        if requirement.name != "vllm":
            assert locked[requirement.name] == {exact.version}
            assert floors[requirement.name].contains(exact.version)


def test_no_lock_holds_a_package_that_was_compromised_or_needs_an_old_hub_client() -> None:
    locked = pins(REPO / "requirements" / "dev.lock")
    assert "litellm" not in locked
    assert all(int(version.partition(".")[0]) >= 2 for version in locked["huggingface-hub"])


def test_the_demo_has_the_versions_of_the_rest() -> None:
    demo, dev = (pins(REPO / "requirements" / f"{name}.lock") for name in ("demo", "dev"))
    assert all(versions <= dev[name] for name, versions in demo.items())


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_runs_what_is_here_and_may_only_read(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {"contents": "read"}
    assert True in workflow  # `on`, as YAML 1.1 reads it
    targets = set(re.findall(r"^([a-z-]+):", (REPO / "Makefile").read_text(), re.MULTILINE))
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    commands = [step["run"] for step in steps if "run" in step]
    assert any(OURS.match(command) for command in commands)
    assert all(OURS.match(command) or INSTALL.fullmatch(command) for command in commands)
    for _, *words in (command.split() for command in commands if command.startswith("make ")):
        assert {word for word in words if "=" not in word} <= targets, words
    assert all(ACTION.fullmatch(step["uses"]) for step in steps if "uses" in step)
    assert all(job["timeout-minutes"] for job in workflow["jobs"].values())
    assert "${{ github.event" not in path.read_text()  # texts of strangers in a shell


def test_there_are_locks_and_workflows() -> None:
    assert [path.name for path in LOCKS] == ["alone.lock", "demo.lock", "dev.lock"]
    assert [path.name for path in WORKFLOWS] == [
        *("audit.yml", "docs.yml", "leaderboard.yml", "lower-bounds.yml", "release.yml", "test.yml")
    ]


def test_only_the_job_that_publishes_may_say_who_it_is_and_it_runs_nothing_of_ours() -> None:
    workflow = yaml.safe_load((REPO / ".github/workflows/release.yml").read_text())
    assert workflow[True] == {"push": {"tags": ["v*"]}}
    build, publish = (workflow["jobs"][name] for name in ("build", "publish"))
    assert "permissions" not in build
    assert build["steps"][-2]["run"] == 'make UV= release-check TAG="$GITHUB_REF_NAME"'
    assert publish["permissions"] == {"id-token": "write"}
    assert publish["environment"]["name"] == "pypi"
    assert publish["needs"] == "build"
    assert not any("run" in step for step in publish["steps"])
    handed_over = [job["steps"][at]["with"]["name"] for job, at in ((build, -1), (publish, 0))]
    assert handed_over == ["distributions", "distributions"]
