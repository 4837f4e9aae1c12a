"""Tables of a sweep, from answers that are there: over seeds, by seed, and what is retained."""

import json
import shutil
from pathlib import Path

import pytest
import yaml

from bagen_data.errors import InputError
from bagen_data.hub import load_samples
from tests.train.running import write_yaml
from train.sweep import app
from train.sweeps.sweep_plan import SweepPlan, read_sweep
from train.sweeps.sweep_results import RowResult, SweepResults
from train.sweeps.sweep_runner import SweepRunner
from train.sweeps.sweep_scores import read_answers, row_scores
from train.sweeps.sweep_table import SweepTables

ANSWERS = {
    0: "<answer>[1, 100000]</answer>",
    1: "<answer>impossible</answer>",
    2: "<answer>[1, 2]</answer>",
}


@pytest.fixture(scope="module")
def seeded(dataset: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sweep's file whose row `SFT` was answered by three seeds, and `moved` by two."""
    folder = tmp_path_factory.mktemp("seeded")
    asked = {"dataset": dataset, "config": "sokoban", "split": "test"}
    content = {
        "out": str(folder / "out"),
        "launch": "cpu.yaml",
        "sft": "train/configs/laptop_sft.yaml",
        "grpo": "train/configs/laptop_grpo.yaml",
        "evaluate": asked,
        "seeds": [0, 1, 2],
        "runs": [
            {"name": "SFT", "model": "M", "stage": "sft"},
            {"name": "moved", "begin": "SFT", "retains": "SFT"},
        ],
    }
    file = write_yaml(folder / "sweep.yaml", content)
    made = SweepRunner(read_sweep(file), dry_run=True).made()
    results = SweepResults(folder / "out")
    samples = load_samples(dataset, "sokoban").table
    for name, seeds in (("SFT", (0, 1, 2)), ("moved", (0, 1))):
        for seed in seeds:
            row = RowResult(name, seed, {}, made[name, seed])
            predictions = results.predictions(row.key)
            predictions.mkdir(parents=True)
            lines = [
                json.dumps({"sample_id": sample, "response": ANSWERS[seed]}) + "\n"
                for sample in samples["sample_id"].to_pylist()
            ]
            (predictions / "predictions.jsonl").write_text("".join(lines), "utf-8")
            write_yaml(predictions / "metadata.yaml", {"prompt_variant": "interval_no_think"})
            scores = row_scores(read_answers(results, row))
            results.keep(RowResult(name, seed, scores, row.made))
    return file


def tables(sweep: Path) -> SweepTables:
    plan = read_sweep(sweep)
    return SweepTables(plan, SweepResults.read(Path(plan.out)))


def cells(table: str, row: str) -> dict[str, str]:
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()]
    (own,) = (line for line in lines if line[0] == row)
    return dict(zip((head.split("`")[1] for head in lines[0][1:]), own[1:], strict=True))


def test_a_row_is_the_mean_of_its_seeds(seeded: Path) -> None:
    shown = tables(seeded)
    by_seed, by_row = shown.by_seed(), shown.by_row()
    hits = [cells(by_seed, f"SFT seed {seed}")["hit_rate"] for seed in ANSWERS]
    assert [hit.split()[0] for hit in hits] == ["1.00", "0.00", "0.00"]
    assert cells(by_row, "SFT (3 seeds)")["hit_rate"].split()[0] == "0.33"
    assert cells(by_row, "moved (2 of 3 seeds)")["recall_feasible"].split()[0] == "0.50"
    assert [note.partition(":")[0] for note in shown.notes()[1:]] == [
        "mre_p50 of SFT is the mean over 2 of 3 seeds",  # the third says `impossible` alone
        "mre_p90 of SFT is the mean over 2 of 3 seeds",
        "mre_p50 of moved is the mean over 1 of 2 seeds",
        "mre_p90 of moved is the mean over 1 of 2 seeds",
    ]


