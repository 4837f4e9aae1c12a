"""`bagen demo`."""

import shlex
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagen_data.cli.command_options import refuse_url
from bagen_data.errors import InputError
from bagen_data.published import CODE_PAGE

if TYPE_CHECKING:
    from bagen_data.rollout_view import Row

_OUT = Path("bagen-demo")
_BASELINE = "quantiles"
_SAMPLE = "sokoban/scripted/f05f50b600f94276/1"
"""The question that is shown."""
_PARAGRAPHS = 3
"""Paragraphs of the question that are shown: the run so far, its usage, and what is asked."""
_CONTINUED = "\n   "
"""The break of a line that goes on with the same item of a list."""
_WIDTH = 78
"""Characters of a line."""


def demo_command(
    out: Annotated[
        Path,
        typer.Option(
            callback=refuse_url, help="Folder for the sample, the predictions and the report."
        ),
    ] = _OUT,
    opens: Annotated[
        bool, typer.Option("--open", help="Open the report in a web browser at the end.")
    ] = False,
) -> None:
    """Try the tools on a small sample: show a question, predict, validate and score.

    It needs no network, no model and no extra. The sample ships in the package: questions about 36
    short runs of scripted agents.
    """
    from bagen_data.demo.demo_page import Demonstration, write_report
    from bagen_data.demo.shipped import copy_dataset
    from bagen_data.gold_answers import gold_answer
    from bagen_data.hub import load_samples
    from bagen_data.number_texts import readable
    from bagen_data.prediction_files import find_predictions, prediction_reader
    from bagen_data.rollout_view import answers_tables, find_sample, responses_of
    from bagen_data.unique_keys import parse_json

    dataset = copy_dataset(out)
    predictions, scores, report = out / _BASELINE, out / "scores.json", out / "report.html"
    view = find_sample(str(dataset), _SAMPLE)
    if view is None:
        raise InputError(f"{dataset}: has no sample {_SAMPLE}; remove the folder, and try again")
    amount = view.sample["resources"][0]
    truth = (
        f"The truth: {readable(amount['used'])} of {readable(amount['budget'])} tokens were used "
        f"after turn {view.sample['completed_turns']}. The run went on to use "
        f"{readable(amount['remaining'])} more in {view.sample['total_turns'] - 1} turns, and "
        "succeeded."
    )
    best = f"The best possible answer: {gold_answer(view.sample, 'interval')}"
    _say(
        "BAGEN asks after each turn of a recorded run: can it still finish within its budget, and "
        "how much will it still use?"
    )
    _say(
        f"The sample is in {dataset}: {len(load_samples(str(dataset)).table)} questions about runs "
        "of Sokoban and SWE-bench. The agents are small scripts, and so is the estimator: the "
        "scores say nothing about any model."
    )
    _say(f"One question, {_SAMPLE}. Before it stands the run's first turn.")
    _print_question(view.sample)
    _say(truth)
    _say(best)
    where = ["--dataset", str(dataset)]
    commands = [
        ["predict", "baseline", _BASELINE, *where, "--out", str(predictions)],
        ["validate", str(predictions), *where],
        ["score", str(predictions), *where, "--json", str(scores)],
    ]
    for command in commands:
        _run(command)
    responses = responses_of(prediction_reader(find_predictions(predictions)), view.rollout)
    _say(f"The answer of {_BASELINE} to the question above: {responses[_SAMPLE]}")
    write_report(
        report,
        Demonstration(
            _BASELINE,
            view.sample,
            f"{truth} {best}",
            answers_tables(_BASELINE, view.rollout, responses),
            parse_json(scores.read_bytes())["overall"],
            [_spelled(command) for command in commands],
        ),
    )
    _say("Next, see the answers along the run of this question, and prompts for a model:")
    more = [
        ["show", _SAMPLE, *where, "--predictions", str(predictions)],
        [*("predict", "model", "openai/gpt-5.2"), *where, "--out", str(out / "gpt"), "--dry-run"],
    ]
    for command in more:
        print(f"  {_spelled(command)}")
    print(f"\nThe benchmark, your own logs, live use: {CODE_PAGE}#readme")
    if opens:
        _open(report)
    print(f"Open {report}: the question, the answers along its run, and what each score means")


def _say(text: str) -> None:
    """Print a paragraph, and an empty line after it; words are kept whole, as they may be paths."""
    print(textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False) + "\n")


def _print_question(sample: "Row") -> None:
    """Print the first paragraphs of a question, filled anew: its lines are longer than these."""
    paragraphs = sample["prompt"][-1]["content"].split("\n\n")
    text = "\n\n".join(paragraphs[:_PARAGRAPHS]).replace(_CONTINUED, " ")
    for line in text.splitlines():
        print(textwrap.fill(line, _WIDTH, initial_indent="    ", subsequent_indent="       "))
    print("    [...]\n")


def _spelled(command: list[str]) -> str:
    """Return a command as it is typed."""
    return shlex.join(["bagen", *command])


def _run(command: list[str]) -> None:
    """Print a command of `bagen`, run it, and print an empty line.

    Raises:
        BagenError: the command fails.
    """
    from bagen_data.cli import app

    print(f"$ {_spelled(command)}")
    app(command, standalone_mode=False)
    print()


def _open(report: Path) -> None:
    """Open a page in a web browser, or say that none can be opened."""
    import webbrowser

    from bagen_data.console import STDERR

    if not webbrowser.open(report.resolve().as_uri()):
        STDERR.print("no web browser can be opened here")
