"""The cost of scoring, as ratios against plain loops, in one run.

python benchmarks/score.py                  1,000,000 made-up responses
python benchmarks/score.py --rows 100000    fewer

plain        a plain loop: the tests' own reader of answers, which parses with `re`, and accuracy,
             coverage and reward sample by sample / our parsing and every score, without intervals
tuned        the same with a reader that was made fast: patterns compiled, no reasons / ours
forecasts    a plain loop over forecasts: the tests' own reader, and Brier score, weighted interval
             score and budget curve, with those of the reference, sample by sample / ours
resamples    ours with intervals from 1,000 resamples / without
memory       bytes a row that scoring a prediction file takes beyond a file a quarter as long

The responses are those of twenty families, five of each task: most in the form the prompt asks for,
one in a hundred with something after it, one in a hundred invalid in one of many ways. Samples and
responses are in memory, as Arrow for us and as lists for the loops; only `memory` reads files.
"""

import argparse
import json
import math
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

REPO = Path(__file__).parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.prediction_files import prediction_reader  # noqa: E402
from bagen_data.schema import WAREHOUSE  # noqa: E402
from bagen_data.scoring import Report, score  # noqa: E402
from bagen_data.scoring.match_predictions import match_predictions  # noqa: E402
from bagen_data.scoring.measure import measure  # noqa: E402
from bagen_data.scoring.resampling import Resampling  # noqa: E402
from bagen_data.scoring.sample_table import SampleTable  # noqa: E402
from bagen_data.scoring.score import ALPHA  # noqa: E402
from benchmarks.measuring import peak_memory, print_ratio, timed  # noqa: E402
from tests.bagen_data.scoring import slow, slow_questions  # noqa: E402
from tests.bagen_data.scoring.slow_forecasts import read_forecast  # noqa: E402

TASKS = {
    "searchr1": ("tokens",),
    "sokoban": ("tokens",),
    "swebench": ("tokens",),
    "warehouse": tuple(resource.name for resource in WAREHOUSE),
}
MODELS = 5
TURNS = 21
ROUNDS = 5
BOUNDS = {
    "plain": "at least 20",
    "forecasts": "at least 15",
    "resamples": "at most 2",
    "memory": "at most 600",
}
THOUGHTS = (
    "The agent has pushed one box and stands next to the second.",
    "Two of three tests pass now, so an edit and one more run should do.",
    "It has spent about as much each turn, and I see three or four turns more.",
    "It repeats the same query and will not find the answer within what is left.",
)
ODD = (
    "I cannot say.",
    "<answer>about 700</answer>",
    "<answer>[1,200, 1,500]</answer>",
    "<answer>[900, 400]</answer>",
    "<answer>700</answer>",
    "<answer>[0, inf]</answer>",
    "<answer>tokens:[1, 2]</answer>",
    "<answer>time_weeks:[1, 2]</answer>",
)


def main() -> None:
    """Print every ratio beside the bound it is held to."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only-score", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only_score:
        score_files(arguments.only_score)
        return
    samples, responses = make(arguments.rows)
    length = sum(map(len, responses)) / len(responses)
    print(f"{len(responses):,} responses of {length:.0f} characters; the bounds are for 1,000,000")
    report_time(samples, responses)
    report_forecasts(samples)
    report_memory(samples, responses)


def report_time(samples: pa.Table, responses: list[str]) -> None:
    """Print the ratios of the loops to our scoring, and of scoring with resamples to without."""
    predictions = pa.table(
        {"sample_id": pa.array(samples["sample_id"].to_pylist()), "response": pa.array(responses)}
    )
    rows = samples.select(["feasible", "resources"]).to_pylist()
    report = score(samples, predictions, resamples=0)
    ours = best(lambda: score(samples, predictions, resamples=0))
    resampled = best(lambda: score(samples, predictions, resamples=1_000))
    for name, reader in (("plain", read_plainly), ("tuned", read_tuned)):
        start = time.perf_counter()
        looped = loop(reader, rows, responses)
        seconds = time.perf_counter() - start
        assert math.isclose(looped["accuracy"], report.overall["accuracy"].value or 0)  # noqa: S101
        print_ratio(name, seconds / ours, BOUNDS, f"{seconds:.2f} s against {ours:.3f} s")
    detail = f"{resampled:.3f} s against {ours:.3f} s"
    print_ratio("resamples", resampled / ours, BOUNDS, detail)


def report_forecasts(samples: pa.Table) -> None:
    """Print the ratio of a loop over forecasts, each beside the reference's, to our scoring."""
    rng = random.Random(1)
    rows = samples.select(["sample_id", "feasible", "rollout_success", "resources"]).to_pylist()
    responses = [forecast(rng, row["resources"]) for row in rows]
    reference = pa.Table.from_pylist([reference_row(rng, row) for row in rows])
    predictions = pa.table({"sample_id": samples["sample_id"], "response": pa.array(responses)})

    def ours() -> Report:
        return score(samples, predictions, reference=reference, question="forecast", resamples=0)

    report = ours()
    seconds = best(ours)
    expected = reference.to_pylist()
    start = time.perf_counter()
    looped = loop_forecasts(rows, responses, expected)
    plain = time.perf_counter() - start
    for family, scores in looped.items():
        for name, value in scores.items():
            own = report.families[family][name].value or 0
            assert math.isclose(value, own, rel_tol=1e-9), name  # noqa: S101
    print_ratio("forecasts", plain / seconds, BOUNDS, f"{plain:.2f} s against {seconds:.3f} s")


