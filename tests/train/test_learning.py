"""SFT, then GRPO, then evaluation, of a model of two layers: it learns."""

import json
from pathlib import Path

import pytest

from bagen_data.hub import load_samples
from bagen_data.rewards import DENSE, judge
from bagen_data.scoring import score
from tests.forks import FORKED_CHILDREN
from tests.train.running import SHORT, TO_THE_END, fail, run, sft_options, write_yaml

REWARDS = {**DENSE, "format": 0.5}


@pytest.fixture(scope="module")
def sweep(dataset: str, tiny: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a sweep that has run to its end, with prompts of 40 tokens instead of 1,100."""
    folder = tmp_path_factory.mktemp("learning")
    short = {**SHORT, "max_prompt_tokens": 128}
    sft = sft_options(dataset, tiny, folder / "unused", target="fix1000", max_length=192, **short)
    del sft["max_steps"]
    grpo = {name: value for name, value in sft.items() if name not in ("target", "max_length")} | {
        "rewards": REWARDS,
        "learning_rate": 1e-3,
        "num_generations": 8,
        "per_device_train_batch_size": 16,
        "max_completion_length": 24,
        "max_steps": 8,
        "beta": 0.0,
    }
    write_yaml(folder / "sft.yaml", sft)
    write_yaml(folder / "grpo.yaml", grpo)
    runs = [
        {"name": "tiny", "model": tiny},
        {"name": "SFT", "model": tiny, "stage": "sft", "epochs": [1, 10]},
        {"name": "SFT e10, GRPO", "begin": "SFT e10", "stage": "grpo"},
    ]
    content = {
        "out": str(folder / "out"),
        "launch": "train/accelerate/cpu.yaml",
        "sft": str(folder / "sft.yaml"),
        "grpo": str(folder / "grpo.yaml"),
        "evaluate": {
            "dataset": dataset,
            "config": "sokoban",
            "split": "test",
            "max_new_tokens": 24,
            **short,
        },
        "runs": runs,
    }
    path = write_yaml(folder / "sweep.yaml", content)
    run(FORKED_CHILDREN, "train/sweep.py", "--config", path, environment=TO_THE_END)
    return path


def rows(sweep: Path) -> dict[str, dict[str, float | None]]:
    lines = (sweep.parent / "out" / "results.jsonl").read_text("utf-8").splitlines()
    return {
        row["name"]: {name: score["value"] for name, score in row["scores"].items()}
        for row in map(json.loads, lines)
    }


def predictions_of(sweep: Path, folder: str) -> list[dict[str, str]]:
    path = sweep.parent / "out" / "predictions" / folder / "predictions.jsonl"
    rows = map(json.loads, path.read_text("utf-8").splitlines())
    return [{name: row[name] for name in ("sample_id", "response")} for row in rows]


def test_it_learns(sweep: Path) -> None:
    scores = rows(sweep)
    assert list(scores) == ["tiny", "SFT e1", "SFT e10", "SFT e10, GRPO"]
    assert (scores["tiny"]["valid_rate"] or 0) < 0.05
    assert (scores["SFT e10"]["valid_rate"] or 0) > 0.9
    assert (scores["SFT e10, GRPO"]["valid_rate"] or 0) > 0.9


def test_grpo_does_not_lose_what_sft_taught(sweep: Path, dataset: str) -> None:
    """GRPO earns no less by its own reward, greedy, on rollouts that neither stage has seen."""
    samples = load_samples(dataset, "sokoban").table.to_pylist()
    labels, amounts = ([row[name] for row in samples] for name in ("feasible", "resources"))
    earned = {}
    for name in ("tiny", "sft-e10", "sft-e10-grpo"):
        responses = {row["sample_id"]: row["response"] for row in predictions_of(sweep, name)}
        texts = [responses[row["sample_id"]] for row in samples]
        earned[name] = judge(texts, labels, amounts).reward(REWARDS).mean()
    assert earned["tiny"] < 0.05
    assert earned["sft-e10"] > 0.5
    assert earned["sft-e10-grpo"] > earned["sft-e10"] - 0.1


def test_what_evaluation_writes_is_a_submission(sweep: Path, dataset: str) -> None:
    folder = sweep.parent / "out" / "predictions" / "sft-e10"
    written = run(
        "-m", "bagen_data", "validate", folder, "--dataset", dataset, "--config", "sokoban"
    )
    assert "48 predictions of SFT e10, one for each sample" in written
    samples = load_samples(dataset, "sokoban").table
    scores = score(samples, predictions_of(sweep, "sft-e10"), resamples=0).overall
    row = rows(sweep)["SFT e10"]
    assert row == {name: scores[name].value for name in row}  # a benchmark has no k = T
    assert sorted(path.name for path in folder.iterdir()) == [
        "metadata.yaml",
        "predictions.jsonl",
        "scores.json",
    ]


def test_a_sweep_that_is_done_does_nothing(sweep: Path) -> None:
    before = times_of_files(sweep.parent)
    written = run("train/sweep.py", "--config", sweep)
    assert "SFT e10, GRPO | " in written
    assert times_of_files(sweep.parent) == before


def times_of_files(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_a_run_with_other_options_is_not_taken_for_this_one(sweep: Path) -> None:
    text = sweep.read_text("utf-8")
    other = sweep.with_name("other.yaml")
    other.write_text(text.replace("stage: sft", "stage: sft\n  options: {target: pct10}"), "utf-8")
    assert "run 'SFT' was started with other options or another model; remove" in " ".join(
        fail("train/sweep.py", "--config", other).split()
    )
