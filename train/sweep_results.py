"""The rows of a sweep that are done: their scores, and the answers that these are of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.replaced_file import write_file
from bagen_data.tables import read_jsonl, to_json
from train.sweep_plan import slug

RESULTS = "results.jsonl"
"""In the sweep's folder: a line for each row and seed."""
RowKey = tuple[str, int | None]
"""The name of a row, and its seed; None where it has no seeds."""


@dataclass(frozen=True)
class RowResult:
    """What is known of one row with one seed."""

    name: str
    """The row's name."""
    seed: int | None
    """None where the row has no seeds."""
    scores: Mapping[str, Any]
    """By score: `value`, `low`, `high` and `n`."""
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
    """By name and seed, in the order in which they were done."""

    @classmethod
    def read(cls, out: Path) -> "SweepResults":
        """Read what is done; nothing where the file is missing.

        Raises:
            InputError: the file cannot be read.
        """
        path = out / RESULTS
        lines = read_jsonl(path) if path.is_file() else []
        try:
            rows = [
                RowResult(row["name"], row.get("seed"), row["scores"], row.get("made", {}))
                for row in lines
            ]
        except (KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"{path}: a line lacks name or scores; restore the file, or remove it: answers are "
                "kept, and rows are then scored again"
            ) from error
        return cls(out, {row.key: row for row in rows})

    def keep(self, result: RowResult) -> None:
        """Add a row to the file, which is written whole or not at all."""
        self.rows[result.key] = result
        write_file(self.out / RESULTS, "".join(row.line() for row in self.rows.values()))

    def is_done(self, key: RowKey, made: Mapping[str, Any]) -> bool:
        """Return whether a row was made of the same model with the same options."""
        return key in self.rows and self.rows[key].made == made

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
