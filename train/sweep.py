"""Train and evaluate a list of runs, one row of a table each: the paper's Table 7, or your own.

    python train/sweep.py --config train/configs/sweep.yaml
    python train/sweep.py --config train/configs/sweep.yaml --dry-run    # only what would be run

The file says what is run; see the one above. A sweep that was stopped goes on with the same
command: what is trained stays, training goes on from its last checkpoint, and evaluated rows are
kept in `OUT/results.jsonl`.
"""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, Self

REPO = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path[0] = str(REPO)  # not this folder, with its evaluate.py

import typer
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bagen_data.command import ERRORS, new_app, run
from bagen_data.errors import InputError
from bagen_data.tables import read_jsonl, to_json
from train.table import markdown

RESULTS, DONE = "results.jsonl", "trained.json"
"""In the sweep's folder; in each run's folder, once it is trained: how it was."""
app = new_app((__doc__ or "").partition("\n")[0])

Value = bool | int | float | str | list[Any] | dict[str, Any]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Run(_Strict):
    """One training run, or a model as it is."""

    name: str = Field(pattern=r"^[^\n|]+$", description="Of its row.")
    model: str | None = Field(None, description="A folder or Hub id to begin with.")
    begin: str | None = Field(None, description="Instead of `model`: the row to begin with.")
    stage: Literal["none", "sft", "grpo"] = Field("none", description="What is trained.")
    options: dict[str, Value] = Field({}, description="In place of those of the stage's file.")
    evaluate: dict[str, Value] = Field({}, description="In place of the sweep's.")
    epochs: list[int] = Field([], description="A row after each of these; else one at the end.")

    @model_validator(mode="after")
    def _begins_once(self) -> Self:
        if (self.model is None) == (self.begin is None):
            raise ValueError(f"run {self.name!r}: give one of model and begin")
        if self.epochs and self.stage == "none":
            raise ValueError(f"run {self.name!r}: has epochs, and no stage")
        return self

    @property
    def rows(self) -> dict[str, str]:
        """The rows' names, and the folder of each one's model, inside the run's."""
        return {f"{self.name} e{epoch}": f"epoch-{epoch}" for epoch in self.epochs} or {
            self.name: "."
        }


class Sweep(_Strict):
    """A list of runs."""

    out: str = Field(description="The folder of everything.")
    launch: str = Field(description="The file of `accelerate launch --config_file`.")
    sft: str = Field(description="The options of stage sft.")
    grpo: str = Field(description="The options of stage grpo.")
    evaluate: dict[str, Value] = Field(description="Options of train/evaluate.py.")
    runs: list[Run] = Field(min_length=1)

    @model_validator(mode="after")
    def _rows_are_known(self) -> Self:
        known: set[str] = set()
        for each in self.runs:
            if each.begin is not None and each.begin not in known:
                raise ValueError(f"run {each.name!r}: begins with {each.begin!r}, no earlier row")
            twice = known & set(each.rows)
            if twice:
                raise ValueError(f"two rows are called {sorted(twice)[0]!r}")
            known |= set(each.rows)
        return self


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
    rows = Rows(Path(told.out))
    models: dict[str, str] = {}
    for each in told.runs:
        folder = rows.out / slug(each.name)
        for name, place in each.rows.items():
            models[name] = each.model or "" if each.stage == "none" else str(folder / place)
        if only and each.name not in only:
            continue
        if each.stage != "none":
            begin = each.model or models[each.begin or ""]
            _train(told, each, begin, folder, dry_run)
        for name in each.rows:
            options = {**told.evaluate, **each.evaluate, "model": models[name], "name": name}
            if each.stage == "none":
                options["trained_on"] = "none"
            _evaluate(name, options, rows, dry_run)
    if not dry_run:
        print(markdown({name: rows.scores[name] for name in models if name in rows.scores}))


