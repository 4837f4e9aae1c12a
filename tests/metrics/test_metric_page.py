"""The metric's page: what one answer is worth."""

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from gradio.exceptions import Error
from gradio_client import Client
from gradio_client.exceptions import AppError

from bagen_data.scoring import score
from tests.making import REPO

APP = REPO / "metrics" / "bagen" / "app.py"
INTERVAL = "<think>Two more turns.</think> <answer>[360, 440]</answer>"

SERVE = """
import runpy, sys
def watch(event, arguments):
    host = {"socket.getaddrinfo": lambda: arguments[0], "socket.connect": lambda: arguments[1][0]}
    if event in host and host[event]() not in (None, "127.0.0.1", "::1", "localhost"):
        print("asked", arguments, flush=True)
sys.addaudithook(watch)
runpy.run_path(sys.argv[1], run_name="__main__")
"""


@pytest.fixture(scope="module")
def app() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bagen_metric_app", APP)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`python app.py`, as a Space runs it; fails if it asks for another machine."""
    home = tmp_path_factory.mktemp("home")
    environment = os.environ | {
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_TEMP_DIR": str(home / "gradio"),
        "HF_HOME": str(home),
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "NO_PROXY": "127.0.0.1",
        "PYTHONPATH": str(REPO),
        "PYTHONUNBUFFERED": "1",
    }
    with (home / "log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(APP)],
            cwd=home,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    assert process.stdout is not None
    with process.stdout as output:
        output_text = ""
        for line in output:
            output_text += line
            if "Running on local URL" in line:
                break
        address = re.search(r"http://127\.0\.0\.1:\d+", output_text)
        try:
            assert address, (home / "log").read_text()
            yield address[0]
        finally:
            process.terminate()
            output_text += output.read()
            process.wait(timeout=20)
    assert "asked" not in output_text


@pytest.fixture(scope="module")
def client(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    client = Client(
        server,
        verbose=False,
        analytics_enabled=False,
        download_files=str(tmp_path_factory.mktemp("files")),
    )
    yield client
    client.close()


@pytest.mark.parametrize(
    ("response", "reading"),
    [
        (INTERVAL, "feasible: 360 to 440 tokens more"),
        ("<answer>[1234.5, 20000]</answer>", "feasible: 1,234.5 to 20,000 tokens more"),
        ("<answer>impossible</answer>", "infeasible"),
        ("<answer>about 400</answer>", "invalid (malformed)"),
        ("<answer>400</answer>", "invalid (scalar)"),
        ("<answer>[440, 360]</answer>", "invalid (reversed)"),
        ("<think><answer>[360, 440]</answer></think>", "invalid (no_answer)"),
        ("", "invalid (no_answer)"),
    ],
)
def test_it_says_how_an_answer_is_read(app: ModuleType, response: str, reading: str) -> None:
    assert app.judge(response, True, 900, 200, 400)[0] == reading


def test_it_shows_what_an_answer_earns(app: ModuleType) -> None:
    rows = app.judge(INTERVAL, True, 900, 200, 400)[1]
    amounts = {"resource": "tokens", "budget": 900, "used": 200, "remaining": 400}
    sample = {"sample_id": "t/m/r/1", "feasible": True, "resources": [amounts]}
    report = score([sample], [{"sample_id": "t/m/r/1", "response": INTERVAL}])
    assert [name for name, _, _ in rows] == list(app.SHOWN)
    assert {name: float(value) for name, value, _ in rows} == {
        name: pytest.approx(report.overall[name].value, abs=5e-4) for name in app.SHOWN
    }
    assert all(meaning for _, _, meaning in rows)


def test_what_has_no_value_is_not_shown_as_zero(app: ModuleType) -> None:
    values = {
        name: value
        for name, value, _ in app.judge("<answer>impossible</answer>", False, 900, 700, 400)[1]
    }
    assert values["accuracy"] == "1"
    assert values["rl_reward"] == "0.2"
    assert values["reward"] == values["coverage"] == "not defined here"


@pytest.mark.parametrize("wrong", [-1, None, float("nan"), float("inf")])
@pytest.mark.parametrize("place", ["budget", "used", "remaining"])
def test_a_number_that_cannot_be_is_said_to_the_reader(
    app: ModuleType, place: str, wrong: float | None
) -> None:
    amounts = {"budget": 900, "used": 200, "remaining": 400} | {place: wrong}
    with pytest.raises(Error, match="expected a number of at least 0"):
        app.judge(INTERVAL, True, **amounts)


def test_every_example_is_read(app: ModuleType) -> None:
    readings = [app.judge(*example)[0].partition(" ")[0] for example in app.EXAMPLES]
    assert readings == ["feasible:", "infeasible", "invalid"]


def test_the_page_answers_over_its_api(client: Client, app: ModuleType) -> None:
    for example in app.EXAMPLES:
        reading, table = client.predict(*example, api_name="/judge")
        judged_reading, rows = app.judge(*example)
        assert reading == judged_reading
        assert table["headers"] == ["score", "value", "meaning"]
        assert table["data"] == rows


def test_the_api_has_one_endpoint_and_starts_with_an_example(client: Client) -> None:
    endpoints = client.view_api(return_format="dict", print_info=False)
    assert list(endpoints["named_endpoints"]) == ["/judge"]
    assert client.predict(api_name="/judge")[0] == "feasible: 360 to 440 tokens more"


@pytest.mark.parametrize(
    ("wrong", "message"), [(-5, "less than minimum value 0"), (None, "Budget: expected a number")]
)
def test_the_page_says_what_is_wrong_with_a_number(
    client: Client, wrong: float | None, message: str
) -> None:
    with pytest.raises(AppError, match=message):
        client.predict(INTERVAL, True, wrong, 200, 400, api_name="/judge")
    assert client.predict(api_name="/judge")[0] == "feasible: 360 to 440 tokens more"


def test_the_page_needs_nothing_but_gradio_and_this_package() -> None:
    imported = re.findall(r"^(?:import|from) (\w+)", Path(APP).read_text("utf-8"), re.MULTILINE)
    assert set(imported) - set(sys.stdlib_module_names) == {"gradio", "bagen_data"}
