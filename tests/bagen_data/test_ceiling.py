"""The noise ceiling: made distributions whose ceiling is known, and real environments."""

import json
import math
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from bagen_data.ceiling.ceiling_scores import Ceiling, CeilingScore, ReferenceForecast, ceiling
from bagen_data.ceiling.continued_probes import ContinuedProbe
from bagen_data.ceiling.perfect_forecasts import (
    perfect_brier,
    perfect_judgements,
    perfect_wis,
)
from bagen_data.cli import main
from bagen_data.schema import QUANTILE_LEVELS
from bagen_data.scoring.resampling import Resampling
from bagen_data.versions import BENCHMARK_VERSION
from tests.making import build, collect, exit_code, rows_of

NORMAL = NormalDist()
STANDARD_WIS = 0.4 * sum(NORMAL.pdf(NORMAL.inv_cdf(level)) for level in QUANTILE_LEVELS)
"""WIS of who knows a standard normal: its pinball loss at level t is the density at quantile t."""
TASKS = ("sokoban", "searchr1", "warehouse")


def made_probes(
    chances: Sequence[float], n: int, sigma: float = 0.0, seed: int = 0, turns: int = 1
) -> list[ContinuedProbe]:
    """Probes of instances with these chances of success, and lognormal amounts."""
    rng = np.random.default_rng(seed)
    probes = []
    for number, chance in enumerate(chances):
        for turn in range(turns):
            happened = rng.random(n) < chance
            amounts = np.exp(12 + sigma * rng.standard_normal((1, n)))
            name = f"t/m/{number:04}/{turn}"
            probes.append(ContinuedProbe(name, f"i{number}", True, happened, happened, amounts))
    return probes


# --- formulas ---------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [2, 3, 5, 8])
@pytest.mark.parametrize("chance", [0.0, 0.1, 0.5, 0.85])
def test_the_brier_score_is_unbiased_for_any_number_of_continuations(n: int, chance: float) -> None:
    expected = {"in_sample": 0.0, "value": 0.0, "leave_one_out": 0.0}
    for outcomes in product((True, False), repeat=n):
        weight = math.prod(chance if each else 1 - chance for each in outcomes)
        for name, score in vars(perfect_brier(np.array(outcomes))).items():
            expected[name] += weight * score
    truth = chance * (1 - chance)
    assert expected["value"] == pytest.approx(truth, abs=1e-12)
    assert expected["in_sample"] == pytest.approx(truth * (n - 1) / n, abs=1e-12)
    assert expected["leave_one_out"] == pytest.approx(truth * n / (n - 1), abs=1e-12)


def test_leaving_one_out_is_what_its_name_says() -> None:
    rng = np.random.default_rng(1)
    for n in (2, 3, 7):
        happened = rng.random(n) < 0.6
        others = [np.delete(happened, place).mean() for place in range(n)]
        brier = np.mean([(p - y) ** 2 for p, y in zip(others, happened, strict=True)])
        assert perfect_brier(happened).leave_one_out == pytest.approx(brier)
        _, judgements = perfect_judgements(happened)
        right = np.mean([(p >= 0.5) == y for p, y in zip(others, happened, strict=True)])
        assert judgements.true_feasible + judgements.true_infeasible == pytest.approx(right)
        assert sum(vars(judgements).values()) == pytest.approx(1)


@pytest.mark.parametrize("n", [2, 3, 8])
@pytest.mark.parametrize("resources", [1, 3])
def test_wis_is_twice_the_pinball_loss_of_quantiles_of_the_others(n: int, resources: int) -> None:
    amounts = np.random.default_rng(2).lognormal(5, 1, (resources, n))
    scores = {"in_sample": [], "leave_one_out": []}  # type: dict[str, list[float]]
    for logs in np.log1p(amounts):
        for place, value in enumerate(logs):
            for way, known in (("in_sample", logs), ("leave_one_out", np.delete(logs, place))):
                for level in QUANTILE_LEVELS:
                    quantile = np.quantile(known, level, method="hazen")
                    miss = value - quantile
                    scores[way].append(2 * max(level * miss, (level - 1) * miss))
    estimated = perfect_wis(amounts)
    assert estimated.in_sample == pytest.approx(np.mean(scores["in_sample"]), rel=1e-12)
    assert estimated.leave_one_out == pytest.approx(np.mean(scores["leave_one_out"]), rel=1e-12)
    assert estimated.value == pytest.approx(
        (estimated.in_sample + estimated.leave_one_out) / 2, rel=1e-12
    )


