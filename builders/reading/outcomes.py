"""Whether a rollout succeeded: its log says so, a rule about its scores does, or a label does.

    --success 'reward>=0.5'                       a number, compared
    --success 'status=passed'                     a text or number, compared for equality
    --success resolved                            a truth value

    labels.jsonl, in the family's folder, one object a line:
    {"rollout": "runs/17.jsonl", "success": true, "instance": "ticket-17"}

A label names a rollout by its id, by the source's own id, or by its place: the file's path relative
to the family's folder, with `:line` or `[index]` where the file holds several. A rollout that
nothing judges is refused; it is not a failure.
"""

import json
import math
import operator
import posixpath
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bagen_data.errors import InputError, NotJudgedError, RolloutError, WrongUsageError
from builders.logs import log_fields
from builders.logs.lines import Line
from builders.logs.rollout_log import Log
from builders.reading.family_files import LABELS

_RULE = re.compile(r"\s*(?P<name>[^<>=!]+?)\s*(?:(?P<sign>>=|<=|==|=|>|<)\s*(?P<value>\S.*?)\s*)?")
_SIGNS: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    ">": operator.gt,
    "<=": operator.le,
    "<": operator.lt,
    "==": operator.eq,
    "=": operator.eq,
}
_SHOWN = 12
"""Names of fields that a message lists."""


@dataclass(frozen=True)
class SuccessRule:
    """How a field of a log's scores says whether the rollout succeeded."""

    text: str
    """As it was given."""
    name: str
    """The field's name."""
    sign: str
    """Empty where the field is a truth value."""
    value: float | bool | str
    """What the field is compared with; True where there is no sign."""

    def of(self, scores: Mapping[str, Any]) -> bool | None:
        """Return whether the scores say success; None where they do not have the field.

        Raises:
            RolloutError: the field cannot be compared.

        >>> success_rule("reward>=0.5").of({"reward": 0.5})
        True
        """
        stated = scores.get(self.name)
        if stated is None:
            return None
        if isinstance(self.value, bool):
            return log_fields.flag(stated, self.name) == self.value
        if isinstance(self.value, str):
            if not isinstance(stated, str):
                raise RolloutError(
                    f"{self.name} is {log_fields.brief(stated)}; expected a text, which --success "
                    f"{self.text} compares; compare a number, such as {self.name}>=1"
                )
            return stated == self.value
        is_nan = isinstance(stated, float) and math.isnan(stated)
        if is_nan or not isinstance(stated, int | float):
            raise RolloutError(
                f"{self.name} is {log_fields.brief(stated)}; expected a number, which --success "
                f"{self.text} compares"
            )
        return _SIGNS[self.sign](stated, self.value)


def success_rule(text: str) -> SuccessRule:
    """Return the rule of a `--success` value.

    Raises:
        WrongUsageError: the value has another form.

    >>> success_rule("resolved")
    SuccessRule(text='resolved', name='resolved', sign='', value=True)
    """
    match = _RULE.fullmatch(text)
    if match:
        sign, value = match["sign"] or "", _rule_value(match["value"])
        if isinstance(value, float) or sign in ("", "=", "=="):
            return SuccessRule(text.strip(), match["name"], sign, value)
    raise WrongUsageError(
        f"--success {text}: expected FIELD, FIELD>=NUMBER (or >, <=, <, =) or FIELD=TEXT, such as "
        "'reward>=0.5'"
    )


def _rule_value(text: str | None) -> float | bool | str:
    if text is None or text.lower() in ("true", "false"):
        return text is None or text.lower() == "true"
    try:
        number = float(text)
    except ValueError:
        return text
    return text if math.isnan(number) else number


@dataclass
class _Label:
    line: int
    rollout: str
    success: bool
    instance: str
    content: str = ""
    """Hash of the content of the rollout that it was used for; empty while it was not."""
    place: str = ""
    """Where that rollout stands."""


@dataclass(frozen=True)
class Judgement:
    """What is known of a rollout beside what happened in it."""

    success: bool
    instance_id: str = ""
    """The instance that a label names; empty where none does."""


