"""Every score by name, found in the modules of `scores`."""

from collections.abc import Iterable, Mapping
from importlib import import_module
from pkgutil import iter_modules

from bagen_data.scoring import scores
from bagen_data.scoring.definitions import Definition, QuantileDefinition

Definitions = Mapping[str, Definition | QuantileDefinition]

BENCHMARK_MODULES = (
    "feasibility",
    "intervals",
    "interval_scores",
    "relative_errors",
    "early_stop",
    "paper",
)
"""The modules of the benchmark's own scores, in the order of reports; others follow, by name."""


def _sections() -> dict[str, Definitions]:
    names = {module.name for module in iter_modules(scores.__path__)}
    return {
        name: import_module(f"{scores.__name__}.{name}").SCORES
        for name in (*BENCHMARK_MODULES, *sorted(names.difference(BENCHMARK_MODULES)))
    }


def _joined(sections: Iterable[Definitions]) -> dict[str, Definition | QuantileDefinition]:
    joined: dict[str, Definition | QuantileDefinition] = {}
    for definitions in sections:
        twice = joined.keys() & definitions.keys()
        if twice:
            raise ValueError(f"two modules of {scores.__name__} define {sorted(twice)[0]!r}")
        joined |= definitions
    return joined


SECTIONS = _sections()
"""The scores of each module, by the module's name."""
SCORES = _joined(SECTIONS.values())
"""All scores by name, in the order of reports."""
QUANTILE_SCORES = {
    name: score for name, score in SCORES.items() if isinstance(score, QuantileDefinition)
}
_OF_SUMS = {name: score for name, score in SCORES.items() if isinstance(score, Definition)}
POOLED_SCORES = {name: score for name, score in _OF_SUMS.items() if score.pooled}
"""Scores that tasks and overall have of all their rollouts together."""
AVERAGED_SCORES = {name: score for name, score in _OF_SUMS.items() if not score.pooled}
"""Scores whose value for a task is the mean over its families, and overall over the tasks."""
HEADLINE_SCORES = (
    "valid_rate",
    "macro_f1",
    "fail_f1",
    "accuracy",
    "hit_rate",
    "coverage",
    "reward",
    "rl_reward",
    "interval_skill",
)
"""The names of the scores that other evaluation tools show."""