# --- distributions whose ceiling is known -----------------------------------------------------


def between(score: CeilingScore, truth: float, *, lower_is_better: bool) -> bool:
    ends = (score.in_sample, score.leave_one_out)
    low, high = ends if lower_is_better else ends[::-1]
    assert low is not None
    assert high is not None
    return low < truth < high


@pytest.mark.parametrize("n", [6, 16])
def test_bernoulli_outcomes_and_lognormal_amounts_have_their_ceiling(n: int) -> None:
    chances = np.tile([0.1, 0.3, 0.8, 0.95], 300)
    sigma = 0.7
    scores = ceiling(made_probes(chances, n, sigma), {}, Resampling(200)).tasks["t"]
    brier = float((chances * (1 - chances)).mean())
    accuracy = float(np.maximum(chances, 1 - chances).mean())
    wis = sigma * STANDARD_WIS
    assert scores["brier"].value == pytest.approx(brier, rel=0.05)
    assert scores["success_brier"].value == scores["brier"].value
    assert scores["wis"].value == pytest.approx(wis, rel=0.02)
    assert scores["accuracy_open"].value == pytest.approx(accuracy, abs=0.015)
    assert between(scores["brier"], brier, lower_is_better=True)
    assert between(scores["wis"], wis, lower_is_better=True)
    assert between(scores["accuracy_open"], accuracy, lower_is_better=False)
    assert (scores["brier"].n, scores["brier"].instances) == (1200, 1200)


def test_the_perfect_reference_leaves_no_skill_and_a_poor_one_leaves_much() -> None:
    chance, sigma = 0.4, 0.5
    probes = made_probes([chance] * 2000, 12, sigma)
    levels = [NORMAL.inv_cdf(level) for level in QUANTILE_LEVELS]

    def skills(finish: float, spread: float) -> tuple[float | None, float | None]:
        quantiles = np.exp([[12 + spread * level for level in levels]])
        reference = ReferenceForecast(finish, quantiles)
        references = {probe.sample_id: reference for probe in probes}
        scores = ceiling(probes, references, Resampling(0)).overall
        return scores["brier_skill"].value, scores["wis_skill"].value

    assert skills(chance, sigma) == pytest.approx((0, 0), abs=0.03)
    brier_skill = 1 - chance * (1 - chance) / (chance * (1 - chance) + 0.4**2)
    assert skills(0.8, 0.5)[0] == pytest.approx(brier_skill, abs=0.02)
    without = ceiling(probes, {}, Resampling(0)).overall
    assert without["brier_skill"].value is None
    assert without["wis_skill"].value is None


def test_certain_runs_have_a_perfect_ceiling() -> None:
    scores = ceiling(made_probes([0.0, 1.0] * 6, 3), {}, Resampling(100)).overall
    assert (scores["brier"].value, scores["wis"].value) == (0, 0)
    assert (scores["macro_f1_open"].value, scores["accuracy_open"].value) == (1, 1)


def test_intervals_are_over_instances_and_cover_the_truth() -> None:
    truth, covered, widths = 0.21, 0, []
    for seed in range(60):
        probes = made_probes([0.3] * 25, 4, 0.5, seed, turns=3)
        brier = ceiling(probes, {}, Resampling(300)).overall["brier"]
        assert brier.low is not None
        assert brier.high is not None
        covered += brier.low <= truth <= brier.high
        widths.append(brier.high - brier.low)
    assert covered >= 52
    one_instance = made_probes([0.3] * 9, 4, 0.5, turns=5)
    scores = ceiling(one_instance, {}, Resampling(300)).overall
    assert scores["brier"].value is not None
    assert scores["brier"].low is None  # fewer than ten instances


def test_probes_over_a_budget_count_for_success_alone() -> None:
    probes = made_probes([0.5] * 20, 6, 0.5)
    shut = [
        ContinuedProbe(
            f"t/m/z{k}/1", f"z{k}", False, each.finish & False, each.success, each.remaining
        )
        for k, each in enumerate(made_probes([0.5] * 20, 6, 0.5, seed=3))
    ]
    alone, both = (ceiling(each, {}, Resampling(0)).overall for each in (probes, probes + shut))
    for name in ("brier", "macro_f1_open", "accuracy_open"):
        assert both[name].value == pytest.approx(alone[name].value)
    assert (both["success_brier"].n, both["brier"].n) == (40, 20)


