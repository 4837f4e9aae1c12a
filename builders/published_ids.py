"""Ids of the benchmark's repositories in an organisation of the Hub."""

from dataclasses import dataclass
from typing import Self

from bagen_data.published import LEADERBOARD_ID, METRIC_ID, SUBMISSIONS_ID


@dataclass(frozen=True)
class PublishedIds:
    """An id of each repository, ORG/NAME."""

    dataset: str
    metric: str
    leaderboard: str
    submissions: str

    @classmethod
    def beside(cls, dataset: str) -> Self:
        """Return the ids of the organisation of a dataset, with the names that are usual.

        >>> PublishedIds.beside("ORG/NAME").metric
        'ORG/bagen'
        """
        organisation = dataset.partition("/")[0]
        names = (each.partition("/")[2] for each in (METRIC_ID, LEADERBOARD_ID, SUBMISSIONS_ID))
        return cls(dataset, *(f"{organisation}/{name}" for name in names))
