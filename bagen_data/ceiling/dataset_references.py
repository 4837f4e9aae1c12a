"""The reference forecasts of a dataset's probes."""

import numpy as np

from bagen_data.ceiling.ceiling_scores import ReferenceForecast
from bagen_data.climatology import climatology
from bagen_data.scoring.sample_table import SampleTable


def reference_forecasts(samples: SampleTable) -> dict[str, ReferenceForecast]:
    """Return what climatology says of each probe, by sample id.

    A family of a single instance has no reference. The order of resources is that of the samples.
    """
    forecasts = {}
    for family in samples.families:
        reference = climatology(family)
        if reference is None:
            continue
        ids = samples.sample_id.take(np.arange(len(samples))[family.rows]).to_pylist()
        for place, sample_id in enumerate(ids):
            forecasts[sample_id] = ReferenceForecast(
                float(reference.finish[place]), reference.quantiles[:, :, place]
            )
    return forecasts
