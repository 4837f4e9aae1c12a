"""Small logs that other tools write, each with the right counts; they lie beside the project."""

from collections.abc import Sequence

import pytest

from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.schema import Rollout
from tests.making import SHARED_LOGS, needs_shared_logs, read

CASES = SHARED_LOGS / "usage-cases"
pytestmark = needs_shared_logs


class Bytes:
    """Counts one token a byte."""

    name, sha256 = "bytes", ""

    def count(self, texts: Sequence[str]) -> list[int]:
        return [len(text.encode()) for text in texts]


def family(case: str, tokenizer: bool = False) -> FamilyIndex:
    (folder,) = (CASES / case / "origin").iterdir()
    return read(folder, Counting(tokenizer=Bytes() if tokenizer else None))


def only(index: FamilyIndex) -> Rollout:
    assert index.refused == []
    (rollout,) = index.rollouts
    return rollout


def fresh(rollout: Rollout) -> list[tuple[float, float]]:
    return [(turn.usage["input_tokens"], turn.usage["output_tokens"]) for turn in rollout.turns]


def total(rollout: Rollout) -> float:
    return sum(turn.usage["tokens"] for turn in rollout.turns)


def test_a_turn_of_calls_alone_is_a_turn() -> None:
    rollout = only(family("01-tool-call-only", tokenizer=True))
    assert (len(rollout.turns), rollout.dropped_turns, total(rollout)) == (5, 0, 210)
    assert rollout.turns[0].assistant == 'find_order({"id": 17})'


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        ("01b-tool-call-only-usage", [(1000, 50), (20, 60), (10, 40), (15, 30), (8, 10)]),
        ("02-inspect-model-usage", [(1003, 100), (200, 120), (280, 80)]),
        ("03-xai-reasoning-additive", [(500, 350), (50, 270), (50, 320)]),
        ("08-codex-last-usage", [(9000, 700), (50, 900), (50, 500), (20, 300)]),
        ("21-both-names", [(1000, 100), (50, 80), (30, 60)]),
    ],
)
def test_counts_mean_what_their_tool_means(case: str, expected: Sequence[tuple[int, int]]) -> None:
    assert fresh(only(family(case))) == expected


@pytest.mark.parametrize("case", ["04-streaming-zero-usage", "04c-output-zero"])
def test_zeros_are_unknown_and_not_free(case: str) -> None:
    (refusal,) = family(case).refused
    assert "unknown usage" in refusal.reason
    assert "--tokenizer" in refusal.reason
    assert total(only(family(case, tokenizer=True))) > 0


def test_a_billed_response_that_was_not_parsed_is_a_turn() -> None:
    rollout = only(family("05-format-error-response"))
    assert fresh(rollout) == [(1000, 100), (20, 4000), (30, 80), (10, 50)]
    assert rollout.turns[1].assistant == "I will think out loud ..."
    assert rollout.turns[2].user == "Tool call error: no tool call found in the response."


def test_what_was_not_judged_is_not_a_failure() -> None:
    index = family("06-not-graded")
    assert [entry.rollout_id for entry in index.entries] == ["org__p-1", "org__p-2"]
    assert all("is not judged" in refusal.reason for refusal in index.refused)
    assert len(index.refused) == 3


def test_sums_of_a_session_are_not_requests() -> None:
    index = family("08b-codex-total-usage")
    assert index.entries == []
    assert "a session's sums" in index.refused[0].reason


def test_instance_0_is_an_id() -> None:
    assert [entry.instance_id for entry in family("12-instance-zero").entries] == ["0", "1"]


def test_reasoning_text_is_counted_and_not_shown() -> None:
    rollout = only(family("25-reasoning-content-uncounted", tokenizer=True))
    assert len(rollout.turns) == 3
    assert not any("zz" in turn.assistant or "yy" in turn.assistant for turn in rollout.turns)
    assert fresh(rollout)[0][1] > 100
    assert fresh(rollout)[1][1] > 100
