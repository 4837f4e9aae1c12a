"""The place where the jobs of a build are done."""

from dataclasses import dataclass
from pathlib import Path

from bagen_data.executors.job_executor import JobExecutor


@dataclass(frozen=True)
class Workplace:
    """Where the jobs of a build are done."""

    executor: JobExecutor
    spools: Path
    """A folder for rollouts that do not stay in memory; every worker sees it."""
