"""Answer the samples of a built dataset by hand, with a rule instead of a model.

    python sample/predict.py out/demo out/demo-predictions

The rule extrapolates: every turn costs as much as those so far, and there will be as many turns as
in training rollouts of the task. It says `impossible` where that would pass a budget.
"""

import json
import statistics
import sys
from datetime import date
from pathlib import Path

import bagen_data
from bagen_data import Estimate, Interval

METADATA = """estimator: extrapolation by hand
provider: none
model_id: none
decoding: {{}}
prompt_variant: none
trained_on: train
constrained: false
dataset_revision: {revision}
date: {today}
link: https://huggingface.co/datasets/MLL-Lab/BAGEN
"""


def main(dataset: str, out: str) -> None:
    """Write predictions.jsonl and metadata.yaml."""
    folder = Path(out)
    folder.mkdir(parents=True, exist_ok=True)
    turns = {}
    lines = []
    for row in bagen_data.load(dataset, split="test"):
        task = row["task"]
        if task not in turns:
            training = bagen_data.load(dataset, f"{task}_train", split="sft")
            turns[task] = statistics.median(training["total_turns"])
        answer = bagen_data.render(estimate(row, turns[task]))
        lines.append(json.dumps({"sample_id": row["sample_id"], "response": answer}) + "\n")
    (folder / "predictions.jsonl").write_text("".join(lines), encoding="utf-8")
    revision = json.loads((Path(dataset) / "build.json").read_bytes())["seal"]
    metadata = METADATA.format(revision=revision, today=date.today())
    (folder / "metadata.yaml").write_text(metadata, encoding="utf-8")
    print(f"\n{len(lines)} predictions are in {folder}")


def estimate(row: dict, turns: float) -> Estimate:
    """An interval of a third to either side of what is expected, or infeasible."""
    done = row["completed_turns"]
    left = max(1, turns - done)
    expected = {part["resource"]: part["used"] / done * left for part in row["resources"]}
    budget = {part["resource"]: part["budget"] - part["used"] for part in row["resources"]}
    if any(expected[name] > budget[name] for name in expected):
        return Estimate("infeasible")
    return Estimate(
        "feasible",
        {name: Interval(round(mean / 1.5), round(mean * 1.5)) for name, mean in expected.items()},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
