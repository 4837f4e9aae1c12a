"""The plan of a sweep: what it is to run, read from a YAML file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bagen_data.errors import InputError
from train.option_flags import Value

Seed = Annotated[int, Field(ge=0, lt=2**32)]
"""A seed that NumPy takes, as the trainers do."""


_TAKEN = ("predictions", "scratch", "results.jsonl")
"""Names in a sweep's folder that no run's folder may have."""


class _StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SweepRun(_StrictModel):
    """A training run, a model as it is, or a baseline that needs no model."""

    name: str = Field(pattern=r"^[^\n|]+$", description="Name of its row.")
    model: str | None = Field(None, description="A folder or Hub id to begin with.")
    begin: str | None = Field(None, description="Instead of `model`: the row to go on from.")
    scratch: str | None = Field(
        None, description="Instead of `model`: the file of a shape, of which a model is made."
    )
    baseline: str | None = Field(
        None, description="Instead of `model`: a forecaster of `bagen predict baseline`."
    )
    stage: Literal["none", "sft", "grpo"] = Field("none", description="What is trained.")
    options: dict[str, Value] = Field({}, description="In place of those of the stage's file.")
    evaluate: dict[str, Value] = Field({}, description="In place of the sweep's.")
    epochs: list[int] = Field([], description="A row after each of these; else one at the end.")
    seeds: list[Seed] | None = Field(None, description="In place of the sweep's.")
    resource: str | None = Field(
        None, description="The only resource whose intervals are scored; each of the task if None."
    )
    retains: str | None = Field(
        None, description="The row trained on the task that this one was transferred to."
    )

    @model_validator(mode="after")
    def _begins_once(self) -> Self:
        beginnings = (self.model, self.begin, self.scratch, self.baseline)
        if sum(each is not None for each in beginnings) != 1:
            raise ValueError(
                f"run {self.name!r}: give one of model and begin, or one of scratch and baseline"
            )
        if self.epochs and self.stage == "none":
            raise ValueError(f"run {self.name!r}: has epochs, and no stage")
        if self.baseline is not None and (self.stage != "none" or self.seeds):
            raise ValueError(f"run {self.name!r}: leave stage and seeds out of a baseline")
        if self.seeds is not None and self.model is not None and self.stage == "none":
            raise ValueError(f"run {self.name!r}: a model as it is has no seeds; leave them out")
        _check_seeds(f"run {self.name!r}", self.seeds or ())
        return self

    @property
    def rows(self) -> dict[str, str]:
        """The names of the run's rows, and the folder of each one's model, inside the run's."""
        return {f"{self.name} e{epoch}": f"epoch-{epoch}" for epoch in self.epochs} or {
            self.name: "."
        }


@dataclass(frozen=True)
class SeededRun:
    """A run with one of its seeds."""

    run: SweepRun
    seed: int | None
    """The run's seed; None where the run has no seeds."""

    @property
    def label(self) -> str:
        """The run's name, and its seed."""
        return seeded_name(self.run.name, self.seed)


