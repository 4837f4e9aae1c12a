"""Prompts: their shape, and templates that do not fit their fields."""

import hashlib

import pytest

from bagen_data.errors import InputError, TemplateError
from bagen_data.prompt_variants import VARIANTS, Variant, question_of
from bagen_data.prompts import (
    Prompt,
    answer_template,
    fill,
    known_prompts,
    load_prompt,
    read_templates,
)
from bagen_data.replay import replay
from bagen_data.schema import Budget, Rollout
from tests.bagen_data.answer_forms import ASKS, check_forms
from tests.making import recorded_for

FOUR = ("searchr1", "sokoban", "swebench", "warehouse")
PARTS = "=== system ===\na\n=== probe ===\nb\n=== interval ===\nhow much? {answer_forms}\n"


def variants_of(task: str) -> list[Variant]:
    """Return the variants that a task's file has a question for; the four have all."""
    known = read_templates(task).questions
    return [variant for variant in VARIANTS if task in FOUR or question_of(variant) in known]


BOTH = [(task, variant) for task in known_prompts() for variant in variants_of(task)]


def test_the_four_tasks_have_prompts() -> None:
    assert set(known_prompts()) >= set(FOUR)


@pytest.mark.parametrize(("task", "variant"), [pair for pair in BOTH if pair[0] in FOUR])
def test_the_four_asks(task: str, variant: Variant) -> None:
    recorded, budget = recorded_for(task, 3)
    ((probe, _),) = replay(recorded, budget, [2])
    question = " ".join(load_prompt(task, variant).question(probe).split())
    for ask in (*ASKS[question_of(variant)], "Remaining means: if"):
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
def test_the_question_states_usage_and_ends_with_its_forms(task: str, variant: Variant) -> None:
    recorded, budget = recorded_for(task, 4)
    ((probe, _),) = replay(recorded, budget, [3])
    question = load_prompt(task, variant).question(probe)
    assert "Turns completed: 3" in question
    for turn in probe.turns:
        assert all(str(amount) in question for amount in turn.usage.values())
    for name, limit in budget.limits.items():
        assert str(limit) in question
        assert str(probe.used[name]) in question
    check_forms(question, list(budget.limits), variant)


def test_the_agents_system_message_is_shown() -> None:
    prompt = load_prompt("swebench", "interval_think")
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
        load_prompt("no_such_task", "interval_think")


def messages_hash(prompt: Prompt, recorded: Rollout, budget: Budget) -> str:
    """Return a hash of the messages at k = 0 and k = 2."""
    digest = hashlib.sha256()
    for probe, _ in replay(recorded, budget, [0, 2]):
        for message in prompt.messages(probe):
            digest.update(f"{message.role}\0{message.content}\0".encode())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize(
    ("task", "with_thought", "without"),
    [
        ("searchr1", "385edba8ab78858c", "e484f471d5f888de"),
        ("sokoban", "05fa06a557bc84b6", "f0b88eeee59bee9a"),
        ("swebench", "72afc1900ea77e8e", "408729e07b5ea718"),
        ("warehouse", "6fe979311ecfec61", "fd34ac908898d329"),
    ],
)
def test_the_interval_question_is_that_of_version_1(
    task: str, with_thought: str, without: str
) -> None:
    recorded, budget = recorded_for(task, 3)
    for variant, expected in (("interval_think", with_thought), ("interval_no_think", without)):
        assert messages_hash(load_prompt(task, variant), recorded, budget) == expected


def test_names_of_version_1_are_read() -> None:
    assert load_prompt("sokoban", "think") == load_prompt("sokoban", "interval_think")
    assert load_prompt("sokoban", "no_think").variant == "interval_no_think"
    with pytest.raises(InputError, match="no variant named 'thinks'; expected one of: interval_th"):
        load_prompt("sokoban", "thinks")


@pytest.mark.parametrize("k", [0, 2])
@pytest.mark.parametrize("task", known_prompts())
def test_all_before_the_question_is_the_same_in_all_variants(task: str, k: int) -> None:
    recorded, budget = recorded_for(task, 3)
    ((probe, _),) = replay(recorded, budget, [k])
    names = tuple(budget.limits)
    starts = set()
    for variant in variants_of(task):
        prompt = load_prompt(task, variant)
        *chat, last = prompt.messages(probe)
        assert last.content.endswith(prompt.ending(names))
        starts.add((*chat, last.content.removesuffix(prompt.ending(names))))
    ((*_, start),) = starts
    for amount in (*budget.limits.values(), *probe.used.values()):
        assert str(amount) in start


def test_both_forms_of_a_forecast_explain_quantiles_alike() -> None:
    forms = [answer_template(variant) for variant in ("forecast_think", "forecast_no_think")]
    explained = [form.rpartition("\n\n")[0] for form in forms]
    assert explained[0] == explained[1] != ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "has the parts none; expected '=== system ==='"),
        ("=== system ===\na\n=== interval ===\nb\n", "has the parts system, interval; expected"),
        ("=== system ===\na\n=== probe ===\nb\n", "has the parts system, probe; expected"),
        (f"x\n{PARTS}", "expected '=== system ===' on its first line"),
        (f"{PARTS}=== point ===\nc\n=== point ===\nd\n", "each once"),
        (f"{PARTS}=== guess ===\nc\n", "interval, guess; expected"),
        (f"{PARTS}=== remaining ===\nc\n", r"interval part, leaves out \{remaining\}"),
    ],
)
def test_a_file_without_its_parts_is_refused(
    text: str, problem: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bagen_data.prompts._read", lambda _: text)
    with pytest.raises(TemplateError, match=rf"prompts/chess\.txt.*{problem}"):
        read_templates("chess")


def test_a_question_that_a_file_lacks_cannot_be_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bagen_data.prompts._read", lambda _: PARTS)
    templates = read_templates("chess")
    assert templates.prompt("interval_think").question_template == "how much? {answer_forms}"
    with pytest.raises(TemplateError, match="has no part '=== forecast ===', which the variant"):
        templates.prompt("forecast_think")
