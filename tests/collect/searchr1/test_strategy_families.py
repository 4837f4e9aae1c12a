"""Families of the strategies, by a rule on a server on loopback, through the command line.

The rule knows the answers: these tests show the plumbing, and say nothing about models.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from collect.searchr1.question_file import read_questions
from tests.collect.searchr1.conftest import SEARCH
from tests.collect.searchr1.scripted_model import actions, check, finish, search
from tests.making import build_record, contents, rows_of, run
from tests.model_server import KEY, MODEL, ModelServer, model_server
from tests.predicting import FORKS

FILE = "searchr1_eval_estimation_dialogues.json"
QUESTIONS = {each.text: each for each in read_questions(SEARCH / "questions.jsonl")}
KINDS = ("right", "continue", "pivot", "unreadable", "split", "no action")
"""The way in which the rule plays a question."""
PLAN = "[ ] 1 explore: what the question names\n[ ] 2 verify: the answer"
STRATEGIES = ("bats", "sequential", "parallel")
BUDGET = ("--budget", "tokens=100000,search=3")
SEED = ("--seed", "26")
"""The seed whose 6 questions are of all kinds."""


def words(text: str) -> int:
    return len(text.split())


def kind_of(question: str) -> str:
    return KINDS[list(QUESTIONS).index(question) % len(KINDS)]


def respond(messages: list[dict[str, Any]]) -> str:
    """Play by the rule, which depends on the messages alone."""
    prompts = [message["content"] for message in messages if message["role"] == "user"]
    question = next(filter(None, (re.search(r"Question: (.*)", text) for text in prompts)))[1]
    right, kind = QUESTIONS[question].answers[0], kind_of(question)
    if messages[0]["content"].startswith("You choose between answers"):
        number = re.search(rf"Answer (\d+): {re.escape(right)}\n", prompts[-1])
        return f"<think>It is known.</think><choice>{number[1] if number else 1}</choice>"
    proposed = re.search(r"You propose the answer: (.*)", prompts[-1])
    if proposed:
        return _checked(proposed[1] == right, kind)
    is_resumed = "What happened so far" in prompts[0]
    if not is_resumed and len(prompts) == 1:
        return search(question, PLAN)
    if kind == "no action" and len(prompts) == 2:
        return "I am not sure."
    is_wrong = kind in ("continue", "pivot", "unreadable") and not is_resumed
    if kind == "split":
        is_bats = "Branches to follow" in prompts[0]
        is_wrong = "search: 0 of 3" in prompts[0] if is_bats else "attempt" not in prompts[-1]
    return finish("nobody knows" if is_wrong else right)


def _checked(is_right: bool, kind: str) -> str:
    if is_right or kind == "split":
        return check("SUCCESS", "satisfied", "satisfied")
    if kind == "unreadable":
        return "I think so."
    if kind == "pivot":
        return check("PIVOT", "contradicted", summary="A document says otherwise.")
    return check("CONTINUE", "satisfied", "unverified", summary="The river is known.")


def collect(server: ModelServer, out: Path, strategy: str, *more: str, rollouts: int = 6) -> Any:
    """Record a family; the model alone plays it where `strategy` is empty."""
    name, attempts = (f"{strategy}:", ["--attempts", "2"]) if strategy else ("", [])
    agent = ["--agent", f"{name}openai-api/rule/{MODEL}", "--base-url", server.url]
    options = ["--rollouts", str(rollouts), "--out", str(out), *attempts, *more]
    command = ["-m", "collect", "searchr1", *agent, *options]
    return FORKS.run(command, {**os.environ, "RULE_API_KEY": KEY})


def read(out: Path) -> list[dict[str, Any]]:
    return json.loads((out / FILE).read_bytes())  # type: ignore[no-any-return]


@pytest.fixture(scope="module", params=STRATEGIES)
def family(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, ModelServer]:
    """A family of each strategy, and the server that played it."""
    strategy = request.param
    out = tmp_path_factory.mktemp(strategy) / "searchr1-origin-rule"
    with model_server(respond=respond, output_tokens=words) as server:
        done = collect(server, out, strategy, *BUDGET, *SEED)
        assert done.returncode == 0, done.stderr
    return strategy, out, server


def fresh(rollout: dict[str, Any]) -> int:
    """Fresh tokens by the definition: a context's first input, then what is beyond its history."""
    replayed: dict[str, int] = {}
    total = 0
    for turn in rollout["turns"]:
        read_tokens, written = turn["api_input_tokens"], turn["api_output_tokens"]
        total += max(0, read_tokens - replayed.get(turn["context"], 0)) + written
        replayed[turn["context"]] = read_tokens + written
    return total


