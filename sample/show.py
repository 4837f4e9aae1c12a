"""Load a built dataset as a user would, and show one sample of each task.

python sample/show.py out/demo
"""

import sys

import bagen_data
from bagen_data.replay import gold_estimate
from bagen_data.schema import Target


def main(folder: str) -> None:
    """Print what the default config holds, then the end of one prompt a task."""
    samples = bagen_data.load(folder, split="test")
    print(f"\nload_dataset('{folder}', split='test'): {len(samples)} samples")
    shown = set()
    for sample in samples:
        if sample["task"] in shown:
            continue
        shown.add(sample["task"])
        remaining = {amount["resource"]: amount["remaining"] for amount in sample["resources"]}
        best = bagen_data.render(gold_estimate(Target(sample["feasible"], remaining)))
        turns = f"{sample['completed_turns']} of {sample['total_turns']}"
        print(f"\n{sample['sample_id']}: {len(sample['prompt'])} messages, turn {turns}")
        for amount in sample["resources"]:
            used = f"used {amount['used']:,.0f} of {amount['budget']:,.0f} {amount['unit']}"
            print(f"  {amount['resource']}: {used}, went on to use {amount['remaining']:,.0f}")
        print(f"  the best possible answer: {best}")


if __name__ == "__main__":
    main(*sys.argv[1:])
