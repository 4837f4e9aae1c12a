"""The commands of README.md, and of pages that go on from it, that need no clone."""

import shlex
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

PAGES = ("README.md", "docs/dataset.md", "docs/asking.md", "docs/scoring.md", "docs/leaderboard.md")
"""Files whose commands an installed package runs."""
PLACEHOLDER = "SAMPLE_ID"
"""A word of these pages that stands for the name of a sample."""
BUILT = "out/demo"
"""The dataset that `make demo` builds, in these pages."""
_BEFORE_PREDICTIONS = ("--compare", "--predictions", "score", "submit", "validate")
"""Options of which the next word is a file or folder of predictions."""
_ELSEWHERE = {
    "merge": "needs the shards of a model's run",
    "policy": "needs a forecaster that 'bagen fit' kept",
    "predictions-from-log": "needs the log of a model's run",
    "watch": "needs the log of an agent's run",
}
"""Commands that cannot run from an empty folder, and why."""


@dataclass(frozen=True)
class Command:
    """A command, as it can be run on a dataset in a folder."""

    words: list[str]
    """The command and its arguments."""
    predictions: list[str]
    """Files and folders of predictions that the command reads."""
    config: str | None
    """The config whose samples the predictions answer; None for every task's benchmark."""
    skipped: str
    """The reason why the command is not run; empty if it is."""


def commands_of(text: str) -> list[str]:
    r"""Return each line of a code block that runs `bagen` by its name.

    Args:
        text: Markdown.

    >>> commands_of("    bagen score a \\\n        --dataset b   # all\n    python -m builders\n")
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
    """Return a command as it runs where `make demo` did not.

    Args:
        command: a line of one of the pages.
        dataset: the folder of a built dataset.
        sample_id: the name of a sample of it.

    >>> fitted("bagen score gpt --dataset out/demo --config t", Path("d"), "t/m/r/1").words
    ['bagen', 'score', 'gpt', '--dataset', 'd', '--config', 't']
    """
    stands_for = {PLACEHOLDER: sample_id, BUILT: str(dataset)}
    words = [stands_for.get(word, word) for word in shlex.split(command)]
    pairs = list(pairwise(words))
    return Command(
        words,
        [word for before, word in pairs if before in _BEFORE_PREDICTIONS and word[0] != "-"],
        next((word for before, word in pairs if before == "--config"), None),
        _ELSEWHERE.get(words[1], ""),
    )


def tags_of(commands: list[str]) -> list[str]:
    """Return the revisions of datasets that commands name, in order.

    >>> tags_of(["bagen score a --dataset ORG/NAME@v2.0", "bagen score a --revision v2.1"])
    ['v2.0', 'v2.1']
    """
    words = [word for command in commands for word in shlex.split(command)]
    after_option = [word for before, word in pairwise(words) if before == "--revision"]
    return sorted({*after_option, *(word.rpartition("@")[2] for word in words if "@" in word)})
