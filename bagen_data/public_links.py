"""Links that strangers give and pages show: a public address, and no other one than it seems."""

import ipaddress
import re

PATTERN = r"^[Hh][Tt][Tt][Pp][Ss]?://[^\s/\\?#@]+([/?#][^\s\\]*)?$"
"""The form of a link: nothing before the host, and no backslash or space, which browsers mend."""

_FORM = re.compile(PATTERN.removesuffix("$") + r"\Z")
_OURS = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "private",
    "corp",
    "home",
    "lan",
    "home.arpa",
    "test",
    "invalid",
)
"""Ends of host names that no public name has."""


def check_form(link: str) -> str:
    """Return a link that is written in full, before a parser mends it.

    Raises:
        ValueError: the link has another scheme, a user's name before the host, or a character
            that a browser leaves out or replaces.

    >>> check_form("https://example.org@evil.example/")
    Traceback (most recent call last):
    ValueError: expected http:// or https:// and a host with no user's name, space or backslash
    """
    if not _FORM.match(link) or not link.isprintable():
        raise ValueError(
            "expected http:// or https:// and a host with no user's name, space or backslash"
        )
    return link


def check_host(host: str | None) -> None:
    """Refuse a host that only this machine or its network knows.

    Args:
        host: host as a URL parser gives it, in ASCII.

    Raises:
        ValueError: the host is missing, has no dot, or is a private address or name.

    >>> check_host("127.0.0.1")
    Traceback (most recent call last):
    ValueError: expected a public host
    """
    name = (host or "").strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        is_public = "." in name and not any(f".{name}".endswith(f".{end}") for end in _OURS)
    else:
        inner = getattr(address, "ipv4_mapped", None) or _translated(address) or address
        is_public = inner.is_global and not inner.is_multicast
    if not is_public:
        raise ValueError("expected a public host")


def _translated(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> ipaddress.IPv4Address | None:
    """Return the IPv4 address that an address of RFC 6052's well-known prefix stands for."""
    is_translated = address in ipaddress.ip_network("64:ff9b::/96")
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if is_translated else None
