"""How well the forecasters do, which need no model, as tables in Markdown.

    python benchmarks/baselines.py                      the recorded families, if they lie beside
                                                        the clone, else the bundled sample
    python benchmarks/baselines.py --dataset DIR        any built dataset

Each learns from the task's training families; where there are none, of each family's rollouts from
the family's others (cross-validated in ten parts, by instance). Of the recorded families, SWE-bench
has its token counts; Sokoban and Search-R1 are counted with a tokenizer trained on their own text.
Budgets are the paper's. Beside a coverage stands of how many samples it is.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.forecasters import find_forecaster, known_forecasters  # noqa: E402
from bagen_data.forecasters.learning.predictions import ForecastRequest, predict  # noqa: E402
from bagen_data.hub import load_samples, splits  # noqa: E402
from bagen_data.scoring import score  # noqa: E402
from bagen_data.scoring.report import Report, Score  # noqa: E402
from builders.cli import main as builders  # noqa: E402

RECORDED = REPO.parent / "shared/rollouts"
BUNDLED = REPO / "sample/origin"
COLUMNS = (
    *("macro_f1", "macro_f1_open", "fail_f1", "fail_f1_open"),
    *("hit_rate", "coverage", "reward", "interval_skill"),
)
_VOCABULARY = 8_000


def main() -> None:
    """Print a table a task."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--dataset", help="a folder that `build` wrote, or a Hub id")
    parser.add_argument("--resamples", type=int, default=1000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset = options.dataset or _built(Path(folder))
        for task in sorted(set(load_samples(dataset).table["task"].to_pylist())):
            print("\n".join(_table(dataset, task, options.resamples)), flush=True)


def _table(dataset: str, task: str, resamples: int) -> Iterator[str]:
    cross_validate = not splits(dataset, f"{task}_train")
    table = load_samples(dataset, task).table
    feasible = sum(table["feasible"].to_pylist())
    how = "cross-validated" if cross_validate else f"learned from `{task}_train`"
    yield f"\n**{task}**, {len(table):,} probes, {feasible:,} feasible; {how}\n"
    yield "| | " + " | ".join(f"`{name}`" for name in COLUMNS) + " |"
    yield "|---" * (len(COLUMNS) + 1) + "|"
    for name in known_forecasters():
        others = cross_validate and find_forecaster(name).learns
        predicted = predict(ForecastRequest(dataset, task, "test", name, cross_validate=others))
        report: Report = score(table, predicted.rows, resamples=resamples)
        cells = " | ".join(_cell(column, report.overall[column]) for column in COLUMNS)
        yield f"| `{name}` | {cells} |"


def _cell(name: str, scored: Score) -> str:
    if scored.value is None:
        return "–"
    text = f"{scored.value:.2f}"
    if scored.low is not None and scored.high is not None:
        text += f" [{scored.low:.2f}, {scored.high:.2f}]"
    return f"{text} n {scored.n:,}" if name == "coverage" else text


def _built(folder: Path) -> str:
    flags: tuple[str, ...] = ()
    origin = BUNDLED
    if RECORDED.is_dir():
        origin = RECORDED
        flags = ("--tokenizer", str(_tokenizer(folder / "tokenizer")))
    built = str(folder / "built")
    try:
        builders(["build", "--origin", str(origin), "--out", built, *flags])
    except SystemExit as end:
        if end.code:
            raise
    return built


def _tokenizer(folder: Path) -> Path:
    """Byte-level BPE of the rollouts that are not counted."""
    texts = [path.read_text("utf-8") for path in sorted(RECORDED.glob("*/rollouts.jsonl"))]
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    tokenizer.train_from_iterator(
        (line for text in texts for line in text.splitlines()),
        trainers.BpeTrainer(vocab_size=_VOCABULARY, initial_alphabet=alphabet, show_progress=False),
    )
    folder.mkdir()
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


if __name__ == "__main__":
    main()
