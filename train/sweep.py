"""Train and evaluate a list of runs, one row of a table each: the paper's Table 7, or your own.

    python train/sweep.py --config train/configs/sweep.yaml
    python train/sweep.py --config train/configs/sweep.yaml --dry-run    # only what would be run

The file says what is run; see the one above. A sweep that was stopped goes on with the same
command: what is trained stays, training goes on from its last checkpoint, and evaluated rows are
kept in `OUT/results.jsonl`.
"""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Mapping
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

from bagen_data.console import ERRORS, new_app, run
from bagen_data.errors import InputError
from bagen_data.tables import read_jsonl, to_json
from train.evaluate import evaluate
from train.paper_table import markdown
from train.sweep_plan import Run, Sweep, Value, flags, read_sweep, slug

RESULTS = "results.jsonl"
"""In the sweep's folder: a line a row."""
HOW, TRAINED = "run.json", "trained"
"""In each run's folder: what is trained, from its first step on; that it is done."""
app = new_app((__doc__ or "").partition("\n")[0])


@app.command()
def sweep(
    config: Annotated[Path, typer.Option(help="A YAML file of runs.")],
    only: Annotated[list[str] | None, typer.Option(help="Only these runs; repeatable.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Print the commands, and run none.")] = False,
) -> None:
    """Train and evaluate a list of runs, one row of a table each."""
    told = read_sweep(config)
    unknown = sorted(set(only or ()) - {each.name for each in told.runs})
    if unknown:
        known = ", ".join(each.name for each in told.runs)
        raise InputError(f"--only {unknown[0]}: no such run in {config}; there are: {known}")
    check_options(told)
    sweeping = Sweeping(told, dry_run=dry_run)
    for each in told.runs:
        sweeping.run(each, skip=bool(only) and each.name not in (only or ()))
    if not dry_run:
        print(markdown(sweeping.scores()))


def check_options(told: Sweep) -> None:
    """Whether the scripts know every option, before the first of them runs.

    Raises:
        WrongUsageError: one is mistyped; the message names the run and the nearest option.
    """
    from train.training_options import GRPOOptions, SFTOptions, check_names, names_of

    asked = list(signature(evaluate).parameters)
    check_names(told.evaluate, asked, "evaluate")
    stages = {"sft": names_of(SFTOptions), "grpo": names_of(GRPOOptions), "none": []}
    for each in told.runs:
        check_names(each.options, stages[each.stage], f"options of run {each.name!r}")
        check_names(each.evaluate, asked, f"evaluate of run {each.name!r}")


@dataclass
class Sweeping:
    """A sweep as far as it is."""

    told: Sweep
    dry_run: bool
    _models: dict[str, str] = field(default_factory=dict)
    """By row: the model that it is of."""
    _made: dict[str, Any] = field(default_factory=dict)
    """By row: all that made its model what it is."""
    _kept: dict[str, Any] = field(default_factory=dict)
    """By row: the line of the file of results."""

    def __post_init__(self) -> None:
        path = self._out / RESULTS
        self._kept = {row["name"]: row for row in (read_jsonl(path) if path.is_file() else [])}

    @property
    def _out(self) -> Path:
        return Path(self.told.out)

    def scores(self) -> dict[str, Mapping[str, Any]]:
        """The rows so far, in the order of the runs."""
        return {
            name: self._kept[name]["scores"]
            for each in self.told.runs
            for name in each.rows
            if name in self._kept
        }

    def run(self, each: Run, *, skip: bool) -> None:
        """Train and evaluate one run, unless that is done, or it is only to be known of."""
        begin = each.model or self._models[each.begin or ""]
        before = self._made.get(each.begin or "", begin)
        folder = self._out / slug(each.name)
        how = self._how(each, begin, folder) | {"begin": before} if each.stage != "none" else before
        for name, place in each.rows.items():
            self._models[name] = begin if each.stage == "none" else str(folder / place)
            self._made[name] = how
        if skip:
            return
        if each.stage != "none":
            self._train(each, folder, how)
        for name in each.rows:
            self._evaluate(each, name)

    def _how(self, each: Run, begin: str, folder: Path) -> dict[str, Any]:
        options: dict[str, Value] = {
            **each.options,
            "model_name_or_path": begin,
            "output_dir": str(folder),
            "run_name": f"{self._out.name}-{slug(each.name)}",
            "resume": True,
        }
        if each.epochs:
            options |= {"keep_epochs": each.epochs, "num_train_epochs": max(each.epochs)}
        file = Path(self._file(each))
        try:
            content = yaml.safe_load(file.read_text("utf-8"))
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise InputError(f"{file}: cannot be read: {error}") from error
        return {"file": content, "options": options}

    def _file(self, each: Run) -> str:
        return self.told.sft if each.stage == "sft" else self.told.grpo

    def _train(self, each: Run, folder: Path, how: Mapping[str, Any]) -> None:
        text = to_json(how)
        if (folder / HOW).is_file() and (folder / HOW).read_text("utf-8") != text:
            raise InputError(
                f"{folder}: run {each.name!r} was begun with other options or another model; "
                "remove the folder, or give another out"
            )
        if (folder / TRAINED).is_file():
            return
        launch = ["-m", "accelerate.commands.launch", "--config_file", self.told.launch]
        script = [_script(f"{each.stage}.py"), "--config", self._file(each)]
        if not self.dry_run:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / HOW).write_text(text, encoding="utf-8")
        self._call([*launch, *script, *flags(how["options"])])
        if not self.dry_run:
            (folder / TRAINED).touch()

    def _evaluate(self, each: Run, name: str) -> None:
        options = {**self.told.evaluate, **each.evaluate, "model": self._models[name]}
        if each.stage == "none" and not each.begin:
            options["trained_on"] = "none"
        made = {"evaluate": options, "model": self._made[name]}
        if name in self._kept and self._kept[name].get("made") == made:
            return
        out = self._out / "predictions" / slug(name)
        given = {key.replace("_", "-"): value for key, value in options.items()}
        told = {**given, "name": name, "out": str(out)}
        self._call([_script("evaluate.py"), *flags(told)])
        if not self.dry_run:
            scores = json.loads((out / "scores.json").read_bytes())
            self._keep({"name": name, "scores": scores, "made": made})

    def _keep(self, row: dict[str, Any]) -> None:
        """Add a row to the file of results, which is written whole or not at all."""
        self._kept[row["name"]] = row
        staging = self._out / f".{RESULTS}"
        staging.write_text("".join(to_json(each) + "\n" for each in self._kept.values()), "utf-8")
        staging.replace(self._out / RESULTS)

    def _call(self, command: list[str]) -> None:
        """Run a Python command of the project, or show it.

        Raises:
            InputError: it failed; what it wrote says why.
        """
        shown = shlex.join(["python", *command])
        if self.dry_run:
            print(shown)
            return
        ERRORS.print(shown)
        done = subprocess.run(  # noqa: S603
            [sys.executable, *command], env=os.environ, check=False
        )
        if done.returncode:
            raise InputError(
                f"exit code {done.returncode} of: {shown}\nwhat was done is kept; mend it, then "
                "give the same command"
            )


def _script(name: str) -> str:
    """A script of this folder, as the folder of the call has it: so it has every other path."""
    return os.path.relpath(REPO / "train" / name)


if __name__ == "__main__":
    run(app)
