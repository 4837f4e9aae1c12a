"""Make the bundled sample: small synthetic families of all four tasks, in the published layouts.

    python sample/make.py            writes sample/origin/, the same bytes every time

Nothing here was recorded: agents are scripted, and token counts are counts of words and marks. It
is there to try the tools on, not to draw conclusions from.
"""

import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ORIGIN = Path(__file__).parent / "origin"
MODEL = "synthetic"
BENCHMARK_SEEDS, TRAINING_SEEDS = range(8), range(100, 110)


def main() -> None:
    """Write every family anew."""
    shutil.rmtree(ORIGIN, ignore_errors=True)
    for role, seeds in (("origin", BENCHMARK_SEEDS), ("train", TRAINING_SEEDS)):
        sokoban = [sokoban_rollout(random.Random(seed), seed) for seed in seeds]
        _write_lines(f"sokoban-{role}-{MODEL}/rollouts.jsonl", sokoban)
        search = [search_rollout(random.Random(seed), seed) for seed in seeds]
        _write(f"searchr1-{role}-{MODEL}/search_eval_estimation_dialogues.json", search)
        warehouse = [warehouse_rollout(random.Random(seed), seed) for seed in seeds]
        _write(f"warehouse-{role}-{MODEL}/warehouse_eval_estimation_dialogues.json", warehouse)
        write_swebench(f"swebench-{role}-{MODEL}", seeds)


# Sokoban: a box is pushed along a corridor, by an agent that sometimes turns the wrong way.


