"""Families of a task without a file of its own: from a folder of logs to a score."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bagen_data import load
from bagen_data.answers import parse, render
from bagen_data.cli import main as bagen_main
from bagen_data.general_prompt import general_prompt
from bagen_data.replay import gold_estimate
from bagen_data.schema import Target
from tests.making import (
    build,
    build_record,
    contents,
    counts,
    dialogue,
    exit_code,
    rows_of,
    run,
    warehouse,
    write_json,
    write_lines,
)

EVERY = "tokens,cost_usd,turns,tool_calls,seconds"


def run_of_an_agent(
    name: str, turns: int = 3, success: Any = True, model: str = "gpt-5", **more: Any
) -> dict[str, Any]:
    """Messages with usage, a tool call in each turn, seconds and a cost in odd millionths."""
    messages: list[dict[str, Any]] = [{"role": "system", "content": "Help customers."}]
    read = 1_000
    for number in range(1, turns + 1):
        messages += [
            {"role": "user", "content": f"{name}, message {number}"},
            {
                "role": "assistant",
                "content": f"reply {number}",
                "tool_calls": [{"function": {"name": "find", "arguments": "{}"}}],
                "usage": {"prompt_tokens": read, "completion_tokens": 100 + number},
                "seconds": 0.1 * number,
                "cost_usd": 0.1 + number / 1e6,
            },
        ]
        read += 150 + number
    record = {"id": name, "model": model, "messages": messages, "metadata": {"success": success}}
    return record | more


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A folder that no family is named after: twelve runs of four tickets."""
    for number in range(12):
        record = run_of_an_agent(
            f"run {number}", 2 + number % 4, number % 3 > 0, instance_id=f"ticket-{number % 4}"
        )
        write_json(tmp_path / "my logs" / f"{number:02}.json", record)
    return tmp_path / "my logs"


def bagen(*arguments: object) -> int:
    return exit_code(bagen_main, *arguments)


def test_from_a_folder_of_logs_to_a_score(logs: Path, tmp_path: Path, capsys: Any) -> None:
    out, answers = tmp_path / "out", tmp_path / "answers"
    assert build(logs, out, "--task", "support", "--resources", "tokens,cost_usd") == 0
    assert run("verify", out) == 0
    assert counts(out)["samples"] == len(rows_of(out, "support")) == 30
    data = ("--dataset", out, "--config", "support")
    flags = ("--cross-validate", *data, "--out", answers)
    assert bagen("predict", "baseline", "quantiles", *flags) == 0
    assert bagen("validate", answers, *data) == 0
    assert bagen("score", answers, *data, "--json", tmp_path / "scores.json") == 0
    assert json.loads((tmp_path / "scores.json").read_text())["overall"]["valid_rate"]["value"] == 1
    row = rows_of(out, "support")[0]
    shown = ("--dataset", out, "--baseline", "over_budget")
    capsys.readouterr()
    assert bagen("show", row["sample_id"], *shown) == 0
    said = capsys.readouterr().out
    assert "cost_usd: 0.100001 of" in said
    assert load(out, "support", "test").num_rows == 30
    assert (
        bagen("predict", "model", "mockllm/model", *data, "--out", "x", "--dry-run", "--full") == 0
    )
    assert "Used in each completed turn alone" in capsys.readouterr().out


