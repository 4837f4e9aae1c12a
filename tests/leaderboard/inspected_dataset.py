"""Run a dataset's tasks of the Hub with Inspect, answered by rule, and print what its logs say.

Run it as `python -m tests.leaderboard.inspected_dataset DATASET LOGS TASK...` with the environment
of a Hub. Inspect imports for seconds, so one process runs all tasks.
"""

import json
import sys
from typing import Any
from zlib import crc32

from inspect_ai import eval as evaluate
from inspect_ai.model import ModelOutput, ModelUsage, get_model

TOKENS = (
    "<think>few are left</think> <answer>[600, 900.5]</answer>",
    "<answer>impossible</answer>",
    "<ANSWER> Impossible </ANSWER>",
    "<answer>[xx]</answer>",
    "<answer>[900, 600]</answer>",
    "<answer>[1,200, 1,500]</answer>",
    "<answer>about 700</answer>",
    "<think><answer>impossible</answer></think>",
    "<think><answer>impossible</answer></think> <answer>[0, 9]</answer>",
    "<answer>impossible</answer> or rather <answer>[0, 9]</answer>",
    "<answer>[0, 9]</answer> or rather <answer>impossible</answer>",
    "time_weeks:[1, 2]",
    "",
)
LABELLED = (
    "<answer>cumulative_cost_usd:[5, 6], time_weeks:[1, 2], warehouse_item_weeks:[3, 4]</answer>",
    "<answer>cumulative_cost_usd:[6, 5], time_weeks:[1, 2], warehouse_item_weeks:[3, 4]</answer>",
    "<answer>time_weeks:[1, 2], warehouse_item_weeks:[3, 4]</answer>",
    "<answer>impossible</answer>",
)


def answer(messages: Any, *_: object) -> ModelOutput:
    """Give one of the answers, by the prompt's hash."""
    question = messages[-1].text
    answers = LABELLED if "time_weeks:[" in question else TOKENS
    made = ModelOutput.from_content(
        "mockllm/model", answers[crc32(question.encode()) % len(answers)]
    )
    return made.model_copy(update={"usage": ModelUsage()})


def main(dataset: str, logs: str, *tasks: str) -> None:
    """Print what Inspect reports of each task, by its name."""
    print(json.dumps({task: reported(f"{dataset}/{task}", logs) for task in tasks}))


def reported(task: str, logs: str) -> dict[str, Any]:
    """Return the accuracy and, of each sample, its id, its response and whether it was correct."""
    model = get_model("mockllm/model", custom_outputs=answer)
    (log,) = evaluate(f"hf/{task}", model=model, log_dir=logs, display="none")
    assert log.status == "success", log.error
    assert log.results is not None
    (scored,) = log.results.scores
    rows = [
        {
            "sample_id": sample.metadata["sample_id"],
            "response": sample.output.completion,
            "correct": sample.scores["pattern"].value,
        }
        for sample in log.samples or []
        if sample.scores is not None
    ]
    return {"accuracy": scored.metrics["accuracy"].value, "rows": rows}


if __name__ == "__main__":
    main(*sys.argv[1:])
