"""Submissions, good and bad, in a line each."""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from bagen_data.hub import load_samples
from leaderboard.cli import main
from tests.making import exit_code

METADATA_OF_NOBODY = {
    "estimator": "nobody",
    "provider": "none",
    "model_id": "none",
    "decoding": {},
    "prompt_variant": "none",
    "trained_on": "none",
    "constrained": False,
    "date": "2026-11-21",
    "link": "https://example.org/nobody",
}
Sample = Mapping[str, Any]


def leaderboard(*arguments: object) -> int:
    return exit_code(main, *arguments)


def build_site(
    submissions: Path, dataset: Path, out: Path, *more: object, code: int = 0
) -> dict[str, Any]:
    """Build without a cache, and read the results; `code` is the expected exit code."""
    flags = ("--submissions", submissions, "--dataset", dataset, "--out", out, "--workers", 2)
    cache = () if "--cache" in more else ("--no-cache",)
    assert leaderboard("build", *flags, *cache, *more) == code
    return results(out)


def results(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "results.json").read_text())
    return content


def samples_of(dataset: Path, config: str | None = None) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = load_samples(str(dataset), config).table.to_pylist()
    return rows


def submit(
    folder: Path,
    dataset: Path,
    answer: Callable[[Sample], str] = lambda _: "<answer>impossible</answer>",
    *,
    tasks: Iterable[str] | None = None,
    more: Mapping[str, Any] | None = None,
    **metadata: Any,
) -> Path:
    """Write a submission: an answer to each sample, or those of some tasks."""
    chosen = None if tasks is None else set(tasks)
    rows = [
        {"sample_id": sample["sample_id"], "response": answer(sample), **(more or {})}
        for sample in samples_of(dataset)
        if chosen is None or sample["task"] in chosen
    ]
    write_rows(folder / "predictions.jsonl", rows)
    write_metadata(folder, dataset, **metadata)
    return folder


def write_rows(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def write_metadata(folder: Path, dataset: Path, **metadata: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    revision = json.loads((dataset / "build.json").read_text())["revision"]
    content = {**METADATA_OF_NOBODY, "dataset_revision": revision, **metadata}
    (folder / "metadata.yaml").write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")


def gold(sample: Sample) -> str:
    """The label itself."""
    if not sample["feasible"]:
        return "<answer>impossible</answer>"
    amounts = {part["resource"]: part["remaining"] for part in sample["resources"]}
    return around(amounts, 0.0)


def around(amounts: Mapping[str, float], share: float) -> str:
    """Intervals of this relative half-width."""
    parts = {
        name: f"[{amount * (1 - share):.3f}, {amount * (1 + share):.3f}]"
        for name, amount in amounts.items()
    }
    if len(parts) == 1:
        return f"<answer>{next(iter(parts.values()))}</answer>"
    return f"<answer>{', '.join(f'{name}:{part}' for name, part in parts.items())}</answer>"


def budget_left(sample: Sample) -> str:
    left = {part["resource"]: part["budget"] - part["used"] for part in sample["resources"]}
    if min(left.values()) <= 0:
        return "<answer>impossible</answer>"
    return around({name: amount / 2 for name, amount in left.items()}, 1.0)


def forecast(sample: Sample, skill: float = 0.0) -> str:
    """Return a forecast: the label at skill 1, the same for all at 0, the wrong way below."""
    finish = 0.5 + skill / 2 * (1 if sample["feasible"] else -1)
    success = max(finish, 0.5 + skill / 2 * (1 if sample["rollout_success"] else -1))
    parts = [f"finish={finish:.3f}", f"success={success:.3f}"]
    for part in sample["resources"]:
        middle = skill * part["remaining"] + (1 - skill) * part["budget"] / 2
        shifts = (-0.8, -0.4, 0, 0.8, 1.6)
        quantiles = [max(0.0, middle) * max(0.0, 1 + (1.01 - skill) * shift) for shift in shifts]
        parts.append(f"{part['resource']}=[{', '.join(f'{each:.3f}' for each in quantiles)}]")
    return f"<answer>{', '.join(parts)}</answer>"


FORECAST = {"prompt_variant": "forecast_no_think"}
"""Metadata of a submission of forecasts."""
