"""The commands of README.md that need no clone, made fit to run anywhere."""

import shlex
from dataclasses import dataclass
from pathlib import Path

PLACEHOLDER = "SAMPLE_ID"
"""A word of README.md that stands for the name of a sample."""
_DATASET_OPTIONS = ("--dataset", "--learn-from")
_PREDICTION_OPTIONS = ("--compare", "--predictions")
_REVISION = "--revision"
_READ_PREDICTIONS = ("score", "validate")
_ELSEWHERE = {
    "merge": "needs the shards of a model's run",
    "predictions-from-log": "needs the log of a model's run",
    "review": "needs the Hub",
    "submit": "needs the Hub",
}
"""Commands that cannot run from an empty folder without network, and why."""


@dataclass(frozen=True)
class Command:
    """A command, as it can be run on a dataset in a folder."""

    words: list[str]
    """The command and its arguments."""
    predictions: list[str]
    """Files and folders of predictions that it reads."""
    config: str | None
    """The config whose samples these answer; None for every task's benchmark."""
    skipped: str
    """Why it is not run; empty if it is."""


def commands_of(text: str) -> list[str]:
    r"""Return each line of a code block that runs `bagen` by its name.

    Args:
        text: Markdown.

    >>> commands_of("    bagen score a \\\n        --dataset b   # all\n    .venv/bin/bagen show\n")
    ['bagen score a --dataset b']
    >>> commands_of("bagen is a word\n```console\n$ bagen --help\nUsage: ...\n```\n")
    ['bagen --help']
    """
    commands: list[str] = []
    is_fenced = is_continued = False
    for line in text.splitlines():
        if line.startswith("```"):
            is_fenced, is_continued = not is_fenced, False
        elif is_fenced or line.startswith("    "):
            code = line.strip().removeprefix("$ ")
            if is_continued:
                commands[-1] += f" {code.removesuffix(chr(92)).strip()}"
            elif code.startswith("bagen "):
                commands.append(code.removesuffix("\\").strip())
            is_continued = code.endswith("\\") and (is_continued or code.startswith("bagen "))
        else:
            is_continued = False
    return [shlex.join(shlex.split(command, comments=True)) for command in commands]


def fitted(command: str, dataset: Path, sample_id: str) -> Command:
    """Return a command that reads a dataset in a folder, whichever one it names.

    Args:
        command: a line of README.md.
        dataset: the folder of a built dataset.
        sample_id: the name of a sample of it, instead of `SAMPLE_ID`.

    >>> fitted("bagen score gpt --dataset ORG/NAME@v2 --config t", Path("d"), "t/m/r/1").words
    ['bagen', 'score', 'gpt', '--dataset', 'd', '--config', 't']
    """
    words: list[str] = []
    predictions: list[str] = []
    config = None
    before = ""
    for word in shlex.split(command):
        if _REVISION not in {word, before}:
            kept = sample_id if word == PLACEHOLDER else word
            words.append(str(dataset) if before in _DATASET_OPTIONS else kept)
        if before in {*_PREDICTION_OPTIONS, *_READ_PREDICTIONS} and not word.startswith("-"):
            predictions.append(word)
        if before == "--config":
            config = word
        before = word
    return Command(words, predictions, config, _ELSEWHERE.get(words[1], ""))