def named(
    task: str, model: str, probes: Sequence[ContinuedProbe], instances: str = ""
) -> list[ContinuedProbe]:
    """Probes of another family, and of other instances if these have a prefix."""
    return [
        ContinuedProbe(
            **vars(each)
            | {
                "sample_id": f"{task}/{model}/{each.sample_id}",
                "instance_id": f"{instances}{each.instance_id}",
            }
        )
        for each in probes
    ]


def test_instances_count_as_in_every_score() -> None:
    """An instance counts once in each task, whichever of the task's families have it."""
    six, other_six = made_probes([0.5] * 6, 6), made_probes([0.6] * 6, 6, seed=1)
    shared = named("a", "x", six) + named("a", "y", other_six)
    apart = named("a", "x", six) + named("a", "y", other_six, instances="other ")
    two_tasks = named("a", "x", six) + named("b", "x", other_six)
    scores = [ceiling(each, {}, Resampling(100)) for each in (shared, apart, two_tasks)]
    assert [each.overall["brier"].instances for each in scores] == [6, 12, 12]
    assert [each.tasks["a"]["brier"].instances for each in scores] == [6, 12, 6]
    assert [each.overall["brier"].low is None for each in scores] == [True, False, False]
    assert [each.tasks["a"]["brier"].low is None for each in scores] == [True, False, True]
    assert scores[2].overall["brier_skill"].instances == 0  # without a reference


def test_a_resample_without_a_value_of_one_task_has_the_others() -> None:
    """A single probe of twelve in `b` has amounts: a third of the resamples never draw it."""
    chances = [1.0] + [0.0] * 11
    certain = made_probes([1.0] * 12, 6, 0.5)
    rare = named("b", "x", made_probes(chances, 6, 0.5, seed=1))
    alone = ceiling(named("a", "x", certain), {}, Resampling(400)).overall["wis"]
    both = ceiling(named("a", "x", certain) + rare, {}, Resampling(400))
    wis, of_b = both.overall["wis"], both.tasks["b"]["wis"]
    assert of_b.value is not None
    assert alone.value is not None
    assert wis.value == pytest.approx((alone.value + of_b.value) / 2)
    assert (wis.instances, of_b.instances, of_b.low) == (13, 1, None)
    # Resamples without `b` have the mean of `a`, so the interval reaches to where `a` alone lies.
    assert wis.low is not None
    assert wis.high is not None
    assert wis.high - wis.low > abs(alone.value - of_b.value) / 2


def test_tasks_and_families_weigh_the_same() -> None:
    groups = [
        ("a", "x", made_probes([0.5] * 20, 6)),
        ("a", "y", made_probes([0.9] * 5, 6)),
        ("b", "x", made_probes([0.2] * 30, 6)),
    ]
    ceilings: Ceiling = ceiling([p for group in groups for p in named(*group)], {}, Resampling(0))
    brier = {name: each["brier"].value for name, each in ceilings.families.items()}
    assert sorted(brier) == ["a/x/t/m", "a/y/t/m", "b/x/t/m"]
    of_a, of_b = (brier[f"a/{model}/t/m"] for model in "xy"), brier["b/x/t/m"]
    mean_of_a = sum(value for value in of_a if value is not None) / 2
    assert ceilings.tasks["a"]["brier"].value == pytest.approx(mean_of_a)
    assert of_b is not None
    assert ceilings.overall["brier"].value == pytest.approx((mean_of_a + of_b) / 2)


# --- real environments ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built datasets of recorded rollouts, and of continuations of them."""
    folder = tmp_path_factory.mktemp("ceiling")
    for task in TASKS:
        name = f"{task}-origin-scripted"
        agent = ("--agent", "scripted")
        origin, played = folder / "origin" / name, folder / "played" / name
        assert collect(task, *agent, "--rollouts", 12, "--out", origin) == 0
        start = ("--resume-from", origin, "--turn", 2, "--continuations", 5)
        assert collect(task, *agent, *start, "--out", played) == 0
    assert build(folder / "origin", folder / "dataset") == 0
    assert build(folder / "played", folder / "continued", "--budget", "warehouse=1x") == 0
    return folder


def run_ceiling(folders: Path, *more: object, continued: str = "continued") -> int:
    dataset = ("--dataset", folders / "dataset")
    return exit_code(main, "ceiling", folders / continued, *dataset, *more)


