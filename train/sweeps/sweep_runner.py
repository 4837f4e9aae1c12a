"""A sweep as far as it is run: models made, trained and evaluated, each once."""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagen_data.console import STDERR, shown
from bagen_data.errors import InputError
from bagen_data.replaced_file import write_file
from bagen_data.tables import to_json
from train.checkpoints import remove_checkpoints
from train.option_flags import Value, flags
from train.secret_options import check_no_token
from train.sweeps.dataset_builds import DatasetBuilds, answered, trained_on
from train.sweeps.python_command import run_python
from train.sweeps.sweep_plan import SeededRun, SweepPlan, SweepRun, read_options, seeded_name, slug
from train.sweeps.sweep_results import RowKey, RowResult, SweepResults

REPO = Path(__file__).resolve().parents[2]
RECIPE, TRAINED = "run.json", "trained"
"""The files in each run's folder: what is trained, from its first step on; that it is done."""
_BASELINE_OPTIONS = ("dataset", "dataset_revision", "config", "split")
"""Options of train/evaluate.py that decide the row of a baseline too."""


@dataclass
class SweepRunner:
    """A sweep as far as it is run."""

    plan: SweepPlan
    dry_run: bool
    """Print the commands, and run none."""
    results: SweepResults = field(init=False)
    _models: dict[RowKey, str] = field(default_factory=dict)
    """The model of each row."""
    _recipes: dict[RowKey, Any] = field(default_factory=dict)
    """Everything that decides the model of each row."""
    _made: set[Path] = field(default_factory=set)
    """Folders of models from nothing that are made, or whose commands are printed."""
    _builds: DatasetBuilds = field(default_factory=DatasetBuilds)

    def __post_init__(self) -> None:
        self.results = SweepResults.read(self._out)

    @property
    def _out(self) -> Path:
        return Path(self.plan.out)

    def run(self, seeded: SeededRun, *, skip: bool) -> None:
        """Train and evaluate one run, unless that is done, or only its models are needed."""
        run, seed = seeded.run, seeded.seed
        if run.baseline is not None:
            self._recipes[run.name, seed] = {"baseline": run.baseline}
            if not skip:
                self._answer_baseline(run)
            return
        begin, recipe = self._beginning(seeded)
        folder = self._out / slug(run.name)
        folder = folder if seed is None else folder / f"seed-{seed}"
        if run.stage != "none":
            recipe = self._recipe(seeded, begin, folder) | {"begin": recipe}
        for name, place in run.rows.items():
            self._models[name, seed] = begin if run.stage == "none" else str(folder / place)
            self._recipes[name, seed] = recipe
        if skip:
            return
        if run.scratch is not None:
            self._make_from_scratch(run, seed, Path(begin))
        if run.stage != "none":
            self._train(seeded, folder, recipe)
        for name in run.rows:
            self._evaluate(run, (name, seed))

    def made(self) -> dict[RowKey, dict[str, Any]]:
        """Return everything that decides the scores of each row, by the plan; nothing is run."""
        made: dict[RowKey, dict[str, Any]] = {}
        for seeded in self.plan.seeded_runs():
            self.run(seeded, skip=True)
            for name in seeded.run.rows:
                made[name, seeded.seed] = self._made_of(seeded.run, (name, seeded.seed))
        return made

    def _made_of(self, run: SweepRun, key: RowKey) -> dict[str, Any]:
        """Return everything that decides the scores of a row whose run was met."""
        made = {"evaluate": self._asked(run, key), "model": self._recipes[key]}
        return made if run.resource is None else {**made, "resource": run.resource}

    def _asked(self, run: SweepRun, key: RowKey) -> dict[str, Value]:
        """Return the options of a row's evaluation."""
        evaluation = self.plan.evaluation(run)
        if run.baseline is not None:
            return {**evaluation, **self._baseline_options(run)}
        options = {**evaluation, "model": self._models[key]}
        if run.stage == "none" and not run.begin:
            options["trained_on"] = "none"
        return options

    def _beginning(self, seeded: SeededRun) -> tuple[str, Any]:
        """Return the model that a run begins with, and everything that decides it."""
        run, seed = seeded.run, seeded.seed
        if run.model is not None:
            return run.model, run.model
        if run.scratch is not None:
            folder = self._out / "scratch" / f"{slug(Path(run.scratch).stem)}-seed-{seed or 0}"
            return str(folder), self._scratch_recipe(run, seed)
        key = (run.begin or "", seed)
        if key not in self._models:
            key = (key[0], None)
        return self._models[key], self._recipes[key]

    def _recipe(self, seeded: SeededRun, begin: str, folder: Path) -> dict[str, Any]:
        run, seed = seeded.run, seeded.seed
        seeds: dict[str, Value] = {} if seed is None else {"seed": seed}
        options: dict[str, Value] = {
            **run.options,
            **seeds,
            "model_name_or_path": begin,
            "output_dir": str(folder),
            "run_name": f"{self._out.name}-{slug(seeded.label)}",
            "resume": True,
        }
        if run.epochs:
            options |= {"keep_epochs": run.epochs, "num_train_epochs": max(run.epochs)}
        content = read_options(self._file(run))
        check_no_token({**content, **options})
        return {"file": content, "options": options}

    def _file(self, run: SweepRun) -> str:
        return self.plan.sft if run.stage == "sft" else self.plan.grpo

    def _launch(self, run: SweepRun) -> str:
        return (run.stage == "grpo" and self.plan.launch_grpo) or self.plan.launch

    def _scratch_recipe(self, run: SweepRun, seed: int | None) -> dict[str, Any]:
        return {
            "scratch": read_options(run.scratch or ""),
            "dataset": self._dataset(run),
            "seed": seed or 0,
        }

    def _dataset(self, run: SweepRun) -> Value:
        """Return the dataset that a run is trained on."""
        if "dataset" in run.options:
            return run.options["dataset"]
        file = read_options(self._file(run)) if run.stage != "none" else {}
        dataset: Value = file.get("dataset") or self.plan.evaluation(run).get("dataset", "")
        if not dataset:
            raise InputError(f"run {run.name!r}: give --dataset, or dataset in its options")
        return dataset

    def _make_from_scratch(self, run: SweepRun, seed: int | None, folder: Path) -> None:
        recipe = folder.with_suffix(folder.suffix + ".json")
        text = to_json(self._scratch_recipe(run, seed))
        if folder in self._made:
            return
        self._made.add(folder)
        if folder.is_dir():
            if not recipe.is_file() or recipe.read_text("utf-8") != text:
                raise InputError(
                    f"{folder}: was made of another shape, seed or dataset than those of run "
                    f"{run.name!r}; remove the folder, or give another out"
                )
            return
        seeds = ["--seed", str(seed or 0)]
        shape = ["--shape", run.scratch or "", *seeds]
        if not self.dry_run:
            write_file(recipe, text)
        self._call([_script("tiny_model.py"), str(self._dataset(run)), str(folder), *shape])

    def _train(self, seeded: SeededRun, folder: Path, recipe: Mapping[str, Any]) -> None:
        run = seeded.run
        text = to_json(recipe)
        if (folder / RECIPE).is_file() and (folder / RECIPE).read_text("utf-8") != text:
            raise InputError(
                f"{folder}: run {seeded.label!r} was started with other options or another model; "
                "remove the folder, or give another out"
            )
        if (folder / TRAINED).is_file():
            change = self._builds.change(str(self._dataset(run)), trained_on(folder))
            if change:
                raise InputError(
                    f"{folder}: run {seeded.label!r} is trained, and {change}; remove the folder, "
                    "or give another out"
                )
            if not self.dry_run:
                remove_checkpoints(str(folder))  # the sweep may have been stopped before it could
            return
        launch = [_script("launcher.py"), "--config_file", self._launch(run)]
        script = [_script(f"{run.stage}.py"), "--config", self._file(run)]
        if not self.dry_run:
            write_file(folder / RECIPE, text)
        self._call([*launch, *script, *flags(recipe["options"])])
        if not self.dry_run:
            (folder / TRAINED).touch()
            remove_checkpoints(str(folder))

    def _evaluate(self, run: SweepRun, key: RowKey) -> None:
        self._answer(run, key, [_script("evaluate.py"), *_dashed(self._asked(run, key))])

    def _answer_baseline(self, run: SweepRun) -> None:
        command = ["-m", "bagen_data", "predict", "baseline", run.baseline or ""]
        self._answer(run, (run.name, None), [*command, *_dashed(self._baseline_options(run))])

    def _baseline_options(self, run: SweepRun) -> dict[str, Value]:
        """Return the options of the command of a baseline."""
        evaluation = self.plan.evaluation(run)
        options = {name: evaluation[name] for name in _BASELINE_OPTIONS if name in evaluation}
        if "dataset_revision" in options:
            options["revision"] = options.pop("dataset_revision")
        asks_forecast = str(evaluation.get("variant", "")).startswith("forecast")
        return {**options, "question": "forecast" if asks_forecast else "interval"}

    def _answer(self, run: SweepRun, key: RowKey, command: list[str]) -> None:
        """Have all questions answered, unless that is done, and keep the scores."""
        made = self._made_of(run, key)
        out = self.results.predictions(key)
        if self.results.is_done(key, made):
            dataset = str(made["evaluate"].get("dataset", ""))
            change = self._builds.change(dataset, answered(out)) if dataset else None
            if change is None:
                return
            STDERR.print(shown(f"{seeded_name(*key)}: {change}; its questions are asked again"))
        self._call([*command, "--name", seeded_name(*key), "--out", str(out)])
        if self.dry_run:
            return
        from train.sweeps.sweep_scores import read_answers, row_scores

        answers = read_answers(self.results, RowResult(*key, {}, made))
        lines = "".join(to_json(row) + "\n" for row in answers.sample_scores())
        write_file(self.results.sample_scores(key), lines)
        self.results.keep(RowResult(*key, row_scores(answers), made))

    def _call(self, command: list[str]) -> None:
        """Run a Python command of the project, or show it.

        Raises:
            InputError: it failed; what it wrote says why.
            KeyboardInterrupt: the user interrupted it; it has ended by itself then.
        """
        line = shlex.join(["python", *command])
        if self.dry_run:
            print(line)
            return
        STDERR.print(shown(line))
        code = run_python(command)
        if code:
            raise InputError(
                f"exit code {code} of: {line}\nwhat was done is kept; correct the "
                "cause, then give the same command"
            )


def _dashed(options: Mapping[str, Value]) -> list[str]:
    """Return options as the project's own command lines take them."""
    return list(flags({name.replace("_", "-"): value for name, value in options.items()}))


def _script(name: str) -> str:
    """A script of train/, as the folder of the call has it: so it has every other path."""
    return os.path.relpath(REPO / "train" / name)
