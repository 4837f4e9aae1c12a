"""Rollouts in the published dialogues layout, which `bagen_data/log_formats/dialogues.py` reads."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from bagen_data.fast_json import load_json
from collect.agents import Reply
from collect.play import Played, PlayedTurn


def record(number: int, played: Played, simulated: str | None) -> dict[str, Any]:
    """Return a rollout as the layout has it, with what its environment says beside.

    Args:
        number: the number of the rollout in its family, from 0.
        played: the rollout.
        simulated: how its usage was counted; None where an API reported it.
    """
    return {
        "env_id": number,
        "absolute_env_id": number,
        "instance_id": played.instance_id,
        "rollout_success": played.success,
        **({"simulated_usage": simulated} if simulated else {}),
        **played.outcome,
        **_ended(played),
        "turns": [_turn(turn, index) for index, turn in enumerate(played.turns, 1)],
    }


def _ended(played: Played) -> dict[str, Any]:
    """Return how a rollout with a budget ended; nothing of one that had none."""
    ending = played.ending
    if ending is None:
        return {}
    if not ending.stopped_by:
        return {"used": dict(ending.used), "stopped_by": None}
    return {
        **({"success": False} if "success" in played.outcome else {}),
        "used": dict(ending.used),
        "stopped_by": ending.stopped_by,
        "stopped_because": ending.because,
    }


def _turn(turn: PlayedTurn, index: int) -> dict[str, Any]:
    reply, seen = turn.reply, turn.observation
    return {
        "turn_idx": index,
        "messages": list(turn.messages),
        "user_prompt": turn.messages[-1]["content"],
        "raw_response": reply.raw or reply.text,
        "parsed_response": reply.text,
        "api_input_tokens": reply.input_tokens,
        "api_output_tokens": reply.output_tokens,
        "api_total_tokens": reply.input_tokens + reply.output_tokens,
        **_as_reported(reply),
        **({"context_token_truncated": True} if turn.is_cut else {}),
        "actions": list(seen.actions),
        "success": seen.success,
        **seen.logged,
    }


def _as_reported(reply: Reply) -> dict[str, Any]:
    return {"api_interactions": [{"usage": {"raw": dict(reply.usage)}}]} if reply.usage else {}


@dataclass(frozen=True)
class Dialogues:
    """The layout of a family in one file, a JSON list."""

    task: str

    def write(self, folder: Path, rollouts: Iterable[dict[str, Any]]) -> None:
        """Write one rollout after another: the rollouts need not fit into memory."""
        with self.path(folder).open("wb") as file:
            separator = b"[\n"
            for rollout in rollouts:
                file.write(separator + orjson.dumps(rollout, option=orjson.OPT_INDENT_2))
                separator = b",\n"
            file.write(b"\n]\n")

    def read(self, folder: Path) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the rollouts with their numbers."""
        for rollout in load_json(self.path(folder).read_bytes()):
            yield rollout["env_id"], rollout

    def path(self, folder: Path) -> Path:
        """Return the family's file."""
        return folder / f"{self.task}_eval_estimation_dialogues.json"
