"""A model over HTTP as mini-swe-agent's model."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from bagen_data.log_formats.mini_swe_agent import read
from bagen_data.logs.rollout_log import FamilyFacts
from bagen_data.models.model_options import ModelOptions
from collect.model_agent import ModelAgent
from collect.swebench.agent_prompts import SUBMIT
from collect.swebench.inspect_model import InspectModel, ModelledLocal, chat
from collect.swebench.local_rollout import Judged, rollout
from collect.swebench.trajectory_layout import Trajectories
from sample.actors.toy_repositories import make_repositories, toys
from tests.collect.swebench.played_toys import TOY, needs_tool, one_instance, outputs
from tests.model_server import KEY, MODEL, ModelServer, model_server

FAILED = FamilyFacts(resolved=frozenset(), judged=frozenset({TOY.instance_id}))
RESOLVED = FamilyFacts(resolved=frozenset({TOY.instance_id}), judged=frozenset({TOY.instance_id}))

pytestmark = needs_tool


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", KEY)


def agent(server: ModelServer) -> ModelAgent:
    return ModelAgent(f"openai-api/local/{MODEL}", ModelOptions(base_url=server.url, retries=0))


def play(server: ModelServer, tmp_path: Path) -> Judged:
    with agent(server) as asked:
        return rollout(one_instance(tmp_path / "toys"), InspectModel(f"local/{MODEL}", asked))


def fix() -> str:
    return f"cat > {TOY.file} <<'EOF'\n{TOY.source}EOF\ngit diff > patch.txt"


def test_a_model_resolves_an_instance(tmp_path: Path) -> None:
    with model_server(commands=[f"cat {TOY.file}", fix(), SUBMIT]) as server:
        played = play(server, tmp_path)
    assert played.resolved, played.reason
    assert [body["max_tokens"] for body in server.bodies] == [800] * 3
    assert server.bodies[0]["tools"][0]["function"]["name"] == "bash"
    last = server.bodies[-1]["messages"]
    assert [each["role"] for each in last] == ["system", "user", *["assistant", "tool"] * 2]
    assert last[2]["tool_calls"][0]["id"] == last[3]["tool_call_id"] == "c0"
    assert outputs(played)[0] == TOY.with_part(TOY.bug.wrong)
    log = read(played.trajectory, RESOLVED)
    words = [sum(len(str(m["content"]).split()) for m in b["messages"]) for b in server.bodies]
    assert [turn.requests[0] and turn.requests[0].input_tokens for turn in log.turns] == words


def test_an_answer_without_a_call_is_a_turn_that_was_paid_for(tmp_path: Path) -> None:
    with model_server(commands=["", "touch patch.txt", SUBMIT]) as server:
        played = play(server, tmp_path)
    roles = [each["role"] for each in played.trajectory["messages"]]
    assert roles[2:6] == ["assistant", "user", "assistant", "tool"]
    assert played.trajectory["messages"][3]["content"].startswith("Your answer called no tool")
    assert len(read(played.trajectory, FAILED).turns) == 3
    assert all(turn.requests for turn in read(played.trajectory, FAILED).turns)


@pytest.mark.parametrize(
    ("function", "opening"),
    [
        ({"name": "python", "arguments": "{}"}, "There is no tool named python"),
        ({"name": "bash", "arguments": "{}"}, "Your call has no command"),
        ({"name": "bash", "arguments": '{"command": 3}'}, "Your call has no command"),
    ],
)
def test_a_bad_call_is_answered_and_three_end_the_rollout(
    tmp_path: Path, function: dict[str, Any], opening: str
) -> None:
    call = {"id": "c", "type": "function", "function": function}
    with model_server(tool_calls=[call]) as server:
        played = play(server, tmp_path)
    messages = played.trajectory["messages"]
    assert [each["role"] for each in messages[2:]] == [*["assistant", "tool"] * 3, "exit"]
    assert messages[3]["content"].startswith(opening)
    assert played.trajectory["info"]["exit_status"] == "RepeatedFormatError"
    assert not played.resolved


def test_what_the_provider_refuses_is_raised(tmp_path: Path) -> None:
    with (
        model_server(fail=lambda _: 400, said="no such thing") as server,
        pytest.raises(Exception, match="no such thing"),
    ):
        play(server, tmp_path)


def test_rollouts_by_number_make_a_family(tmp_path: Path) -> None:
    instances = make_repositories([toys()[0], toys()[-1]], tmp_path / "toys")
    with model_server(commands=[fix(), SUBMIT]) as server, agent(server) as asked:
        play_number = ModelledLocal(instances, f"local/{MODEL}", asked)
        Trajectories().write(tmp_path / "swebench-origin-rule", map(play_number, (0, 1)))
    report = orjson.loads((tmp_path / "swebench-origin-rule" / "report.json").read_bytes())
    assert report["resolved_ids"] == [TOY.instance_id]
    assert report["submitted_ids"] == [each.instance_id for each in instances]


def test_an_answer_without_content_is_not_sent_again() -> None:
    empty = {"role": "assistant", "content": ""}
    assert chat([empty, {"role": "user", "content": "go on"}])[0].role == "user"