def test_all_that_the_server_billed_is_in_the_log_and_in_a_build(
    family: tuple[str, Path, ModelServer], tmp_path: Path
) -> None:
    _, out, server = family
    rollouts = read(out)
    turns = [turn for rollout in rollouts for turn in rollout["turns"]]
    assert len(turns) == len(server.usages)
    for field, name in (
        ("api_input_tokens", "prompt_tokens"),
        ("api_output_tokens", "completion_tokens"),
    ):
        assert sum(turn[field] for turn in turns) == sum(usage[name] for usage in server.usages)
    assert run("build", "--origin", out.parent, "--out", tmp_path / "built", "--strict") == 0
    (built,) = build_record(tmp_path / "built")["families"]
    assert built["counts"]["rollouts"] == len(rollouts)
    rows = rows_of(tmp_path / "built", "searchr1")
    totals: dict[str, float] = {}
    for row in rows:
        (tokens,) = [each for each in row["resources"] if each["resource"] == "tokens"]
        totals[row["instance_id"]] = tokens["used"] + tokens["remaining"]
    assert totals == {each["instance_id"]: fresh(each) for each in rollouts}
    for rollout in rollouts:
        searches = sum(action.startswith("search[") for action in actions(rollout))
        assert rollout["used"] == {"tokens": fresh(rollout), "search": searches}
        assert rollout["stopped_by"] is None
        assert searches <= 3


def test_the_log_says_what_was_played(family: tuple[str, Path, ModelServer]) -> None:
    strategy, out, _ = family
    assert {kind_of(rollout["question"]) for rollout in read(out)} == set(KINDS)
    for rollout in read(out):
        record = rollout["strategy"]
        assert record["name"] == strategy
        assert 1 <= record["attempts"] <= 2
        kind = kind_of(rollout["question"])
        verdicts = [each.get("verdict") for each in record["proposals"]]
        if strategy == "bats":
            assert rollout["rollout_success"], kind
            first = {"continue": "CONTINUE", "pivot": "PIVOT", "unreadable": "CONTINUE"}
            assert verdicts[0] == first.get(kind, "SUCCESS")
            assert record["malformed"]["check"] == verdicts.count("CONTINUE") * (
                kind == "unreadable"
            )
            assert (record["chosen_by"] == "judge") == (kind == "split")
        else:
            assert set(verdicts) == {None}
            assert rollout["rollout_success"] == (kind in ("right", "no action"))
    assert f"agent: {strategy}:openai-api/rule/{MODEL}" in (out / "collection.yaml").read_text()
    settings = yaml.safe_load((out / "collection.yaml").read_text())["told"]
    assert settings["strategy"]["attempts"] == 2
    assert len(settings["strategy"]["prompts"]["sha256"]) == 64
    assert settings["budget"]["status block"] == (strategy == "bats")


def test_a_family_with_failures_is_resumed_and_is_as_a_whole_one(
    family: tuple[str, Path, ModelServer], tmp_path: Path
) -> None:
    strategy, whole, _ = family
    out = tmp_path / whole.name
    with model_server(
        respond=respond, output_tokens=words, fail=lambda number: 400 if number in (3, 9, 14) else 0
    ) as server:
        done = collect(
            server, out, strategy, *BUDGET, *SEED, "--retries", "0", "--connections", "1"
        )
        assert done.returncode == 1
        assert "3 rollouts could not be recorded" in done.stderr
        assert len(read(out)) == 3
        other = collect(server, out, strategy, "--budget", "tokens=90000", *SEED, "--resume")
        assert (other.returncode, "was begun with" in other.stderr) == (2, True)
        again = collect(server, out, strategy, *BUDGET, *SEED, "--resume")
    assert again.returncode == 0, again.stderr
    assert contents(out) == contents(whole)