def test_every_resource_and_every_gold_answer(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(logs, out, "--task", "support", "--resources", EVERY) == 0
    assert run("verify", out) == 0
    rows = rows_of(out, "support")
    record = build_record(out)
    names = EVERY.split(",")
    budget = record["families"][0]["budget"]
    assert budget == {
        "tokens": 1483,
        "cost_usd": 0.300006,
        "turns": 3,
        "tool_calls": 3,
        "seconds": 0.6,
    }
    assert any(row["feasible"] for row in rows)
    for row in rows:
        assert [part["resource"] for part in row["resources"]] == names
        totals = [round(part["used"] + part["remaining"], 6) for part in row["resources"]]
        within = all(t <= p["budget"] for t, p in zip(totals, row["resources"], strict=True))
        assert row["feasible"] is (row["rollout_success"] and within)
        remaining = {part["resource"]: part["remaining"] for part in row["resources"]}
        gold = render(gold_estimate(Target(row["feasible"], remaining)))
        assert parse(gold, names).verdict == ("feasible" if row["feasible"] else "infeasible")
        assert "e-" not in gold
        question = row["prompt"][-1]["content"]
        assert f"seconds: {budget['seconds']}" in question


def test_the_record_and_the_card_say_what_was_used(logs: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(logs, out, "--task", "support", "--resources", "turns,tokens") == 0
    prompt = general_prompt(("turns", "tokens"), "interval_think")
    record = build_record(out)
    assert record["general_task"] == {
        "tasks": ["support"],
        "prompt": "general_several",
        "prompt_sha256": prompt.sha256,
        "resources": ["turns", "tokens"],
    }
    assert record["prompt"]["sha256"] == {"support": prompt.sha256}
    assert not {"success", "prices"} & record.keys()
    text = (out / "README.md").read_text(encoding="utf-8")
    assert "the family's medians as budgets of support" in text
    assert "Prompts of support are the general ones, about turns, tokens." in text
    header = yaml.safe_load(text.split("---\n")[1])
    assert header["configs"][1]["config_name"] == "support"
    assert header["license"] == "unknown"


def test_a_task_with_a_file_records_nothing_more(tmp_path: Path) -> None:
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "a.json", [dialogue()])
    assert build(tmp_path / "origin", tmp_path / "out") == 0
    assert not {"general_task", "success", "prices"} & build_record(tmp_path / "out").keys()


def test_the_revision_depends_on_labels_rule_and_resources(logs: Path, tmp_path: Path) -> None:
    revisions = set()
    for number, flags in enumerate(
        [(), ("--resources", "turns"), ("--success", "success"), ("--rollout-model", "other")]
    ):
        assert build(logs, tmp_path / f"{number}", "--task", "support", *flags) == 0
        revisions.add(build_record(tmp_path / f"{number}")["revision"])
    write_lines(logs / "labels.jsonl", [{"rollout": "01.json", "success": True}])
    assert build(logs, tmp_path / "labelled", "--task", "support") == 0
    revisions.add(build_record(tmp_path / "labelled")["revision"])
    assert len(revisions) == 5


def test_a_label_that_cannot_be_used_is_counted_as_a_label(
    logs: Path, tmp_path: Path, capsys: Any
) -> None:
    """A bad line used to count as a refused rollout; the refused rollouts are as without it."""
    flags = ("--task", "support", "--strict")
    good = [{"rollout": "01.json", "success": True}]
    write_lines(logs / "labels.jsonl", good)
    assert build(logs, tmp_path / "good", *flags) == 0
    assert "unusable_labels" not in (tmp_path / "good" / "build.json").read_text("utf-8")
    assert "unusable labels" not in capsys.readouterr().out
    write_lines(logs / "labels.jsonl", [*good, {"rollout": "zzz", "success": True}])
    assert build(logs, tmp_path / "bad", *flags) == 1
    assert "1 not used, so --strict wrote nothing" in capsys.readouterr().err
    assert build(logs, tmp_path / "bad", *flags[:2]) == 0
    said = capsys.readouterr()
    assert "support-origin-gpt-5/labels.jsonl:2: not used as label: labels 'zzz', and" in said.err
    (heads,) = (each.split("  ") for each in said.out.splitlines() if each.startswith("family "))
    assert [each.strip() for each in heads if each][1:4] == [
        "rollouts",
        "refused",
        "unusable labels",
    ]
    (family,) = build_record(tmp_path / "bad")["families"]
    (before,) = build_record(tmp_path / "good")["families"]
    assert family["counts"] == before["counts"] | {"unusable_labels": 1}
    assert [each["where"] for each in family["unusable_labels"]] == ["labels.jsonl:2"]
    assert family["refused"] == []


def test_workers_and_the_folders_name_change_nothing(logs: Path, tmp_path: Path) -> None:
    flags = ("--task", "support", "--resources", EVERY)
    assert build(logs, tmp_path / "one", *flags) == 0
    moved = logs.rename(tmp_path / "support-origin-gpt-5")
    assert build(moved, tmp_path / "two", *flags, "--workers", 2) == 0
    assert build(tmp_path, tmp_path.parent / "three", *flags) == 0
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one") == contents(tmp_path.parent / "three")


def test_family_folders_of_a_task_without_a_file(tmp_path: Path, capsys: Any) -> None:
    origin = tmp_path / "origin"
    write_json(origin / "support-origin-a" / "a.json", run_of_an_agent("a"))
    write_json(origin / "support-train-a" / "b.json", run_of_an_agent("b"))
    write_json(origin / "sokoban-origin-m" / "a.json", [dialogue()])
    assert build(origin, tmp_path / "out") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "unknown task 'support'; known: searchr1" in said
    assert "--task support builds it with the general task" in said
    assert build(origin, tmp_path / "out", "--task", "support", "--task", "sokoban") == 0
    names = [family["family"] for family in build_record(tmp_path / "out")["families"]]
    assert names == ["sokoban-origin-m", "support-origin-a", "support-train-a"]
    assert run("verify", tmp_path / "out") == 0
    assert {row["task"] for row in rows_of(tmp_path / "out")} == {"sokoban", "support"}


def test_the_one_model_that_all_logs_name_or_the_one_that_is_said(
    logs: Path, tmp_path: Path, capsys: Any
) -> None:
    out = tmp_path / "out"
    for number, model in ((20, "openai/o3"), (21, ""), (22, "gpt-5")):
        record = run_of_an_agent(f"run {number}", model=model)
        write_json(logs / f"{number}.json", record)
    assert build(logs, out, "--task", "support") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "my logs: no one model is named by all logs" in said
    assert "(none) in 1, gpt-5 in 13, openai/o3 in 1" in said
    assert "--rollout-model NAME" in said
    assert build(logs, out, "--task", "support", "--rollout-model", "mixed") == 0
    assert {row["rollout_model"] for row in rows_of(out)} == {"mixed"}
    assert all(row["sample_id"].startswith("support/mixed/") for row in rows_of(out))


def test_a_providers_name_before_the_model_is_left_out(tmp_path: Path) -> None:
    record = run_of_an_agent("a", model="openrouter/openai/gpt-5")
    write_json(tmp_path / "logs" / "a.json", record)
    assert build(tmp_path / "logs", tmp_path / "out", "--task", "support") == 0
    assert build_record(tmp_path / "out")["families"][0]["family"] == "support-origin-gpt-5"


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("--task", "Support.1"), 2, "expected a name of letters, digits and _"),
        (("--task", "general"), 2, "the name is reserved"),
        (("--task", "support_train"), 2, "the name is reserved"),
        (("--task", "Sokoban"), 2, "the task is spelt sokoban"),
        (("--task", "a", "--task", "b"), 2, "--task a: unknown; found families of no task"),
        ((), 1, "give --task NAME, with a name of your own, for a folder of logs"),
        (("--task", "support", "--resources", "tokens,money"), 2, "expected one or more of tokens"),
        (("--task", "support", "--resources", "turns,turns"), 2, "each once"),
        (("--task", "sokoban", "--resources", "turns"), 2, "is for a task without a file"),
        (("--task", "support", "--price", "gpt-5=1,2"), 2, "nothing is priced"),
        (("--task", "support", "--price", "gpt-5"), 2, "expected MODEL=IN,OUT"),
        (("--task", "support", "--price-date", "soon"), 2, "expected a day"),
        (("--task", "support", "--rollout-model", "a/b"), 2, "expected a name without spaces"),
        (("--task", "support", "--success", "a>>b"), 2, "expected FIELD"),
        (("--task", "support", "--budget", "suport=3"), 2, "known tasks: searchr1"),
        (("--task", "support", "--budget", "support=turns:3"), 2, "--budget support=turns:3"),
        (("--task", "support", "--success", "rewad>=1"), 1, "its log has no rewad"),
    ],
)
def test_wrong_flags(
    logs: Path, tmp_path: Path, flags: tuple[str, ...], code: int, message: str, capsys: Any
) -> None:
    assert build(logs, tmp_path / "out", *flags) == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_a_model_is_named_by_a_folder_or_a_flag(logs: Path, tmp_path: Path, capsys: Any) -> None:
    named = logs.rename(tmp_path / "support-origin-m")
    flags = ("--task", "support", "--rollout-model", "n")
    assert build(named, tmp_path / "out", *flags) == 2
    assert "--rollout-model n: is for a folder of logs that has no family's name" in " ".join(
        capsys.readouterr().err.split()
    )


