"""A shard: one of N equal parts of what a model is asked, as a job of a Slurm array takes one."""

import re
from dataclasses import dataclass

from bagen_data.errors import WrongUsageError

_FORM = re.compile(r"(\d{1,9})/(\d{1,9})")


@dataclass(frozen=True)
class RunShard:
    """The part of a run with a number, of N parts."""

    number: int
    """The number of this part, from 0 to N - 1."""
    of: int
    """N, the number of parts."""

    def __str__(self) -> str:
        """Return it as the command line takes it.

        >>> str(RunShard(3, 16))
        '3/16'
        """
        return f"{self.number}/{self.of}"


def parse_shard(text: str) -> RunShard:
    """Return the shard that an option names.

    Args:
        text: `I/N`, with I from 0 to N - 1.

    Raises:
        WrongUsageError: the text is something else.

    >>> parse_shard("3/16")
    RunShard(number=3, of=16)
    """
    match = _FORM.fullmatch(text)
    if not match:
        raise WrongUsageError(
            f"--shard {text}: expected I/N, as in 0/16 for the first of 16 shards"
        )
    shard = RunShard(int(match[1]), int(match[2]))
    if shard.of == 0:
        raise WrongUsageError(f"--shard {text}: N is 0; expected I/N, as in 0/16")
    if shard.number >= shard.of:
        raise WrongUsageError(
            f"--shard {text}: shard {shard.number} of {shard.of} does not exist; shards are "
            f"numbered from 0 to {shard.of - 1}, as in --array=0-{shard.of - 1} of Slurm"
        )
    return shard
