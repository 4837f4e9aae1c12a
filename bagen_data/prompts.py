"""The messages that an estimator is asked with, made of a probe.

One system message, the prefix as alternating user and assistant messages, and the question as the
last user message: all probes of a rollout share their beginning, so prompt caches reuse it. At
k = 0 the first user message opens the question, so that roles still alternate. Everything before
the question itself is the same in all variants, so a cache serves one variant from another.

A task's prompt is one text file, `prompts/<task>.txt`, in parts that begin with a line such as
`=== system ===`. `prompts/<variant>.txt` ends the question with the allowed output forms. A
template names its fields in braces and must use exactly these:

    system                    {agent_system}
    probe                     {completed_turns} {history} {used} {budget}, and one field for each
                              state and condition of the task, such as {cash_usd}
    remaining                 none; the part may be left out
    interval, point, forecast {answer_forms}, and {remaining} if there is such a part; a question
                              that is never asked may be left out
    <variant>.txt             {amounts}
"""

import hashlib
import re
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources
from typing import get_args

from bagen_data.errors import TemplateError
from bagen_data.number_texts import plain
from bagen_data.prompt_variants import VARIANTS, Variant, find_variant, question_of
from bagen_data.schema import QUANTILE_LEVELS, Amounts, Message, Probe, Question, Turn

_HEADER = re.compile(r"^=== ([a-z]+) ===\n", re.MULTILINE)
_QUESTIONS: tuple[Question, ...] = get_args(Question)
_NEEDED = ("system", "probe")
_PARTS = (*_NEEDED, "remaining", *_QUESTIONS)
_REMAINING = "{remaining}"
_NO_SYSTEM = "(none)"
_GENERAL = ("general", "general_several")
"""Prompts of tasks without one of their own; `general_prompt.py` fills in their words."""
_TOKEN_KEYS = {"input_tokens", "output_tokens", "tokens"}
_FORMS: Mapping[Question, tuple[str, str]] = {
    "interval": (":", "[est_low, est_high]"),
    "point": (":", "est"),
    "forecast": ("=", f"[{', '.join(f'q{level * 100:.0f}' for level in QUANTILE_LEVELS)}]"),
}
"""The text between a resource and its amounts in an answer, and these amounts, by question."""


@dataclass(frozen=True)
class Prompt:
    """The templates of a task in a variant, before any field is filled in."""

    task: str
    variant: Variant
    system_template: str
    probe_template: str
    """Everything of the last message before the question."""
    question_template: str
    answer_template: str

    @cached_property
    def sha256(self) -> str:
        """Hash of the templates as they are before any field is filled in."""
        parts = (
            self.system_template,
            self.probe_template,
            self.question_template,
            self.answer_template,
        )
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def system(self, agent_system: str) -> str:
        """Return the system message; it is the same for every probe of a rollout."""
        fields = {"agent_system": agent_system or _NO_SYSTEM}
        return fill(self.system_template, fields, f"prompts/{self.task}.txt, system part,")

    def ending(self, names: tuple[str, ...]) -> str:
        """Return the question with its output forms, which end the last message.

        Args:
            names: the resources that an answer names, in the order of answers.
        """
        fields = {"answer_forms": answer_forms(self.variant, self.answer_template, names)}
        where = f"prompts/{self.task}.txt, {question_of(self.variant)} part,"
        return fill(self.question_template, fields, where)

    def question(self, probe: Probe) -> str:
        """Return the last user message."""
        limits = probe.budget.limits
        fields = {
            "completed_turns": str(len(probe.turns)),
            "history": _history(probe.turns) if probe.turns else _opening(probe.used),
            "used": _amounts(probe.used),
            "budget": _amounts(limits),
        }
        for name, value in (*probe.state.items(), *probe.budget.conditions.items()):
            fields[name] = plain(value)
        facts = fill(self.probe_template, fields, f"prompts/{self.task}.txt, probe part,")
        question = f"{facts}\n\n{self.ending(tuple(limits))}"
        return f"{probe.opening}\n\n{question}" if probe.opening else question

    def messages(self, probe: Probe) -> list[Message]:
        """The whole prompt, ready for a chat model."""
        prefix = [
            message
            for turn in probe.turns
            for message in (Message("user", turn.user), Message("assistant", turn.assistant))
        ]
        return [
            Message("system", self.system(probe.system)),
            *prefix,
            Message("user", self.question(probe)),
        ]