Judge = Callable[[Log, str, str], Judgement]
"""From a log, its rollout id and a hash of its content to its outcome; raises RolloutError."""


def own_outcome(log: Log, _rollout_id: str = "", _content: str = "") -> Judgement:
    """Return the outcome that a log states itself.

    Raises:
        RolloutError: it states none, or its last turn says something else.
    """
    return Outcomes().judge(log, "", "")


@dataclass
class Outcomes:
    """Judges the rollouts of one family."""

    rule: SuccessRule | None = None
    family: str = ""
    """The name of the family's folder, for messages."""
    _labels: list[_Label] = field(default_factory=list)
    _by_name: dict[str, list[_Label]] = field(default_factory=dict)
    """Labels by what they call their rollout, as it is written and as a path without `./`."""
    _unusable: list[tuple[str, str]] = field(default_factory=list)
    _unread: list[int] = field(default_factory=list)
    """Lines of labels that cannot be used; each may be the label of any rollout without one."""
    _present: set[str] = field(default_factory=set)
    """Names of logs that were read, whatever became of them."""
    _first_place: dict[str, str] = field(default_factory=dict)
    """The place of each file's first log, by the file's path."""

    def read_labels(self, lines: Iterable[Line]) -> None:
        """Take the labels of `labels.jsonl`."""
        is_empty = True
        for line in lines:
            is_empty = False
            try:
                label = _label(line)
            except RolloutError as error:
                self._unusable.append((f"{LABELS}:{line.number}", str(error)))
                self._unread.append(line.number)
            else:
                self._labels.append(label)
                for name in {label.rollout, posixpath.normpath(label.rollout)}:
                    self._by_name.setdefault(name, []).append(label)
        if is_empty:
            self._unusable.append((LABELS, "is empty; expected one label a line, or remove it"))

    def judge(
        self, log: Log, rollout_id: str, content: str, places: Sequence[str] = ()
    ) -> Judgement:
        """Return the outcome of a rollout.

        Args:
            log: its log.
            rollout_id: its id.
            content: a hash of its content, the same for copies of it.
            places: names of its place: the path with its line or index, and the file's path.

        Raises:
            NotJudgedError: nothing judges it.
            RolloutError: two labels do, a label contradicts the log's outcome or instance, or the
                rule, or a line that cannot be used may be its label.
            InputError: its label was used for another rollout already.
        """
        place = places[0] if places else rollout_id
        label = self._label_of((*places, rollout_id, log.source_id))
        if label is not None:
            self._use(label, content, place)
            _refuse_other_instance(label, log)
        stated = _stated(log) if self.rule is None else self.rule.of(log.scores)
        if label is None and self._unread:
            raise RolloutError(
                f"has no label that can be used, and line {self._unread[0]} of {LABELS}, which "
                "cannot be, may be its label; correct the line"
            )
        if label is None:
            if stated is None:
                raise NotJudgedError(_not_judged(log, self.rule, place))
            return Judgement(stated)
        if stated is None and self.rule is None and log.turns:
            stated = log.turns[-1].success
        if stated not in (None, label.success):
            by = "its log states" if self.rule is None else f"--success {self.rule.text} gives"
            raise RolloutError(
                f"is labelled {_word(label.success)} on line {label.line} of {LABELS}, and {by} "
                f"{_word(bool(stated))}; expected the same; correct one of the two"
            )
        return Judgement(label.success, label.instance)

    def saw(self, place: str, path: str, source_id: str = "") -> None:
        """Remember that a log is there, usable or not.

        Args:
            place: its place, with its line or index.
            path: its file's path, which names the log if the file holds no other.
            source_id: the source's own id of it.

        Raises:
            InputError: a label names the file, and it holds another log.
        """
        self._present.update((place, path, source_id))
        first = self._first_place.setdefault(path, place)
        if first != place and path in self._by_name:
            raise self._ambiguous(self._by_name[path][0], first, place)

    def problems(self) -> list[tuple[str, str]]:
        """Return where and why labels could not be used, once every log was read."""
        missing = [
            (
                f"{LABELS}:{label.line}",
                f"labels {label.rollout!r}, and no rollout of the family has this id, source id or "
                "path; correct or remove the line",
            )
            for label in self._labels
            if not label.content
            and not {label.rollout, posixpath.normpath(label.rollout)} & self._present
        ]
        return self._unusable + missing

    def _label_of(self, names: Iterable[str]) -> _Label | None:
        """Return the label of a rollout.

        Raises:
            RolloutError: it has two.
        """
        known = dict.fromkeys(filter(None, names))
        self._present.update(known)
        labels = {label.line: label for name in known for label in self._by_name.get(name, ())}
        if len(labels) > 1:
            lines = " and ".join(map(str, sorted(labels)))
            raise RolloutError(f"is labelled on lines {lines} of {LABELS}; keep one of them")
        return next(iter(labels.values()), None)

    def _use(self, label: _Label, content: str, place: str) -> None:
        if label.content not in ("", content):
            raise self._ambiguous(label, label.place, place)
        label.content, label.place = content, place

    def _ambiguous(self, label: _Label, place: str, other_place: str) -> InputError:
        return InputError(
            f"{self.family}/{LABELS}:{label.line}: labels {label.rollout!r}, which names two "
            f"rollouts: {place} and {other_place}; name each so, or by its own id"
        )


