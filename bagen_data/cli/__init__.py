"""Predict, score and submit; fit a forecaster of your own, and watch a running agent with it.

\b
    bagen demo
    bagen predict baseline over_budget --dataset MLL-Lab/BAGEN \\
        --config swebench --out mine
    bagen predict model openai/gpt-5.2 --dataset MLL-Lab/BAGEN \\
        --config swebench --out gpt
    bagen merge shards/* --out gpt
    bagen validate mine --dataset MLL-Lab/BAGEN --config swebench
    bagen score mine --dataset MLL-Lab/BAGEN --config swebench \\
        --json scores.json
    bagen submit mine --dry-run
    bagen fit --logs my-logs --out my-forecaster
    bagen watch ~/.claude/projects/mine --forecaster my-forecaster
    bagen policy forest --dataset MLL-Lab/BAGEN --config swebench \\
        --out policy.json

Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 stopped by Ctrl-C.
"""  # noqa: D301  \b keeps the lines as they are

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from bagen_data.cli.old_spellings import moved
from bagen_data.command_line import new_app, run
from bagen_data.errors import WrongUsageError
from bagen_data.lazy_commands import add_command
from bagen_data.published import CODE_PAGE
from bagen_data.versions import BENCHMARK_VERSION, __version__

_ELSEWHERE = (
    "Datasets are built, rollouts recorded, leaderboards made and models trained in a clone of "
    f"{CODE_PAGE}."
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        print(f"bagen {__version__}, benchmark {BENCHMARK_VERSION}")
        raise typer.Exit


_COMMANDS = {
    "demo": (
        "demo:demo_command",
        "Try the tools on a small sample: show a question, predict, validate and score.",
    ),
    "predictions-from-log": (
        "predict_model:predictions_from_log_command",
        "Make a submission of an Inspect log, whoever wrote it.",
    ),
    "merge": (
        "merge:merge_command",
        "Merge the shards of a run into one submission, as the run gives it without shards.",
    ),
    "validate": (
        "validate:validate_command",
        "Check a submission: metadata.yaml, the predictions, and that there is one for each "
        "sample.",
    ),
    "score": (
        "scores:score_command",
        "Score predictions, and show each score with its 95% interval and its n.",
    ),
    "submit": (
        "submit:submit_command",
        "Check a submission as the leaderboard does, and open a pull request that adds it.",
    ),
    "ceiling": (
        "noise_ceiling:ceiling_command",
        "Score a forecaster that knows how runs can go on: the noise ceiling of a dataset.",
    ),
    "fit": (
        "fit:fit_command",
        "Learn a forecaster from rollouts, and measure it on instances that it has not seen.",
    ),
    "policy": (
        "policy:policy_command",
        "Choose when to stop a run, from recorded rollouts, and print what that saves and loses.",
    ),
    "show": (
        "show_sample:show_command",
        "Show a sample: the prompt, the truth, and answers along its rollout against it.",
    ),
    "watch": (
        "watch:watch_command",
        "Follow the log of a running agent: what it used, what it will need, whether to go on.",
    ),
}
"""The function of each command, in this package, and the first paragraph of its docstring."""
_PREDICT_COMMANDS = {
    "baseline": (
        "predict_baseline:predict_baseline_command",
        "Answer every sample with a baseline: a forecaster that needs no model.",
    ),
    "model": (
        "predict_model:predict_model_command",
        "Ask a model every sample's question; a run that was stopped goes on with --resume.",
    ),
}

predict = new_app("Answer every sample of a split, with a baseline or with a model.")
app = new_app(f"{__doc__}\n{_ELSEWHERE}")
app.add_typer(predict, name="predict")
for _app, _commands in ((app, _COMMANDS), (predict, _PREDICT_COMMANDS)):
    for _name, (_place, _summary) in _commands.items():
        add_command(_app, _name, f"{__name__}.{_place}", _summary)


@app.callback()
def root_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    Args:
        arguments: the arguments of `bagen`; those of the process if None.
    """
    run(_refuse_old_spelling, sys.argv[1:] if arguments is None else arguments)


def _refuse_old_spelling(arguments: Sequence[str] | None) -> None:
    new_spelling = moved(arguments or ())
    if new_spelling:
        raise WrongUsageError(new_spelling)
    app(arguments)