def sokoban_rollout(rng: random.Random, seed: int) -> dict[str, Any]:
    """One rollout as chat messages, with counts per turn."""
    row, player, box = rng.randint(1, 4), 1, 2
    target = rng.randint(4, 5)
    error_rate = rng.choice([0.1, 0.4, 0.7])
    messages = []
    for _ in range(10):
        messages.append({"role": "user", "content": _sokoban_state(row, player, box, target, seed)})
        if box == target:
            break
        is_wrong = rng.random() < error_rate
        thought = rng.choice(
            [
                f"The box is at ({row}, {box}) and the target at ({row}, {target}). I am near.",
                f"I stand at ({row}, {player}). The box has to go right, so I look first.",
                "Let me check the walls before I push, as a box in a corner cannot be pulled back.",
            ]
        )
        move = "Left" if is_wrong else "Right"
        messages.append(
            {"role": "assistant", "content": f"<think>{thought}</think><answer>{move}</answer>"}
        )
        if is_wrong:
            player = max(1, player - 1)
        else:
            player += 1
            box = max(box, player + 1) if player == box else box
    success = box == target
    return {
        "custom_id": f"traj_{seed}",
        "messages": messages,
        "metadata": {"success": success, "num_turns": len(messages) // 2, "synthetic": True},
        "per_turn_api_tokens": [
            {"api_input_tokens": read, "api_output_tokens": written}
            for read, written in _requests([message["content"] for message in messages], scale=9)
        ],
    }


def _sokoban_state(row: int, player: int, box: int, target: int, seed: int) -> str:
    grid = [list("########") for _ in range(6)]
    grid[row][1:7] = "______"
    for column, mark in ((target, "O"), (box, "X"), (player, "P")):
        grid[row][column] = mark
    lines = "\n".join("".join(cells) for cells in grid)
    return f"Level {seed}\nBoxes: ({row}, {box})\nTargets: ({row}, {target})\nGrid Map:\n{lines}"


# Search-R1: questions over three made-up facts, found sooner or later.

_FACTS = [
    ("the lighthouse of Varn", "was lit in 1874", "1874"),
    ("the Oskel bridge", "spans 412 metres", "412 metres"),
    ("the Tarrow mill", "was built for Ida Brandt", "Ida Brandt"),
    ("the harbour of Quill", "freezes in most winters", "no"),
]


def search_rollout(rng: random.Random, seed: int) -> dict[str, Any]:
    """One rollout as an evaluation dialogue."""
    subject, fact, answer = rng.choice(_FACTS)
    needed, gives_up = rng.randint(1, 5), rng.random() < 0.3
    user = (
        f"Question {seed}: what is known about {subject}?\nActions: search[query], finish[answer]"
    )
    texts, actions = [], []
    for search in range(needed):
        texts += [user, f"<think>I look it up.</think><answer>search[{subject} {search}]</answer>"]
        actions.append([f"search[{subject} {search}]"])
        found = f"{subject} {fact}. " if search == needed - 1 else ""
        filler = " ".join(rng.choice(["stone", "river", "parish", "record"]) for _ in range(30))
        user = f"Results:\n[Document 1] {found}{filler}\n[Document 2] {filler[::-1]}"
    final = "unknown" if gives_up else answer
    texts += [user, f"<think>That should be it.</think><answer>finish[{final}]</answer>"]
    actions.append([f"finish[{final}]"])
    turns = list(_dialogue_turns(texts, actions, scale=6))
    turns[-1]["success"] = not gives_up
    return _dialogue(seed, turns, success=not gives_up)


# Warehouse: eleven steps of ordering, holding and selling; weak demand ends poor.


def warehouse_rollout(rng: random.Random, seed: int) -> dict[str, Any]:
    """One rollout as an evaluation dialogue with accounts."""
    cash, stock, cost, held = 500_000.0, 0, 0.0, 0.0
    demand = rng.randint(4_000, 9_000)
    texts, actions, accounts = [], [], []
    for step in range(11):
        texts.append(f"Scenario {seed}, day {step * 14}\nCash: ${cash:,.2f}\nStock: {stock} units")
        order = rng.choice([0, 5_000, 10_000, 15_000])
        texts.append(f"<think>Order against demand.</think><answer>order {order}</answer>")
        actions.append([f"order {order}"])
        sold = min(stock, round(demand * rng.uniform(0.5, 1.5)))
        spent = 9.5 * order + 0.4 * stock + 12_000
        stock += order - sold
        cash += 16.0 * sold - spent
        cost += spent
        held += 2.0 * stock
        accounts.append({"cash": cash, "cumulative_cost": cost, "cumulative_inventory_weeks": held})
    turns = list(_dialogue_turns(texts, actions, scale=4))
    for turn, account in zip(turns, accounts, strict=True):
        turn["financials"] = account
    record = _dialogue(seed, turns, success=cash > 0)
    record["success"] = str(record.pop("rollout_success"))
    record["initial_state"] = {"day": 0, "cash": 500_000.0}
    record["final_state"] = {"day": 154, "cash": cash}
    return record


# SWE-bench: mini-swe-agent trajectories of a toy repository.


def write_swebench(family: str, seeds: range) -> None:
    """A tree of trajectories, its predictions and its evaluation report."""
    resolved, predictions = [], {}
    for seed in seeds:
        rng = random.Random(seed)
        instance = f"toy__calculator-{seed}"
        is_resolved = rng.random() < 0.6
        patch = f"--- a/calculator.py\n+++ b/calculator.py\n+# fix {seed}\n"
        trajectory = _trajectory(rng, instance, patch)
        _write(f"{family}/run/{instance}/{instance}.traj.json", trajectory)
        predictions[instance] = {"instance_id": instance, "model_patch": patch}
        if is_resolved:
            resolved.append(instance)
    _write(f"{family}/run/preds.json", predictions)
    report = {"resolved_ids": resolved, "submitted_ids": sorted(predictions), "synthetic": True}
    _write(f"{family}/report.json", report)


def _trajectory(rng: random.Random, instance: str, patch: str) -> dict[str, Any]:
    commands = ["ls", "cat calculator.py"]
    for attempt in range(rng.randint(1, 5)):
        commands += [f"sed -i 's/bug/fix{attempt}/' calculator.py", "python -m pytest -q"]
    commands += ["git diff", "submit"]
    texts = [f"Issue: calculator.divide is wrong for case {instance}. Fix it."]
    for command in commands:
        output = "\n".join(f"line {n}: {rng.randint(0, 999)}" for n in range(rng.randint(1, 9)))
        texts += [command, f"<returncode>0</returncode>\n<output>\n{output}\n</output>"]
    requests = _requests(texts[:-1], scale=7)
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You fix bugs with shell commands."},
        {"role": "user", "content": texts[0]},
    ]
    for number, (read, written) in enumerate(requests):
        arguments = json.dumps({"command": texts[2 * number + 1]})
        call = {"id": f"call_{number}", "type": "function"}
        usage = {"prompt_tokens": read, "completion_tokens": written}
        messages.append(
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [call | {"function": {"name": "bash", "arguments": arguments}}],
                "extra": {"response": {"usage": usage}},
            }
        )
        messages.append({"role": "tool", "content": texts[2 * number + 2]})
    messages[-1] = {"role": "exit", "content": patch, "extra": {"exit_status": "Submitted"}}
    return {
        "info": {"exit_status": "Submitted", "submission": patch, "synthetic": True},
        "messages": messages,
        "trajectory_format": "mini-swe-agent-1.1",
        "instance_id": instance,
    }


# Shared by the tasks.


def _requests(texts: list[str], scale: int) -> list[tuple[int, int]]:
    """(input, output) of each request over alternating texts; inputs repeat the history."""
    sizes = [scale * len(re.findall(r"\w+|[^\w\s]", text)) // 4 for text in texts]
    return [(sum(sizes[: 2 * n + 1]), sizes[2 * n + 1]) for n in range(len(sizes) // 2)]


def _dialogue_turns(
    texts: list[str], actions: list[list[str]], scale: int
) -> Iterator[dict[str, Any]]:
    for number, (read, written) in enumerate(_requests(texts, scale)):
        user, assistant = texts[2 * number : 2 * number + 2]
        yield {
            "turn_idx": number + 1,
            "user_prompt": user,
            "raw_response": assistant,
            "parsed_response": assistant,
            "api_input_tokens": read,
            "api_output_tokens": written,
            "api_total_tokens": read + written,
            "success": False,
            "actions": actions[number],
        }


def _dialogue(seed: int, turns: list[dict[str, Any]], success: bool) -> dict[str, Any]:
    return {"env_id": seed, "rollout_success": success, "synthetic": True, "turns": turns}


def _write(path: str, value: Any) -> None:
    target = ORIGIN / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(value, separators=(",", ":")) + "\n", encoding="utf-8")


def _write_lines(path: str, rows: list[dict[str, Any]]) -> None:
    target = ORIGIN / path
    target.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    target.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
