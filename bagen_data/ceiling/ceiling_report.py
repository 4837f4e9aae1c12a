"""The noise ceiling of a dataset, from a built dataset of continuations."""

from dataclasses import dataclass
from typing import Any

import pyarrow.compute as pc

from bagen_data.ceiling.ceiling_scores import Ceiling, ceiling
from bagen_data.ceiling.continued_probes import ContinuedProbes, continued_probes
from bagen_data.ceiling.dataset_references import reference_forecasts
from bagen_data.errors import InputError
from bagen_data.hub import load_rollouts, load_samples
from bagen_data.scoring.resampling import Resampling
from bagen_data.scoring.sample_table import SampleTable
from bagen_data.wording import in_a_clone

_SOURCE_KEYS = ("path", "commit", "revision")


@dataclass(frozen=True)
class CeilingReport:
    """A ceiling, and what it was made of."""

    ceiling: Ceiling
    probes: ContinuedProbes
    source: dict[str, Any]
    """The source of the samples, as `hub.LoadedSamples` has it."""
    continuations: dict[str, Any]
    """The continuations: `path`, `revision`, `commit` if they are on the Hub, and the number of
    `rollouts` that were used."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts and numbers, as JSON takes them."""
        scores = self.ceiling.to_dict()
        version = scores.pop("benchmark_version")
        head = {"benchmark_version": version, "dataset": self.source}
        return head | {"continuations": self.continuations} | scores


def ceiling_of(
    continuations: str, dataset: str, config: str | None, resampling: Resampling
) -> CeilingReport:
    """Score a perfect forecaster on the continuations of a dataset's probes.

    Args:
        continuations: a dataset that `build` wrote from continuations.
        dataset: a dataset of the recorded rollouts: a folder, or ORG/NAME or ORG/NAME@REV.
        config: a task; every task of the continuations if None.
        resampling: resamples that uncertainty is measured by.

    Raises:
        InputError: one of the two cannot be loaded, they do not belong together, or no probe has
            two continuations.
    """
    samples = load_samples(dataset, config)
    made_from = load_samples(continuations)
    played = load_rollouts(made_from.dataset, "test")
    if config is not None:
        played = played.filter(pc.equal(played["task"].cast("string"), config))
    if not len(played):
        raise InputError(f"{continuations}: holds no continuations of {config}; leave out --config")
    table = SampleTable.of(samples.table)
    probes = continued_probes(
        load_rollouts(samples.dataset, "test"),
        played,
        set(table.sample_id.to_pylist()),
        continuations,
        dataset,
    )
    if not probes.probes:
        raise InputError(
            f"{continuations}: no probe of {dataset} has two continuations or more; expected an N "
            "of at least 2 in "
            + in_a_clone("python -m collect --resume-from ... --continuations N")
        )
    made_of = {
        **{key: made_from.source[key] for key in _SOURCE_KEYS if key in made_from.source},
        "rollouts": sum(len(probe.finish) for probe in probes.probes),
    }
    scores = ceiling(probes.probes, reference_forecasts(table), resampling)
    return CeilingReport(scores, probes, samples.source, made_of)
