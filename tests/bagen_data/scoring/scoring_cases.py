"""Samples and responses by the hundred thousand, with every kind of answer there is."""

import random
from collections.abc import Sequence
from typing import Any

from bagen_data.schema import WAREHOUSE

TOKENS = ("tokens",)
SEVERAL = tuple(resource.name for resource in WAREHOUSE)
GAP = (", ", ",", ", ", " , ", "\n,")
ODD_NUMBERS = (
    *("1" + "0" * 30, "123456789", "99999999", "12345678.12345678", "0.5", "00012"),
    *("1." + "3" * 20, "inf", "NaN", "9" * 400, "1e5", "-3", "+4", ".5", "5.", "1,200", "٣"),
)
ODD_CONTENTS = (
    *("", "5", "[5]", "nan", "tokens:[1, 2]", "tokens: 5", "[1,200, 1,500]", "(1, 2)", "[1 2]"),
    *(
        "[1, 2] tokens",
        "[[1, 2]]",
        "time_weeks:[1, 2]",
        "[1, 2, 3]",
        "[ 1 , 2 ]",
        "[1,2]",
        "[٣, ٥]",
    ),
)
ODD_RESPONSES = (
    *("", "no idea", "<answer>", "</answer>", "<answer>[1, 2]", "[1, 2]</answer>"),
    *("<ANSWER>[1, 2]</ANSWER>", "<an\u017fwer>[1, 2]</answer>", "\ud7ff<answer>"),
)
STARTS = (
    *("", "<think>two more</think> ", "<think><answer>impossible</answer></think>\n", "é ſ "),
    "<answer>[1, 2]</answer> no: ",
)
ENDS = ("\n", " \n\n", "      \n", "that is it", "<answer>", "</think>")
YES = ("impossible",) * 6 + ("Impossible", " IMPOSSIBLE ", "not impossible", "\u0131mpossible")


def sample(
    name: str = "t/m/r/1",
    *,
    feasible: bool = True,
    remaining: float | Sequence[float] = 400.0,
    used: float = 200.0,
    budget: float = 900.0,
    **more: Any,
) -> dict[str, Any]:
    """Return a sample; several amounts of `remaining` are of the warehouse's resources."""
    amounts = [remaining] if isinstance(remaining, int | float) else list(remaining)
    names = TOKENS if len(amounts) == 1 else SEVERAL
    resources = [
        {"resource": each, "budget": float(budget), "used": float(used), "remaining": float(left)}
        for each, left in zip(names, amounts, strict=True)
    ]
    return {"sample_id": name, "feasible": feasible, "resources": resources} | more


def predictions(rows: Sequence[dict[str, Any]], responses: Sequence[str]) -> list[dict[str, str]]:
    return [
        {"sample_id": row["sample_id"], "response": response}
        for row, response in zip(rows, responses, strict=True)
    ]


