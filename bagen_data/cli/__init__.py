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

from bagen_data.cli.demo import demo_command
from bagen_data.cli.fit import fit_command
from bagen_data.cli.merge import merge_command
from bagen_data.cli.noise_ceiling import ceiling_command
from bagen_data.cli.old_spellings import moved
from bagen_data.cli.policy import policy_command
from bagen_data.cli.predict_baseline import predict_baseline_command
from bagen_data.cli.predict_model import predict_model_command, predictions_from_log_command
from bagen_data.cli.scores import score_command
from bagen_data.cli.show_sample import show_command
from bagen_data.cli.submit import submit_command
from bagen_data.cli.validate import validate_command
from bagen_data.cli.watch import watch_command
from bagen_data.command_line import new_app, run
from bagen_data.errors import WrongUsageError
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


predict = new_app("Answer every sample of a split, with a baseline or with a model.")
predict.command("baseline")(predict_baseline_command)
predict.command("model")(predict_model_command)

app = new_app(f"{__doc__}\n{_ELSEWHERE}")
app.command("demo")(demo_command)
app.add_typer(predict, name="predict")
app.command("predictions-from-log")(predictions_from_log_command)
app.command("merge")(merge_command)
app.command("validate")(validate_command)
app.command("score")(score_command)
app.command("submit")(submit_command)
app.command("ceiling")(ceiling_command)
app.command("fit")(fit_command)
app.command("policy")(policy_command)
app.command("show")(show_command)
app.command("watch")(watch_command)


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
