"""The rows of a sweep that are done: their scores, and the answers that these are of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.replaced_file import write_file
from bagen_data.tables import read_jsonl, to_json
from bagen_data.wording import differences
from train.sweeps.sweep_plan import seeded_name, slug

RESULTS = "results.jsonl"
"""The file in the sweep's folder with a line for each row and seed."""
RowKey = tuple[str, int | None]
"""The name of a row, and its seed; None where it has no seeds."""


@dataclass(frozen=True)
class RowResult:
    """The scores of one row with one seed, and everything that decides them."""

    name: str
    """The row's name."""
    seed: int | None
    """The row's seed; None where the row has no seeds."""
    scores: Mapping[str, Any]
    """The `value`, `low`, `high` and `n` of each score, by its name."""
    made: Mapping[str, Any]
    """Everything that decides the scores: `evaluate` (options of the evaluation) and `model`."""

    @property
    def key(self) -> RowKey:
        """The row's name and seed."""
        return self.name, self.seed

    def line(self) -> str:
        """Return the line of the file of results."""
        seed = {} if self.seed is None else {"seed": self.seed}
        return to_json({"name": self.name, **seed, "scores": self.scores, "made": self.made}) + "\n"


@dataclass
class SweepResults:
    """The file of results of a sweep."""

    out: Path
    """The sweep's folder."""
    rows: dict[RowKey, RowResult] = field(default_factory=dict)
    """The results by name and seed, in the order in which they were done."""

    @classmethod
    def read(cls, out: Path) -> "SweepResults":
        """Read what is done; nothing where the file is missing.

        Raises:
            InputError: the file cannot be read.
        """
        path = out / RESULTS
        advice = "correct or remove the line; rows without a line are evaluated again"
        try:
            lines = read_jsonl(path) if path.is_file() else []
        except InputError as error:
            raise InputError(f"{path.parent}: {error}; {advice}") from error
        rows = [_row(line) for line in lines]
        if None in rows:
            raise InputError(
                f"{path}:{rows.index(None) + 1}: expected a row with name, scores and made, as "
                f"sweep.py writes it; {advice}"
            )
        return cls(out, {row.key: row for row in rows if row is not None})

    def keep(self, result: RowResult) -> None:
        """Add a row to the file, which is written whole or not at all."""
        self.rows[result.key] = result
        write_file(self.out / RESULTS, "".join(row.line() for row in self.rows.values()))

    def is_done(self, key: RowKey, made: Mapping[str, Any]) -> bool:
        """Return whether a row was made of the same model with the same options."""
        return key in self.rows and self.rows[key].made == made

    def made_as(self, made: Mapping[RowKey, Mapping[str, Any]]) -> "tuple[SweepResults, list[str]]":
        """Return the rows that were made as a plan has them, and a sentence about each other one.

        Folders of models are not compared, so that a sweep's folder may be moved.

        Args:
            made: by row, everything that decides its scores by the plan.
        """
        alike: dict[RowKey, RowResult] = {}
        notes = []
        for key, now in made.items():
            if key not in self.rows:
                continue
            row = self.rows[key]
            changes = differences(_without_folders(row.made), _without_folders(now))
            if changes:
                name = seeded_name(*key)
                notes.append(f"{name!r} is left out: its row was made with {changes}")
            else:
                alike[key] = row
        return SweepResults(self.out, alike), notes

    def seeds_done(self, name: str, seeds: Sequence[int]) -> list[int]:
        """Return those of a row's seeds that are done."""
        return [seed for seed in seeds if (name, seed) in self.rows]

    def predictions(self, key: RowKey) -> Path:
        """Return the folder of a row's answers, a submission."""
        name, seed = key
        folder = self.out / "predictions" / slug(name)
        return folder if seed is None else folder / f"seed-{seed}"

    def sample_scores(self, key: RowKey) -> Path:
        """Return the file of a row's scores of each sample."""
        name, seed = key
        part = "" if seed is None else f"-seed-{seed}"
        return self.out / "sample_scores" / f"{slug(name)}{part}.jsonl"


def _row(line: Mapping[str, Any]) -> RowResult | None:
    """Return the row of a line; None if it is not one."""
    name, seed, scores = (line.get(key) for key in ("name", "seed", "scores"))
    made = line.get("made", {})
    if not isinstance(name, str) or not isinstance(seed, int | None) or isinstance(seed, bool):
        return None
    if not isinstance(scores, dict) or not isinstance(made, dict):
        return None
    if not all(
        isinstance(score, dict) and isinstance(score.get("value"), int | float | None)
        for score in scores.values()
    ):
        return None
    return RowResult(name, seed, scores, made)


def _without_folders(made: Mapping[str, Any]) -> dict[str, Any]:
    """Return what decides a row's scores without the places of its models."""
    evaluated, model = made.get("evaluate", {}), made.get("model")
    return {
        **made,
        "evaluate": {name: value for name, value in evaluated.items() if name != "model"},
        "model": _model_without_folders(model),
    }


def _model_without_folders(model: Any) -> Any:
    if not isinstance(model, dict) or "options" not in model:
        return model
    places = ("model_name_or_path", "output_dir", "run_name")
    options = {name: value for name, value in model["options"].items() if name not in places}
    return {**model, "options": options, "begin": _model_without_folders(model.get("begin"))}
