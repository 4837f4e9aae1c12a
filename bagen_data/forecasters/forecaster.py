"""What an estimator without a model is."""

from collections.abc import Callable, Sequence

from bagen_data.forecasters.examples import Example
from bagen_data.schema import Estimate, Probe

Answer = Callable[[Sequence[Probe]], list[Estimate]]
"""Answers probes of one task, at least one, in their order."""
Learn = Callable[[Sequence[Example], int], Answer]
"""Learns from examples of one task, at least one, and a seed; the same teach it the same."""
