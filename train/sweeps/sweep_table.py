"""Tables of a sweep: a line for each row, for each seed of a row, and for each transfer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from bagen_data.scoring.measure import Measured
from bagen_data.scoring.report import Score
from bagen_data.scoring.resampling import FEWEST_INSTANCES
from train.paper_table import ROW_SCORES, ScoresByName, markdown
from train.sweeps.seed_intervals import FEWEST_SEEDS, MeanOverSeeds, retained, row_over_seeds
from train.sweeps.sweep_plan import SweepPlan, or_none, seeded_name
from train.sweeps.sweep_results import SweepResults

RETAINED = ("accuracy_balanced", "hit_rate", "rl_reward_balanced")
"""Scores whose retention is shown."""


@dataclass
class SweepTables:
    """The tables of what is done of a sweep."""

    plan: SweepPlan
    results: SweepResults
    _measured: dict[str, list[Mapping[str, Measured]]] = field(default_factory=dict)
    """The scores of each row's seeds that are done, with resamples."""

    @cached_property
    def _seeds(self) -> dict[str, list[int]]:
        return self.plan.seeds_of()

    def by_row(self) -> str:
        """Return a line for each row that is done: the mean over its seeds, where it has some."""
        rows: dict[str, ScoresByName] = {}
        for name, seeds in self._seeds.items():
            done = self.results.seeds_done(name, seeds)
            if not seeds and (name, None) in self.results.rows:
                rows[name] = self.results.rows[name, None].scores
            elif len(done) == 1:
                rows[_label(name, done, seeds)] = self.results.rows[name, done[0]].scores
            elif done:
                means = self._means(name)
                rows[_label(name, done, seeds)] = {
                    column: means[column].score().to_dict() for column in ROW_SCORES
                }
        return markdown(rows)

    def by_seed(self) -> str:
        """Return a line for each seed of each row that is done."""
        keys = [(name, seed) for name, seeds in self._seeds.items() for seed in or_none(seeds)]
        done = [key for key in keys if key in self.results.rows]
        return markdown({seeded_name(*key): self.results.rows[key].scores for key in done})

    def retention(self) -> str:
        """Return a line for each transfer whose two rows are done; empty if there is none."""
        lines = []
        for run in self.plan.runs:
            for name in run.rows:
                if run.retains and self._runs(name) and self._runs(run.retains):
                    moved, own = self._means(name), self._means(run.retains)
                    cells = [retention_cell(moved[each], own[each]) for each in RETAINED]
                    lines.append(f"| {name} | {run.retains} | {' | '.join(cells)} |")
        if not lines:
            return ""
        head = " | ".join(f"`{name}`" for name in RETAINED)
        return "\n".join(
            [f"| retained by | of | {head} |", "|---" * (len(RETAINED) + 2) + "|", *lines]
        )

    def notes(self) -> list[str]:
        """Return sentences on what the intervals are, and why some are missing."""
        missing = [note for name, own in self._done().items() for note in self._missing(name, own)]
        return self._interval_notes() + missing

    def _done(self) -> dict[str, list[int]]:
        return {name: self.results.seeds_done(name, own) for name, own in self._seeds.items()}

    def _interval_notes(self) -> list[str]:
        if not any(_has_interval(row.scores) for row in self.results.rows.values()):
            return [f"Fewer than {FEWEST_INSTANCES} instances have no interval: evaluate on more."]
        notes = []
        many = self._done()
        if any(len(done) >= FEWEST_SEEDS for done in many.values()):
            notes.append(
                "Rows over seeds have the mean over seeds, and a 95% interval over seeds and "
                "instances (train/sweeps/seed_intervals.py); --by-seed shows each seed's row."
            )
        elif any(len(done) > 1 for done in many.values()):
            notes.append(
                f"Rows over two seeds have no interval: {FEWEST_SEEDS} are needed; --by-seed shows "
                "each seed's row."
            )
        return notes

    def _missing(self, name: str, done: Sequence[int]) -> list[str]:
        """Return which scores of a row only some of its seeds have."""
        if len(done) < 2:
            return []
        means = self._means(name)
        return [
            f"{column} of {name} is the mean over {means[column].seeds} of {len(done)} seeds: the "
            "others gave no interval where feasible, or no forecast."
            for column in ROW_SCORES
            if 0 < means[column].seeds < len(done)
        ]

    def _means(self, name: str) -> dict[str, MeanOverSeeds]:
        return row_over_seeds(self._runs(name), ROW_SCORES, name)

    def _runs(self, name: str) -> list[Mapping[str, Measured]]:
        """Return the scores of each seed of a row that is done, measured again."""
        from train.sweeps.sweep_scores import read_answers

        if name not in self._measured:
            keys = [(name, seed) for seed in or_none(self._seeds[name])]
            done = [self.results.rows[key] for key in keys if key in self.results.rows]
            self._measured[name] = [read_answers(self.results, row).measured() for row in done]
        return self._measured[name]


def retention_cell(moved: MeanOverSeeds, own: MeanOverSeeds) -> str:
    """Return the share that is retained, as a percentage with its interval."""
    score: Score = retained(moved, own)
    if score.value is None:
        return "–"
    text = f"{score.value:.0%}"
    return text if score.low is None else f"{text} [{score.low:.0%}, {score.high:.0%}]"


def _label(name: str, done: Sequence[int], seeds: Sequence[int]) -> str:
    if len(done) == len(seeds):
        return f"{name} ({len(seeds)} seeds)" if len(seeds) > 1 else name
    return f"{name} ({len(done)} of {len(seeds)} seeds)"


def _has_interval(scores: ScoresByName) -> bool:
    return any(score.get("low") is not None for score in scores.values())