@dataclass(frozen=True)
class Templates:
    """The parts of one file of `prompts/`."""

    name: str
    system: str
    probe: str
    questions: Mapping[Question, str]

    def prompt(self, variant: Variant) -> Prompt:
        """Return the prompt in a variant.

        Raises:
            TemplateError: the file has no part for the variant's question.
        """
        question = question_of(variant)
        if question not in self.questions:
            raise TemplateError(
                f"prompts/{self.name}.txt: has no part '=== {question} ===', which the variant "
                f"{variant} needs; add it, or ask one of: {', '.join(self.questions)}"
            )
        return Prompt(
            self.name,
            variant,
            self.system,
            self.probe,
            self.questions[question],
            answer_template(variant),
        )


@lru_cache
def load_prompt(task: str, variant: str) -> Prompt:
    """Read a task's templates.

    Args:
        task: one of `known_prompts()`.
        variant: one of `VARIANTS`, or a name of version 1.

    Raises:
        TemplateError: the task has no file, or the file lacks a part that is needed.
        InputError: no variant has this name.

    >>> load_prompt("sokoban", "interval_think").system("")[:7]
    'You are'
    """
    if task not in known_prompts():
        raise TemplateError(f"no prompt named '{task}'; known: {', '.join(known_prompts())}")
    return read_templates(task).prompt(find_variant(variant))


def read_templates(name: str) -> Templates:
    """Read a file of `prompts/`, a task's or one of the general ones.

    Raises:
        TemplateError: the file lacks a part that is needed, has an unknown one or one twice, or has
            a part `remaining` that a question does not use.
    """
    before, *pieces = _HEADER.split(_read(name))
    parts = {part: text.strip() for part, text in zip(pieces[::2], pieces[1::2], strict=True)}
    known = [part for part in _QUESTIONS if part in parts]
    twice = len(parts) < len(pieces) // 2
    if before or twice or not known or not {*_NEEDED} <= parts.keys() <= {*_PARTS}:
        raise TemplateError(
            f"prompts/{name}.txt: has the parts {', '.join(pieces[::2]) or 'none'}; expected "
            "'=== system ===' on its first line, '=== probe ===' on a later one, and one part or "
            f"more of {', '.join(_QUESTIONS)}, each once; a part 'remaining' may be there too"
        )
    questions = {part: _with_remaining(name, part, parts) for part in known}
    return Templates(name, parts["system"], parts["probe"], questions)


def _with_remaining(name: str, question: Question, parts: Mapping[str, str]) -> str:
    """Return the template of a question with the part that says what remaining means."""
    if "remaining" in parts and _REMAINING not in parts[question]:
        raise TemplateError(
            f"prompts/{name}.txt, {question} part, leaves out {_REMAINING}, a part of the file"
        )
    return parts[question].replace(_REMAINING, parts.get("remaining", _REMAINING))


@lru_cache
def answer_template(variant: Variant) -> str:
    """Return the text with the output forms of a variant, before its field is filled in."""
    return _read(variant).strip()


@lru_cache
def answer_forms(variant: Variant, template: str, names: tuple[str, ...]) -> str:
    """Return the text with the output forms of a variant.

    Args:
        variant: variant of the prompt.
        template: template, as `answer_template` returns it.
        names: the resources that an answer names, in the order of answers.
    """
    question = question_of(variant)
    joint, amounts = _FORMS[question]
    is_bare = len(names) == 1 and question != "forecast"
    labelled = amounts if is_bare else ", ".join(f"{name}{joint}{amounts}" for name in names)
    return fill(template, {"amounts": labelled}, f"prompts/{variant}.txt")


def known_prompts() -> list[str]:
    """Return the tasks that have a prompt of their own, sorted."""
    folder = resources.files("bagen_data") / "prompts"
    names = [file.name for file in folder.iterdir() if file.name.endswith(".txt")]
    return sorted({name.removesuffix(".txt") for name in names} - {*VARIANTS, *_GENERAL})


