"""Policies: whether the sequential test keeps its promise, and what it saves beside a rival.

    python benchmarks/policy.py                  all three parts, some minutes
    python benchmarks/policy.py promise          the share of false aborts, in simulations
    python benchmarks/policy.py simulated        against E-valuator on simulated runs
    python benchmarks/policy.py recorded         against E-valuator on the recorded SWE-bench family
                                                 (`../shared/rollouts`; without it, the sample)

E-valuator (arXiv 2512.03109; `pip install e-valuator`) takes the same forecasts as scores. Its
PAC variant is the method of its paper, with its default split of the calibration; its Ville variant
trusts its density ratios. Without the package only our own test is measured. Savings are counted in
turns in simulations, and in budgets in the recorded family. Intervals are 95% ones, over
independent calibrations or over instances.
"""

import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.array_types import Floats, Mask  # noqa: E402
from bagen_data.live.policies import Outcome, evidence_against  # noqa: E402
from bagen_data.policies.calibration import Calibration, WatchedRuns, calibrated  # noqa: E402
from bagen_data.policies.foretold_rollouts import foretold_families  # noqa: E402
from bagen_data.policies.measured_policies import Rollouts  # noqa: E402
from bagen_data.policies.policy_choice import parts_of, watched_runs  # noqa: E402
from bagen_data.policies.stopped_runs import StoppedRuns  # noqa: E402
from bagen_data.policies.unseen_forecasts import cross_fitted, load_recorded  # noqa: E402
from bagen_data.scoring.report import Score  # noqa: E402
from bagen_data.scoring.resampling import Resampling  # noqa: E402
from benchmarks.measuring import BUNDLED, RECORDED  # noqa: E402
from builders.cli import main as builders  # noqa: E402
from tests.bagen_data.policies.simulated_runs import (  # noqa: E402
    FORECASTERS,
    FalseAborts,
    SimulatedAgent,
    by_face_value,
    by_policy,
    by_pooled_quantile,
)

SHARES = (0.05, 0.2)
VARIANTS = ("PAC", "Ville")
CALIBRATIONS = 20
TRIED = 100
"""Runs that each calibration is tried on."""


def main(parts: Sequence[str]) -> None:
    """Print the parts that are named on the command line, or all."""
    known = {"promise": promise, "simulated": simulated, "recorded": recorded}
    for name in parts or known:
        known[name]()


def promise() -> None:
    """Print the share of false aborts of the test and of two naive thresholds."""
    print("Share of the runs that would succeed and are stopped; 5% are allowed, 120 instances")
    print(f"{'forecaster':14} {'turns':>9}   test              pooled 5%   below 0.05")
    for turns in ((2, 8), (30, 60), (1_000, 2_000)):
        for forecaster in FORECASTERS:
            agent = SimulatedAgent(success=0.4, turns=turns, evidence=1.5, forecaster=forecaster)
            times = 1_000 if turns[1] < 100 else 150
            own = FalseAborts.of(
                agent, lambda runs: by_policy(calibrated(runs, 0.05)), 120, times, 0
            )
            pooled = FalseAborts.of(agent, lambda runs: by_pooled_quantile(runs, 0.05), 120, 30, 0)
            face = FalseAborts.of(agent, lambda _: by_face_value(0.05), 2, 30, 0)
            print(
                f"{forecaster:14} {turns[0]:>4}-{turns[1]:<5} {own.share:6.2%} +- "
                f"{1.96 * own.error:5.2%}   {pooled.share:7.1%}   {face.share:9.1%}",
                flush=True,
            )


Paths = Sequence[Floats]
"""The evidence of each run after each turn."""


@dataclass(frozen=True)
class Test:
    """A calibrated test: evidence, and a threshold that it has to exceed."""

    evidence: Callable[[WatchedRuns], Paths]
    thresholds: Mapping[float, float]
    """The threshold by the share of false aborts that is allowed."""


Calibrate = Callable[[WatchedRuns, Sequence[float]], Test]


def ours(runs: WatchedRuns, shares: Sequence[float]) -> Test:
    """Calibrate our test."""
    calibration = Calibration.of(runs)
    thresholds = {share: calibration.threshold(share) for share in shares}

    def evidence(new: WatchedRuns) -> Paths:
        return [evidence_against(own, calibration.base_rate) for own in new.chances]

    return Test(
        evidence, {share: np.inf if own is None else own for share, own in thresholds.items()}
    )


