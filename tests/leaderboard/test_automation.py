"""The GitHub Action and the Jobs that run the leaderboard: what they run, and with which tokens."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from leaderboard.cli import app
from leaderboard.jobs.on_webhook import commands_of
from tests.loopback_hub import loopback_hub
from tests.making import REPO

WORKFLOW = REPO / ".github" / "workflows" / "leaderboard.yml"
JOBS_PAGE = REPO / "leaderboard" / "jobs" / "README.md"
EVENT = {
    "repo": {"type": "dataset", "name": "ORG/bagen-submissions"},
    "updatedRefs": [{"ref": "refs/pr/7", "newSha": "0" * 40}],
}


def check_options(arguments: list[str]) -> None:
    """Assert that a command of the leaderboard exists and takes what it is given."""
    command = typer.main.get_command(app).commands[arguments[0]]  # type: ignore[attr-defined]
    command.make_context(arguments[0], arguments[1:])


def workflow() -> dict[Any, Any]:
    text = WORKFLOW.read_text(encoding="utf-8")
    content: dict[Any, Any] = yaml.safe_load(text)
    return content


def leaderboard_step(job: dict[str, Any]) -> dict[str, Any]:
    (step,) = [step for step in job["steps"] if "python -m leaderboard" in step.get("run", "")]
    content: dict[str, Any] = step
    return content


def test_the_workflow_runs_commands_that_exist() -> None:
    for name, job in workflow()["jobs"].items():
        words = shlex.split(leaderboard_step(job)["run"].replace("$", "ORG/"))
        assert words[:4] == ["python", "-m", "leaderboard", name]
        check_options(words[3:])


def test_the_workflow_runs_no_code_of_strangers() -> None:
    content = workflow()
    assert set(content[True]) == {"schedule", "workflow_dispatch"}  # YAML 1.1 reads "on" as true
    assert content["permissions"] == {"contents": "read"}
    for job in content["jobs"].values():
        assert "permissions" not in job
        for step in job["steps"]:
            assert "${{" not in step.get("run", "")  # values come through the environment
            if "uses" in step:
                assert step["uses"].startswith("actions/")
                assert not {"repository", "ref"} & set(step.get("with", {}))
    keys = [
        step["with"]["restore-keys"]
        for job in content["jobs"].values()
        for step in job["steps"]
        if "cache" in step.get("uses", "")
    ]
    assert keys == ["review-", "update-"]  # a job with a write token reads no cache of a review


def test_each_job_of_the_workflow_has_one_token_in_one_step() -> None:
    content = workflow()
    tokens = {}
    for name, job in content["jobs"].items():
        tokens[name] = leaderboard_step(job)["env"]["HF_TOKEN"]
        others = [step for step in job["steps"] if step is not leaderboard_step(job)]
        assert "secrets." not in json.dumps(others)
    assert "secrets." not in json.dumps(content["env"])
    assert tokens == {
        "review": "${{ secrets.HF_COMMENT_TOKEN }}",
        "update": "${{ secrets.HF_WRITE_TOKEN }}",
    }
    head = WORKFLOW.read_text(encoding="utf-8").partition("\nname:")[0]
    named = re.findall(r"(?:secrets|vars)\.(\w+)", WORKFLOW.read_text(encoding="utf-8"))
    assert set(named) <= set(re.findall(r"\w+", head))


@pytest.fixture(scope="module")
def jobs(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Requests that the lines of the page make, by the real client."""
    home = tmp_path_factory.mktemp("jobs")
    blocks = re.findall(r"(?ms)^```bash\n(.*?)^```$", JOBS_PAGE.read_text(encoding="utf-8"))
    with loopback_hub() as hub:
        environment = hub.environment(home, "hf_write")
        path = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
        done = subprocess.run(
            ["/bin/bash", "-e", "-c", "\n".join(blocks)],
            env=environment | {"PATH": path},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "hf_write" not in done.stdout + done.stderr
        return hub.jobs


def test_the_jobs_page_makes_jobs_that_run_commands_that_exist(jobs: list[dict[str, Any]]) -> None:
    review, update, on_webhook, webhook = jobs
    specs = [review["jobSpec"], update["jobSpec"], on_webhook]
    for spec, begin in zip(specs, ("leaderboard", "leaderboard", "leaderboard.jobs"), strict=True):
        shell, flag, text = spec["command"]
        assert (shell, flag) == ("bash", "-c")
        *start, command = text.split(" && ")
        assert start[0].startswith("git clone --quiet --depth 1 --branch v")
        assert "requirements/demo.lock" in start[-1]
        words = shlex.split(command)
        assert words[2].startswith(begin)
        check_options(words[3:])
        assert set(spec["secrets"]) == {"HF_TOKEN"}
        assert spec["timeoutSeconds"] >= 3600
    assert webhook["watched"] == [{"type": "dataset", "name": "ORG/bagen-submissions"}]
    assert (webhook["domains"], set(webhook["secrets"])) == (["repo"], {"HF_TOKEN"})


def test_a_job_of_a_webhook_reviews_the_pull_request(jobs: list[dict[str, Any]]) -> None:
    words = shlex.split(jobs[2]["command"][2].rpartition(" && ")[2])
    (command,) = commands_of(words[3:], EVENT, "ORG/bagen-submissions")
    check_options(command)
    assert command[-2:] == ["--pr", "7"]


def test_what_is_installed_is_locked() -> None:
    lock = (REPO / "requirements" / "demo.lock").read_text(encoding="utf-8")
    for package in ("huggingface-hub", "jinja2", "pyarrow", "scipy", "typer"):
        assert re.search(rf"(?m)^{package}==", lock), package
