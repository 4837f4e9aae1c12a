"""Turns that are dropped from a rollout, and the counts of its tokens."""

from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from bagen_data.logs.turn_readers import Counting, without_reward
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.tokenizer import HubTokenizer
from tests.making import chat, dialogue, read, write_json, write_lines
from tests.word_tokenizer import WordTokenizer


def read_one(tmp_path: Path, record: Any, **counting: Any) -> FamilyIndex:
    write_json(tmp_path / "sokoban-origin-m" / "a.json", [record])
    return read(tmp_path / "sokoban-origin-m", Counting(**counting))


def fresh(index: FamilyIndex) -> list[float]:
    [rollout] = index.rollouts
    return [turn.usage["tokens"] for turn in rollout.turns]


def test_fresh_tokens(tmp_path: Path) -> None:
    index = read_one(tmp_path, dialogue([(30, 50), (10, 70)]))
    [rollout] = index.rollouts
    assert [turn.usage for turn in rollout.turns] == [
        {"input_tokens": 30, "output_tokens": 50, "tokens": 80},
        {"input_tokens": 10, "output_tokens": 70, "tokens": 80},
    ]


def test_special_tokens_are_no_content(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.WordLevel({"[BOS]": 0, "a": 1, "[UNK]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[BOS] $A", special_tokens=[("[BOS]", 0)]
    )
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert HubTokenizer(str(tmp_path)).count(["a a", "", "a"]) == [2, 0, 1]


def test_turns_from_the_cut_on_are_dropped(tmp_path: Path) -> None:
    index = read_one(tmp_path, dialogue(context_token_truncated=True))
    [rollout] = index.rollouts
    assert (len(rollout.turns), rollout.dropped_turns, index.dropped_turns) == (1, 2, 2)


def test_a_response_of_reasoning_tokens_alone_is_a_turn(tmp_path: Path) -> None:
    thought = {"output_tokens_details": {"reasoning_tokens": 70}}
    call = {"usage": {"raw": thought}}
    record = dialogue(raw_response="", parsed_response="", api_interactions=[call])
    assert fresh(read_one(tmp_path, record)) == [80, 80, 60 + 70]  # which no request replays


def test_reasoning_that_utf_8_cannot_hold_is_refused(tmp_path: Path) -> None:
    record = chat(["a", "b"])
    record["messages"][1]["reasoning_content"] = "x\ud800"
    index = read_one(tmp_path, record, tokenizer=WordTokenizer())
    assert "a lone surrogate" in index.refused[0].reason


def test_an_empty_turn_is_skipped_and_the_next_one_pays_for_its_input(tmp_path: Path) -> None:
    record = dialogue([(30, 50), (10, 0), (20, 40)], raw_response="", parsed_response="\n")
    index = read_one(tmp_path, record)
    assert fresh(index) == [80, 70]


@pytest.mark.parametrize(
    ("changes", "turns"),
    [
        ({"actions": []}, 1),
        ({"actions": [], "success": True}, 3),
        ({"actions": ["Up"]}, 3),
        ({"actions": None}, 1),
    ],
)
def test_an_idle_turn_over_the_context_limit_counts_as_cut_off(
    tmp_path: Path, changes: Any, turns: int
) -> None:
    record = dialogue([(30, 50), (2_400, 70), (20, 40)], **changes)
    assert len(fresh(read_one(tmp_path, record))) == turns


def test_a_log_that_records_no_actions_is_not_cut(tmp_path: Path) -> None:
    record = dialogue([(30, 50), (2_400, 70), (20, 40)])
    for turn in record["turns"]:
        del turn["actions"]
    assert len(fresh(read_one(tmp_path, record))) == 3


def test_a_dialogue_may_name_the_context_of_a_turn(tmp_path: Path) -> None:
    record = dialogue([(30, 50), (2_400, 70), (20, 40)])
    for turn, context in zip(record["turns"], ("one", "two", "one"), strict=True):
        turn |= {"context": context, "actions": []}
    record["turns"][2] |= {"api_input_tokens": 100, "api_output_tokens": 40}
    index = read_one(tmp_path, record)
    second = record["turns"][1]["api_input_tokens"]
    assert fresh(index) == [80, second + 70, 100 - 80 + 40], "no turn is cut off for its length"


def test_a_context_that_is_not_a_text_is_refused_by_name(tmp_path: Path) -> None:
    index = read_one(tmp_path, dialogue(context=7))
    assert "turn 2: context is 7" in index.refused[0].reason


def test_messages_have_no_request_totals_so_nothing_is_dropped(tmp_path: Path) -> None:
    index = read_one(tmp_path, chat(["a " * 3_000, "b", "c", "d"]), tokenizer=WordTokenizer())
    assert fresh(index) == [3_001, 2]


def test_counting_with_a_tokenizer(tmp_path: Path) -> None:
    record = chat(["a b c", "d e", "f (reward: -0.1)", "g", "the end"])
    record["messages"].insert(0, {"role": "system", "content": "one two three four"})
    index = read_one(tmp_path, record, tokenizer=WordTokenizer())
    assert fresh(index) == [3 + 2 + 4, 1 + 1]
    assert index.usage_sources == {"tokenizer": 1}
    [rollout] = index.rollouts
    assert rollout.turns[1].user == "f", "a reward annotation is no part of the observation"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("moved (reward: 1.0)\u2003\n", "moved"),
        ("moved (far)", "moved (far)"),
        ("(reward: 1.0) moved", "(reward: 1.0) moved"),
        ("(reward: 1.0) moved (far)", "(reward: 1.0) moved (far)"),
        ("(reward: (0))", "(reward: (0))"),
    ],
)
def test_only_a_reward_at_the_end_is_removed(text: str, expected: str) -> None:
    assert without_reward(text) == expected


def test_one_turn_without_counts_makes_the_tokenizer_count_them_all(tmp_path: Path) -> None:
    record = dialogue(api_input_tokens=None, api_output_tokens=None)
    assert "turn 2 has no usage" in read_one(tmp_path, record).refused[0].reason
    assert fresh(read_one(tmp_path, record, tokenizer=WordTokenizer())) == [5, 5, 5]


def test_mixed_counts_need_a_declaration(tmp_path: Path) -> None:
    record = dialogue()
    for turn, read_tokens in zip(record["turns"], (100, 500, 200), strict=True):
        turn["api_input_tokens"] = read_tokens
    assert "--usage" in read_one(tmp_path, record).refused[0].reason
    assert fresh(read_one(tmp_path, record, convention="turn")) == [150, 570, 240]
    assert fresh(read_one(tmp_path, record, convention="request")) == [150, 420, 40]


def test_silence_is_shown_but_costs_nothing(tmp_path: Path) -> None:
    family = tmp_path / "sokoban-origin-m"
    messages = [{"role": r, "content": c} for r, c in (("user", "a"), ("assistant", "b"))]
    messages.append({"role": "assistant", "content": "c"})
    write_lines(family / "a.jsonl", [{"messages": messages, "metadata": {"success": True}}])
    index = read(family, Counting(tokenizer=WordTokenizer()))
    [rollout] = index.rollouts
    assert rollout.turns[1].user == "(no output)"
    assert fresh(index) == [2, 1]
