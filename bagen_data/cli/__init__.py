"""Predict with an estimator or a model, check predictions, score them, and look at samples.

\b
    bagen predict --dataset MLL-Lab/BAGEN --config swebench --estimator over_budget --out mine
    bagen predict --dataset MLL-Lab/BAGEN --config swebench --model openai/gpt-5.2 --out mine
    bagen validate mine --dataset MLL-Lab/BAGEN --config swebench
    bagen score mine --dataset MLL-Lab/BAGEN --config swebench --json scores.json

Exit codes: 0 done, 1 bad input, 2 wrong usage.
"""  # noqa: D301  \b keeps the lines as they are

from collections.abc import Sequence

from bagen_data.cli.predict import predict_command, predictions_from_log_command
from bagen_data.cli.scores import score_command, validate_command
from bagen_data.cli.show_sample import show_command
from bagen_data.command_line import new_app, run

app = new_app(__doc__)
app.command("predict")(predict_command)
app.command("predictions-from-log")(predictions_from_log_command)
app.command("validate")(validate_command)
app.command("score")(score_command)
app.command("show")(show_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    Args:
        arguments: of the command line; those of the process if None.
    """
    run(app, arguments)
