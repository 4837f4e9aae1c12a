"""Every score by name, found in the modules of `scores`."""

import re
from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from bagen_data.scoring import scores
from bagen_data.scoring.definitions import Definition, QuantileDefinition

Definitions = Mapping[str, Definition | QuantileDefinition]

BENCHMARK_MODULES = (
    "feasibility",
    "forecasts",
    "intervals",
    "interval_scores",
    "relative_errors",
    "early_stop",
    "start",
    "paper",
)
"""The modules of the benchmark's own scores, in the order of reports; others follow, by name."""


def _modules() -> dict[str, ModuleType]:
    names = {module.name for module in iter_modules(scores.__path__)}
    return {
        name: import_module(f"{scores.__name__}.{name}")
        for name in (*BENCHMARK_MODULES, *sorted(names.difference(BENCHMARK_MODULES)))
    }


def _joined(sections: Mapping[str, Definitions]) -> dict[str, Definition | QuantileDefinition]:
    joined: dict[str, Definition | QuantileDefinition] = {}
    for module, definitions in sections.items():
        twice = joined.keys() & definitions.keys()
        if twice:
            raise ValueError(f"two modules of {scores.__name__} define {sorted(twice)[0]!r}")
        for name, score in definitions.items():
            if not isinstance(score, Definition | QuantileDefinition) or not _NAME.fullmatch(name):
                raise TypeError(
                    f"{scores.__name__}.{module}: {name!r} is {score!r}; expected a name of a-z, "
                    "0-9 and _, and a Definition or QuantileDefinition"
                )
        joined |= definitions
    return joined


_NAME = re.compile("[a-z][a-z0-9_]*")
_MODULES = _modules()
SECTIONS: dict[str, Definitions] = {name: module.SCORES for name, module in _MODULES.items()}
"""The scores of each module, by the module's name."""
PROGRESS_SCORES: dict[str, Definition] = {
    name: score
    for module in _MODULES.values()
    for name, score in getattr(module, "PROGRESS_SCORES", {}).items()
}
"""The scores that each fifth of progress has too, of every module that has some."""
SCORES = _joined(SECTIONS)
"""Scores by name, in the order of reports."""
QUANTILE_SCORES = {
    name: score for name, score in SCORES.items() if isinstance(score, QuantileDefinition)
}
_OF_SUMS = {name: score for name, score in SCORES.items() if isinstance(score, Definition)}
POOLED_SCORES = {name: score for name, score in _OF_SUMS.items() if score.pooled}
"""Scores that tasks and overall have of all their rollouts together."""
AVERAGED_SCORES = {name: score for name, score in _OF_SUMS.items() if not score.pooled}
"""Scores whose value for a task is the mean over its families, and overall over the tasks."""
HEADLINE_SCORES = (
    "brier_skill",
    "wis_skill",
    "macro_f1_open",
    "valid_rate",
    "brier",
    "wis",
    "start_correlation",
    "macro_f1",
    "fail_f1",
    "accuracy",
    "hit_rate",
    "coverage",
    "reward",
    "rl_reward",
    "interval_skill",
)
"""The names of the scores that other evaluation tools show; those that boards rank by are first."""
