"""Prompts: their shape, and templates that do not fit their fields."""

import pytest

from bagen_data.answers import parse
from bagen_data.errors import TemplateError
from bagen_data.prompt_variants import VARIANTS, Variant
from bagen_data.prompts import fill, in_variant, known_prompts, load_prompt
from bagen_data.replay import replay
from tests.making import recorded_for

FOUR = ("searchr1", "sokoban", "swebench", "warehouse")
BOTH = [(task, variant) for task in known_prompts() for variant in VARIANTS]


def test_the_four_tasks_have_prompts() -> None:
    assert set(known_prompts()) >= set(FOUR)


@pytest.mark.parametrize(("task", "variant"), [pair for pair in BOTH if pair[0] in FOUR])
def test_the_four_asks(task: str, variant: Variant) -> None:
    recorded, budget = recorded_for(task, 3)
    ((probe, _),) = replay(recorded, budget, [2])
    question = " ".join(load_prompt(task, variant).question(probe).split())
    for ask in (
        "1. Can the",
        "2. If so, how",
        "at least est_low and at most est_high",
        "answer impossible",
        "4. What matters most is judging feasible or impossible correctly.",
        "as tight as you can while",
        "Remaining means: if",
    ):
        assert ask in question


@pytest.mark.parametrize(("task", "variant"), BOTH)
def test_shape(task: str, variant: Variant) -> None:
    recorded, budget = recorded_for(task, 4)
    prompt = load_prompt(task, variant)
    systems = set()
    for k, (probe, _) in enumerate(replay(recorded, budget, range(5))):
        messages = prompt.messages(probe)
        systems.add(messages[0].content)
        roles = [message.role for message in messages]
        assert roles == ["system", *["user", "assistant"] * k, "user"]
        texts = [message.content for message in messages[1:-1]]
        assert texts == [
            text for turn in recorded.turns[:k] for text in (turn.user, turn.assistant)
        ]
    assert len(systems) == 1, "the system message depends on k"


@pytest.mark.parametrize(("task", "variant"), BOTH)
def test_the_question_states_usage_and_ends_with_the_two_forms(task: str, variant: Variant) -> None:
    recorded, budget = recorded_for(task, 4)
    ((probe, _),) = replay(recorded, budget, [3])
    question = load_prompt(task, variant).question(probe)
    assert "Turns completed: 3" in question
    for turn in probe.turns:
        assert all(str(amount) in question for amount in turn.usage.values())
    for name, limit in budget.limits.items():
        assert str(limit) in question
        assert str(probe.used[name]) in question
    first, second = question.splitlines()[-2:]
    assert parse(first.replace("est_low", "1").replace("est_high", "2")).verdict == "feasible"
    assert parse(second).verdict == "infeasible"
    assert ("<think>" in first) is (variant == "think")


def test_the_agents_system_message_is_shown() -> None:
    prompt = load_prompt("swebench", "think")
    assert "be {careful}" in prompt.system("be {careful}")
    assert "(none)" in prompt.system("")


def test_every_template_has_a_hash_of_its_own() -> None:
    assert len({load_prompt(*pair).sha256 for pair in BOTH}) == len(BOTH)


@pytest.mark.parametrize(
    ("template", "fields", "problem"),
    [
        ("{a} {b}", {"a": "1"}, "names {b}"),
        ("{a}", {"a": "1", "b": "2"}, "leaves out {b}"),
        ("{a", {"a": "1"}, "unbalanced"),
        ("{a:>9}", {"a": "1"}, "formats a field"),
        ("{a!r}", {"a": "1"}, "formats a field"),
    ],
)
def test_a_field_too_many_or_too_few(template: str, fields: dict[str, str], problem: str) -> None:
    with pytest.raises(TemplateError, match=problem):
        fill(template, fields)


def test_an_unknown_task_lists_the_known_ones() -> None:
    with pytest.raises(TemplateError, match=r"known: .*sokoban, swebench, warehouse"):
        load_prompt("no_such_task", "think")


@pytest.mark.parametrize("task", FOUR)
def test_a_question_can_be_put_in_the_other_variant(task: str) -> None:
    recorded, budget = recorded_for(task, 3)
    ((probe, _),) = replay(recorded, budget, [2])
    questions = {variant: load_prompt(task, variant).question(probe) for variant in VARIANTS}
    for question in questions.values():
        for variant in VARIANTS:
            assert in_variant(question, budget.limits, variant) == questions[variant]


def test_a_question_in_no_variant_is_refused() -> None:
    with pytest.raises(TemplateError, match="'how much\\?'; expected the output forms of think"):
        in_variant("how much?", ["tokens"], "think")
