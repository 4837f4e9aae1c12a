"""A rollout that is public already is known again."""

from dataclasses import replace

import pytest

from bagen_data.schema import Rollout
from builders.hidden.published_rollouts import PublishedInstances
from tests.making import rollout

PUBLIC = rollout([(9, 5)] * 4)


def texts_of(own: Rollout) -> list[str]:
    return [text for turn in own.turns for text in (turn.user, turn.assistant)]


def with_opening(own: Rollout, text: str) -> Rollout:
    return replace(own, turns=(replace(own.turns[0], user=text), *own.turns[1:]))


@pytest.mark.parametrize(
    ("other", "opening_id", "is_public"),
    [
        (replace(PUBLIC, instance_id="i"), "", True),
        (with_opening(replace(PUBLIC, instance_id="j"), "elsewhere"), "i", True),
        (replace(PUBLIC, instance_id="j"), "", True),  # begins alike
        (with_opening(replace(PUBLIC, instance_id="j"), " LOOK \n 1"), "", True),
        (with_opening(replace(PUBLIC, instance_id="j"), "elsewhere"), "", False),
    ],
)
def test_by_instance_or_by_opening(other: Rollout, opening_id: str, is_public: bool) -> None:
    published = PublishedInstances()
    published.add("i", texts_of(PUBLIC))
    assert published.holds(other, opening_id) == is_public


@pytest.mark.parametrize("names", [("i", "j"), ("", "")])
def test_an_opening_that_several_instances_share_names_none(names: tuple[str, str]) -> None:
    published = PublishedInstances()
    for number, name in enumerate(names):
        published.add(name, [*texts_of(PUBLIC)[:2], f"see {number}", "go"])
    new = replace(PUBLIC, instance_id="new")
    assert not published.holds(new, "")
    again = replace(new, turns=(new.turns[0], replace(new.turns[1], user="see 1", assistant="go")))
    assert published.holds(again, "")
