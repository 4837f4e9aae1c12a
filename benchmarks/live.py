"""Measure what a tracker costs beside an agent: a turn, a forecast, and how both grow with turns.

python benchmarks/live.py                      the recorded swebench family, if it lies beside the
                                               clone, else the sample's

All times are the process's own work, so other processes do not count.

observe    microseconds to observe a response / to parse its usage object from JSON
forecast   milliseconds of a forecast at turn 200 / of the same forecaster asked with that probe
doubling   time to observe and forecast at every turn of 2T turns / of T turns, T = 100 .. 400
anew       asking with the probe at every turn of 200 / the tracker at every turn of 200
features   columns of the probes of 800 turns / of those of 400 turns, in one batch
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.forecasters import find_forecaster  # noqa: E402
from bagen_data.forecasters.kept import KeptForecaster, keep  # noqa: E402
from bagen_data.forecasters.learning.examples import load_examples  # noqa: E402
from bagen_data.forecasters.learning.features import features  # noqa: E402
from bagen_data.live import BudgetTracker  # noqa: E402
from bagen_data.replay import replay  # noqa: E402
from bagen_data.schema import Budget, Probe, Rollout, Turn  # noqa: E402
from benchmarks.measuring import BUNDLED, RECORDED, print_ratio  # noqa: E402
from builders.build import build  # noqa: E402
from builders.build_record import BuildOptions  # noqa: E402

ROUNDS = 5
TURNS = 200
READ, WRITTEN = 100, 50
BUDGET = Budget({"tokens": 30_000})
BOUNDS = {
    "observe": "at most 40",
    "forecast": "at most 1",
    "doubling": "at most 2.3",
    "anew": "at least 3",
    "features": "at most 2.3",
}


def main() -> None:
    """Print every ratio beside the bound it is held to."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--family", type=Path, default=RECORDED if RECORDED.is_dir() else BUNDLED)
    kept = _kept(parser.parse_args().family)
    turns = _turns(8 * TURNS)
    _report_observing(turns)
    _report_forecast(kept, turns)
    _report_growth(kept, turns)
    _report_features(turns)


def _kept(family: Path) -> KeptForecaster:
    """Return a forest of a family."""
    fit = find_forecaster("forest").fit
    if fit is None:
        raise ValueError("the forest cannot be kept")
    with tempfile.TemporaryDirectory() as folder:
        build(BuildOptions(origin=family, out=Path(folder) / "built"))
        examples = load_examples(f"{folder}/built", "swebench").examples
    return keep("forest", fit(examples, 0), examples)


def _turns(number: int) -> list[Turn]:
    """Return turns with texts of some 1,200 characters."""
    rng = random.Random(0)
    words = ["ls", "sed -i", "pytest", "error", "diff", *(f"word{n}" for n in range(200))]
    usage = {"input_tokens": READ, "output_tokens": WRITTEN, "tokens": READ + WRITTEN}
    return [
        Turn(
            " ".join(rng.choices(words, k=150)),
            f"```bash\nls {' '.join(rng.choices(words))}\n```",
            usage,
        )
        for _ in range(number)
    ]


def _usages(number: int) -> list[dict[str, Any]]:
    """Return the usage objects of requests that repeat the history."""
    return [
        {
            "prompt_tokens": turn * (READ + WRITTEN) + READ,
            "completion_tokens": WRITTEN,
            "total_tokens": (turn + 1) * (READ + WRITTEN),
            "prompt_tokens_details": {"cached_tokens": turn * (READ + WRITTEN)},
            "completion_tokens_details": {"reasoning_tokens": 0},
        }
        for turn in range(number)
    ]


def _probes(turns: Sequence[Turn]) -> list[Probe]:
    rollout = Rollout("swebench", "m", "r", "i", "", tuple(turns), success=True)
    return [probe for probe, _ in replay(rollout, BUDGET, range(1, len(turns) + 1))]


def _observed(turns: Sequence[Turn], kept: KeptForecaster | None, is_asked: bool) -> BudgetTracker:
    tracker = BudgetTracker(BUDGET, kept)
    for turn, usage in zip(turns, _usages(len(turns)), strict=True):
        tracker.observe(user=turn.user, assistant=turn.assistant, usage=usage)
        if is_asked:
            tracker.forecast()
    return tracker


def _seconds(function: Callable[[], Any]) -> float:
    """Return the seconds of this process's own work that a call takes."""
    start = time.process_time()
    function()
    return time.process_time() - start


def _best(function: Callable[[], Any]) -> float:
    """Return the seconds of the fastest of several calls."""
    return min(_seconds(function) for _ in range(ROUNDS))


def _report_observing(turns: Sequence[Turn]) -> None:
    texts = [json.dumps(usage) for usage in _usages(len(turns))]
    plain = _best(lambda: [json.loads(text) for text in texts]) / len(turns)
    made = _best(lambda: _usages(len(turns))) / len(turns)
    ours = _best(lambda: _observed(turns, None, is_asked=False)) / len(turns) - made
    print_ratio(
        "observe", ours / plain, BOUNDS, f"{ours * 1e6:.0f} us against {plain * 1e6:.1f} us"
    )


def _report_forecast(kept: KeptForecaster, turns: Sequence[Turn]) -> None:
    trackers = [_observed(turns[: TURNS - 1], kept, is_asked=True) for _ in range(ROUNDS)]
    probe = _probes(turns[:TURNS])[-1]
    usage = _usages(TURNS)[-1]
    seconds = []
    for tracker in trackers:
        last = turns[TURNS - 1]
        tracker.observe(user=last.user, assistant=last.assistant, usage=usage)
        seconds.append(_seconds(tracker.forecast))
        if tracker.forecast() != kept.forecast([probe])[0]:
            raise ValueError("the tracker's forecast is not that of the probe")
    plain = _best(lambda: kept.forecast([probe]))
    ours = min(seconds)
    print_ratio(
        "forecast", ours / plain, BOUNDS, f"{ours * 1e3:.1f} ms against {plain * 1e3:.1f} ms"
    )


def _report_growth(kept: KeptForecaster, turns: Sequence[Turn]) -> None:
    times = [
        _best(partial(_observed, turns[:number], kept, is_asked=True))
        for number in (100, 200, 400, 800)
    ]
    ratios = [after / before for before, after in pairwise(times)]
    listed = ", ".join(f"{seconds:.2f}" for seconds in times)
    print_ratio("doubling", max(ratios), BOUNDS, f"{listed} s of 100, 200, 400 and 800 turns")
    probes = _probes(turns[:TURNS])
    plain = _seconds(lambda: [kept.forecast([probe]) for probe in probes])
    print_ratio("anew", plain / times[1], BOUNDS, f"{plain:.2f} s against {times[1]:.2f} s")


def _report_features(turns: Sequence[Turn]) -> None:
    probes = [_probes(turns[:number]) for number in (2 * TURNS, 4 * TURNS)]
    short, long = (_best(partial(features, each)) for each in probes)
    print_ratio(
        "features", long / short, BOUNDS, f"{long * 1e3:.0f} ms against {short * 1e3:.0f} ms"
    )


if __name__ == "__main__":
    main()
