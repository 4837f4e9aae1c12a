"""The outcome of a rollout: its log states it, a rule about its scores does, or a label does.

    --success 'reward>=0.5'                       a number, compared
    --success 'status=passed'                     a text or number, compared for equality
    --success resolved                            a truth value

A rollout that nothing judges is refused; it is not a failure. The module `labels` reads labels.
"""

import json
import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bagen_data.errors import NotJudgedError, RolloutError, StoppedError, WrongUsageError
from bagen_data.logs import log_fields
from bagen_data.logs.rollout_log import Log
from bagen_data.reading.labels import LABELS, FamilyLabels, Label

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
    """A rule by which a field of a log's scores says whether the rollout succeeded."""

    text: str
    """The rule as it was given."""
    name: str
    """The name of the field."""
    sign: str
    """The sign of the comparison; empty where the field is a truth value."""
    value: float | bool | str
    """The value that the field is compared with; True where there is no sign."""

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


@dataclass(frozen=True)
class Judgement:
    """The outcome of a rollout, and its instance where a label names one."""

    success: bool
    instance_id: str = ""
    """The instance that a label names; empty where none does."""


Judge = Callable[[Log, str, str], Judgement]
"""A map from a log, its rollout id and its content's hash to an outcome; raises RolloutError."""


def own_outcome(log: Log, _rollout_id: str = "", _content: str = "") -> Judgement:
    """Return the outcome that a log states itself.

    Raises:
        RolloutError: it states none, or its last turn says something else.
    """
    return judgement(log, OutcomeRules(), None, "")


@dataclass(frozen=True)
class OutcomeRules:
    """Rules that decide the outcomes of a family's rollouts, beside their logs."""

    rule: SuccessRule | None = None
    labels: FamilyLabels = field(default_factory=FamilyLabels)


def judgement(log: Log, rules: OutcomeRules, label: Label | None, place: str) -> Judgement:
    """Return the outcome of a rollout.

    Args:
        log: its log.
        rules: what decides the outcomes of its family.
        label: the label that names the rollout; None where none does.
        place: its place, for messages.

    Raises:
        NotJudgedError: nothing judges it.
        StoppedError: it was stopped, and no label judges it.
        RolloutError: the label contradicts the log's outcome or instance, or the rule, or a line
            that cannot be used may be its label.
    """
    if label is not None:
        _refuse_other_instance(label, log)
    if log.stopped and label is None:
        raise StoppedError(log.unjudged)
    rule = rules.rule
    stated = _stated(log) if rule is None else rule.of(log.scores)
    if label is None and rules.labels.unread:
        raise RolloutError(
            f"has no label that can be used, and line {rules.labels.unread[0]} of {LABELS}, which "
            "cannot be, may be its label; correct the line"
        )
    if label is None:
        if stated is None:
            raise NotJudgedError(_not_judged(log, rule, place))
        return Judgement(stated)
    if stated is None and rule is None and log.turns:
        stated = log.turns[-1].success
    if stated not in (None, label.success):
        by = "its log states" if rule is None else f"--success {rule.text} gives"
        raise RolloutError(
            f"is labelled {_word(label.success)} on line {label.line} of {LABELS}, and {by} "
            f"{_word(bool(stated))}; expected the same; correct one of the two"
        )
    return Judgement(label.success, label.instance)


def _refuse_other_instance(label: Label, log: Log) -> None:
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
            f"numbers are: {_names(log.scores) or 'none'}; correct --success, or {label}"
        )
    if log.unjudged:
        return f"{log.unjudged}; or {label}"
    field_rule = ""
    if numbers := _names(log.scores):
        field_rule = (
            " name a field that decides it with --success, such as 'reward>=0.5' (its numbers "
            f"are: {numbers}),"
        )
    return (
        f"is not judged: the log states no outcome; {label},{field_rule} or let the log state one "
        "(rollout_success, success or metadata.success, true or false)"
    )


def _names(scores: Mapping[str, Any]) -> str:
    """Return the names of the numbers and truth values among scores, for messages; may be empty."""
    names = sorted(name for name, value in scores.items() if not isinstance(value, str))
    more = ["..."] if len(names) > _SHOWN else []
    return ", ".join([*names[:_SHOWN], *more])


def _word(value: bool) -> str:
    return str(value).lower()
