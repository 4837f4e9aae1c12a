"""Tables, in Markdown, of how well the forecasters do that need no model.

    python benchmarks/baselines.py                      the recorded families, if they lie beside
                                                        the clone, else the bundled sample
    python benchmarks/baselines.py --dataset DIR        any built dataset
    python benchmarks/baselines.py --more               the other scores too, a table a task

Skills are against the reference of the dataset, climatology of each family's other instances: it is
0, and 1 is perfect. A forecaster learns from the task's training families; without any, it
learns from each family's other instances. Of the recorded families, SWE-bench has its token counts;
Sokoban and Search-R1 are counted with a tokenizer trained on their own text. Budgets are the
paper's.
"""

import argparse
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

REPO = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPO))

from bagen_data.forecasters import find_forecaster, known_forecasters  # noqa: E402
from bagen_data.forecasters.learning.examples import load_examples  # noqa: E402
from bagen_data.forecasters.learning.predictions import ForecastRequest, predict  # noqa: E402
from bagen_data.hub import load_reference, load_samples, splits  # noqa: E402
from bagen_data.scoring import score  # noqa: E402
from bagen_data.scoring.report import Report, Score  # noqa: E402
from builders.cli import main as builders  # noqa: E402

RECORDED = REPO.parent / "shared/rollouts"
BUNDLED = REPO / "sample/origin"
SKILLS = ("brier_skill", "wis_skill", "curve_skill")
MORE = (
    *("brier", "log_score", "success_brier", "wis", "coverage_80", "coverage_50"),
    *("macro_f1", "macro_f1_open", "fail_f1_open", "hit_rate", "coverage", "reward"),
    "interval_skill",
)
_VOCABULARY = 8_000


def main() -> None:
    """Print a table of skills, and the tables of other scores if they are asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument(
        "--dataset", help="a folder that `build` wrote, or ORG/NAME or ORG/NAME@REV"
    )
    parser.add_argument("--resamples", type=int, default=1000)
    parser.add_argument("--more", action="store_true", help="print the other scores too")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dataset = options.dataset or _built(Path(folder))
        tasks = sorted(set(load_samples(dataset).table["task"].to_pylist()))
        reports = {task: _reports(dataset, task, options.resamples) for task in tasks}
        for task in tasks:
            print(f"- {_facts(dataset, task)}")
        print("\n".join(_skills(reports)))
        for task in tasks if options.more else ():
            print("\n".join(_more(task, reports[task])))


def _reports(dataset: str, task: str, resamples: int) -> dict[str, Report]:
    """Return the scores of each forecaster, by its name."""
    load = cache(load_examples)
    samples, reference = load_samples(dataset, task).table, load_reference(dataset, task)
    reports = {}
    for name in known_forecasters():
        others = _is_cross_validated(dataset, task) and find_forecaster(name).learns
        predicted = predict(
            ForecastRequest(dataset, task, "test", name, cross_validate=others), load
        )
        reports[name] = score(
            samples,
            predicted.rows,
            reference=reference,
            question=predicted.question,
            resamples=resamples,
        )
    return reports


def _is_cross_validated(dataset: str, task: str) -> bool:
    return not splits(dataset, f"{task}_train")


def _facts(dataset: str, task: str) -> str:
    table = load_samples(dataset, task).table
    rollouts = len(table.group_by(["rollout_model", "rollout_id"]).aggregate([]))
    feasible = sum(table["feasible"].to_pylist())
    is_crossed = _is_cross_validated(dataset, task)
    how = "cross-validated" if is_crossed else f"learned from `{task}_train`"
    return (
        f"**{task}**: {len(table):,} probes of {rollouts:,} rollouts, {feasible:,} feasible; {how}"
    )


def _skills(reports: Mapping[str, Mapping[str, Report]]) -> Iterator[str]:
    """Yield the lines of the table of skills, all tasks and forecasters in one."""
    yield "\n| task | forecaster | " + " | ".join(f"`{name}`" for name in SKILLS) + " |"
    yield "|---" * (len(SKILLS) + 2) + "|"
    for task, by_name in reports.items():
        yield f"| {task} | the reference | {' | '.join(['0'] * len(SKILLS))} |"
        for name, report in by_name.items():
            cells = " | ".join(_cell(report.overall[column]) for column in SKILLS)
            yield f"| {task} | `{name}` | {cells} |"


def _more(task: str, reports: Mapping[str, Report]) -> Iterator[str]:
    """Yield the lines of a task's table of other scores."""
    yield f"\n**{task}**\n"
    yield "| | " + " | ".join(f"`{name}`" for name in reports) + " |"
    yield "|---" * (len(reports) + 1) + "|"
    for column in MORE:
        cells = " | ".join(_value(report.overall[column]) for report in reports.values())
        yield f"| `{column}` | {cells} |"


def _cell(scored: Score) -> str:
    text = _value(scored)
    if scored.low is not None and scored.high is not None:
        text += f" [{scored.low:.2f}, {scored.high:.2f}]"
    return text


def _value(scored: Score) -> str:
    return "–" if scored.value is None else f"{scored.value:.2f}"


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
    """Return a byte-level BPE tokenizer of the rollouts without token counts."""
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
