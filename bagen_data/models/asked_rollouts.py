"""The rollouts that a model is asked about, and shards of them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby

import pyarrow as pa

from bagen_data.errors import WrongUsageError
from bagen_data.models.asked_prompts import AskedPrompt, asked_prompts, sample_of
from bagen_data.models.asked_samples import AskedSamples
from bagen_data.models.even_spread import spread_evenly
from bagen_data.models.shard import RunShard

ANSWER_CHARACTERS = 2_000
"""Characters of a prompt that take a server about as long as one sample's question and answer."""


@dataclass(frozen=True)
class AskedRollout:
    """The samples of one rollout, which are asked together."""

    name: str
    """The beginning of its samples' ids; the sample's own id in a hidden split."""
    start: int
    """The place of its first sample among all samples of the run, or of all shards of a run."""
    ids: Sequence[str]
    """The log's ids of its samples: see `AskedPrompt.id`."""
    work: int
    """The size of its longest prompt, and of its answers, in characters.

    A server's prefix cache has read most of the other prompts once it has read the longest.
    """


@dataclass(frozen=True)
class AskedRollouts:
    """The rollouts of a run or of a shard, in the dataset's order."""

    rollouts: Sequence[AskedRollout]

    @property
    def ids(self) -> list[str]:
        """The log's ids of all samples."""
        return [each for rollout in self.rollouts for each in rollout.ids]

    @property
    def samples(self) -> int:
        """The number of samples."""
        return sum(len(rollout.ids) for rollout in self.rollouts)

    def shard(self, shard: RunShard) -> "AskedRollouts":
        """Return the rollouts of a shard; which ones depends on the prompts and N alone.

        Raises:
            WrongUsageError: the rollouts are fewer than the shards.
        """
        if shard.of > len(self.rollouts):
            raise WrongUsageError(
                f"--shard {shard}: the run has {len(self.rollouts):,} rollouts, which are not "
                f"divided; expected at most as many shards"
            )
        parts = spread_evenly([rollout.work for rollout in self.rollouts], shard.of)
        pairs = zip(self.rollouts, parts, strict=True)
        return AskedRollouts([rollout for rollout, part in pairs if part == shard.number])


def asked_rollouts(asked: AskedSamples, limit: int | None = None) -> AskedRollouts:
    """Return the rollouts of samples.

    Args:
        asked: the samples.
        limit: how many of them, the first ones; all if None.
    """
    table: pa.Table = asked.table.slice(0, limit)
    is_hidden = not asked.has_labels  # whose ids do not say what belongs together
    rollouts = []
    start = 0
    for name, group in groupby(asked_prompts(table), lambda each: _rollout(each, is_hidden)):
        prompts = list(group)
        work = max(each.characters for each in prompts) + ANSWER_CHARACTERS * len(prompts)
        rollouts.append(AskedRollout(name, start, tuple(each.id for each in prompts), work))
        start += len(prompts)
    return AskedRollouts(rollouts)


def sha256_of_lines(lines: Iterable[str]) -> str:
    """Return the hash of texts of one line each, in their order."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(f"{line}\n".encode())
    return digest.hexdigest()


def _rollout(prompt: AskedPrompt, is_hidden: bool) -> str:
    sample = sample_of(prompt.id)
    return sample if is_hidden else sample.rpartition("/")[0]