def test_the_ceiling_of_scripted_agents_is_written_and_shown(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_ceiling(folders, "--json", tmp_path / "ceiling.json") == 0
    shown = capsys.readouterr().out
    written = json.loads((tmp_path / "ceiling.json").read_bytes())
    assert written["benchmark_version"] == BENCHMARK_VERSION
    assert written["dataset"]["revision"]
    assert written["continuations"]["rollouts"] % 5 == 0
    assert set(written["tasks"]) == set(TASKS)
    for scores in (written["overall"], *written["tasks"].values()):
        assert {"value", "low", "high", "n"} <= scores["brier_skill"].keys()
        assert 0 < scores["brier_skill"]["value"] <= 1
        assert scores["brier"]["in_sample"] <= scores["brier"]["value"]
        assert scores["brier"]["value"] <= scores["brier"]["leave_one_out"]
    for task in TASKS:
        assert f"{task}: noise ceiling" in shown
    assert "every score is in" in shown


def test_the_brier_score_is_that_of_labels_in_the_build(folders: Path, tmp_path: Path) -> None:
    """Budgets of searchr1 are fixed, so the labels of the continuations' own build hold."""
    rows = [row for row in rows_of(folders / "continued") if row["task"] == "searchr1"]
    starts: dict[str, list[bool]] = {}
    for row in rows:
        if row["completed_turns"] == 2 and row["resources"][0]["used"] <= 3_500:
            starts.setdefault(row["instance_id"].rpartition(".")[0], []).append(row["feasible"])
    expected = []
    for labels in starts.values():
        assert len(labels) == 5
        share = sum(labels) / 5
        expected.append(share * (1 - share) * 5 / 4)
    file = tmp_path / "ceiling.json"
    assert run_ceiling(folders, "--config", "searchr1", "--json", file) == 0
    score = json.loads(file.read_bytes())["tasks"]["searchr1"]["brier"]
    assert (score["value"], score["n"]) == (pytest.approx(np.mean(expected)), len(expected))


def test_a_stated_outcome_is_needed_where_targets_are_drawn(
    folders: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(folders / "played", folders / "drawn") == 0
    assert run_ceiling(folders, "--config", "warehouse", continued="drawn") == 1
    error = capsys.readouterr().err.replace("\n", " ")
    assert "build the continuations with 'python -m builders build --budget warehouse=1x'" in error


def with_one_continuation(folders: Path, out: Path) -> None:
    origin = folders / "origin" / "sokoban-origin-scripted"
    start = ("--resume-from", f"{origin}:0", "--turn", 1, "--continuations", 1)
    played = out / "single" / "sokoban-origin-scripted"
    assert collect("sokoban", "--agent", "scripted", *start, "--out", played) == 0
    assert build(out / "single", out / "continued") == 0


def of_other_rollouts(_: Path, out: Path) -> None:
    name = "sokoban-origin-scripted"
    agent = ("--agent", "scripted", "--seed", 77)
    assert collect("sokoban", *agent, "--rollouts", 2, "--out", out / "other" / name) == 0
    start = ("--resume-from", out / "other" / name, "--turn", 1, "--continuations", 2)
    assert collect("sokoban", *agent, *start, "--out", out / "played" / name) == 0
    assert build(out / "played", out / "continued") == 0


def of_no_continuations(folders: Path, out: Path) -> None:
    assert build(folders / "origin", out / "continued") == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            with_one_continuation,
            "or more; expected an N of at least 2 in 'python -m collect",
        ),
        (of_other_rollouts, "has no rollout of it by sokoban/scripted"),
        (
            of_no_continuations,
            "is not a continuation; expected a build of nothing but rollouts",
        ),
    ],
)
def test_what_does_not_belong_together_is_refused(
    folders: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path, Path], None],
    message: str,
) -> None:
    make(folders, tmp_path)
    assert run_ceiling(folders, continued=str(tmp_path / "continued")) == 1
    assert message in capsys.readouterr().err.replace("\n", " ")


def test_a_task_without_continuations_is_refused(
    folders: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_one_continuation(folders, tmp_path)
    continued = str(tmp_path / "continued")
    assert run_ceiling(folders, "--config", "searchr1", continued=continued) == 1
    assert "holds no continuations of searchr1" in capsys.readouterr().err.replace("\n", " ")


def as_read(path: Path) -> Any:
    return json.loads(path.read_bytes())


def test_the_same_seed_gives_the_same_intervals(folders: Path, tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        assert run_ceiling(folders, "--seed", seed, "--json", tmp_path / name) == 0
    a, b, c = (as_read(tmp_path / name) for name in "abc")
    assert a == b
    assert a["overall"]["brier"]["value"] == c["overall"]["brier"]["value"]
    lows = [each["tasks"]["warehouse"]["brier_skill"]["low"] for each in (a, c)]
    assert lows[0] != lows[1]
