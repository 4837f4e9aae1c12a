"""Train and evaluate a list of runs, one row of a table each: the paper's Table 7, or your own.

    python train/sweep.py --config train/configs/sweep.yaml
    python train/sweep.py --config train/configs/sweep.yaml --dry-run    # only what would be run

The file says what is run; see the one above. A sweep that was stopped goes on with the same
command: what is trained stays, training goes on from its last checkpoint, and evaluated rows are
kept in `OUT/results.jsonl`.
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from pathlib import Path
from typing import Annotated, Any

REPO = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[0] = str(REPO)  # not this folder
    import train.installed  # noqa: F401

import typer
import yaml

from bagen_data.command_line import new_app, run
from bagen_data.console import STDERR, shown
from bagen_data.errors import InputError
from bagen_data.held_folder import made_folder
from bagen_data.replaced_file import write_file
from bagen_data.tables import read_jsonl, to_json
from bagen_data.unique_keys import parse_json
from train.secret_options import check_no_token
from train.sweep_plan import SweepPlan, SweepRun, Value, flags, read_sweep, slug

RESULTS = "results.jsonl"
"""In the sweep's folder: a line a row."""
RECIPE, TRAINED = "run.json", "trained"
"""In each run's folder: what is trained, from its first step on; that it is done."""
app = new_app((__doc__ or "").partition("\n")[0])


@app.command()
def sweep(
    config: Annotated[Path, typer.Option(help="A YAML file of runs.")],
    only: Annotated[list[str] | None, typer.Option(help="Only these runs; repeatable.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the commands, and run none.")] = False,
) -> None:
    """Train and evaluate a list of runs, one row of a table each."""
    plan = read_sweep(config)
    names = [planned.name for planned in plan.runs]
    unknown = sorted(set(only or ()) - set(names))
    if unknown:
        listed = ", ".join(names)
        raise InputError(f"--only {unknown[0]}: no such run in {config}; there are: {listed}")
    check_options(plan)
    if dry_run:
        _run_all(plan, only, dry_run=True)
        return
    with made_folder(Path(plan.out)):
        scores = _run_all(plan, only, dry_run=False)
    from train.paper_table import markdown

    print(markdown(scores))


def _run_all(
    plan: SweepPlan, only: Sequence[str] | None, *, dry_run: bool
) -> dict[str, Mapping[str, Any]]:
    """Run what is not done yet; returns the rows of all that is."""
    runner = SweepRunner(plan, dry_run=dry_run)
    for planned in plan.runs:
        runner.run(planned, skip=bool(only) and planned.name not in (only or ()))
    return runner.scores()


def check_options(plan: SweepPlan) -> None:
    """Check that the scripts have every option, before the first of them runs.

    Raises:
        WrongUsageError: one is mistyped; the message names the run and the nearest option.
    """
    from train.evaluate import evaluate
    from train.training_options import GRPOOptions, SFTOptions, check_names, names_of

    evaluate_options = list(signature(evaluate).parameters)
    check_names(plan.evaluate, evaluate_options, "evaluate")
    stages = {"sft": names_of(SFTOptions), "grpo": names_of(GRPOOptions), "none": []}
    for planned in plan.runs:
        name, stage = planned.name, planned.stage
        check_names(planned.options, stages[stage], f"options of run {name!r}")
        check_names(planned.evaluate, evaluate_options, f"evaluate of run {name!r}")