class Rows:
    """The table's rows so far, one line each in a file."""

    def __init__(self, out: Path) -> None:
        self.out = out
        path = out / RESULTS
        kept = read_jsonl(path) if path.is_file() else []
        self.scores: dict[str, Mapping[str, Any]] = {row["name"]: row["scores"] for row in kept}

    def add(self, name: str, scores: Mapping[str, Any]) -> None:
        """Keep a row, whole or not at all."""
        self.scores[name] = scores
        staging = self.out / f".{RESULTS}"
        lines = [to_json({"name": each, "scores": row}) for each, row in self.scores.items()]
        staging.write_text("\n".join([*lines, ""]), encoding="utf-8")
        staging.replace(self.out / RESULTS)


def read_sweep(path: Path) -> Sweep:
    """Read a file of runs.

    Raises:
        InputError: it cannot be read, or is not one; the message lists every problem.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        return Sweep.model_validate(content)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors()
        ]
        raise InputError("\n  ".join([f"{path}: is no sweep:", *problems])) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def slug(name: str) -> str:
    """A folder's name for a run.

    >>> slug("SFT pct10, RL KL 0.05")
    'sft-pct10-rl-kl-0.05'
    """
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")


def flags(options: Mapping[str, Value]) -> Iterator[str]:
    """As the command lines of Hugging Face's parsers take them.

    >>> list(flags({"train_on": ["a", "b"], "balance": True, "rewards": {"interval": 1}}))
    ['--train_on', 'a', 'b', '--balance', 'true', '--rewards', '{"interval": 1}']
    """
    for name, value in options.items():
        yield f"--{name}"
        yield from map(_text, value if isinstance(value, list) else [value])


def _text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _train(told: Sweep, each: Run, begin: str, folder: Path, dry_run: bool) -> None:
    """Train one run, unless it is."""
    options: dict[str, Value] = {
        **each.options,
        "model_name_or_path": begin,
        "output_dir": str(folder),
        "run_name": f"{Path(told.out).name}-{slug(each.name)}",
        "resume": True,
    }
    if each.epochs:
        options |= {"keep_epochs": each.epochs, "num_train_epochs": max(each.epochs)}
    script, file = f"train/{each.stage}.py", told.sft if each.stage == "sft" else told.grpo
    launch = ["-m", "accelerate.commands.launch", "--config_file", told.launch, script]
    how = to_json({"file": Path(file).read_text("utf-8"), "options": options})
    if (folder / DONE).is_file():
        if (folder / DONE).read_text("utf-8") != how:
            raise InputError(
                f"{folder}: run {each.name!r} was trained with other options; remove the folder "
                f"and its rows in {RESULTS}, or give another out"
            )
        return
    _run([*launch, "--config", file, *flags(options)], dry_run)
    if not dry_run:
        (folder / DONE).write_text(how, encoding="utf-8")


def _evaluate(name: str, options: Mapping[str, Value], rows: Rows, dry_run: bool) -> None:
    """Evaluate one row, unless it is."""
    if name in rows.scores:
        return
    out = rows.out / "predictions" / slug(name)
    given = {key.replace("_", "-"): value for key, value in options.items()}
    _run(["train/evaluate.py", *flags({**given, "out": str(out)})], dry_run)
    if not dry_run:
        rows.add(name, json.loads((out / "scores.json").read_bytes()))


def _run(command: list[str], dry_run: bool) -> None:
    """Run a Python command of the project.

    Raises:
        InputError: it failed; what it wrote says why.
    """
    shown = shlex.join(["python", *command])
    if dry_run:
        print(shown)
        return
    ERRORS.print(shown)
    done = subprocess.run([sys.executable, *command], cwd=REPO, env=os.environ, check=False)  # noqa: S603
    if done.returncode:
        raise InputError(
            f"exit code {done.returncode} of: {shown}\nwhat was done is kept; mend it, then give "
            "the same command"
        )


if __name__ == "__main__":
    run(app)
