"""The record of a shard: `shard.json` beside its predictions, by which shards are merged.

It says what was asked, which samples of the whole are answered here, and the hashes of the files
that belong to it. It has no path and no address of the machine that asked.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from bagen_data.errors import InputError
from bagen_data.field_problems import problems

SHARD = "shard.json"
_FILE = re.compile(r"predictions\.jsonl|metadata\.yaml|logs/[\w+-][\w.+-]*\.eval")
"""Paths of files that belong to a shard."""


class ShardRecord(BaseModel):
    """The record of a shard: its predictions, and what they answer."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    shard: int = Field(ge=0, description="The number of the shard, from 0.")
    shards: int = Field(ge=1, description="How many shards the run has.")
    code_version: str = Field(description="Version of the code that asked.")
    asked: dict[str, Any] = Field(description="What was asked, and how.")
    samples: int = Field(ge=1, description="How many samples all shards have.")
    samples_sha256: str = Field(description="Hash of the ids of all shards' samples, in order.")
    prompts_sha256: str = Field(description="Hash of the ids and prompts of all shards' samples.")
    rollouts: list[tuple[int, int]] = Field(
        description="Of each rollout of this shard: the place of its first sample among all, from "
        "0, and how many it has."
    )
    servers: list[str] = Field(description="A mark of each server that was asked.")
    files: dict[str, str] = Field(description="The sha256 of each file of the shard, by its path.")

    @field_validator("files")
    @classmethod
    def _check_names(cls, files: dict[str, str]) -> dict[str, str]:
        for name in files:
            if not _FILE.fullmatch(name):
                raise ValueError(f"expected predictions, metadata and logs, not {name[:80]!r}")
        if not {"predictions.jsonl", "metadata.yaml"} <= files.keys():
            raise ValueError("expected the hashes of predictions.jsonl and metadata.yaml")
        return files

    def common(self) -> dict[str, Any]:
        """Return the facts that all shards of a run have in common."""
        return {
            "shards": self.shards,
            "code_version": self.code_version,
            **self.asked,
            "samples": self.samples,
            "samples_sha256": self.samples_sha256,
            "prompts_sha256": self.prompts_sha256,
        }


def read_shard_record(path: Path) -> ShardRecord:
    """Read and check `shard.json`.

    Raises:
        FileNotFoundError: it is missing.
        InputError: it cannot be read, or is not a record.
    """
    try:
        return ShardRecord.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValidationError as error:
        lines: Iterable[str] = (f"{path}: {problem}" for problem in problems(error))
        raise InputError("\n".join(lines)) from error


def shard_record_text(record: ShardRecord) -> str:
    """Return the content of `shard.json`, one key a line."""
    content = record.model_dump(mode="json").items()
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in content)
    return "{\n" + ",\n".join(lines) + "\n}\n"