def family(
    rng: random.Random, resources: Sequence[str] = TOKENS, rollouts: int = 40, **names: str
) -> tuple[list[dict[str, Any]], list[str]]:
    """Samples of one family, and a response to each."""
    task, model = names.get("task", "t"), names.get("model", "m")
    rows, responses = [], []
    for number in range(rollouts):
        turns = rng.randint(2, 8)
        feasible = rng.random() < 0.5
        success = feasible or rng.random() < 0.4
        totals = [
            rng.choice([rng.randint(1, 3000), round(50 * rng.random(), 1)]) for _ in resources
        ]
        scale = 1.2 if feasible else rng.choice([0.5, 2.0])
        for k in range(1, turns):
            amounts = []
            for name, total in zip(resources, totals, strict=True):
                used = total if rng.random() < 0.03 else rng.choice([total * k / turns, total // 2])
                amounts.append(
                    {
                        "resource": name,
                        "budget": total * scale,
                        "used": float(used),
                        "remaining": float(total - used),
                    }
                )
            rows.append(
                {
                    "sample_id": f"{task}/{model}/r{number:05}/{k}",
                    "task": task,
                    "rollout_model": model,
                    "rollout_id": f"r{number:05}",
                    "completed_turns": k,
                    "total_turns": turns,
                    "feasible": feasible,
                    "rollout_success": success,
                    "resources": amounts,
                }
            )
            responses.append(response(rng, amounts))
    return rows, responses


def response(rng: random.Random, amounts: Sequence[dict[str, Any]]) -> str:
    """A response to a sample: mostly good, often odd."""
    if rng.random() < 0.02:
        return rng.choice(ODD_RESPONSES)
    kind = rng.random()
    if kind < 0.35:
        content = rng.choice(YES)
    elif kind < 0.9:
        content = _intervals(rng, list(amounts))
    else:
        content = rng.choice(ODD_CONTENTS)
    end = rng.choice(ENDS) if rng.random() < 0.1 else ""
    return f"{rng.choice(STARTS)}<answer>{content}</answer>{end}"


def _intervals(rng: random.Random, amounts: list[dict[str, Any]]) -> str:
    if len(amounts) == 1:
        return _interval(rng, amounts[0]["remaining"])
    if rng.random() < 0.1:
        rng.shuffle(amounts)
    if rng.random() < 0.03:
        amounts = rng.choice([amounts[1:], [*amounts, amounts[0]]])
    parts = [f"{each['resource']}:{_interval(rng, each['remaining'])}" for each in amounts]
    if rng.random() < 0.02:
        parts.append("cash:[1, 2]")
    return rng.choice(GAP).join(parts)


def _interval(rng: random.Random, remaining: float) -> str:
    low = remaining * rng.choice([0.5, 0.8, 0.95, 1, 1.05, 1.5])
    high = remaining * rng.choice([0.9, 1, 1.1, 1.5, 3])
    if low > high and rng.random() < 0.97:
        low, high = high, low
    return f"[{_number(rng, low)}{rng.choice(GAP)}{_number(rng, high)}]"


def _number(rng: random.Random, value: float) -> str:
    kind = rng.random()
    if kind < 0.7:
        return str(int(value))
    if kind < 0.97:
        return f"{value:.{rng.randint(1, 9)}f}"
    return rng.choice(ODD_NUMBERS)


def answers(rng: random.Random, rows: Sequence[dict[str, Any]], question: str) -> list[str]:
    """A response to each sample: mostly a good answer to the question, often an odd one."""
    reply = {"interval": response, "point": _point_response, "forecast": _forecast_response}
    return [reply[question](rng, row["resources"]) for row in rows]


def _wrapped(rng: random.Random, content: str) -> str:
    end = rng.choice(ENDS) if rng.random() < 0.1 else ""
    return f"{rng.choice(STARTS)}<answer>{content}</answer>{end}"


def _point_response(rng: random.Random, amounts: Sequence[dict[str, Any]]) -> str:
    kind = rng.random()
    if kind < 0.03:
        return rng.choice(ODD_RESPONSES)
    if kind < 0.25:
        return _wrapped(rng, rng.choice(YES))
    numbers = [
        _number(rng, each["remaining"] * rng.choice([0.1, 0.8, 1, 1.2, 3])) for each in amounts
    ]
    if len(numbers) == 1 and rng.random() < 0.97:
        return _wrapped(rng, numbers[0])
    names = [each["resource"] for each in amounts]
    pairs = [f"{name}:{number}" for name, number in zip(names, numbers, strict=True)]
    return _wrapped(rng, rng.choice(GAP).join(pairs))


def _forecast_response(rng: random.Random, amounts: Sequence[dict[str, Any]]) -> str:
    if rng.random() < 0.03:
        return rng.choice([*ODD_RESPONSES, "<answer>impossible</answer>", "<answer>5</answer>"])
    chances = sorted(rng.choice([0, 1, 0.5, rng.random(), rng.random()]) for _ in range(2))
    if rng.random() < 0.02:
        chances.reverse()
    parts = [f"finish={_chance(rng, chances[0])}", f"success={_chance(rng, chances[1])}"]
    for each in amounts:
        quantiles = five_quantiles(rng, each["remaining"])
        if rng.random() < 0.02:
            quantiles.reverse()
        numbers = (_number(rng, value) for value in quantiles)
        parts.append(f"{each['resource']}=[{rng.choice(GAP).join(numbers)}]")
    if rng.random() < 0.1:
        rng.shuffle(parts)
    return _wrapped(rng, rng.choice(GAP).join(parts))


def _chance(rng: random.Random, chance: float) -> str:
    return f"{chance:.{rng.randint(1, 6)}f}" if rng.random() < 0.99 else "1.5"


def five_quantiles(rng: random.Random, around: float) -> list[float]:
    """Five amounts that do not fall, some of them often the same."""
    kind = rng.random()
    if kind < 0.05:
        return [around] * 5
    if kind < 0.1:
        return ([0.0] * rng.randint(1, 4) + [1e100] * 5)[:5]
    factors = sorted(rng.choice([rng.uniform(0, 3), 0.5, 1, 1, 2]) for _ in range(5))
    return [around * factor for factor in factors]


def reference_rows(rng: random.Random, rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A reference's forecast of each sample, good or bad."""
    return [
        {
            "sample_id": row["sample_id"],
            "finish": rng.random(),
            "success": rng.random(),
            "resources": [
                {
                    "resource": each["resource"],
                    "quantiles": five_quantiles(rng, each["remaining"] * rng.uniform(0.5, 2)),
                }
                for each in row["resources"]
            ],
        }
        for row in rows
    ]


def start_rows(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A start probe of each rollout of these samples."""
    firsts = {row["rollout_id"]: row for row in rows if row["completed_turns"] == 1}
    return [
        row | {"sample_id": row["sample_id"][: -len("1")] + "0", "completed_turns": 0}
        for row in firsts.values()
    ]
