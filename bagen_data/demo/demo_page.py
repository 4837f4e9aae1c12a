"""The page of a demonstration: a question, the answers along its rollout, and the scores."""

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from bagen_data.replaced_file import write_file
from bagen_data.scoring.all_scores import HEADLINE_SCORES, SCORES
from bagen_data.table_printing import table_text

_WIDTH = 140
"""Characters of a line of the table of answers."""
_HEAD = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>BAGEN: a demonstration</title>
<style>
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
pre { overflow-x: auto; padding: 1rem; border: 1px solid GrayText; border-radius: 6px; }
pre { font-size: 13px; line-height: 1.35; }
.prose { white-space: pre-wrap; }
h2 { overflow-wrap: anywhere; }
table { border-collapse: collapse; }
.wide { overflow-x: auto; }
th, td { padding: .25rem .75rem; text-align: left; border-bottom: 1px solid GrayText; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<main>
"""


@dataclass(frozen=True)
class Demonstration:
    """The contents of a report."""

    baseline: str
    """Name of the baseline that answered."""
    sample: Mapping[str, Any]
    """The shown sample, with its prompt."""
    truth: str
    """A sentence about what the run went on to use."""
    answers: Sequence[Table]
    """The answers along the sample's rollout, a table a resource."""
    scores: Mapping[str, Any]
    """The overall scores by name, as `bagen score --json` writes them."""
    commands: Sequence[str]
    """The commands that were run."""


def write_report(path: Path, demonstration: Demonstration) -> None:
    """Write the page, whole or not at all.

    Raises:
        OSError: the file cannot be written.
    """
    write_file(path, _HEAD + "\n".join(_body(demonstration)) + "\n</main>\n</body>\n</html>\n")


def _body(shown: Demonstration) -> Iterator[str]:
    baseline = html.escape(shown.baseline)
    yield "<h1>BAGEN: a demonstration</h1>"
    yield (
        "<p>Each question is about the first turns of a recorded run: can it still finish within "
        f"its budget, and how much will it still use? The baseline <code>{baseline}</code> "
        "answered all of them. The agents of this sample are small scripts, and so is the "
        "estimator: the scores say nothing about any model.</p>"
    )
    yield _block("The commands", "\n".join(shown.commands))
    messages = [f"{each['role']}:\n{each['content']}" for each in shown.sample["prompt"]]
    name = f"One question: {shown.sample['sample_id']}"
    yield _block(name, "\n\n".join(messages), "prose")
    yield f"<p>{html.escape(shown.truth)}</p>"
    answers = "\n".join(table_text(table, _WIDTH) for table in shown.answers)
    yield _block("The answers along this run", answers)
    yield "<h2>The scores</h2>"
    yield '<div class="wide" tabindex="0" role="region" aria-label="The scores">'
    yield "<table><thead><tr>"
    yield '<th scope="col">score</th><th scope="col" class="number">value</th>'
    yield '<th scope="col" class="number">95% interval</th><th scope="col" class="number">n</th>'
    yield '<th scope="col">meaning</th></tr></thead><tbody>'
    for name in HEADLINE_SCORES:
        if name in shown.scores and shown.scores[name]["value"] is not None:
            yield _row(name, shown.scores[name])
    yield "</tbody></table></div>"


def _block(title: str, text: str, kind: str = "lines") -> str:
    """Return a section of plain text; the keyboard reaches it, as it may scroll.

    Args:
        title: the heading.
        text: plain text.
        kind: `prose`, whose lines are broken where the page is narrow, or `lines`.
    """
    name = html.escape(title)
    attributes = f'class="{kind}" tabindex="0" role="region" aria-label="{name}"'
    return f"<h2>{name}</h2>\n<pre {attributes}>{html.escape(text)}</pre>"


def _row(name: str, score: Mapping[str, Any]) -> str:
    interval = "" if score["low"] is None else f"[{score['low']:.3f}, {score['high']:.3f}]"
    return (
        f'<tr><th scope="row"><code>{name}</code></th><td class="number">{score["value"]:.3f}</td>'
        f'<td class="number">{interval}</td><td class="number">{score["n"]:,}</td>'
        f"<td>{html.escape(SCORES[name].meaning)}</td></tr>"
    )
