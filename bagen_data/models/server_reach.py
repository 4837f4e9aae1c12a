"""Check in seconds, instead of by retries, that a server can be reached."""

import socket
from collections.abc import Sequence
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from bagen_data.errors import InputError

_SECONDS = 10.0
"""The longest wait for a connection."""


def check_any_reachable(addresses: Sequence[str]) -> None:
    """Check that one of several servers takes connections.

    A server behind a proxy is not checked: only the proxy can tell.

    Args:
        addresses: URLs; may be empty.

    Raises:
        InputError: no server takes connections; the message has the reason of the first one.
    """
    reasons = []
    for address in addresses:
        reason = _unreachable(address)
        if reason is None:
            return
        reasons.append(reason)
    if reasons:
        more = "" if len(addresses) == 1 else f", nor does any of {len(addresses) - 1} more"
        raise InputError(
            f"{addresses[0]}: no server answers there ({reasons[0]}){more}; start it, or correct "
            "--base-url"
        )


def _unreachable(address: str) -> str | None:
    """Return why a connection cannot be made; None if it can, or only a proxy knows."""
    url = urlsplit(address)
    host = url.hostname or ""
    if url.scheme in getproxies() and not proxy_bypass(host):
        return None
    port = url.port or (443 if url.scheme == "https" else 80)
    try:
        socket.create_connection((host, port), timeout=_SECONDS).close()
    except OSError as error:
        return str(error.strerror or error).lower()
    return None