def rival(variant: str) -> Calibrate | None:
    """Return the calibration of a variant of E-valuator; None without the package."""
    try:
        from evaluator import EValuator
    except ModuleNotFoundError:
        return None

    def calibrate(runs: WatchedRuns, shares: Sequence[float]) -> Test:
        made = EValuator(mt_variant=variant, alphas=list(shares))
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                made.fit(_table(runs))
        except AssertionError:  # fewer than five runs of either outcome to learn from
            return Test(lambda new: [0 * own for own in new.chances], dict.fromkeys(shares, np.inf))

        def evidence(new: WatchedRuns) -> Paths:
            judged = made.apply(_table(new), compute_rejects=False)
            column = judged["PAC_e_val" if variant == "PAC" else "Ville_e_val"]
            values = iter(column.to_numpy(float))
            return [np.array([next(values) for _ in own]) for own in new.chances]

        return Test(evidence, made.thresholds)

    return calibrate


def _table(runs: WatchedRuns) -> Any:
    import pandas as pd

    rows = [
        (f"p{number:06}", turn + 1, chances[: turn + 1].tolist(), int(succeeded))
        for number, (chances, succeeded) in enumerate(zip(runs.chances, runs.outcome, strict=True))
        for turn in range(len(chances))
    ]
    names = ("uq_problem_idx", "num_steps", "judge_probability_series", "solved")
    return pd.DataFrame(rows, columns=list(names))


def first_above(evidence: Floats, threshold: float) -> int | None:
    """Return the turn, from 1 on, at which evidence first exceeds a threshold."""
    above = np.flatnonzero(evidence > threshold)
    return int(above[0]) + 1 if len(above) else None


def simulated() -> None:
    """Print false aborts and the share of failing turns saved, at each rival's own threshold."""
    print("\nSimulated runs of 4 to 16 turns that succeed in 40%; turns of failing runs saved")
    print("matched: at the threshold that stops the allowed share of the new successes exactly")
    for forecaster in ("calibrated", "overconfident"):
        agent = SimulatedAgent(success=0.4, turns=(4, 8), evidence=2.5, forecaster=forecaster)
        for instances in (60, 300):
            print(f"{forecaster} forecasts, {instances} runs to calibrate on")
            for name, calibrate in _tests().items():
                _print_simulated(name, calibrate, agent, instances)


def _tests() -> dict[str, Calibrate]:
    """Return the calibration of each test that is installed."""
    rivals = {f"e-valuator {each}": rival(each) for each in VARIANTS}
    return {"ours": ours} | {name: own for name, own in rivals.items() if own is not None}


def _print_simulated(
    name: str, calibrate: Calibrate, agent: SimulatedAgent, instances: int
) -> None:
    rng = np.random.default_rng(0)
    columns: dict[float, list[Floats]] = {share: [] for share in SHARES}
    for _ in range(CALIBRATIONS):
        test = calibrate(agent.instances(instances, rng), SHARES)
        new = agent.instances(TRIED, rng)
        evidence = test.evidence(new)
        highest = [
            own.max() for own, succeeded in zip(evidence, new.outcome, strict=True) if succeeded
        ]
        for share, own in columns.items():
            threshold = test.thresholds[share]
            matched = float(np.quantile(highest, 1 - share, method="higher"))
            aborts = np.mean(np.array(highest) > threshold)
            saved = [_saved_turns(evidence, new.outcome, each) for each in (threshold, matched)]
            own.append(np.array([aborts, *saved]))
    for share, own in columns.items():
        table = np.array(own)
        errors = 1.96 * table.std(axis=0, ddof=1) / np.sqrt(len(table))
        shown = ", ".join(
            f"{what} {mean:5.1%} +- {error:4.1%}"
            for what, mean, error in zip(
                ("false aborts", "saved", "matched saved"), table.mean(axis=0), errors, strict=True
            )
        )
        print(f"  {share:4.0%} {name:17} {shown}", flush=True)


def _saved_turns(evidence: Paths, outcome: Mask, threshold: float) -> float:
    """Return the share of the turns of failing runs that lie after the stop."""
    failing = [own for own, succeeded in zip(evidence, outcome, strict=True) if not succeeded]
    stops = [first_above(own, threshold) for own in failing]
    saved = sum(
        len(own) - stop for own, stop in zip(failing, stops, strict=True) if stop is not None
    )
    return saved / sum(map(len, failing))


