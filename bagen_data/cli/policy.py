"""`bagen policy`."""

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bagen_data.cli.command_options import Dataset, Revision
from bagen_data.cli.new_files import check_new_file
from bagen_data.errors import OutputError, WrongUsageError

if TYPE_CHECKING:
    from bagen_data.live.policies import Policy

Outcome = Literal["success", "finish"]


def policy_command(
    forecaster: Annotated[
        str,
        typer.Argument(
            metavar="FORECASTER",
            help="forest, aft, conformal or climatology, whose forecasts of each rollout are "
            "learned from other instances; or the folder or Hub id of a kept forecaster, of which "
            "rollouts of instances count that it did not learn from.",
        ),
    ],
    dataset: Dataset,
    config: Annotated[str, typer.Option(help="A task, or <task>_train.")],
    revision: Revision = None,
    worth: Annotated[
        float, typer.Option(min=0, help="Worth of a success within the budgets, in budgets.")
    ] = 2.0,
    max_false_abort: Annotated[
        float | None,
        typer.Option(
            metavar="SHARE",
            help="Calibrate a sequential test that stops at most this share of the runs that would "
            "succeed, instead of choosing a threshold; 0.05 needs 19 instances that succeed.",
        ),
    ] = None,
    outcome: Annotated[
        Outcome,
        typer.Option(
            help="With --max-false-abort, the runs that the share is of: those that would succeed, "
            "or those that would finish, which is to succeed within the budgets."
        ),
    ] = "success",
    never_before: Annotated[
        int, typer.Option(min=1, help="Never stop a run before this turn is complete.")
    ] = 1,
    patience: Annotated[
        int,
        typer.Option(min=1, help="Turns in a row at which a threshold policy must want to stop."),
    ] = 1,
    warn_below: Annotated[
        float, typer.Option(min=0, max=1, help="Probability below which the policy warns.")
    ] = 0.5,
    seed: Annotated[
        int,
        typer.Option(min=0, max=2**31 - 1, help="Seed of parts, learning, and resampling."),
    ] = 0,
    resamples: Annotated[
        int, typer.Option(min=0, help="Resamples of instances, for 95% intervals.")
    ] = 1000,
    out: Annotated[Path | None, typer.Option(help="Write the policy to this JSON file.")] = None,
    chart: Annotated[
        Path | None,
        typer.Option(help="Draw the curve: a .svg, .png or .html file (extra pictures)."),
    ] = None,
    json: Annotated[Path | None, typer.Option(help="Write every number to this file.")] = None,
) -> None:
    """Choose when to stop a run, from recorded rollouts, and print what that saves and loses.

    A policy stops a run whose forecast is poor. The table is over its threshold: the share of the
    cost that it saves beyond a hard cap at the budgets, and the successes that it loses. The best
    threshold is the one with the greatest net benefit, and is tried on instances that it was not
    chosen on. With --max-false-abort the policy is a sequential test with a guarantee instead.
    """
    from bagen_data.console import stdout_console
    from bagen_data.live.policies import policy_text
    from bagen_data.pictures import check_picture_file, save_picture
    from bagen_data.policies.policy_chart import policy_chart
    from bagen_data.policies.policy_report import PolicyRequest, evaluate
    from bagen_data.policies.policy_tables import guarantee, policy_tables
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.table_printing import print_table
    from bagen_data.tables import to_json

    if not worth < math.inf:
        raise WrongUsageError(f"--worth {worth:g}: expected a finite number from 0 on")
    policy = _asked_for(max_false_abort, outcome, never_before, patience, warn_below)
    if chart:
        check_picture_file("--chart", chart)
    for option, path in (("--out", out), ("--json", json), ("--chart", chart)):
        if path:
            check_new_file(option, path)
    named = at_revision(dataset, revision)
    report = evaluate(PolicyRequest(forecaster, named, config, policy, worth, seed, resamples))
    for table in policy_tables(report):
        print_table(table)
    for line in (report.warning, guarantee(report)):
        if line:
            stdout_console().print(line)
    if json:
        _write(json, to_json(report.to_dict(), indent=1) + "\n")
        print(f"every number is in {json}")
    if out:
        _write(out, policy_text(report.policy))
        print(f"the policy is in {out}")
    if chart:
        save_picture(policy_chart(report), chart)
        print(f"the curve is drawn in {chart}")


def _asked_for(
    max_false_abort: float | None,
    outcome: Outcome,
    never_before: int,
    patience: int,
    warn_below: float,
) -> "Policy":
    """Return the policy that the options ask for, without its threshold.

    Raises:
        WrongUsageError: naming the option that does not fit.
    """
    from bagen_data.live.policies import SequentialPolicy, ThresholdPolicy

    if max_false_abort is None:
        if outcome != "success":
            raise WrongUsageError(f"--outcome {outcome}: is of use with --max-false-abort only")
        return ThresholdPolicy(0.0, patience, never_before, warn_below)
    if not 0 < max_false_abort < 1:
        raise WrongUsageError(
            f"--max-false-abort {max_false_abort:g}: expected more than 0 and less than 1"
        )
    if patience > 1:
        raise WrongUsageError("--patience: is of use without --max-false-abort only")
    return SequentialPolicy(
        max_false_abort, outcome=outcome, first_turn=never_before, warn_below=warn_below
    )


def _write(path: Path, text: str) -> None:
    from bagen_data.replaced_file import write_file

    try:
        write_file(path, text)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}") from error
