"""The card of a trained model: how it was made, and its scores on rollouts it was not trained on.

A card is the README.md in a model's folder, in the form of the Hugging Face Hub. Training writes
it. `evaluate.py` puts its scores there: into the metadata (`model-index`, which the Hub reads) and
between two comments in the text. What anybody writes elsewhere in the text stays.
"""

import fcntl
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bagen_data.dataset_configs import is_training
from bagen_data.published import CODE_PAGE, HUB_ID, PAPER_PAGE, TITLE
from bagen_data.replaced_file import write_file
from bagen_data.repositories.dataset_names import is_folder
from bagen_data.versions import __version__
from train.paper_table import PAPER_NAMES, in_cell

CARD = "README.md"
"""Name of the card in a model's folder."""
TRAINING, SCORES = "training", "scores"
"""Names of the sections of a card that the project rewrites."""
_HEAD = re.compile(r"\A---\n(?P<metadata>.*?)\n?---\n(?P<text>.*)\Z", re.DOTALL)
_INTERVAL = (
    "an interval around what remains, or with `impossible` if the agent will not finish within the "
    "budget"
)
_FORECAST = (
    "the probabilities that the agent finishes within the budget and that it succeeds at all, and "
    "with quantiles of what remains"
)
_NO_SCORES = (
    "This model was not evaluated yet. `python train/evaluate.py --model FOLDER` puts the scores "
    "on the held-out rollouts here."
)
_HEAD_OF_SCORES = (
    "A 95% interval resamples task instances, and is left out where fewer than ten contribute. It "
    "does not hold the spread between training runs with other seeds. "
    f"[Meanings of the scores]({CODE_PAGE}/blob/main/docs/scores.md)."
)


@dataclass(frozen=True)
class Stage:
    """A training run: the last of those that made a model."""

    method: str
    """`sft` or `grpo`."""
    settings: Mapping[str, Any]
    """Options and facts by name, in the order of the table."""
    rows: Sequence[str]
    """Sentences that say what the model was trained on."""
    begun_with: str
    """The model that training began with: a folder, or an id on the Hub."""
    dataset: str
    """The dataset: a folder, or an id on the Hub, with or without its revision."""
    config: str
    """The first of the configs that the model was trained on."""
    variant: str
    """Variant of the questions, or `as_built`."""
    is_adapter: bool
    """True where the model's folder holds a LoRA adapter."""


@dataclass(frozen=True)
class Card:
    """A card, as it lies in a model's folder."""

    metadata: Mapping[str, Any]
    text: str

    @property
    def results(self) -> list[Mapping[str, Any]]:
        """Entries of `model-index`, one for each evaluation."""
        index = self.metadata.get("model-index")
        first = index[0] if isinstance(index, list) and index else {}
        results = first.get("results") if isinstance(first, dict) else None
        return list(results) if isinstance(results, list) else []

    @property
    def title(self) -> str | None:
        """Return the first heading; None without a heading."""
        match = re.search(r"(?m)^# (.+)$", self.text)
        return match[1] if match else None

    def section(self, name: str) -> str | None:
        """Return the text between a section's comments; None if the card has no such section."""
        match = _section(name).search(self.text)
        return match["content"].strip() if match else None

    def __str__(self) -> str:
        metadata = yaml.safe_dump(dict(self.metadata), sort_keys=False, allow_unicode=True)
        return f"---\n{metadata}---\n{self.text}"


def read_card(folder: Path) -> Card | None:
    """Read the card in a model's folder.

    Returns:
        The card; None if the folder has no card, or not one of this project.
    """
    try:
        match = _HEAD.match((folder / CARD).read_text("utf-8"))
        metadata = yaml.safe_load(match["metadata"]) if match else None
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return None
    if match is None or not isinstance(metadata, dict):
        return None
    card = Card(metadata, match["text"])
    return None if card.section(SCORES) is None else card


def write_card(folder: Path, place: str, stage: Stage) -> None:
    """Write the card of a model that was just saved.

    A card of the same training stays as it is, with its scores and what was written by hand, so
    that a run that was done already may be started again.

    Args:
        folder: the model's.
        place: the model's id on the Hub, or its folder, as its title and examples have it.
        stage: how it was trained.
    """
    before = read_card(folder)
    card = _new_card(place, stage)
    if before is not None and before.section(TRAINING) == card.section(TRAINING):
        if before.title == card.title:
            return
        card = _with_results(card, before.results)
    write_file(folder / CARD, str(card))


