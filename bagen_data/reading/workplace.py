"""The place where the jobs of a build are done."""

from dataclasses import dataclass

from bagen_data.executors.job_executor import JobExecutor
from bagen_data.locations import Location


@dataclass(frozen=True)
class Workplace:
    """The place where the jobs of a build are done."""

    executor: JobExecutor
    spools: Location
    """A folder for rollouts that do not stay in memory; every worker sees it."""