def test_what_is_retained_is_of_the_row_on_the_same_samples(seeded: Path) -> None:
    retention = tables(seeded).retention().splitlines()
    assert retention[-1].startswith("| moved | SFT |")
    heads = [cell.strip(" `") for cell in retention[0].split("|")]
    assert retention[-1].split("|")[heads.index("hit_rate")].split()[0] == "150%"


def test_tables_need_no_training(seeded: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown = tables(seeded)
    app(["--config", str(seeded), "--table"], standalone_mode=False)
    assert capsys.readouterr().out == f"{shown.by_row()}\n\n{shown.retention()}\n"
    app(["--config", str(seeded), "--table", "--by-seed"], standalone_mode=False)
    assert capsys.readouterr().out == f"{shown.by_seed()}\n"
    with pytest.raises(InputError, match="no row is done; run the sweep first"):
        app(["--config", str(seeded), "--table", "--out", "elsewhere"], standalone_mode=False)


def test_notes_say_why_an_interval_is_missing(seeded: Path) -> None:
    """The sample has six levels."""
    note = tables(seeded).notes()[0]
    assert note == "Fewer than 10 instances have no interval: evaluate on more."


def test_answers_that_are_gone_are_named(seeded: Path, tmp_path: Path) -> None:
    row = tables(seeded).results.rows["SFT", 0]
    with pytest.raises(InputError, match="is missing; remove the line of 'SFT' from"):
        read_answers(SweepResults(tmp_path), row)


@pytest.mark.parametrize(
    "line",
    [
        *('{"name": "a"}', '{"name": ["a"], "scores": {}}', '{"name": "a", "scores": []}'),
        *('{"name": "a", "scores": {"accuracy": 5}}', '{"name": "a", "scores": {}, "made": 5}'),
        '{"name": "a", "seed": "0", "scores": {}}',
        *('{"name": "a", "scores": {"accuracy": {"value": "5"}}}', "[]", "\0\0", '{"name'),
    ],
)
def test_a_file_of_results_that_is_not_one(tmp_path: Path, line: str) -> None:
    (tmp_path / "results.jsonl").write_text(f'{{"name": "b", "scores": {{}}}}\n{line}\n', "utf-8")
    with pytest.raises(InputError, match=r"results\.jsonl:2: .*; correct or remove the line; rows"):
        SweepResults.read(tmp_path)


def test_rows_of_other_options_are_left_out(
    seeded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table showed scores of another dataset, split or training."""
    content = yaml.safe_load(seeded.read_text("utf-8"))
    content["runs"][1]["evaluate"] = {"max_new_tokens": 9}
    changed = write_yaml(tmp_path / "sweep.yaml", content)
    app(["--config", str(changed), "--table"], standalone_mode=False)
    shown = capsys.readouterr()
    assert "| SFT (3 seeds) |" in shown.out
    assert "moved" not in shown.out
    said = "'moved seed 1' is left out: its row was made with no evaluate max_new_tokens, not 9"
    assert said in " ".join(shown.err.split())
    with pytest.raises(InputError, match=r"no row of this sweep is done with these(.|\n)*dataset"):
        app(["--config", str(seeded), "--table", "--dataset", "elsewhere"], standalone_mode=False)


def test_a_sweeps_folder_may_be_moved(
    seeded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(seeded.parent / "out", tmp_path / "moved")
    arguments = ["--config", str(seeded), "--table", "--out", str(tmp_path / "moved")]
    app(arguments, standalone_mode=False)
    assert "left out" not in capsys.readouterr().err


def test_a_plan_has_no_seeds_where_nothing_is_trained() -> None:
    content = {
        **dict.fromkeys(("out", "launch", "sft", "grpo"), "f.yaml"),
        "evaluate": {},
        "seeds": [0, 1],
        "runs": [
            {"name": "base", "model": "m"},
            {"name": "moved", "begin": "base"},
            {"name": "SFT", "model": "m", "stage": "sft"},
        ],
    }
    seeds = SweepPlan.model_validate(content).seeds_of()
    assert seeds == {"base": [], "moved": [], "SFT": [0, 1]}
