"""Kept forecasters of every kind with few trees, and probes that they are asked about."""

from dataclasses import replace
from functools import cache

from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import KeptForecaster, keep
from bagen_data.schema import Probe
from tests.bagen_data.forecasters.few_trees import few_trees
from tests.bagen_data.forecasters.simulated_examples import family

KINDS = ("forest", "aft", "conformal", "climatology")
SEVERAL = ("time_weeks", "cumulative_cost_usd")


@cache
def fitted(kind: str, resources: tuple[str, ...] = ("tokens",)) -> KeptForecaster:
    examples = family(25, 0, resources, 600)
    fit = find_forecaster(kind).fit
    assert fit is not None
    with few_trees():
        return keep(kind, fit(examples, 0), examples)


@cache
def fitted_on_amounts(kind: str, resources: tuple[str, ...] = ("tokens",)) -> KeptForecaster:
    examples = family(25, 0, resources, 600)
    fit = find_forecaster(kind).fit_amounts
    assert fit is not None
    with few_trees():
        return keep(kind, fit(examples, 0), examples)


@cache
def probes(resources: tuple[str, ...] = ("tokens",)) -> tuple[Probe, ...]:
    asked = [one.probe for one in family(60, 1, resources, 600)]
    return (*asked, replace(asked[0], turns=(), opening="look", used=dict.fromkeys(resources, 1)))
