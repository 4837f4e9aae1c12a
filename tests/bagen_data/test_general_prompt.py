"""The prompt of a task without a file of its own."""

from itertools import permutations

import pytest

from bagen_data.errors import TemplateError
from bagen_data.general_prompt import general_prompt
from bagen_data.prompt_variants import VARIANTS, Variant, question_of
from bagen_data.prompts import fill_some, known_prompts, load_prompt
from bagen_data.replay import replay
from bagen_data.schema import GENERAL, Budget, Rollout, Turn
from tests.bagen_data.answer_forms import ASKS, check_forms

NAMES = [resource.name for resource in GENERAL]
DOMAINS = ("repositor", "patch", "search engine", "puzzle", "box", "warehouse", "code", "software")
USAGE = {
    "input_tokens": 30,
    "output_tokens": 50,
    "tokens": 80,
    "cost_usd": 0.0123,
    "turns": 1,
    "tool_calls": 3,
    "search": 2,
    "seconds": 4.25,
}


def rollout(resources: list[str]) -> tuple[Rollout, Budget]:
    counts = (*resources, *(("input_tokens", "output_tokens") if "tokens" in resources else ()))
    usage = {name: amount for name, amount in USAGE.items() if name in counts}
    turns = tuple(Turn(f"look {k}", f"go {k}", usage) for k in range(4))
    return Rollout("support", "m", "r", "i", "", turns, True), Budget(dict.fromkeys(resources, 7))


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(
    "resources", [*([name] for name in NAMES), ["tokens", "cost_usd"], ["seconds", "turns"], NAMES]
)
def test_it_asks_about_its_resources_in_no_domains_words(
    resources: list[str], variant: Variant
) -> None:
    recorded, budget = rollout(resources)
    ((probe, _),) = replay(recorded, budget, [3])
    system, *_, question = [m.content for m in general_prompt(resources, variant).messages(probe)]
    text = f"{system}\n{question}".lower()
    assert not [word for word in DOMAINS if word in text]
    assert "{" not in text
    assert max(len(line) for line in text.splitlines() if "<answer>" not in line) <= 130
    flat = " ".join(question.split())
    for ask in (*ASKS[question_of(variant)], "Remaining means: if", "Turns completed: 3"):
        assert ask in flat
    for name in resources:
        assert f"{probe.used[name]}" in question
    check_forms(question, resources, variant)


def test_every_choice_of_resources_has_a_hash_of_its_own() -> None:
    choices = [some for length in (1, 2, 3) for some in permutations(NAMES, length)]
    assert len({general_prompt(some, "interval_think").sha256 for some in choices}) == len(choices)


def test_the_general_prompts_are_no_tasks() -> None:
    assert not {"general", "general_several"} & set(known_prompts())
    with pytest.raises(TemplateError, match="no prompt named 'general'"):
        load_prompt("general", "interval_think")


def test_a_word_that_no_template_uses_is_an_error() -> None:
    with pytest.raises(TemplateError, match=r"leaves out \{more\}"):
        fill_some(["{used}", "{budget}"], {"used": "1", "more": "2"})