def _label(line: Line) -> _Label:
    if line.error:
        raise RolloutError(line.error)
    record = log_fields.mapping(line.value, "it")
    rollout, instance = record.get("rollout"), record.get("instance")
    for name, value in (("rollout", rollout), ("instance", instance)):
        if not isinstance(value, str | int | None) or isinstance(value, bool):
            raise RolloutError(f"{name} is {log_fields.brief(value)}; expected a name")
    if rollout in (None, ""):
        raise RolloutError(
            'has no rollout; expected {"rollout": ID OR PATH, "success": true or false}'
        )
    success = log_fields.flag(record.get("success"), "success")
    return _Label(line.number, str(rollout), success, log_fields.identity(instance))


def _refuse_other_instance(label: _Label, log: Log) -> None:
    """Refuse a label that names another instance than the log itself.

    Raises:
        RolloutError: the message names both.
    """
    if label.instance and log.instance_id and label.instance != log.instance_id:
        raise RolloutError(
            f"is of instance {log_fields.brief(label.instance)} by line {label.line} of {LABELS}, "
            f"and of {log_fields.brief(log.instance_id)} by its log; expected the same; correct "
            "the line, or leave its instance out"
        )


def _stated(log: Log) -> bool | None:
    """Return the outcome that a log states; None where it states none.

    Raises:
        RolloutError: its last turn says something else.
    """
    last = log.turns[-1].success if log.turns else None
    if log.success is not None and last is not None and last != log.success:
        raise RolloutError(
            f"states {_word(log.success)} as its outcome and {_word(last)} as its last "
            "turn's success; expected the same"
        )
    return log.success


def _not_judged(log: Log, rule: SuccessRule | None, place: str) -> str:
    """Say what judges nothing here, and the ways to give an outcome."""
    line = json.dumps({"rollout": place, "success": True}, ensure_ascii=False)
    label = f"give a line of {LABELS} in the family's folder, such as {line}"
    if rule is not None:
        return (
            f"is not judged: its log has no {rule.name}, which --success {rule.text} names; its "
            f"numbers are: {_names(log.scores)}; correct --success, or {label}"
        )
    if log.unjudged:
        return f"{log.unjudged}; or {label}"
    return (
        f"is not judged: the log states no outcome; {label}, name a field that decides it with "
        f"--success, such as 'reward>=0.5' (its numbers are: {_names(log.scores)}), or let the log "
        "state one (rollout_success, success or metadata.success, true or false)"
    )


def _names(scores: Mapping[str, Any]) -> str:
    """Return the names of the numbers and truth values among scores, for messages."""
    names = sorted(name for name, value in scores.items() if not isinstance(value, str))
    more = ["..."] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more]) or "none"


def _word(value: bool) -> str:
    return str(value).lower()
