"""Measures and report lines that several benchmarks share."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
RECORDED = REPO.parent / "shared/rollouts/swebench-origin-gpt5.2-instant"
"""The family that bounds are for, if it lies beside the clone."""
BUNDLED = REPO / "sample/origin/swebench-origin-scripted"


def timed(function: Callable[[], Any]) -> float:
    """Return the seconds that a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def peak_memory() -> int:
    """Return this process's peak in KiB.

    Linux keeps it per program, where `getrusage` would count the parent's too.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1])


def print_ratio(name: str, ratio: float, bounds: Mapping[str, str], detail: str) -> None:
    """Print one line of a report: a ratio beside the bound it is held to, if it has one."""
    bound = f"({bounds[name]})" if name in bounds else ""
    print(f"{name:10} {ratio:7.2f}   {bound:16} {detail}", flush=True)