@dataclass
class SweepRunner:
    """A sweep as far as it is run."""

    plan: SweepPlan
    dry_run: bool
    _models: dict[str, str] = field(default_factory=dict)
    """By row: the model that it is of."""
    _recipes: dict[str, Any] = field(default_factory=dict)
    """By row: everything that decides its model."""
    _results: dict[str, Any] = field(default_factory=dict)
    """By row: the line of the file of results."""

    def __post_init__(self) -> None:
        path = self._out / RESULTS
        self._results = {row["name"]: row for row in (read_jsonl(path) if path.is_file() else [])}

    @property
    def _out(self) -> Path:
        return Path(self.plan.out)

    def scores(self) -> dict[str, Mapping[str, Any]]:
        """The rows so far, in the order of the runs."""
        return {
            name: self._results[name]["scores"]
            for run in self.plan.runs
            for name in run.rows
            if name in self._results
        }

    def run(self, run: SweepRun, *, skip: bool) -> None:
        """Train and evaluate one run, unless that is done, or only its models are needed."""
        begin = run.model or self._models[run.begin or ""]
        recipe = self._recipes.get(run.begin or "", begin)
        folder = self._out / slug(run.name)
        if run.stage != "none":
            recipe = self._recipe(run, begin, folder) | {"begin": recipe}
        for name, place in run.rows.items():
            self._models[name] = begin if run.stage == "none" else str(folder / place)
            self._recipes[name] = recipe
        if skip:
            return
        if run.stage != "none":
            self._train(run, folder, recipe)
        for name in run.rows:
            self._evaluate(run, name)

    def _recipe(self, run: SweepRun, begin: str, folder: Path) -> dict[str, Any]:
        options: dict[str, Value] = {
            **run.options,
            "model_name_or_path": begin,
            "output_dir": str(folder),
            "run_name": f"{self._out.name}-{slug(run.name)}",
            "resume": True,
        }
        if run.epochs:
            options |= {"keep_epochs": run.epochs, "num_train_epochs": max(run.epochs)}
        file = Path(self._file(run))
        try:
            content = yaml.safe_load(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"{file}: cannot be read: {error}") from error
        check_no_token({**content, **options})
        return {"file": content, "options": options}

    def _file(self, run: SweepRun) -> str:
        return self.plan.sft if run.stage == "sft" else self.plan.grpo

    def _train(self, run: SweepRun, folder: Path, recipe: Mapping[str, Any]) -> None:
        text = to_json(recipe)
        if (folder / RECIPE).is_file() and (folder / RECIPE).read_text("utf-8") != text:
            raise InputError(
                f"{folder}: run {run.name!r} was begun with other options or another model; "
                "remove the folder, or give another out"
            )
        if (folder / TRAINED).is_file():
            return
        launch = ["-m", "accelerate.commands.launch", "--config_file", self.plan.launch]
        script = [_script(f"{run.stage}.py"), "--config", self._file(run)]
        if not self.dry_run:
            write_file(folder / RECIPE, text)
        self._call([*launch, *script, *flags(recipe["options"])])
        if not self.dry_run:
            (folder / TRAINED).touch()

    def _evaluate(self, run: SweepRun, name: str) -> None:
        options = {**self.plan.evaluate, **run.evaluate, "model": self._models[name]}
        if run.stage == "none" and not run.begin:
            options["trained_on"] = "none"
        recipe = {"evaluate": options, "model": self._recipes[name]}
        if name in self._results and self._results[name].get("made") == recipe:
            return
        out = self._out / "predictions" / slug(name)
        dashed = {key.replace("_", "-"): value for key, value in options.items()}
        self._call([_script("evaluate.py"), *flags({**dashed, "name": name, "out": str(out)})])
        if not self.dry_run:
            scores = parse_json((out / "scores.json").read_bytes())
            self._keep({"name": name, "scores": scores, "made": recipe})

    def _keep(self, row: dict[str, Any]) -> None:
        """Add a row to the file of results, which is written whole or not at all."""
        self._results[row["name"]] = row
        lines = "".join(to_json(each) + "\n" for each in self._results.values())
        write_file(self._out / RESULTS, lines)

    def _call(self, command: list[str]) -> None:
        """Run a Python command of the project, or show it.

        Raises:
            InputError: it failed; what it wrote says why.
        """
        line = shlex.join(["python", *command])
        if self.dry_run:
            print(line)
            return
        STDERR.print(shown(line))
        done = subprocess.run(  # noqa: S603
            [sys.executable, *command], env=os.environ, check=False
        )
        if done.returncode:
            raise InputError(
                f"exit code {done.returncode} of: {line}\nwhat was done is kept; mend it, then "
                "give the same command"
            )


def _script(name: str) -> str:
    """A script of this folder, as the folder of the call has it: so it has every other path."""
    return os.path.relpath(REPO / "train" / name)


if __name__ == "__main__":
    run(app)