@pytest.mark.parametrize("hidden", [(), ("--hidden", "3")])
def test_a_summary_fits_a_terminal_of_80_columns(
    hidden: tuple[str, ...], logs: Path, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    model = "a-model-of-a-long-name-2026-11-28"
    (logs / "twice.json").write_bytes((logs / "00.json").read_bytes())
    out = tmp_path / "out"
    assert build(logs, out, "--task", "support", "--rollout-model", model, *hidden) == 0
    lines = capsys.readouterr().out.splitlines()
    table = lines[1 : lines.index("", lines.index("") + 1)]
    assert sum(f"support-origin-{model} " in line for line in table) >= 1
    assert max(map(len, table)) <= 80
    assert all(set(line) & set("\u2502\u2503\u2026") == set() for line in lines)


@pytest.mark.parametrize(
    ("budget", "limits"),
    [
        ("median", {"turns": 3, "cost_usd": 0.300006}),
        ("turns:median,cost_usd:1.5", {"turns": 3, "cost_usd": 1.5}),
        ("turns:4,cost_usd:median", {"turns": 4, "cost_usd": 0.300006}),
    ],
)
def test_budgets(logs: Path, tmp_path: Path, budget: str, limits: dict[str, float]) -> None:
    flags = ("--task", "support", "--resources", "turns,cost_usd", "--budget", f"support={budget}")
    assert build(logs, tmp_path / "out", *flags) == 0
    assert build_record(tmp_path / "out")["families"][0]["budget"] == limits
    assert run("verify", tmp_path / "out") == 0


def test_a_family_without_a_feasible_sample_says_so(
    logs: Path, tmp_path: Path, capsys: Any
) -> None:
    flags = ("--task", "support", "--resources", "turns", "--budget", "support=1")
    assert build(logs, tmp_path / "out", *flags) == 0
    said = " ".join(capsys.readouterr().err.split())
    assert "no sample of support-origin-" in said
    assert "is feasible: each of its rollouts failed, or spent more" in said


def test_a_budget_that_leaves_a_resource_out_names_it(
    logs: Path, tmp_path: Path, capsys: Any
) -> None:
    flags = ("--task", "support", "--resources", "turns,cost_usd", "--budget", "support=turns:4")
    assert build(logs, tmp_path / "out", *flags) == 2
    assert "support=turns:4: cost_usd missing; expected median" in capsys.readouterr().err


def test_medians_among_several_resources_are_for_every_task(tmp_path: Path) -> None:
    rollouts = [warehouse(f"r{steps}", steps) for steps in (3, 4, 6)]
    write_json(tmp_path / "origin" / "warehouse-origin-m" / "a.json", rollouts)
    budget = "time_weeks:median,warehouse_item_weeks:1x,cumulative_cost_usd:900"
    out = tmp_path / "out"
    assert build(tmp_path / "origin", out, "--budget", f"warehouse={budget}") == 0
    parts = {part["resource"]: part for row in rows_of(out) for part in row["resources"]}
    assert parts["time_weeks"]["budget"] == 8
    assert parts["cumulative_cost_usd"]["budget"] == 900


def test_a_rollout_that_nothing_judges_enters_no_median(logs: Path, tmp_path: Path) -> None:
    for number in range(20, 40):
        write_json(logs / f"{number}.json", run_of_an_agent(f"run {number}", 9, None))
    out = tmp_path / "out"
    assert build(logs, out, "--task", "support", "--resources", "turns") == 0
    record = build_record(out)["families"][0]
    assert record["budget"] == {"turns": 3}
    assert record["counts"]["refused"] == 20
    assert build(logs, tmp_path / "strict", "--task", "support", "--strict") == 1
    assert not (tmp_path / "strict").exists()
    assert build(logs, tmp_path / "few", "--task", "support", "--limit", 5, "--strict") == 0
    assert counts(tmp_path / "few")["rollouts"] == 5


def test_prices_are_recorded_and_none_is_given_in_vain(
    logs: Path, tmp_path: Path, capsys: Any
) -> None:
    for path in logs.iterdir():
        record = json.loads(path.read_text())
        for message in record["messages"]:
            message.pop("cost_usd", None)
        write_json(path, record)
    costs = ("--task", "support", "--resources", "cost_usd")
    out = tmp_path / "out"
    assert build(logs, out, *costs, "--price", "gpt-5=1,10") == 0
    given = {"gpt-5": {"input": 1, "output": 10, "cached": 1, "cache_write": 1}}
    assert build_record(out)["prices"] == {"given": given}
    first = rows_of(out)[0]["resources"][0]
    assert first["used"] == 0.00201
    assert build(logs, out, *costs, "--price", "gpt5=1,10") == 1
    assert "--price gpt5=...: no request of this model was priced" in capsys.readouterr().err
    genai = pytest.importorskip("genai_prices")
    assert build(logs, out, *costs, "--price-date", "2026-11-01") == 0
    library = {"version": genai.__version__, "date": "2026-11-01"}
    assert build_record(out)["prices"] == {"given": {}, "genai-prices": library}
    assert "prices of 2026-11-01" in (out / "README.md").read_text(encoding="utf-8")


def test_a_model_without_a_price_is_refused_by_name(tmp_path: Path, capsys: Any) -> None:
    pytest.importorskip("genai_prices")
    record = run_of_an_agent("a", model="our-own-model")
    for message in record["messages"]:
        message.pop("cost_usd", None)
    write_json(tmp_path / "logs" / "a.json", record)
    flags = ("--task", "support", "--resources", "cost_usd")
    assert build(tmp_path / "logs", tmp_path / "out", *flags) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert (
        "a.json: refused: turn 1 states no cost_usd, and the price of our-own-model is not known"
        in said
    )
    assert "give --price 'our-own-model=IN,OUT" in said


def test_out_within_the_logs_is_refused(logs: Path, capsys: Any) -> None:
    assert build(logs, logs / "out", "--task", "support") == 1
    assert "lies in my logs, whose files are read" in " ".join(capsys.readouterr().err.split())