class SweepPlan(_StrictModel):
    """A list of runs."""

    out: str = Field(min_length=1, description="The folder of everything.")
    launch: str = Field(description="The file of `train/launcher.py --config_file`.")
    launch_grpo: str | None = Field(None, description="The file of stage grpo; `launch` if None.")
    sft: str = Field(description="The options of stage sft.")
    grpo: str = Field(description="The options of stage grpo.")
    evaluate: dict[str, Value] = Field(description="Options of train/evaluate.py.")
    seeds: list[Seed] = Field([], description="Each run is trained once with each of these.")
    runs: list[SweepRun] = Field(min_length=1)

    @model_validator(mode="after")
    def _rows_are_known(self) -> Self:
        _check_seeds("the sweep", self.seeds)
        rows: dict[str, Sequence[int]] = {}
        for run in self.runs:
            if run.begin is not None and run.begin not in rows:
                raise ValueError(
                    f"run {run.name!r}: begins with {run.begin!r}, which is not an earlier row"
                )
            if run.retains is not None:
                self._check_retains(run, rows)
            seeds = self._seeds(run, rows)
            if run.begin is not None and rows[run.begin] and set(seeds) - set(rows[run.begin]):
                raise ValueError(
                    f"run {run.name!r}: has seeds {seeds}, and {run.begin!r}, with which it "
                    f"begins, has {list(rows[run.begin])}"
                )
            if seeds and "seed" in run.options:
                raise ValueError(f"run {run.name!r}: has seeds and options.seed; leave one out")
            rows |= dict.fromkeys(run.rows, seeds)
        row_folders = [slug(name) for run in self.runs for name in run.rows]
        run_folders = [slug(run.name) for run in self.runs]
        for name in (*row_folders, *run_folders):
            if not name or name in _TAKEN:
                raise ValueError(
                    f"a run is called {name or 'without a letter or digit'!r}, as a folder's name; "
                    "give it another name"
                )
        for folders in (row_folders, run_folders):
            repeated = [name for name in folders if folders.count(name) > 1]
            if repeated:
                raise ValueError(f"two runs or rows are called {repeated[0]!r}, as a folder's name")
        return self

    def _check_retains(self, run: SweepRun, rows: Mapping[str, Sequence[int]]) -> None:
        own = next((each for each in self.runs if run.retains in each.rows), None)
        if own is None or run.retains not in rows:
            raise ValueError(
                f"run {run.name!r}: retains {run.retains!r}, which is not an earlier row"
            )
        for name in ("dataset", "dataset_revision", "config", "split"):
            moved, there = (self.evaluation(each).get(name) for each in (run, own))
            if moved != there:
                raise ValueError(
                    f"run {run.name!r}: is evaluated on {name} {moved}, and {run.retains!r}, of "
                    f"which it retains a share, on {there}"
                )
        if run.resource != own.resource:
            raise ValueError(
                f"run {run.name!r}: has resource {run.resource}, and {run.retains!r}, of which it "
                f"retains a share, {own.resource}"
            )

    def evaluation(self, run: SweepRun) -> dict[str, Value]:
        """Return the options of train/evaluate.py for a run."""
        return {**self.evaluate, **run.evaluate}

    def _seeds(self, run: SweepRun, rows: Mapping[str, Sequence[int]]) -> list[int]:
        if run.seeds is not None:
            return run.seeds
        if run.begin is not None and rows[run.begin]:
            return list(rows[run.begin])
        if run.scratch is None and run.stage == "none":
            return []  # a model as it is, or a baseline
        return self.seeds

    def seeds_of(self) -> dict[str, list[int]]:
        """Return the seeds of each row, in the order of the runs; none where there is one model."""
        seeds: dict[str, list[int]] = {}
        for run in self.runs:
            seeds |= dict.fromkeys(run.rows, self._seeds(run, seeds))
        return seeds

    def seeded_runs(self) -> list[SeededRun]:
        """Return each run with each of its seeds, in order."""
        seeds = self.seeds_of()
        return [
            SeededRun(run, seed)
            for run in self.runs
            for seed in or_none(seeds[next(iter(run.rows))])
        ]

    def with_dataset(self, dataset: str) -> Self:
        """Return the sweep with this dataset in place of every other."""
        runs = [
            run.model_copy(
                update={
                    "options": _on(run.options, dataset) if run.stage != "none" else run.options,
                    "evaluate": _on(run.evaluate, None),
                }
            )
            for run in self.runs
        ]
        return self.model_copy(update={"evaluate": _on(self.evaluate, dataset), "runs": runs})


def or_none(seeds: Sequence[int]) -> Sequence[int | None]:
    """Return seeds; None alone, the seed of a run without seeds, where there are none."""
    return list(seeds) or [None]


def _check_seeds(where: str, seeds: Sequence[int]) -> None:
    repeated = [seed for seed in seeds if seeds.count(seed) > 1]
    if repeated:
        raise ValueError(f"{where}: seed {repeated[0]} appears twice")


def _on(options: Mapping[str, Value], dataset: str | None) -> dict[str, Value]:
    """Return options on another dataset; on that of the sweep if None."""
    others = {
        name: value
        for name, value in options.items()
        if name not in ("dataset", "dataset_revision")
    }
    return others if dataset is None else {**others, "dataset": dataset}


def read_sweep(path: Path) -> SweepPlan:
    """Read a file of runs.

    Raises:
        InputError: it cannot be read, or is not one; the message lists every problem.
    """
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
        return SweepPlan.model_validate(content)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, each['loc'])) or 'file'}: {each['msg']}" for each in error.errors()
        ]
        raise InputError("\n  ".join([f"{path}: is not a sweep:", *problems])) from error
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error


def read_options(path: str) -> dict[str, Any]:
    """Read the options of a stage, or the shape of a model, from a YAML file.

    Raises:
        InputError: it cannot be read, or is not a mapping.
    """
    try:
        content = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: is not a mapping; expected lines such as 'learning_rate: 1e-5'")
    return content


def slug(name: str) -> str:
    """Return a folder's name for a run.

    >>> slug("SFT pct10, RL KL 0.05")
    'sft-pct10-rl-kl-0.05'
    """
    return re.sub(r"[^a-z0-9.]+", "-", name.lower()).strip("-.")


def seeded_name(name: str, seed: int | None) -> str:
    """Return the name of a run or row with a seed.

    >>> seeded_name("SFT pct30", 1), seeded_name("SFT pct30", None)
    ('SFT pct30 seed 1', 'SFT pct30')
    """
    return name if seed is None else f"{name} seed {seed}"
