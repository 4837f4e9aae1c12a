"""The record of a shard that a model has answered."""

import hashlib
from pathlib import Path

from bagen_data.models.asked_prompts import sample_of
from bagen_data.models.asked_rollouts import AskedRollouts, sha256_of_lines
from bagen_data.models.model_log import ModelLog
from bagen_data.models.model_run import ModelRun
from bagen_data.models.shard import RunShard
from bagen_data.shard_record import ShardRecord
from bagen_data.submission_writer import PREDICTIONS, metadata_text, prediction_lines
from bagen_data.submissions import METADATA, Metadata
from bagen_data.tables import sha256_of
from bagen_data.versions import __version__


def record_of(
    run: ModelRun,
    shard: RunShard,
    whole: AskedRollouts,
    log: ModelLog,
    metadata: Metadata,
) -> ShardRecord:
    """Return the record of a shard.

    Args:
        run: what was asked.
        shard: the part of it that was asked.
        whole: the rollouts of all shards.
        log: the answers, with no sample open.
        metadata: of the shard's predictions.
    """
    answers = hashlib.sha256()
    for line in prediction_lines(log.rows()):
        answers.update(line.encode())
    log_path = Path(log.path.parent.name, log.path.name).as_posix()
    ids = whole.ids
    return ShardRecord(
        shard=shard.number,
        shards=shard.of,
        code_version=__version__,
        asked=run.question_record(),
        samples=len(ids),
        samples_sha256=sha256_of_lines(map(sample_of, ids)),
        prompts_sha256=sha256_of_lines(ids),
        rollouts=[(each.start, len(each.ids)) for each in whole.shard(shard).rollouts],
        servers=sorted(log.servers),
        files={
            PREDICTIONS: answers.hexdigest(),
            METADATA: hashlib.sha256(metadata_text(metadata).encode()).hexdigest(),
            log_path: sha256_of(log.path),
        },
    )
