"""From a probe to the messages an estimator is asked with.

One system message, the prefix as alternating user and assistant messages, and the question as the
last user message: all probes of a rollout share their beginning, so prompt caches reuse it. At
k = 0 the first user message opens the question, so that roles still alternate.

A task's prompt is one text file, `prompts/<task>.txt`, in two parts, `=== system ===` and
`=== probe ===`; `prompts/think.txt` and `prompts/no_think.txt` end the probe with the allowed
output forms. A template names its fields in braces and must use exactly these:

    system                {agent_system}
    probe                 {completed_turns} {history} {used} {budget} {answer_forms}, and one
                          field for each state and condition of the task, such as {cash_usd}
    think, no_think       {intervals}
"""

import hashlib
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import resources

from bagen_data.errors import TemplateError
from bagen_data.number_texts import plain
from bagen_data.prompt_variants import VARIANTS, Variant
from bagen_data.schema import Amounts, Message, Probe, Turn

_SYSTEM_HEADER = "=== system ===\n"
_PROBE_HEADER = "=== probe ===\n"
_NO_SYSTEM = "(none)"
_GENERAL = ("general", "general_several")
"""Prompts of tasks without one of their own; `general_prompt.py` fills in their words."""
_TOKEN_KEYS = {"input_tokens", "output_tokens", "tokens"}


@dataclass(frozen=True)
class Prompt:
    """One task's templates in one variant, before any field is filled in."""

    task: str
    variant: Variant
    system_template: str
    probe_template: str
    answer_template: str

    @cached_property
    def sha256(self) -> str:
        """Of the three templates as they are before any field is filled in."""
        parts = (self.system_template, self.probe_template, self.answer_template)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def system(self, agent_system: str) -> str:
        """The system message; it is the same for every probe of a rollout."""
        fields = {"agent_system": agent_system or _NO_SYSTEM}
        return fill(self.system_template, fields, f"prompts/{self.task}.txt, system part,")

    def question(self, probe: Probe) -> str:
        """The last user message."""
        limits = probe.budget.limits
        fields = {
            "completed_turns": str(len(probe.turns)),
            "history": _history(probe.turns) if probe.turns else _opening(probe.used),
            "used": _amounts(probe.used),
            "budget": _amounts(limits),
            "answer_forms": _answer_forms(self.answer_template, tuple(limits)),
        }
        for name, value in (*probe.state.items(), *probe.budget.conditions.items()):
            fields[name] = plain(value)
        question = fill(self.probe_template, fields, f"prompts/{self.task}.txt, probe part,")
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


@lru_cache
def load_prompt(task: str, variant: Variant) -> Prompt:
    """Read a task's templates.

    Raises:
        TemplateError: there is no such task or variant, or the file lacks one of its two parts.

    >>> load_prompt("sokoban", "think").system("")[:7]
    'You are'
    """
    if task not in known_prompts():
        raise _unknown_prompt(task, known_prompts())
    return read_templates(task, variant)


def read_templates(name: str, variant: Variant) -> Prompt:
    """Read a file of `prompts/`, a task's or one of the general ones.

    Raises:
        TemplateError: the file lacks one of its two parts, or the variant is unknown.
    """
    text = (resources.files("bagen_data") / "prompts" / f"{name}.txt").read_text("utf-8")
    answer = _read(variant, VARIANTS)
    system, header, probe = text.partition(_PROBE_HEADER)
    if not header or not system.startswith(_SYSTEM_HEADER):
        raise TemplateError(
            f"prompts/{name}.txt: expected '{_SYSTEM_HEADER.strip()}' on its first line and "
            f"'{_PROBE_HEADER.strip()}' on a later one"
        )
    system = system.removeprefix(_SYSTEM_HEADER)
    return Prompt(name, variant, system.strip(), probe.strip(), answer.strip())


def in_variant(question: str, resources: Iterable[str], variant: Variant) -> str:
    """The same question, ending with the output forms of this variant.

    Args:
        question: the last message of a prompt, in either variant.
        resources: what an answer names, in the order of the sample's.
        variant: the one that is wanted.

    Raises:
        TemplateError: the question ends with the forms of neither variant.
    """
    names = tuple(resources)
    forms = {each: _answer_forms(_read(each, VARIANTS).strip(), names) for each in VARIANTS}
    for form in forms.values():
        if question.endswith(form):
            return question.removesuffix(form) + forms[variant]
    raise TemplateError(
        f"a prompt ends with {question[-80:]!r}; expected the output forms of "
        f"{' or '.join(VARIANTS)}; build the dataset with --prompt {variant}"
    )


def known_prompts() -> list[str]:
    """The tasks that have a prompt of their own, sorted."""
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


def _read(name: str, known: Iterable[str]) -> str:
    if name not in known:
        raise _unknown_prompt(name, known)
    return (resources.files("bagen_data") / "prompts" / f"{name}.txt").read_text("utf-8")


def _unknown_prompt(name: str, known: Iterable[str]) -> TemplateError:
    return TemplateError(f"no prompt named '{name}'; known: {', '.join(known)}")


@lru_cache
def _answer_forms(template: str, names: tuple[str, ...]) -> str:
    interval = "[est_low, est_high]"
    labelled = interval if len(names) == 1 else ", ".join(f"{n}:{interval}" for n in names)
    return fill(template, {"intervals": labelled})


def _history(turns: tuple[Turn, ...]) -> str:
    """A line a turn; written in one expression, as most of a build's strings are these."""
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
    """Amounts of a turn, tokens first as in a task of tokens alone."""
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