def fill(template: str, fields: Mapping[str, str], where: str = "template") -> str:
    """Put each field in its place; values are inserted as they are, braces and all.

    Braces that are text are doubled in a template: `{{` and `}}`.

    Raises:
        TemplateError: the template names a field that is not given, or does not use one that is.

    >>> fill("{used} of {budget}", {"used": "1", "budget": "{2}"})
    '1 of {2}'
    >>> fill("{used}", {"used": "1", "budget": "2"})
    Traceback (most recent call last):
    bagen_data.errors.TemplateError: template leaves out {budget}; it must use {budget} {used}
    """
    try:
        parts, named = _parts(template)
    except TemplateError as error:
        raise TemplateError(f"{where} {error}") from error
    if named != fields.keys():
        unknown, unused = sorted(named - fields.keys()), sorted(fields.keys() - named)
        problem = f"names {_braced(unknown)}" if unknown else f"leaves out {_braced(unused)}"
        raise TemplateError(f"{where} {problem}; it must use {_braced(sorted(fields))}")
    return "".join(literal if name is None else literal + fields[name] for literal, name in parts)


def fill_some(
    templates: Sequence[str], fields: Mapping[str, str], where: str = "template"
) -> list[str]:
    """Put some fields in their places, in several templates; the others stay fields.

    Raises:
        TemplateError: no template uses a field that is given.

    >>> fill_some(["{used} of {budget} {{x}}"], {"budget": "{2}"})
    ['{used} of {{2}} {{x}}']
    """
    parsed = [_parts(template)[0] for template in templates]
    unused = fields.keys() - {name for parts in parsed for _, name in parts}
    if unused:
        raise TemplateError(f"{where} leaves out {_braced(sorted(unused))}")
    return ["".join(_with_fields(parts, fields)) for parts in parsed]


def _with_fields(
    parts: Iterable[tuple[str, str | None]], fields: Mapping[str, str]
) -> Iterator[str]:
    for literal, name in parts:
        yield _doubled(literal)
        if name is not None:
            yield _doubled(fields[name]) if name in fields else f"{{{name}}}"


def _doubled(text: str) -> str:
    """Return a text whose braces are text in a template."""
    return text.replace("{", "{{").replace("}", "}}")


@lru_cache
def _parts(template: str) -> tuple[tuple[tuple[str, str | None], ...], frozenset[str]]:
    """(literal, field after it) pairs, and the names of all fields."""
    try:
        parsed = list(string.Formatter().parse(template))
    except ValueError as error:
        raise TemplateError(
            f"has unbalanced braces: {error}; double those that are text"
        ) from error
    if any(conversion or layout for _, _, layout, conversion in parsed):
        raise TemplateError("formats a field; expected plain {name} fields, other braces doubled")
    parts = tuple((literal, name) for literal, name, _, _ in parsed)
    return parts, frozenset(name for _, name in parts if name is not None)


def _braced(names: Iterable[str]) -> str:
    return " ".join(f"{{{name}}}" for name in names)


def _read(name: str) -> str:
    return (resources.files("bagen_data") / "prompts" / f"{name}.txt").read_text("utf-8")


def _history(turns: tuple[Turn, ...]) -> str:
    """Return a line for each turn, in one expression, as these are most of a build's strings."""
    usages = [turn.usage for turn in turns]
    if usages[0].keys() == _TOKEN_KEYS and not turns[0].state:
        return "\n".join(
            [
                f"turn {number}: input {usage['input_tokens']}, "
                f"output {usage['output_tokens']}, total {usage['tokens']}"
                for number, usage in enumerate(usages, 1)
            ]
        )
    return "\n".join(f"turn {number}: {_spent(turn)}" for number, turn in enumerate(turns, 1))


def _spent(turn: Turn) -> str:
    """Return the amounts of a turn, tokens first as in a task of tokens alone."""
    amounts = {**turn.usage, **turn.state}
    tokens = (
        {}
        if "input_tokens" not in amounts
        else {
            "input": amounts.pop("input_tokens"),
            "output": amounts.pop("output_tokens"),
            "total": amounts.pop("tokens"),
        }
    )
    return ", ".join(f"{name} {plain(value)}" for name, value in {**tokens, **amounts}.items())


def _opening(used: Amounts) -> str:
    if "tokens" in used:
        return f"turn 1, not answered yet: input {plain(used['tokens'])}"
    return "nothing yet"


def _amounts(amounts: Amounts) -> str:
    if len(amounts) == 1:
        return plain(next(iter(amounts.values())))
    return "\n".join(f"{name}: {plain(value)}" for name, value in amounts.items())
