"""Failures of requests in ordinary words: what the server said, and what to do."""

import re
from collections.abc import Iterable, Mapping

_STATUS = re.compile(
    r"(?:\w+Error: )?"
    r"(?:Error code: (?P<status>\d{3})(?: - (?P<said>.*))?"  # of OpenAI's or Anthropic's client
    r"|(?P<google>[45]\d{2}) [A-Z][A-Za-z_ ]*\.(?: (?P<google_said>.*))?)",
    re.DOTALL,
)
"""An error of a client with the status and the server's own words."""
_UNREADABLE = re.compile(
    r"(?:TypeError|AttributeError|KeyError|IndexError|JSONDecodeError|(?:API)?ResponseValidationError"
    r"|ValidationError|UnboundLocalError)\b"
)
"""Errors of a client that expected another answer than it got."""
_UNREACHED = re.compile(r"Connection error|connection attempts failed|APIConnectionError")
_TIMED_OUT = re.compile(r"timed out|Timeout", re.IGNORECASE)
_NO_KEY = "check the key in the environment, and that the server takes it"
_ADVICE: Mapping[int, str] = {
    401: _NO_KEY,
    403: _NO_KEY,
    404: "check the model's name, and --base-url, which as a rule ends in /v1",
    402: "add credit to the account",
    429: "the server is busy: wait, or give fewer --connections or more --retries",
}
"""The advice for a status, in words for the user."""
_KEY = "the key in the environment"
_REFUSED = "what the server objects to"
_LASTING: Mapping[int, str] = {
    400: _REFUSED,
    401: _KEY,
    402: "the account's credit",
    403: _KEY,
    404: "the model's name or --base-url",
    405: _REFUSED,
    422: _REFUSED,
}
"""The thing to correct after a status that the same request would get again."""
_MEANT: Mapping[int, tuple[re.Pattern[str], int]] = {
    400: (re.compile(r"API.?key not valid|API_KEY_INVALID", re.IGNORECASE), 401),  # Google's
    429: (re.compile("insufficient_quota"), 402),  # OpenAI's for an account without credit
}
"""Words beside a status that mean another one.

"You exceeded your current quota" is no such word: Google's limits of a minute say it too.
"""


def failure_reason(message: str) -> str:
    """Return why a request failed: the server's words and what to do, or a client's words as ours.

    Args:
        message: the client's error, in one line.

    >>> failure_reason("Error code: 401 - no such key")
    '401, no such key; check the key in the environment, and that the server takes it'
    >>> failure_reason("the cable was cut")
    'the cable was cut'
    """
    failed = _STATUS.match(message)
    if failed:
        status, words = (
            failed["status"] or failed["google"],
            failed["said"] or failed["google_said"],
        )
        said = f"{status}, {words}" if words else f"the server answers {status}"
        advice = _ADVICE.get(_meant_status(message))
        return f"{said}; {advice}" if advice else said
    if _UNREADABLE.match(message):
        return (
            "the server's answer cannot be read; check that --base-url is the address of an "
            "OpenAI-compatible server"
        )
    if _UNREACHED.search(message):
        return "the server cannot be reached; check that it runs, and its address"
    if _TIMED_OUT.search(message):
        return "no answer in time; give a longer --timeout, or fewer --connections"
    return message


def refusal_reason(message: str) -> str:
    """Return why a rollout failed, in ordinary words where a server refused a request of it.

    >>> refusal_reason("NotFoundError: Error code: 404 - no such model").partition(";")[0]
    '404, no such model'
    >>> refusal_reason("TimeoutError: the tests")
    'TimeoutError: the tests'
    """
    return failure_reason(message) if to_correct(message) else message


def to_correct(message: str) -> str:
    """Return what must be corrected before the same request can succeed; empty where it may.

    Args:
        message: the client's error, in one line.

    >>> to_correct("Error code: 404 - no such model")
    "the model's name or --base-url"
    >>> to_correct("Error code: 503 - busy")
    ''
    """
    return _LASTING.get(_meant_status(message), "")


def correct_first(things: Iterable[str]) -> str:
    """Return the beginning of a sentence that ends with how to go on: what to correct before that.

    Args:
        things: what must be corrected, as `to_correct` says it; empty ones are left out.

    >>> correct_first(["the key in the environment", ""])
    'the same requests would fail again, so first correct the key in the environment; then '
    >>> correct_first([""])
    ''
    """
    named = sorted({*things} - {""})
    if not named:
        return ""
    return f"the same requests would fail again, so first correct {', and '.join(named)}; then "


def _meant_status(message: str) -> int:
    """Return the status of a failed request, or the one that its words mean; 0 without one."""
    failed = _STATUS.match(message)
    if not failed:
        return 0
    status = int(failed["status"] or failed["google"])
    words, meant = _MEANT.get(status, (None, 0))
    return meant if words and words.search(message) else status
