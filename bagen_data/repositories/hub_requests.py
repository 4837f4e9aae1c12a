"""Requests to the Hub, made again where it does not answer, and errors that say what to do."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any, TypeVar

from bagen_data.errors import InputError, StoreError
from bagen_data.published import HUB_PAGE

TRIES = 6
"""Times that a request is made before the Hub is said not to answer."""
_FIRST_PAUSE = 0.25
"""Seconds before the second try; each later pause is twice as long."""
_PATIENCE = 60.0
"""Seconds that a request waits for the next byte; the client itself would wait for ever."""
_CONNECTING = 10.0
"""Seconds that a connection may take."""
_READING = 20.0
"""Seconds that a request which only reads waits for the next byte, and seconds after which it is
not made again if nobody answered."""
_READS = ("GET", "HEAD")
"""Methods of requests that only read."""
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses of a server that may answer later."""
_TRANSPORT = ("httpx", "requests", "urllib3")
"""Packages whose errors are of connections, whichever of them huggingface_hub uses."""
_MOST_OF_A_REASON = 200
"""Characters of the client's own words that a message has."""

_Answer = TypeVar("_Answer")
_reached: set[str] = set()
"""Endpoints that have answered a request of this process."""


def ask(request: Callable[[], _Answer], repository: str, most_tries: int = TRIES) -> _Answer:
    """Return the answer to a request, which is made again where the Hub fails for a while.

    Args:
        request: a call of huggingface_hub that does no harm when it is made again.
        repository: the id that messages name.
        most_tries: times that the request is made before the Hub is said not to answer.

    Raises:
        HfHubHTTPError: the Hub answers 404, 409 or 412, or another status with a meaning of its
            own for the caller.
        InputError: the Hub refuses the token, or asks for one; or HF_ENDPOINT is not an address.
        StoreError: the Hub does not answer, however often it is asked.
    """
    pause = _FIRST_PAUSE
    begin = time.monotonic()
    for tries in range(1, most_tries + 1):
        try:
            with _patience():
                answer = request()
        except Exception as error:  # which class a client of the network raises changes with it
            is_late = _is_unanswered_reading(error) and time.monotonic() - begin >= _READING
            if tries == most_tries or is_late or not _is_passing(error):
                raise _named(error, repository, tries) from error
        else:
            _reached.add(_endpoint())
            return answer
        time.sleep(pause)
        pause *= 2
    raise AssertionError("the last try returns or raises")


def has_answered() -> bool:
    """Return whether the Hub has answered a request of this process."""
    return _endpoint() in _reached


def _endpoint() -> str:
    """Return the address of the Hub: HF_ENDPOINT, or its usual one."""
    from huggingface_hub import constants

    return str(constants.ENDPOINT)


@contextmanager
def _patience() -> Iterator[None]:
    """Give the requests of the block a timeout, those that have none; the client has no option."""
    from huggingface_hub.utils import get_session

    client = get_session()

    def limited(sent: Any) -> None:
        limits = sent.extensions.get("timeout", {})
        reading = min(_READING, _PATIENCE) if sent.method in _READS else _PATIENCE
        usual = {
            "connect": min(_CONNECTING, _PATIENCE),
            "read": reading,
            "write": _PATIENCE,
            "pool": _PATIENCE,
        }
        sent.extensions["timeout"] = {
            name: seconds if limits.get(name) is None else limits[name]
            for name, seconds in usual.items()
        }

    before = client.event_hooks
    client.event_hooks = {**before, "request": [*before["request"], limited]}
    try:
        yield
    finally:
        kept = [hook for hook in client.event_hooks["request"] if hook is not limited]
        client.event_hooks = {**client.event_hooks, "request": kept}


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status of an error; None for one that is not an answer of the Hub."""
    status = getattr(getattr(error, "response", None), "status_code", None)
    return status if isinstance(status, int) else None


def _is_passing(error: Exception) -> bool:
    """Return whether the same request may be answered later."""
    from huggingface_hub.errors import LocalEntryNotFoundError, OfflineModeIsEnabled

    if isinstance(error, OfflineModeIsEnabled):
        return False
    if isinstance(error, LocalEntryNotFoundError):  # a download's way to say that nobody answered
        return not isinstance(error.__cause__, OfflineModeIsEnabled)
    status = status_of(error)
    if status is not None:
        return status in _PASSING
    if isinstance(error, JSONDecodeError):  # the page of a gateway, where the client reads JSON
        return True
    if _is_without_scheme(error):
        return False
    return _is_of_transport(error) or isinstance(error, ConnectionError | TimeoutError)


def _is_of_transport(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0].startswith(_TRANSPORT)


def _is_without_scheme(error: BaseException) -> bool:
    """Return whether an address does not begin with https:// or http://."""
    return _is_of_transport(error) and type(error).__name__ == "UnsupportedProtocol"


