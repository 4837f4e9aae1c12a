"""Measure what following a growing log costs: a look at it, and reading it again.

python benchmarks/watching.py

All times are the process's own work, so other processes do not count.

unchanged  reading a log of 1,000 turns again / a look at it where it did not change
again      reading a log of 1,000 turns again, one of them new / parsing its lines as JSON
growth     reading a log of 1,000 turns again / one of 200 turns, a turn
folder     the first look at a folder of 1,000 sessions / one where nothing changed
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.live.watching.watch_setup import WatchOptions, set_up  # noqa: E402
from bagen_data.live.watching.watcher import Watcher  # noqa: E402
from benchmarks.measuring import print_ratio  # noqa: E402

ROUNDS = 5
WORDS = "ls src tests " * 300
BOUNDS = {
    "unchanged": "at least 50",
    "again": "at most 10",
    "growth": "at most 1.5",
    "folder": "at least 2",
}


def main() -> None:
    """Print every ratio beside the bound it is held to."""
    with tempfile.TemporaryDirectory() as folder:
        again, idle, parsing = _one_log(Path(folder) / "long.jsonl", 1_000)
        shorter, _, _ = _one_log(Path(folder) / "short.jsonl", 200)
    _report("unchanged", again, idle)
    _report("again", again, parsing)
    _report("growth", again / 1_000, shorter / 200)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(1_000):
            _write(Path(folder) / f"{number % 20}" / f"s{number}.jsonl", _lines(f"s{number}", 3))
        watcher = _watcher(Path(folder))
        first = _seconds(watcher.look)
        _report("folder", first, _least(watcher.look))


def _report(name: str, long: float, short: float) -> None:
    detail = f"{long * 1e3:.2f} ms / {short * 1e3:.2f} ms"
    print_ratio(name, long / short, BOUNDS, detail)


def _one_log(path: Path, turns: int) -> tuple[float, float, float]:
    """Return the seconds of reading a log again, of a look at it, and of parsing its lines."""
    lines = _lines("s", turns + ROUNDS)
    _write(path, lines[: 2 * turns])
    watcher = _watcher(path)
    watcher.look()
    again = []
    for number in range(ROUNDS):
        _write(path, lines[2 * (turns + number) : 2 * (turns + number) + 2])
        again.append(_seconds(watcher.look))
    text = path.read_bytes().splitlines()
    parsing = _least(lambda: [json.loads(line) for line in text])
    return min(again), _least(watcher.look), parsing


def _watcher(log: Path) -> Watcher:
    return Watcher(log, set_up(WatchOptions(budget="tokens=1000000")))


def _lines(session: str, turns: int) -> list[dict[str, Any]]:
    """Return the lines of a Claude Code session, with some 4,000 characters a turn."""
    lines: list[dict[str, Any]] = []
    for number in range(1, turns + 1):
        usage = {"input_tokens": 1_000 * number, "output_tokens": 90}
        said = {"id": f"m{number}", "model": "m", "stop_reason": "end_turn", "usage": usage}
        lines += [
            _line("user", f"u{number}", {"role": "user", "content": WORDS}),
            _line("assistant", f"a{number}", said | {"role": "assistant", "content": "ls"}),
        ]
    return [line | {"sessionId": session, "isSidechain": False} for line in lines]


def _line(kind: str, name: str, message: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "uuid": name, "message": message}


def _write(path: Path, lines: Sequence[Any]) -> None:
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in lines)


def _least(function: Callable[[], object]) -> float:
    """Return the mean seconds of the fastest of some rounds of ten calls."""
    return min(_seconds(lambda: [function() for _ in range(10)]) / 10 for _ in range(ROUNDS))


def _seconds(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


if __name__ == "__main__":
    main()
