"""Options of reading the families of a build."""

from dataclasses import dataclass, field

from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.outcomes import SuccessRule
from bagen_data.reading.rollouts import DEFAULT_LIMITS, RolloutLimits


@dataclass(frozen=True)
class ShardSizes:
    """Sizes of the shards of a family's files; they change nothing but the time and the memory."""

    shard: int = 8_000_000
    """Bytes of files after which a shard ends. Processes wait for the last shard, so it is small:
    230 MB are 29 shards, of which the busier one of two processes reads 15."""
    cut: int = 16_000_000
    """Bytes from which a JSONL file with a rollout a line is cut into ranges of lines."""


@dataclass(frozen=True)
class ReadingOptions:
    """Options of reading the families of a build."""

    counting: Counting
    """The way that tokens are counted."""
    limit: int | None = None
    """The most usable rollouts of a family, the first ones."""
    success: SuccessRule | None = None
    """The rule that decides the outcomes; the logs themselves decide if None."""
    is_scrubbed: bool = False
    """Whether keys, addresses and user names in the rollouts' texts are replaced."""
    sizes: ShardSizes = field(default_factory=ShardSizes)
    limits: RolloutLimits = DEFAULT_LIMITS
    """The largest rollout that is read."""
