"""Train and evaluate a list of runs, one row of a table each: the paper's Table 7, or your own.

    python train/sweep.py --config train/configs/sweep.yaml
    python train/sweep.py --config train/configs/sweep.yaml --dry-run    # only what would be run
    python train/sweep.py --config train/configs/sweep.yaml --table      # only what is done

The file says what is run; see the one above. A sweep that was stopped goes on with the same
command: what is trained stays, training goes on from its last checkpoint, and evaluated rows are
kept in `OUT/results.jsonl`. The checkpoints of a run are removed once it is trained, and the models
that it keeps stay. With `seeds: [0, 1, 2]`, in the file or in a run, each run is trained
once with each seed, and a row is the mean over them.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

REPO = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[0] = str(REPO)  # not this folder
    import train.installed  # noqa: F401

import typer

from bagen_data.command_line import new_app, run
from bagen_data.console import STDERR, shown
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.held_folder import made_folder
from train.sweeps.sweep_checks import check_data, check_options
from train.sweeps.sweep_plan import SweepPlan, read_sweep
from train.sweeps.sweep_results import SweepResults
from train.sweeps.sweep_runner import SweepRunner

app = new_app((__doc__ or "").partition("\n")[0])


@app.command()
def sweep(
    config: Annotated[Path, typer.Option(help="A YAML file of runs.")],
    only: Annotated[list[str] | None, typer.Option(help="Only these runs; repeatable.")] = None,
    dataset: Annotated[
        str | None,
        typer.Option(help="A folder or Hub id in place of every dataset of the sweep."),
    ] = None,
    out: Annotated[
        str | None, typer.Option(help="The folder of everything, in place of the file's.")
    ] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the commands, and run none.")] = False,
    table: Annotated[
        bool, typer.Option("--table", help="Print the table of what is done, and run nothing.")
    ] = False,
    by_seed: Annotated[
        bool, typer.Option("--by-seed", help="Print a line for each seed of a row.")
    ] = False,
) -> None:
    """Train and evaluate a list of runs, one row of a table each."""
    plan = read_sweep(config)
    if dataset is not None:
        plan = plan.with_dataset(dataset)
    if out is not None:
        if not out:
            raise WrongUsageError("--out: names no folder; give one, or leave it out")
        plan = plan.model_copy(update={"out": out})
    chosen = _chosen(plan, only, config)
    if table:
        _print_tables(plan, by_seed)
        return
    check_options(plan)
    if dry_run:
        _run_all(plan, chosen, dry_run=True)
        return
    check_data(plan, chosen)
    with made_folder(Path(plan.out)):
        _run_all(plan, chosen, dry_run=False)
    _print_tables(plan, by_seed)


def _chosen(plan: SweepPlan, only: Sequence[str] | None, config: Path) -> frozenset[str]:
    """Return the names of the runs to run.

    Raises:
        InputError: a name is not that of a run.
    """
    names = [planned.name for planned in plan.runs]
    unknown = sorted(set(only or ()) - set(names))
    if unknown:
        listed = ", ".join(names)
        raise InputError(
            f"--only {unknown[0]}: no run in {config} is called so; expected one of: {listed}"
        )
    return frozenset(only or names)


def _run_all(plan: SweepPlan, chosen: frozenset[str], *, dry_run: bool) -> None:
    """Run what is not done yet."""
    runner = SweepRunner(plan, dry_run=dry_run)
    for planned in plan.seeded_runs():
        runner.run(planned, skip=planned.run.name not in chosen)


def _print_tables(plan: SweepPlan, by_seed: bool) -> None:
    from train.sweeps.sweep_table import SweepTables

    done = SweepResults.read(Path(plan.out))
    if not done.rows:
        raise InputError(f"{plan.out}: no row is done; run the sweep first, without --table")
    results, left_out = done.made_as(SweepRunner(plan, dry_run=True).made())
    if not results.rows:
        raise InputError(
            "\n".join([f"{plan.out}: no row of this sweep is done with these options", *left_out])
        )
    tables = SweepTables(plan, results)
    print(tables.by_seed() if by_seed else tables.by_row())
    retention = "" if by_seed else tables.retention()
    if retention:
        print(f"\n{retention}")
    for note in (*left_out, *tables.notes()):
        STDERR.print(shown(note))


if __name__ == "__main__":
    run(app)
