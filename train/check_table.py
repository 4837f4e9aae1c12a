"""The table of train/gpu_check.py: values that its runs measured, and the bounds of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Record = Mapping[str, Any]
"""A `StepRecord`, as its file has it."""
_WARM_UP = 5
"""Steps that are not timed in a run of twice as many or more; in a shorter run, the first one."""


@dataclass(frozen=True)
class CheckRow:
    """A line of the table: a measured value, and its bound."""

    name: str
    value: float | None
    """The measured value; None where nothing was measured, which misses a bound."""
    rule: Literal["at least", "at most", ""] = ""
    """Side of the bound on which the value has to lie; empty without a bound."""
    bound: float = 0.0
    form: str = ".2f"
    """The format of the line's numbers."""

    @property
    def is_missed(self) -> bool:
        """Return whether the value misses its bound."""
        if not self.rule:
            return False
        if self.value is None:
            return True
        keeps = self.value >= self.bound if self.rule == "at least" else self.value <= self.bound
        return not keeps


def check_rows(ours: Record | None, stock: Record | None, grpo: Record | None) -> list[CheckRow]:
    """Return the rows of three runs, each None where it did not come to its end.

    The bounds: train/sft.py has 90% of the tokens a second of TRL's script, at most 110% of its
    memory, and its loss at the first step, as both see the same rows. Speeds are compared by
    seconds on a GPU, and on a CPU by seconds of the process, which others do not slow. The loss
    falls. In GRPO the model is its own reference before the first update, so that their KL
    divergence is 0 but for rounding; a reference that was not loaded is far from it.

    Args:
        ours: SFT by train/sft.py.
        stock: SFT by TRL's script.
        grpo: GRPO by train/grpo.py.
    """
    first = _logged(ours, "loss", 0), _logged(stock, "loss", 0)
    memory = _number(ours, "peak_gib"), _number(stock, "peak_gib")
    clock = "seconds" if _number(ours, "device_gib") else "cpu_seconds"
    speeds = tokens_per_second(ours, clock), tokens_per_second(stock, clock)
    stock_name = "SFT by TRL's script"
    return [
        CheckRow("SFT, tokens a second", tokens_per_second(ours), form=",.0f"),
        CheckRow(f"{stock_name}, tokens a second", tokens_per_second(stock), form=",.0f"),
        CheckRow("SFT, speed over that of TRL's script", _ratio(*speeds), "at least", 0.9),
        CheckRow("SFT, peak memory in GiB", memory[0]),
        CheckRow(f"{stock_name}, peak memory in GiB", memory[1]),
        CheckRow("SFT, memory over that of TRL's script", _ratio(*memory), "at most", 1.1),
        CheckRow("SFT, first loss", first[0], form=".4f"),
        CheckRow(f"{stock_name}, first loss", first[1], form=".4f"),
        CheckRow("SFT, share by which these differ", _difference(*first), "at most", 0.01, ".4f"),
        CheckRow(
            "SFT, last loss over the first",
            _ratio(_logged(ours, "loss", -1), first[0]),
            "at most",
            0.9,
        ),
        CheckRow("SFT, share of the GPU's peak (mfu)", _logged(ours, "mfu", -1), form=".3f"),
        CheckRow("GRPO, tokens a second", tokens_per_second(grpo), form=",.0f"),
        CheckRow("GRPO, share of time in generation", generation_share(grpo)),
        CheckRow("GRPO, memory of the GPU in use, in GiB", _number(grpo, "device_gib") or None),
        CheckRow("GRPO, share of valid answers at the end", _logged(grpo, "valid_rate", -1)),
        CheckRow("GRPO, KL of the first step", _logged(grpo, "kl", 0), "at most", 0.01, ".5f"),
    ]


def tokens_per_second(record: Record | None, clock: str = "seconds") -> float | None:
    """Return the tokens a second after the first steps, which load and compile.

    Args:
        record: of a run.
        clock: the record's `seconds` or `cpu_seconds`.

    >>> logs = [{"num_tokens": 100}, {"num_tokens": 300}, {"num_tokens": 500}]
    >>> tokens_per_second({"seconds": [9.0, 1.0, 1.0], "logs": logs})
    200.0
    """
    if record is None or len(record["seconds"]) < 2:
        return None
    seconds, logs = record[clock], record["logs"]
    skipped = _WARM_UP if len(seconds) >= 2 * _WARM_UP else 1
    tokens = logs[-1]["num_tokens"] - logs[skipped - 1]["num_tokens"]
    return float(tokens / sum(seconds[skipped:]))


def generation_share(record: Record | None) -> float | None:
    """Return the share of the steps' time in which answers were generated."""
    if record is None:
        return None
    return float(record["generation_seconds"] / sum(record["seconds"]))


def printed(rows: Sequence[CheckRow], machine: str) -> str:
    """Return the table in Markdown.

    Args:
        rows: of the table.
        machine: what the runs ran on.
    """
    lines = [machine, "", "| | seen | bound | |", "|---|---|---|---|"]
    for row in rows:
        seen = "not seen" if row.value is None else format(row.value, row.form)
        bound = f"{row.rule} {format(row.bound, row.form)}" if row.rule else ""
        verdict = ("missed" if row.is_missed else "kept") if row.rule else ""
        lines.append(f"| {row.name} | {seen} | {bound} | {verdict} |")
    return "\n".join(lines)


def _number(record: Record | None, name: str) -> float | None:
    return None if record is None else float(record[name])


def _logged(record: Record | None, name: str, step: int) -> float | None:
    logs = record["logs"] if record else []
    return float(logs[step][name]) if logs and name in logs[step] else None


def _difference(value: float | None, other: float | None) -> float | None:
    ratio = _ratio(value, other)
    return None if ratio is None else abs(ratio - 1)


def _ratio(value: float | None, other: float | None) -> float | None:
    return value / other if value is not None and other else None
