"""`eval.yaml` as Inspect runs it: its accuracy is ours, and where it cannot be there is none."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bagen_data.answers import parse
from bagen_data.hub import load_samples
from bagen_data.scoring import score
from leaderboard.benchmark_samples import load_benchmark
from leaderboard.exports.hub_files import registration, unregistered
from tests.leaderboard.made_submissions import budget_left, build_site, leaderboard, submit
from tests.loopback_hub import loopback_hub
from tests.making import SAMPLE, build

pytest.importorskip("inspect_ai", reason="Inspect is not installed")


TASKS = ("sokoban", "warehouse", "overall")


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The dataset of a few rollouts of each family: Inspect takes long over each sample."""
    out = tmp_path_factory.mktemp("few") / "built"
    assert build(SAMPLE, out, "--limit", 4) == 0
    return out


@pytest.fixture(scope="module")
def reports(few: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The accuracy and the samples that Inspect reports, by task."""
    folder = tmp_path_factory.mktemp("inspected")
    content = registration(load_benchmark(str(few)).summary())
    with loopback_hub() as hub:
        hub.upload("MLL-Lab/BAGEN", few)
        hub.commit("MLL-Lab/BAGEN", {"eval.yaml": yaml.safe_dump(content).encode()})
        command = ("-m", "tests.leaderboard.inspected_dataset", "MLL-Lab/BAGEN", folder / "logs")
        done = subprocess.run(
            [sys.executable, *command, *TASKS],
            env=hub.environment(folder / "home"),
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    reports: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return reports


@pytest.mark.parametrize("task", TASKS)
def test_inspect_reports_our_accuracy(few: Path, reports: dict[str, Any], task: str) -> None:
    reported = reports[task]
    table = load_samples(str(few), None if task == "overall" else task).table
    report = score(table, reported["rows"], resamples=0)
    ours = [(family["accuracy"].value, family["accuracy"].n) for family in report.families.values()]
    pooled = sum(value * n for value, n in ours) / len(table)
    assert reported["accuracy"] == pytest.approx(pooled)
    if task != "overall":
        assert reported["accuracy"] == pytest.approx(report.overall["accuracy"].value)
    feasible = dict(zip(table["sample_id"].to_pylist(), table["feasible"].to_pylist(), strict=True))
    resources = {
        row["sample_id"]: [part["resource"] for part in row["resources"]]
        for row in table.select(["sample_id", "resources"]).to_pylist()
    }
    seen = set()
    for row in reported["rows"]:
        name = row["sample_id"]
        verdict = parse(row["response"], resources[name]).verdict
        right = verdict == ("feasible" if feasible[name] else "infeasible")
        seen.add((verdict, right))
        assert row["correct"] == ("C" if right else "I"), row["response"]
    assert len(seen) == 5


@pytest.mark.parametrize("variant", ["point_think", "forecast_no_think"])
def test_questions_that_a_pattern_cannot_judge_are_not_registered(
    tmp_path: Path, variant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ("--task", "sokoban", "--prompt", variant)
    assert build(SAMPLE, tmp_path / "data", *flags) == 0
    submit(tmp_path / "in" / "mine", tmp_path / "data", budget_left)
    build_site(tmp_path / "in", tmp_path / "data", tmp_path / "site")
    export = ("export", tmp_path / "site", "--format", "hub", "--dataset-id", "MLL-Lab/BAGEN")
    assert leaderboard(*export) == 0
    assert not (tmp_path / "site-hub" / "eval.yaml").exists()
    said = " ".join(capsys.readouterr().out.split())
    assert (
        f"eval.yaml is left out: the prompts ask the question '{variant.partition('_')[0]}'" in said
    )


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"has_verdicts": False}, "no column 'verdict'"),
        ({"has_verdicts": None}, "no column 'verdict'"),
        ({"prompt_variant": None}, "no column 'verdict'"),
        ({"prompt_variant": "think"}, None),
    ],
)
def test_a_dataset_without_verdicts_is_not_registered(
    changed: dict[str, Any], reason: str | None
) -> None:
    dataset = {"has_verdicts": True, "prompt_variant": "interval_no_think"} | changed
    why_not = unregistered(dataset)
    assert why_not is None if reason is None else reason in (why_not or "")
