"""Climatology: what other runs came to at the same turn, the reference of all skills.

Learned from training rollouts it says what those came to. Cross-validated, each instance is left
out alone, so that the forecasts are exactly those of `bagen_data.climatology`; only where the
reference's `finish` is above its `success`, the answer's `success` is raised to it.
"""

from collections.abc import Sequence

import numpy as np

from bagen_data.answer_columns import ForecastColumns
from bagen_data.array_types import Floats, Ints
from bagen_data.climatology import climatology
from bagen_data.errors import InputError
from bagen_data.forecasters.learning.cross_fitting import asked_for, instances
from bagen_data.forecasters.learning.examples import Example
from bagen_data.forecasters.learning.forecasts import Foretell, forecasting
from bagen_data.forecasters.learning.probe_amounts import Known, ProbeAmounts
from bagen_data.schema import Probe
from bagen_data.scoring.sample_table import FamilyColumns


def learn(examples: Sequence[Example], _: int) -> Foretell:
    """Learn from all examples that are asked for; nothing is drawn."""
    examples = sorted(asked_for(examples), key=lambda one: (one.rollout, len(one.probe.turns)))
    known = Known.of(examples)
    instance = instances(examples)

    def foretell(probes: Sequence[Probe]) -> ForecastColumns:
        asked = ProbeAmounts.of(probes)
        columns = climatology(_family(known, instance, asked))
        if columns is None:
            raise InputError("climatology: there is no example to learn from")
        return columns.at(slice(len(instance), None))

    return foretell


def _family(known: Known, instance: Ints, asked: ProbeAmounts) -> FamilyColumns:
    """Return the examples and, as one instance more, the probes that are asked about.

    The reference leaves out the instance of each probe, so probes do not teach each other, and
    what stands for their unknown outcomes is never read.
    """
    is_known = np.arange(len(instance) + len(asked.completed_turns)) < len(instance)
    probe_numbers = np.arange(len(asked.completed_turns))
    rollout = np.concatenate([known.rollout, known.rollout.max() + 1 + probe_numbers])
    first = np.unique(rollout, return_index=True)[1]
    own_instance = np.concatenate([instance, np.full(len(probe_numbers), instance.max() + 1)])
    used = np.hstack([known.amounts.used, asked.used])
    return FamilyColumns(
        task="",
        rollout_model="",
        resources=asked.resources,
        rows=slice(0, len(rollout)),
        rollout=rollout,
        first=first,
        instance=own_instance[first],
        completed_turns=np.concatenate([known.amounts.completed_turns, asked.completed_turns]),
        total_turns=None,
        feasible=_with_unknown(known.feasible, is_known) > 0,
        rollout_success=_with_unknown(known.success, is_known) > 0,
        budget=used + np.hstack([known.amounts.left, asked.left]),
        used=used,
        remaining=np.array([_with_unknown(own, is_known) for own in known.remaining]),
    )


def _with_unknown(known: Floats | np.ndarray, is_known: np.ndarray) -> Floats:
    values = np.zeros(len(is_known))
    values[is_known] = known
    return values


FORECASTER = forecasting(learn, folds=None)