def report_memory(samples: pa.Table, responses: list[str]) -> None:
    """Print how memory grows with a prediction file."""
    few = len(responses) // 4
    with tempfile.TemporaryDirectory() as name:
        peaks = []
        for rows in (few, len(responses)):
            folder = Path(name) / str(rows)
            folder.mkdir()
            pq.write_table(samples.slice(0, rows), folder / "samples.parquet")
            ids = samples["sample_id"].slice(0, rows).to_pylist()
            with (folder / "predictions.jsonl").open("w", encoding="utf-8") as file:
                for sample_id, response in zip(ids, responses, strict=False):
                    line = {"sample_id": sample_id, "response": response}
                    file.write(json.dumps(line) + "\n")
            command = [sys.executable, __file__, "--only-score", str(folder)]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            peaks.append(int(done.stdout))
    grown = (peaks[1] - peaks[0]) * 1024 / (len(responses) - few)
    detail = f"{peaks[1] / 1024:.0f} MiB against {peaks[0] / 1024:.0f} MiB"
    print_ratio("memory", grown, BOUNDS, detail)


def score_files(folder: Path) -> None:
    """Score the predictions in a folder, and print the peak of this process in KiB."""
    repeated = ["task", "rollout_model", "rollout_id", "resources.list.element.resource"]
    table = pq.read_table(folder / "samples.parquet", read_dictionary=repeated)
    samples = SampleTable.of(table)
    answers = match_predictions(
        samples, prediction_reader(folder / "predictions.jsonl"), "predictions"
    )
    measure(samples, answers, Resampling(0), ALPHA).report()
    print(peak_memory())