def _is_unanswered_reading(error: Exception) -> bool:
    """Return whether nobody answered a request that only reads."""
    from huggingface_hub.errors import LocalEntryNotFoundError

    if status_of(error) is not None:
        return False
    if isinstance(error, LocalEntryNotFoundError):  # of a download
        return True
    try:
        method = getattr(getattr(error, "request", None), "method", None)
    except RuntimeError:  # the client's errors say so where they are of no request
        return False
    return _is_of_transport(error) and method in _READS


def _reason(error: Exception) -> str:
    """Return the reason why a request was not answered, and the address if it is not the usual one.

    A download's error is the client's own about something else; its cause is the reason.
    """
    from huggingface_hub.errors import LocalEntryNotFoundError

    if isinstance(error, LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    status = status_of(error)
    if status is not None:
        return f"status {status}"
    endpoint = _endpoint()
    where = "" if endpoint == HUB_PAGE else f" at {endpoint}"
    if isinstance(error, JSONDecodeError):
        return f"a page that is not JSON{where}"
    text = " ".join(str(error).split())[:_MOST_OF_A_REASON]
    return f"{type(error).__name__}{where}{': ' if text else ''}{text}"


def _named(error: Exception, repository: str, tries: int) -> Exception:
    """Return an error that says what to do; the same one where it means something to a caller."""
    from huggingface_hub.errors import (
        GatedRepoError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
    )

    status = status_of(error)
    named = error
    if isinstance(error, GatedRepoError):
        named = InputError(
            f"{repository}: is gated on the Hub; ask for access on its page, and log in with 'hf "
            "auth login' or set HF_TOKEN"
        )
    elif isinstance(error, OfflineModeIsEnabled) or isinstance(
        error.__cause__, OfflineModeIsEnabled
    ):
        named = StoreError(
            f"{repository}: HF_HUB_OFFLINE is set, so the Hub is not asked; unset it, or give a "
            "folder"
        )
    elif status in {401, 403} and not isinstance(error, RepositoryNotFoundError):
        named = InputError(
            f"{repository}: the Hub refuses this with status {status}; log in with 'hf auth "
            "login', or set HF_TOKEN to a token that may do it"
        )
    elif _is_without_scheme(error) or _is_without_scheme(error.__cause__ or error):
        named = InputError(
            f"{repository}: HF_ENDPOINT is {_endpoint()!r}, which is not an address; expected one "
            f"that begins with https:// or http://, such as {HUB_PAGE}"
        )
    elif isinstance(error, LocalEntryNotFoundError) or _is_passing(error):
        reason = _reason(error)
        to_do = "run again later"
        if not reason.startswith("status"):
            to_do = "check the network, the proxy (HTTPS_PROXY) and HF_ENDPOINT, or run again later"
        named = StoreError(
            f"{repository}: the Hub does not answer after {tries} "
            f"{'try' if tries == 1 else 'tries'} ({reason}); {to_do}"
        )
    return named