def add_scores(
    model: str, source: Mapping[str, Any], variant: str, scores: Mapping[str, Mapping[str, Any]]
) -> Path | None:
    """Put the scores of an evaluation into the card of the evaluated model.

    Scores of the same questions that were there before are replaced.

    Args:
        model: a folder, or an id on the Hub, whose card stays as it is.
        source: where the samples are from, as `LoadedSamples.source` states it.
        variant: of the questions.
        scores: `value`, `low`, `high` and `n` of each score.

    Returns:
        The card; None if the model's folder has no card of this project, or the samples are of a
        part that models are trained on.
    """
    if is_training(source["config"]) and source["split"] != "heldout":
        return None
    path = Path(model) / CARD
    if read_card(Path(model)) is None:
        return None
    result = _result(source, variant, scores)
    with _own_turn(path):
        card = read_card(Path(model))
        if card is None:
            return None
        others = [each for each in card.results if _questions(each) != _questions(result)]
        write_file(path, str(_with_results(card, [*others, result])))
    return path


@contextmanager
def _own_turn(card: Path) -> Iterator[None]:
    """Wait until no other evaluation changes a card: each puts back what it has read."""
    file = os.open(card.parent, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with suppress(OSError):  # a file system without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def shown_place(place: str) -> str:
    """Return how a card names a model or dataset: an absolute path by its last two parts.

    >>> shown_place("Qwen/Qwen2.5-7B-Instruct"), shown_place("/home/me/out/sft/epoch-5")
    ('Qwen/Qwen2.5-7B-Instruct', 'sft/epoch-5')
    """
    return "/".join(Path(place).parts[-2:]) if os.path.isabs(place) else place


def _new_card(place: str, stage: Stage) -> Card:
    before = read_card(Path(stage.begun_with))
    stages, base = _stages(before, stage), _base_model(before, stage)
    metadata = {
        "base_model": base,
        "datasets": [stage.dataset.partition("@")[0]] if _is_on_hub(stage.dataset) else None,
        "library_name": "peft" if stage.is_adapter else "transformers",
        "pipeline_tag": "text-generation",
        "tags": ["bagen", "budget-awareness", "forecasting", "trl", stage.method],
    }
    text = "\n\n".join(
        [
            f"\n# {shown_place(place)}",
            _introduction(base, stage, stages),
            _usage(place, stage),
            "## Scores",
            _commented(SCORES, _NO_SCORES),
            "## Training",
            _commented(TRAINING, stages),
            "",
        ]
    )
    return Card({key: value for key, value in metadata.items() if value is not None}, text)


def _introduction(base: str | None, stage: Stage, training: str) -> str:
    methods = ", then ".join(re.findall(r"(?m)^### \d+\. (\w+)$", training))
    first = re.search(r"(?m)^\| `model_name_or_path` \| (.*) \|$", training)
    answer = _FORECAST if stage.variant.startswith("forecast") else _INTERVAL
    named = first[1].replace("\\|", "|") if first else shown_place(stage.begun_with)
    origin = base or named
    return (
        "This model estimates what the rest of an agent's task will cost. After some turns it "
        f"reads the conversation, what was used so far and the budget. It answers with {answer}."
        f"\n\nIt was trained from `{origin}` by {methods}, with version {__version__} of "
        f"[the BAGEN code]({CODE_PAGE}). The paper of the benchmark is [{TITLE}]({PAPER_PAGE})."
    )


def _usage(place: str, stage: Stage) -> str:
    model = _typed(place, "FOLDER")
    loaded = stage.dataset if _is_on_hub(stage.dataset) else HUB_ID
    options = (
        f"--dataset {_typed(stage.dataset, 'DATASET')} --config {stage.config} --split heldout"
    )
    if stage.variant != "as_built":
        options += f" --variant {stage.variant}"
    return (
        "```python\n"
        "import bagen_data\n"
        "from transformers import pipeline\n\n"
        f'samples = bagen_data.load("{loaded}", split="test")\n'
        f'estimator = pipeline("text-generation", "{model}")\n'
        'answer = estimator(samples[0]["prompt"], max_new_tokens=512)\n'
        'print(answer[0]["generated_text"][-1]["content"])\n'
        "```\n\n"
        "All questions of a split, with scores, from a clone of the code:\n\n"
        f"    python train/evaluate.py --model {model} --out OUT \\\n        {options}"
    )


def _typed(place: str, placeholder: str) -> str:
    """A model or dataset as an example has it: no machine's own path."""
    return placeholder if os.path.isabs(place) else place


def _stages(before: Card | None, stage: Stage) -> str:
    """The training of a model as text: the stages that came before, then the last one."""
    earlier = (before.section(TRAINING) if before else None) or ""
    number = len(re.findall(r"(?m)^### ", earlier)) + 1
    table = ["| option | value |", "|---|---|"]
    table += [f"| `{key}` | {_shown(value)} |" for key, value in stage.settings.items()]
    own = f"### {number}. {stage.method.upper()}\n\n" + "\n".join(table)
    own += "".join(f"\n\n{sentence}." for sentence in stage.rows)
    return f"{earlier}\n\n{own}".strip()


def _base_model(before: Card | None, stage: Stage) -> str | None:
    """The model on the Hub that training began with, through stages before this one."""
    if before is not None:
        base = before.metadata.get("base_model")
        return base if isinstance(base, str) else None
    return None if os.path.isdir(stage.begun_with) else stage.begun_with


def _is_on_hub(dataset: str) -> bool:
    return not is_folder(dataset.rpartition("@")[0] or dataset) and not is_folder(dataset)


def _shown(value: Any) -> str:
    """A value in a cell of a table.

    >>> _shown(1e-06), _shown(["a", "b"]), _shown({"interval": 1.8}), _shown(True)
    ('1e-06', 'a, b', '1.8 interval', 'true')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        return ", ".join(f"{_shown(part)} {name}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value))
    return in_cell(str(value))


def _result(
    source: Mapping[str, Any], variant: str, scores: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any]:
    """An entry of `model-index`."""
    on_hub = "commit" in source
    dataset = {
        "name": "BAGEN" if on_hub else f"BAGEN, built in {shown_place(str(source['path']))}",
        "type": source["path"] if on_hub else "bagen",
        "config": source["config"],
        "split": source["split"],
        "revision": source["revision"],
        "args": {"variant": variant, "samples": source["samples"]},
    }
    metrics = [
        {
            "type": name,
            "name": PAPER_NAMES.get(name, name),
            "value": each["value"],
            "args": {key: each[key] for key in ("low", "high", "n") if each.get(key) is not None},
        }
        for name, each in scores.items()
        if each.get("value") is not None
    ]
    task = {"type": "text-generation", "name": "Budget estimation"}
    return {"task": task, "dataset": dataset, "metrics": metrics}


def _questions(result: Any) -> tuple[Any, ...]:
    """Questions that an entry of `model-index` is about; none for an entry of somebody else."""
    if not _is_own(result):
        return ()
    dataset = result["dataset"]
    keys = ("name", "type", "config", "split")
    return *(dataset.get(key) for key in keys), dataset["args"].get("variant")


def _is_own(result: Any) -> bool:
    """Return whether an entry of `model-index` has the form of `_result`."""
    dataset = result.get("dataset") if isinstance(result, dict) else None
    if not isinstance(dataset, dict) or not isinstance(dataset.get("args"), dict):
        return False
    metrics = result.get("metrics")
    return (
        {"name", "type", "config", "split", "revision"} <= dataset.keys()
        and isinstance(metrics, list)
        and all(isinstance(each, dict) and {"type", "value"} <= each.keys() for each in metrics)
    )


def _with_results(card: Card, results: Sequence[Mapping[str, Any]]) -> Card:
    index = [{"name": card.title or "model", "results": list(results)}]
    metadata = card.metadata if not results else {**card.metadata, "model-index": index}
    own = [each for each in results if _is_own(each)]
    content = "\n\n".join([_HEAD_OF_SCORES, *map(_score_table, own)]) if own else _NO_SCORES
    text = _section(SCORES).sub(lambda _: _commented(SCORES, content), card.text, count=1)
    return Card(metadata, text)


def _score_table(result: Mapping[str, Any]) -> str:
    """The scores of one evaluation."""
    dataset = result["dataset"]
    args = dataset.get("args") or {}
    where = dataset["type"] if dataset["type"] != "bagen" else dataset["name"]
    samples = f"{args['samples']:,} samples" if isinstance(args.get("samples"), int) else "samples"
    lines = [
        f"Config `{dataset['config']}`, split `{dataset['split']}` of {where}, revision "
        f"`{str(dataset['revision'])[:16]}`, {samples}, questions `{args.get('variant')}`:",
        "",
        "| score | value | 95% interval | samples |",
        "|---|---|---|---|",
        *map(_score_line, result["metrics"]),
    ]
    return "\n".join(lines)


def _score_line(metric: Mapping[str, Any]) -> str:
    args = metric.get("args") or {}
    name, paper_name = f"`{metric['type']}`", metric.get("name")
    shown = name if paper_name in {None, metric["type"]} else f"{name}, the paper's {paper_name}"
    low, high = args.get("low"), args.get("high")
    interval = "" if low is None or high is None else f"{low:.3f} to {high:.3f}"
    return f"| {shown} | {metric['value']:.3f} | {interval} | {_count(args.get('n'))} |"


def _count(number: Any) -> str:
    return f"{number:,}" if isinstance(number, int) else ""


def _section(name: str) -> re.Pattern[str]:
    begin, end = (re.escape(mark) for mark in _marks(name))
    return re.compile(f"{begin}\n(?P<content>.*?)\n{end}", re.DOTALL)


def _commented(name: str, content: str) -> str:
    begin, end = _marks(name)
    return f"{begin}\n{content}\n{end}"


def _marks(name: str) -> Iterator[str]:
    """Comments before and after a section."""
    yield f"<!-- bagen {name}: this section is written by the BAGEN code -->"
    yield f"<!-- end of bagen {name} -->"
