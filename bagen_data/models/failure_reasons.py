"""Failures of requests in ordinary words: what the server said, and what to do."""

import re
from collections.abc import Mapping

_STATUS = re.compile(r"(?:Error code: )(?P<status>\d{3})(?: - (?P<said>.*))?", re.DOTALL)
"""An error of a client of OpenAI's or Anthropic's, with the server's own words."""
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
    429: "the server is busy: wait, or give fewer --connections or more --retries",
}
"""The advice for a status, in words for the user."""


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
        status = int(failed["status"])
        said = f"{status}, {failed['said']}" if failed["said"] else f"the server answers {status}"
        return f"{said}; {_ADVICE[status]}" if status in _ADVICE else said
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