def make(rows: int) -> tuple[pa.Table, list[str]]:
    """Return samples as our readers give them, and a response to each."""
    rng = random.Random(0)
    rollouts = max(1, rows // (len(TASKS) * MODELS * (TURNS - 1)))
    responses: list[str] = []
    ids, feasible, amounts, offsets = [], [], [], [0]
    names: dict[str, list[Any]] = {"task": [], "rollout_model": [], "rollout_id": []}
    for task, resources in TASKS.items():
        for model in range(MODELS):
            for _ in range(rollouts):
                rollout = (
                    f"{rng.getrandbits(64):016x}"  # a hash as in a build, so ids are in no order
                )
                is_feasible = rng.random() < 0.5
                totals = [rng.randint(1_000, 20_000) for _ in resources]
                for k in range(1, TURNS):
                    ids.append(f"{task}/model{model}/{rollout}/{k}")
                    for name, value in zip(names, (task, f"model{model}", rollout), strict=True):
                        names[name].append(value)
                    feasible.append(is_feasible)
                    left = [total * (TURNS - k) // TURNS for total in totals]
                    amounts += [
                        (name, 1.1 * total, float(total - rest), float(rest))
                        for name, total, rest in zip(resources, totals, left, strict=True)
                    ]
                    offsets.append(len(amounts))
                    responses.append(respond(rng, resources, left))
    name, budget, used, remaining = zip(*amounts, strict=True)
    resources = pa.ListArray.from_arrays(
        pa.array(offsets, pa.int32()),
        pa.StructArray.from_arrays(
            [
                pa.array(name).dictionary_encode(),
                pa.array(budget),
                pa.array(used),
                pa.array(remaining),
            ],
            ["resource", "budget", "used", "remaining"],
        ),
    )
    columns = {key: pa.array(values).dictionary_encode() for key, values in names.items()}
    turns = np.tile(np.arange(1, TURNS, dtype=np.int32), len(ids) // (TURNS - 1))
    return pa.table(
        {"sample_id": pa.array(ids)}
        | columns
        | {
            "completed_turns": turns,
            "total_turns": np.full(len(ids), TURNS, np.int32),
            "feasible": pa.array(feasible),
            "rollout_success": pa.array(feasible),
            "resources": resources,
        }
    ), responses


def respond(rng: random.Random, resources: Sequence[str], left: Sequence[int]) -> str:
    """Return a response as a model might give it."""
    thought = " ".join(rng.choices(THOUGHTS, k=rng.randint(2, 5)))
    start = f"<think>{thought}</think> "
    kind = rng.random()
    if kind < 0.01:
        return start + rng.choice(ODD)
    if kind < 0.5:
        answer = "impossible"
    else:
        bounds = [
            (int(rest * rng.uniform(0.5, 1.1)), int(rest * rng.uniform(1.1, 1.6))) for rest in left
        ]
        parts = [f"[{low}, {high}]" for low, high in bounds]
        if len(parts) > 1:
            parts = [f"{name}:{part}" for name, part in zip(resources, parts, strict=True)]
        answer = ", ".join(parts)
    return f"{start}<answer>{answer}</answer>" + ("\n" if kind > 0.99 else "")


def forecast(rng: random.Random, amounts: Sequence[dict[str, Any]]) -> str:
    """Return a forecast as a model might give it."""
    thought = " ".join(rng.choices(THOUGHTS, k=rng.randint(2, 5)))
    start = f"<think>{thought}</think> "
    if rng.random() < 0.01:
        return start + rng.choice(ODD)
    finish, success = sorted(round(rng.random(), 2) for _ in range(2))
    parts = [f"finish={finish}", f"success={success}"]
    parts += [f"{each['resource']}={quantiles(rng, each['remaining'])}" for each in amounts]
    return f"{start}<answer>{', '.join(parts)}</answer>"


def quantiles(rng: random.Random, remaining: float) -> list[int]:
    """Return five amounts around the remaining one."""
    return sorted(int(remaining * rng.uniform(0.3, 2)) for _ in range(5))


def reference_row(rng: random.Random, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row of the config `reference`."""
    return {
        "sample_id": row["sample_id"],
        "finish": 0.4,
        "success": 0.5,
        "resources": [
            {
                "resource": each["resource"],
                "quantiles": [float(number) for number in quantiles(rng, each["remaining"])],
            }
            for each in row["resources"]
        ],
    }


Intervals = dict[str, tuple[float, float]]
Read = str | Intervals | None
"""`impossible`, an interval a resource, or None for an invalid answer."""


def read_plainly(response: str, resources: Sequence[str]) -> Read:
    """Read an answer as the tests do."""
    verdict, _, intervals = slow.read(response, resources)
    return {"feasible": intervals, "infeasible": "impossible"}.get(verdict)


NUMBER = r"[0-9]+(?:\.[0-9]+)?"
THINK = re.compile(r"</think>", re.IGNORECASE)
ANSWER = re.compile(r"<answer>(.*?)</answer>", re.IGNORECASE | re.DOTALL)
INTERVAL = re.compile(rf"\[\s*({NUMBER})\s*,\s*({NUMBER})\s*\]")
LABELLED = re.compile(rf"([a-z][a-z0-9_]*)\s*:\s*\[\s*({NUMBER})\s*,\s*({NUMBER})\s*\]")
SEVERAL = re.compile(rf"{LABELLED.pattern}(?:\s*,\s*{LABELLED.pattern})*")


def read_tuned(response: str, resources: Sequence[str]) -> Read:
    """Read an answer with as little work as `re` lets one do."""
    contents = ANSWER.findall(THINK.split(response)[-1])
    if not contents:
        return None
    content = contents[-1].strip()
    if content.lower() == "impossible":
        return "impossible"
    if len(resources) == 1:
        match = INTERVAL.fullmatch(content)
        parts = [(resources[0], *match.groups())] if match else []
    else:
        parts = LABELLED.findall(content) if SEVERAL.fullmatch(content) else []
    intervals = {name: (float(low), float(high)) for name, low, high in parts}
    if len(intervals) != len(parts) or intervals.keys() != set(resources):
        return None
    return intervals if all(low <= high < math.inf for low, high in intervals.values()) else None


def loop(
    read: Callable[[str, Sequence[str]], Read],
    samples: Sequence[dict[str, Any]],
    responses: Sequence[str],
) -> dict[str, float]:
    """Return accuracy, coverage and reward, sample by sample."""
    right = feasible = with_intervals = covered = 0
    reward = 0.0
    for sample, response in zip(samples, responses, strict=True):
        resources = sample["resources"]
        answer = read(response, [resource["resource"] for resource in resources])
        feasible += sample["feasible"]
        if answer is None:
            continue
        right += (answer != "impossible") == sample["feasible"]
        if not sample["feasible"] or isinstance(answer, str):
            continue
        hits, earned = 0, 0.0
        for resource in resources:
            low, high = answer[resource["resource"]]
            remaining = resource["remaining"]
            if low <= remaining <= high:
                hits += 1
                earned += max(0.0, 1 - (high - low) / remaining)
        with_intervals += 1
        covered += hits == len(resources)
        reward += earned / len(resources)
    return {
        "accuracy": right / len(samples),
        "coverage": covered / with_intervals,
        "reward": reward / feasible,
    }


def loop_forecasts(
    samples: Sequence[dict[str, Any]],
    responses: Sequence[str],
    reference: Sequence[dict[str, Any]],
) -> dict[str, dict[str, float]]:
    """Return Brier score, weighted interval score and budget curve of each family, by a loop."""
    sums: dict[str, dict[str, float]] = {}
    for sample, response, expected in zip(samples, responses, reference, strict=True):
        resources = sample["resources"]
        _, answer = read_forecast(response, [each["resource"] for each in resources])
        beside = {each["resource"]: each["quantiles"] for each in expected["resources"]}
        own = sums.setdefault(sample["sample_id"].rsplit("/", 2)[0], defaultdict(float))
        if all(each["used"] <= each["budget"] for each in resources):
            own["open"] += 1
            own["brier"] += (answer[0] - sample["feasible"]) ** 2 if answer else 1.0
            own["reference_brier"] += (expected["finish"] - sample["feasible"]) ** 2
        if sample["rollout_success"]:
            own["successes"] += 1
            errors = [wis_of(beside[each["resource"]], each["remaining"]) for each in resources]
            own["reference_wis"] += fmean(errors)
            own["wis"] += (
                2 * fmean(errors)
                if answer is None
                else fmean(
                    wis_of(answer[2][each["resource"]], each["remaining"]) for each in resources
                )
            )
        if len(resources) > 1:
            continue
        [tokens] = resources
        total = tokens["used"] + tokens["remaining"]
        for times in slow_questions.BUDGETS:
            budget = times * tokens["budget"]
            if tokens["used"] <= budget:
                left = budget - tokens["used"]
                happened = sample["rollout_success"] and total <= budget
                own["pairs"] += 1
                chance = expected["success"] * chance_within(beside["tokens"], left)
                own["reference_curve"] += (chance - happened) ** 2
                chance = answer[1] * chance_within(answer[2]["tokens"], left) if answer else 0.0
                own["curve"] += (chance - happened) ** 2 if answer else 1.0
    return {
        family: {
            "brier": own["brier"] / own["open"],
            "brier_skill": 1 - own["brier"] / own["reference_brier"],
            "wis": own["wis"] / own["successes"],
            "wis_skill": 1 - own["wis"] / own["reference_wis"],
        }
        | (
            {
                "curve_brier": own["curve"] / own["pairs"],
                "curve_skill": 1 - own["curve"] / own["reference_curve"],
            }
            if own["pairs"]
            else {}
        )
        for family, own in sums.items()
    }


def wis_of(amounts: Sequence[float], remaining: float) -> float:
    """Return the weighted interval score of five quantiles on the log1p scale."""
    q10, q25, q50, q75, q90 = map(math.log1p, amounts)
    rest = math.log1p(remaining)
    outer, inner = slow.interval_score(q10, q90, rest), slow.interval_score(q25, q75, rest, 0.5)
    return (0.5 * abs(rest - q50) + 0.1 * outer + 0.25 * inner) / 2.5


def chance_within(amounts: Sequence[float], left: float) -> float:
    """Return the distribution function at an amount."""
    return 1.0 if left == math.inf else slow_questions.chance_within(amounts, left)


def best(function: Callable[[], Any]) -> float:
    """Return the seconds of the fastest of a few runs."""
    return min(timed(function) for _ in range(ROUNDS))


if __name__ == "__main__":
    main()
