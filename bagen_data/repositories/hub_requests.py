"""Requests to the Hub, made again where it does not answer, and errors that say what to do."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from json import JSONDecodeError
from typing import Any, TypeVar

from bagen_data.errors import InputError, StoreError

TRIES = 6
"""Times that a request is made before the Hub is said not to answer."""
_FIRST_PAUSE = 0.25
"""Seconds before the second try; each later pause is twice as long."""
_PATIENCE = 60.0
"""Seconds that a request waits for the next byte; the client itself would wait for ever."""
_PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses of a server that may answer later."""
_TRANSPORT = ("httpx", "requests", "urllib3")
"""Packages whose errors are of connections, whichever of them huggingface_hub uses."""

_Answer = TypeVar("_Answer")


def ask(request: Callable[[], _Answer], repository: str) -> _Answer:
    """Return the answer to a request, which is made again where the Hub fails for a while.

    Args:
        request: a call of huggingface_hub that does no harm when it is made again.
        repository: the id that messages name.

    Raises:
        HfHubHTTPError: the Hub answers 404, 409 or 412, or another status with a meaning of its
            own for the caller.
        InputError: the Hub refuses the token, or asks for one.
        StoreError: the Hub does not answer, however often it is asked.
    """
    pause = _FIRST_PAUSE
    for _ in range(TRIES - 1):
        try:
            with _patience():
                return request()
        except Exception as error:  # which class a client of the network raises changes with it
            if not _is_passing(error):
                raise _named(error, repository) from error
        time.sleep(pause)
        pause *= 2
    try:
        with _patience():
            return request()
    except Exception as error:  # as above
        raise _named(error, repository) from error


@contextmanager
def _patience() -> Iterator[None]:
    """Give the requests of the block a timeout, those that have none; the client has no option."""
    from huggingface_hub.utils import get_session

    client = get_session()

    def limited(sent: Any) -> None:
        limits = sent.extensions.get("timeout", {})
        sent.extensions["timeout"] = {
            name: _PATIENCE if limits.get(name) is None else limits[name]
            for name in ("connect", "read", "write", "pool")
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
    is_of_transport = type(error).__module__.partition(".")[0].startswith(_TRANSPORT)
    return is_of_transport or isinstance(error, ConnectionError | TimeoutError)


def _named(error: Exception, repository: str) -> Exception:
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
    elif isinstance(error, LocalEntryNotFoundError) or _is_passing(error):
        reason = type(error).__name__ if status is None else f"status {status}"
        named = StoreError(
            f"{repository}: the Hub does not answer after {TRIES} tries ({reason}); run again later"
        )
    return named
