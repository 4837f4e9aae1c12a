"""The check that a model writes of its own answer."""

import re
from dataclasses import dataclass
from typing import Literal, cast, get_args

from collect.searchr1.bats.malformed import MalformedError
from collect.searchr1.tagged_text import last_tagged

Verdict = Literal["SUCCESS", "CONTINUE", "PIVOT"]
"""Verdict on a proposed answer, with which the attempt ends or goes on.

SUCCESS: the answer is kept and the attempt over; CONTINUE: the line of search goes on; PIVOT:
another line of search is followed.
"""
Finding = Literal["satisfied", "contradicted", "unverified"]

_VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_CHECK = re.compile(r"\[(satisfied|contradicted|unverified)\] +(\S.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Check:
    """A constraint of the question."""

    finding: Finding
    constraint: str

    def __str__(self) -> str:
        return f"[{self.finding}] {self.constraint}"


@dataclass(frozen=True)
class Verification:
    """The check of a proposed answer."""

    verdict: Verdict
    checks: tuple[Check, ...] = ()
    """Checks of the constraints; empty where they could not be read."""
    summary: str = ""
    """Summary that replaces the history after CONTINUE and PIVOT; empty where none was given."""
    problem: str = ""
    """Reason why the response could not be read, so that the verdict is CONTINUE; else empty."""

    def count(self, finding: Finding) -> int:
        """Return the number of constraints with a finding."""
        return sum(check.finding == finding for check in self.checks)


def read_verification(response: str) -> Verification:
    """Read the checks, the verdict and the summary of a response.

    A response that cannot be read, or contradicts itself, counts as CONTINUE.

    >>> read_verification("<checks>[satisfied] a mill</checks><verdict>success</verdict>").verdict
    'SUCCESS'
    >>> read_verification("It is right.")
    Verification(verdict='CONTINUE', checks=(), summary='', problem='has no <checks>...</checks>')
    """
    summary = last_tagged(response, "summary") or ""
    try:
        checks = _checks(response)
        verdict = _verdict(response)
        if verdict == "SUCCESS":
            _refuse_unproven(checks)
    except MalformedError as error:
        return Verification("CONTINUE", (), summary, str(error))
    return Verification(verdict, checks, summary)


def _checks(response: str) -> tuple[Check, ...]:
    text = last_tagged(response, "checks")
    if text is None:
        raise MalformedError("has no <checks>...</checks>")
    checks = tuple(_check(line.strip()) for line in text.splitlines() if line.strip())
    if not checks:
        raise MalformedError("checks no constraint")
    return checks


def _check(line: str) -> Check:
    match = _CHECK.fullmatch(line)
    if match is None:
        shown = line if len(line) <= 60 else f"{line[:57]}..."
        raise MalformedError(f"has '{shown}' among its checks")
    return Check(cast("Finding", match[1].lower()), match[2])


def _verdict(response: str) -> Verdict:
    text = last_tagged(response, "verdict")
    if text is None:
        raise MalformedError("has no <verdict>...</verdict>")
    verdict = next((name for name in _VERDICTS if name == text.upper()), None)
    if verdict is None:
        raise MalformedError(f"has the verdict '{text[:60]}'")
    return verdict


def _refuse_unproven(checks: tuple[Check, ...]) -> None:
    open_check = next((check for check in checks if check.finding != "satisfied"), None)
    if open_check is not None:
        raise MalformedError(f"says SUCCESS although a constraint is {open_check.finding}")