@pytest.mark.parametrize(("over", "turns"), [("the check", 3), ("the answer", 2)])
def test_a_budget_that_ends_within_a_request_ends_the_rollout(
    over: str, turns: int, tmp_path: Path
) -> None:
    """The response that goes over it is billed and logged, and not used."""
    whole, out = (tmp_path / each / "searchr1-origin-rule" for each in "ab")
    with model_server(respond=respond, output_tokens=words) as server:
        first = ["--seed", "1", "--attempts", "1"]
        done = collect(server, whole, "bats", *BUDGET, *first, rollouts=1)
        assert done.returncode == 0, done.stderr
        (rollout,) = read(whole)
        before = fresh({"turns": rollout["turns"][: turns - 1]})
        limit = f"tokens={before + 1},search=3"
        done = collect(server, out, "bats", "--budget", limit, *first, rollouts=1)
        assert done.returncode == 0, done.stderr
    (cut,) = read(out)
    assert len(cut["turns"]) == turns
    assert cut["turns"][-1]["strategy"]["outcome"] == "over budget"
    assert cut["used"]["tokens"] == fresh(cut) > before + 1
    proposals = cut["strategy"]["proposals"]
    if over == "the answer":
        assert (proposals, cut["answer"]) == ([], None)
        assert not cut["rollout_success"]
    else:
        assert [each["verdict"] for each in proposals] == [None]
        assert cut["answer"] == proposals[0]["answer"], "given without a check"
        assert cut["turns"][-1]["actions"] == [f"finish[{cut['answer']}]"]


@pytest.mark.parametrize(
    ("strategy", "options", "words_of_it"),
    [
        ("bats", [], "plans by its budget, and --budget is missing"),
        (
            "parallel",
            [*BUDGET, "--stop-with", "any"],
            "--stop-with: of no use with --agent parallel:",
        ),
        ("bats", ["--budget", "euros=3"], "searchr1 does not spend euros"),
        ("tree", [], "searchr1 has no strategy 'tree'; expected one of bats, sequential, parallel"),
        ("bats", ["--attempts", "0", *BUDGET], "--attempts"),
    ],
)
def test_options_that_do_not_fit_are_refused(
    strategy: str, options: list[str], words_of_it: str, tmp_path: Path
) -> None:
    with model_server() as server:
        done = collect(server, tmp_path / "searchr1-origin-rule", strategy, *options)
    assert done.returncode == 2
    assert words_of_it in " ".join(done.stderr.replace("│", " ").split())
    assert not server.requests


def test_a_family_of_a_strategy_is_not_played_on(
    family: tuple[str, Path, ModelServer], tmp_path: Path
) -> None:
    strategy, out, _ = family
    start = ["--resume-from", str(out), "--turn", "1", "--continuations", "1"]
    agent = ["--agent", f"openai-api/rule/{MODEL}", "--out", str(tmp_path / out.name)]
    done = FORKS.run(["-m", "collect", "searchr1", *agent, *start], dict(os.environ))
    assert done.returncode == 1
    assert f"was recorded by {strategy}:" in " ".join(done.stderr.split())


def test_attempts_are_of_strategies_alone(tmp_path: Path) -> None:
    out = tmp_path / "searchr1-origin-rule"
    options = ["--rollouts", "1", "--attempts", "2", "--out", str(out)]
    command = ["-m", "collect", "searchr1", "--agent", "scripted", *options]
    done = FORKS.run(command, dict(os.environ))
    assert done.returncode == 2
    assert "--attempts: of no use with an agent that answers once" in " ".join(done.stderr.split())


def test_a_strategy_is_compared_with_the_model_alone(tmp_path: Path) -> None:
    plain, parallel = (tmp_path / f"searchr1-origin-{name}" for name in ("plain", "parallel"))
    with model_server(respond=respond, output_tokens=words) as server:
        for out, strategy in ((plain, ""), (parallel, "parallel")):
            done = collect(server, out, strategy, *BUDGET, rollouts=2)
            assert done.returncode == 0, done.stderr
    prices = ["--price", f"openai-api/rule/{MODEL}=1,2", "--tool-price", "search=0.001"]
    command = ["-m", "collect", "compare", str(plain), str(parallel), *prices]
    done = FORKS.run(command, {**os.environ, "COLUMNS": "200"})
    assert (done.returncode, done.stderr) == (0, ""), "no other difference is noted"
    assert "parallel" in done.stdout
    assert "propose" not in done.stdout, "only searches are calls of a tool"


def test_the_sequential_agent_sees_the_budget_where_it_is_to(tmp_path: Path) -> None:
    out = tmp_path / "searchr1-origin-rule"
    with model_server(respond=respond, output_tokens=words) as server:
        done = collect(server, out, "sequential", *BUDGET, "--tracker", rollouts=2)
        assert done.returncode == 0, done.stderr
    prompts = [turn["user_prompt"] for each in read(out) for turn in each["turns"]]
    assert all("100,000" in prompt for prompt in prompts)
