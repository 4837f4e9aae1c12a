"""The prompt of a task without a file of its own, in the words of its resources and no domain.

`prompts/general.txt` asks about one resource, `prompts/general_several.txt` about two or more.
Their fields beside the usual ones are filled in here, and the result is a `Prompt` like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill
from typing import Literal

from bagen_data.prompt_variants import find_variant
from bagen_data.prompts import Prompt, Templates, fill_some, read_templates

ONE, SEVERAL = "general", "general_several"
"""Names of the two forms."""


@dataclass(frozen=True)
class _Words:
    """The words in which a prompt speaks of a resource."""

    units: str
    verb: Literal["spend", "cost", "take", "make"]
    """The verb for what a run does with the units."""
    definition: str
    """A clause without a mark at its end."""
    example: str
    """A clause: what two more turns come to."""
    example_sum: str
    amounts: tuple[str, str, str]
    """Two amounts of an example with their units, and their sum."""


_WORDS = {
    "tokens": _Words(
        "fresh tokens",
        "spend",
        "a turn costs the new text the agent reads, results of its tools included, and everything "
        "it writes, its reasoning too; the replayed conversation before it is free",
        "two more turns cost 620 and 480 fresh tokens, input and output together",
        "620 + 480 = 1100",
        ("620 fresh tokens", "480 fresh tokens", "1100 fresh tokens"),
    ),
    "cost_usd": _Words(
        "US dollars",
        "cost",
        "a turn costs what its requests to the model cost; a request pays for all that the model "
        "is given, the replayed conversation included, less where a cache serves it, and for all "
        "that the model writes",
        "two more turns cost 0.012 and 0.019 US dollars",
        "0.012 + 0.019 = 0.031",
        ("0.012 US dollars", "0.019 US dollars", "0.031 US dollars"),
    ),
    "turns": _Words(
        "turns",
        "take",
        "a turn is one message of the agent, with what the agent was given since its message "
        "before",
        "the agent writes two more messages, and the second ends the run",
        "1 + 1 = 2",
        ("1 turn", "1 turn", "2 turns"),
    ),
    "tool_calls": _Words(
        "tool calls",
        "make",
        "every call of a tool counts one; a message of the agent may hold several, or none",
        "two more turns make 1 and 3 tool calls",
        "1 + 3 = 4",
        ("1 tool call", "3 tool calls", "4 tool calls"),
    ),
    "search": _Words(
        "searches",
        "make",
        "every call of a search tool counts one, whatever it returns",
        "two more turns make 1 and 3 searches",
        "1 + 3 = 4",
        ("1 search", "3 searches", "4 searches"),
    ),
    "seconds": _Words(
        "seconds",
        "take",
        "a turn takes the time from the end of the turn before to its own end, while tools work "
        "and while the model reads and writes",
        "two more turns take 14 and 9.5 seconds",
        "14 + 9.5 = 23.5",
        ("14 seconds", "9.5 seconds", "23.5 seconds"),
    ),
}
_WIDTH = 105
"""Characters of a line of a prompt."""


def template_name(resources: Sequence[str]) -> str:
    """Return the name of the form that asks about these resources.

    >>> template_name(["tokens"]), template_name(["tokens", "turns"])
    ('general', 'general_several')
    """
    return ONE if len(resources) == 1 else SEVERAL


def has_words(resources: Sequence[str]) -> bool:
    """Return whether a general prompt can speak of each of these resources.

    >>> has_words(["tokens"]), has_words(["tokens", "time_weeks"])
    (True, False)
    """
    return _WORDS.keys() >= set(resources)


def general_prompt(resources: Sequence[str], variant: str) -> Prompt:
    """Return the prompt that asks about these resources of any agent's run.

    Args:
        resources: names of `schema.GENERAL`, one or more, in the order of answers.
        variant: one of `VARIANTS`, or a name of version 1.

    >>> question = general_prompt(["turns"], "interval_no_think").question_template
    >>> "how many more turns will it take, from now" in question
    True
    """
    name = template_name(resources)
    templates = read_templates(name)
    words = [_WORDS[resource] for resource in resources]
    fields = _one(words[0]) if name == ONE else _several(dict(zip(resources, words, strict=True)))
    texts = (templates.system, templates.probe, *templates.questions.values())
    system, probe, *questions = fill_some(texts, fields, f"prompts/{name}.txt")
    filled = dict(zip(templates.questions, questions, strict=True))
    return Templates(name, system, probe, filled).prompt(find_variant(variant))


def _one(words: _Words) -> dict[str, str]:
    units = words.units[0].upper() + words.units[1:]
    return {
        "units": words.units,
        "Units": units,
        "how_many": f"how many more {words.units}",
        "use": words.verb,
        "definition": fill(f"{units}: {words.definition}.", _WIDTH),
        "example": fill(
            f"Remaining means: if {words.example}, the number to estimate is {words.example_sum}, "
            "whatever was used before.",
            _WIDTH,
        ),
    }


def _several(words: Mapping[str, _Words]) -> dict[str, str]:
    first, second, total = (
        _listed([each.amounts[place] for each in words.values()]) for place in range(3)
    )
    marks = [*(";" * (len(words) - 1)), "."]
    return {
        "units": _listed([each.units for each in words.values()]),
        "definitions": "\n".join(
            fill(
                f"- {_label(name, each)}: {each.definition}{mark}",
                _WIDTH,
                subsequent_indent="  ",
            )
            for (name, each), mark in zip(words.items(), marks, strict=True)
        ),
        "example": fill(
            f"Remaining means: if two more turns use {first}, then {second}, the numbers to "
            f"estimate are {total}, whatever was used before.",
            _WIDTH,
        ),
    }


def _label(name: str, words: _Words) -> str:
    """Return a resource's name as answers spell it, and its units if the name does not say them."""
    return name if name.replace("_", " ") == words.units else f"{name}, in {words.units}"


def _listed(names: Sequence[str]) -> str:
    """Join names as English does.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