def recorded() -> None:
    """Print what each test saves on the recorded family, calibrated on other instances."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "built"
        try:
            builders(["build", "--origin", str(_origin(Path(folder))), "--out", str(out)])
        except SystemExit as error:
            if error.code:
                raise
        loaded = load_recorded(str(out), "swebench")
        for forecaster in ("aft", "forest"):
            said = cross_fitted(loaded, forecaster, 0)
            rollouts = Rollouts.of(foretold_families(loaded.rollouts, said), Resampling(1000, 0))
            outcomes: tuple[Outcome, ...] = ("success", "finish")
            for outcome in outcomes:
                _print_recorded(forecaster, rollouts, outcome)


def _origin(folder: Path) -> Path:
    """Return a folder with the SWE-bench family alone."""
    origin = folder / "origin"
    origin.mkdir()
    family = RECORDED if RECORDED.exists() else BUNDLED
    (origin / family.name).symlink_to(family)
    return origin


def _print_recorded(forecaster: str, rollouts: Rollouts, outcome: Outcome) -> None:
    watched = watched_runs(rollouts, outcome)
    among = int(watched.outcome.sum())
    print(
        f"\n{forecaster}: {len(rollouts)} recorded rollouts, {among} of which "
        f"{'succeed within the budget' if outcome == 'finish' else 'succeed'}; each tenth is "
        "stopped by a test calibrated on the others"
    )
    shares = (0.1, 0.2)
    stopped = {
        name: _stopped(rollouts, watched, calibrate, shares) for name, calibrate in _tests().items()
    }
    for share in shares:
        for name, by_share in stopped.items():
            own, matched = by_share[share]
            measures = [_measures(rollouts, watched.outcome, each) for each in (own, matched)]
            print(f"  {share:.0%} {name:17} {measures[0]}; matched: {measures[1]}", flush=True)
            if name != "ours":
                more = [
                    _share(rollouts.share(mine.saved - other.saved, rollouts.spent))
                    for mine, other in zip(stopped["ours"][share], (own, matched), strict=True)
                ]
                print(f"      ours saves more by {more[0]}; matched, by {more[1]}")


def _stopped(
    rollouts: Rollouts, watched: WatchedRuns, calibrate: Calibrate, shares: Sequence[float]
) -> dict[float, tuple[StoppedRuns, StoppedRuns]]:
    """Stop each part by a test calibrated on the others, and all at one matched threshold.

    The matched threshold stops as many of the runs with the outcome as the share allows, rounded
    to the nearest number, so that tests are compared at an equal share of false aborts.
    """
    every = range(len(watched))
    stops: dict[float, list[int | None]] = {share: [None for _ in every] for share in shares}
    evidence: list[Floats] = [np.zeros(0) for _ in every]
    for own in parts_of(rollouts, seed=0):
        test = calibrate(watched.where(~own), shares)
        rows = np.flatnonzero(own).tolist()
        for row, path in zip(rows, test.evidence(watched.where(own)), strict=True):
            evidence[row] = path
            for share in shares:
                stops[share][row] = first_above(path, test.thresholds[share])
    highest = np.array([path.max(initial=0.0) for path in evidence])
    successes = np.sort(highest[watched.outcome])[::-1]
    stopped = {}
    for share in shares:
        threshold = float(successes[round(share * len(successes))])
        matched = [first_above(path, threshold) for path in evidence]
        stopped[share] = _by_stops(rollouts, stops[share]), _by_stops(rollouts, matched)
    return stopped


def _by_stops(rollouts: Rollouts, stops: Sequence[int | None]) -> StoppedRuns:
    waiting = iter(stops)
    return StoppedRuns.of(rollouts.families, lambda family: [next(waiting) for _ in family.said])


def _measures(rollouts: Rollouts, outcome: Mask, runs: StoppedRuns) -> str:
    stopped = runs.lost_success if outcome.sum() == rollouts.is_success.sum() else runs.lost
    saved = rollouts.share(runs.saved, rollouts.spent)
    return f"false aborts {int(stopped.sum())} of {int(outcome.sum())}, saved {_share(saved)}"


def _share(score: Score) -> str:
    interval = "" if score.low is None else f" [{score.low:.1%}, {score.high:.1%}]"
    return f"{score.value:.1%}{interval}"


if __name__ == "__main__":
    main(sys.argv[1:])
