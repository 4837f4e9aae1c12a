"""The question that a rollout is about."""

from pathlib import Path

import pytest

from bagen_data.errors import WrongUsageError
from collect.searchr1.question_file import SearchQuestion
from collect.searchr1.search_game import SearchR1, searchr1


def game(bundled: Path, first: int = 0, documents: int = 3) -> SearchR1:
    return searchr1(bundled / "questions.jsonl", bundled / "corpus.jsonl", first, documents)


def asked(bundled: Path, count: int, seed: int = 0, first: int = 0) -> list[str]:
    played = game(bundled, first)
    return [played.environment(seed, number).instance_id for number in range(count)]


def test_families_of_one_seed_that_begin_behind_each_other_share_no_question(
    bundled: Path, questions: tuple[SearchQuestion, ...]
) -> None:
    known = [question.id for question in questions]
    one, other = asked(bundled, 40), asked(bundled, 26, first=40)
    assert sorted(one + other) == sorted(known)
    assert asked(bundled, 66) == one + other != known


def test_another_seed_has_another_order(bundled: Path) -> None:
    assert asked(bundled, 66, seed=1) != asked(bundled, 66)
    assert sorted(asked(bundled, 66, seed=1)) == sorted(asked(bundled, 66))


def test_once_all_were_asked_they_are_asked_again(bundled: Path) -> None:
    order = asked(bundled, 66)
    assert asked(bundled, 4, first=64) == [*order[64:], *order[:2]]
    with pytest.raises(WrongUsageError, match=r"--first 66: .* has 66 questions"):
        game(bundled, first=66)


def test_a_search_shows_as_many_documents_as_are_wanted(bundled: Path) -> None:
    seen = game(bundled, documents=2).environment(0, 0).step("<answer>search[river]</answer>")
    assert len(seen.logged["documents"]) == 2
