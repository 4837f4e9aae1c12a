"""The exact remainders, and `impossible` where it was, get full marks everywhere alike."""

import json
from pathlib import Path
from typing import Any

import evaluate
import lm_eval
import pytest
from lm_eval.tasks import TaskManager

import bagen_data
from bagen_data.cli import main
from bagen_data.integrations.lm_eval import tasks
from bagen_data.replay import gold_estimate
from bagen_data.schema import Target
from tests.harness_model import Answering
from tests.making import REPO, SAMPLE, SHARED, build, make_tokenizer, needs_shared

FULL_MARKS = (
    *("valid_rate", "macro_f1", "macro_f1_first_turn", "fail_f1", "accuracy", "recall_feasible"),
    *("recall_infeasible", "macro_f1_open", "fail_f1_open", "accuracy_open", "hit_rate"),
    *("coverage", "reward", "interval_skill", "within_2x", "stopped_failed", "paper_reward"),
)
NO_FAULTS = (
    *("optimistic", "conservative", "interval_score", "exceed_rate", "mre_p50", "mre_p90"),
    *("false_abort_rate", "success_drop"),
)
FAMILY_MEDIANS = ("--budget", "sokoban=median", "--budget", "searchr1=median")
"""Small open models overrun the paper's budgets, so that no probe of theirs would be feasible."""


def gold(row: dict[str, Any]) -> str:
    remaining = {part["resource"]: part["remaining"] for part in row["resources"]}
    return bagen_data.render(gold_estimate(Target(row["feasible"], remaining)))


@pytest.fixture(scope="module", params=["bundled", pytest.param("recorded", marks=needs_shared)])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gold")
    if request.param == "bundled":
        assert build(SAMPLE, folder / "out") == 0
    else:
        tokenizer = make_tokenizer(folder / "tokenizer")
        assert build(SHARED, folder / "out", "--tokenizer", tokenizer, *FAMILY_MEDIANS) == 0
    return folder / "out"


@pytest.fixture(scope="module")
def rows(built: Path, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    cache = tmp_path_factory.mktemp("cache")
    dataset = bagen_data.load(built, split="test", cache_dir=str(cache))
    return [{name: row[name] for name in row if name != "prompt"} for row in dataset]


def assert_full_marks(scores: dict[str, float | None]) -> None:
    for name, value in scores.items():
        if name in FULL_MARKS:
            assert value == pytest.approx(1, abs=1e-12), name
        if name in NO_FAULTS:
            assert value == 0, name


def test_the_command_line(built: Path, rows: list[dict[str, Any]], tmp_path: Path) -> None:
    lines = [{"sample_id": row["sample_id"], "response": gold(row)} for row in rows]
    file = tmp_path / "predictions.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    out = tmp_path / "scores.json"
    arguments = ["score", file, "--dataset", built, "--json", out]
    with pytest.raises(SystemExit) as end:
        main([str(each) for each in arguments])
    assert not end.value.code
    record = json.loads(out.read_text(encoding="utf-8"))
    for group in (record["overall"], *record["tasks"].values(), *record["families"].values()):
        assert set(FULL_MARKS) <= set(group)
        assert_full_marks({name: each["value"] for name, each in group.items() if each["n"]})


def test_evaluate(rows: list[dict[str, Any]]) -> None:
    metric = evaluate.load(str(REPO / "metrics" / "bagen"))
    scores = metric.compute(predictions=[gold(row) for row in rows], references=rows)
    assert_full_marks(scores)


def test_lm_eval(
    built: Path, rows: list[dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path)
    names = sorted({f"bagen_{row['task']}" for row in rows})
    manager = TaskManager(
        include_path=str(Path(tasks.__file__).parent),
        include_defaults=False,
        metadata={"dataset": str(built)},
    )
    evaluation = lm_eval.simple_evaluate(
        model=Answering(gold), tasks=names, task_manager=manager, apply_chat_template=True
    )
    assert sorted(evaluation["results"]) == names
    for results in evaluation["results"].values():
        assert_full_marks({name.partition(",")[0]: value for name, value in results.items()})
        assert results["macro_f1,none"] == 1
