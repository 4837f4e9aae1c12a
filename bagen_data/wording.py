"""Words that messages are made of."""

from collections.abc import Mapping
from typing import Any

from bagen_data.published import CODE_PAGE


def numbered(number: int, thing: str) -> str:
    """How many there are of a thing, in groups of three digits.

    >>> numbered(1, "file"), numbered(0, "file"), numbered(1234, "file")
    ('1 file', '0 files', '1,234 files')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def in_a_clone(command: str) -> str:
    """Return a command that this package does not hold, and where it runs.

    >>> in_a_clone("python -m builders build")
    "'python -m builders build', which runs in a clone of https://github.com/mll-lab-nu/BAGEN"
    """
    return f"{command!r}, which runs in a clone of {CODE_PAGE}"


def differences(begun: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """How what a run was begun with differs from what it is given now; empty if it does not.

    >>> differences({"seed": 0, "model": "a"}, {"seed": 1, "model": "a"})
    'seed 0, not 1'
    >>> differences({"shard": "0/2"}, {})
    "shard '0/2', not without"
    """
    return ", and ".join(
        f"{_stated(name, begun.get(name))}, not {_value(now.get(name))}"
        for name in sorted(begun.keys() | now.keys())
        if begun.get(name) != now.get(name)
    )


def _stated(name: str, value: Any) -> str:
    return f"no {name}" if value is None else f"{name} {value!r}"


def _value(value: Any) -> str:
    return "without" if value is None else repr(value)
