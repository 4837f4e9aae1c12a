"""docs/live.md says what is so: each of its programs runs, against a server on loopback."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import keep
from collect.swebench.minisweagent_import import load_mini_swe_agent
from tests.bagen_data.forecasters.simulated_examples import family
from tests.bagen_data.live.adapters.agent_server import agent_server, last_text
from tests.making import REPO
from tests.model_server import KEY, ModelServer

pytestmark = pytest.mark.filterwarnings("ignore")  # of Inspect's event loops
PAGE = REPO / "docs/live.md"
MODEL = "gpt-5.2"
PROGRAMS = re.findall(
    r"^(#+ [^\n]+)$(?:(?!^#).)*?^```python\n(.*?)^```", PAGE.read_text(), re.M | re.S
)
LINES = 10
"""An adapter needs no more, imports of its framework and its model's input included."""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a kept forecaster."""
    examples = family(60, seed=0, budget=900)
    forecaster = find_forecaster("climatology")
    assert forecaster.fit is not None
    keep("climatology", forecaster.fit(examples, 0), examples).save(tmp_path / "my-forecaster")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModelServer]:
    """A model that calls no tool, and that programs without an address ask."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    monkeypatch.setenv("INSPECT_DISPLAY", "none")
    with agent_server(call=lambda _: None, model=MODEL) as serving:
        monkeypatch.setenv("OPENAI_BASE_URL", serving.url)
        yield serving


def given(server: ModelServer) -> dict[str, Any]:
    """Return what the program for mini-swe-agent calls the user's own."""
    load_mini_swe_agent()
    from minisweagent.environments.local import LocalEnvironment
    from minisweagent.models.openrouter_model import OpenRouterModel

    model = OpenRouterModel(model_name=MODEL, cost_tracking="ignore_errors")
    model._api_url, model._api_key = f"{server.url}/chat/completions", KEY
    server.commands = ["echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"]
    settings = {"system_template": "You use a shell .", "instance_template": "{{task}}"}
    return {"model": model, "environment": LocalEnvironment(), "settings": settings}


@pytest.mark.usefixtures("place")
@pytest.mark.parametrize(("heading", "program"), PROGRAMS, ids=[name for name, _ in PROGRAMS])
def test_a_program_of_the_page_runs(
    heading: str, program: str, server: ModelServer, capsys: pytest.CaptureFixture[str]
) -> None:
    names = given(server) if "mini-swe-agent" in heading else {}
    exec(compile(program, heading, "exec"), names)  # noqa: S102
    assert capsys.readouterr().out
    if "stop" in heading:
        return
    is_shown = "tokens" in last_text(server.bodies[-1])
    assert is_shown != ("mini-swe-agent" in heading)  # whose first message has no status


def test_there_is_a_program_for_each_adapter() -> None:
    modules = {path.stem for path in (REPO / "bagen_data/live/adapters").glob("*.py")}
    own = modules - {"__init__", "inspect_requests", "observed_conversations"}
    named = {module for module in own for _, text in PROGRAMS if f"adapters.{module} " in text}
    assert named == own
    for heading, program in PROGRAMS:
        if "adapters." in program:
            lines = [line for line in program.splitlines() if line.strip()]
            assert len(lines) <= LINES, heading


def test_links_lead_somewhere() -> None:
    text = PAGE.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s#]+)", text):
        assert target.startswith("https://") or (PAGE.parent / target).exists(), target
