"""What a sweep is to run, read from a YAML file."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bagen_data.errors import InputError

Value = bool | int | float | str | list[Any] | dict[str, Any]
"""Of an option."""


class _StrictModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SweepRun(_StrictModel):
    """One training run, or a model as it is."""

    name: str = Field(pattern=r"^[^\n|]+$", description="Name of its row.")
    model: str | None = Field(None, description="A folder or Hub id to begin with.")
    begin: str | None = Field(None, description="Instead of `model`: the row to go on from.")
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


class SweepPlan(_StrictModel):
    """A list of runs."""

    out: str = Field(description="The folder of everything.")
    launch: str = Field(description="The file of `accelerate launch --config_file`.")
    sft: str = Field(description="The options of stage sft.")
    grpo: str = Field(description="The options of stage grpo.")
    evaluate: dict[str, Value] = Field(description="Options of train/evaluate.py.")
    runs: list[SweepRun] = Field(min_length=1)

    @model_validator(mode="after")
    def _rows_are_known(self) -> Self:
        rows: set[str] = set()
        for run in self.runs:
            if run.begin is not None and run.begin not in rows:
                raise ValueError(f"run {run.name!r}: begins with {run.begin!r}, no earlier row")
            rows |= set(run.rows)
        row_folders = [slug(name) for run in self.runs for name in run.rows]
        run_folders = [slug(run.name) for run in self.runs]
        for folders in (row_folders, run_folders):
            twice = [name for name in folders if folders.count(name) > 1]
            if twice:
                raise ValueError(f"two runs or rows are called {twice[0]!r}, as a folder's name")
        return self


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
