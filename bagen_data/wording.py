"""Words that messages are made of."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bagen_data.published import CODE_PAGE


def numbered(number: int, thing: str) -> str:
    """Return a number and the name of a thing, in groups of three digits.

    >>> numbered(1, "file"), numbered(0, "file"), numbered(1234, "file")
    ('1 file', '0 files', '1,234 files')
    """
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def one_of(names: Sequence[str], shown: int) -> str:
    """Return names to choose from, the first few of many.

    >>> one_of(["a"], 2), one_of(["a", "b"], 2), one_of(["a", "b", "c"], 2), one_of([], 2)
    ('a', 'one of a, b', 'one of a, b, ...', 'none')
    """
    if len(names) < 2:
        return names[0] if names else "none"
    return f"one of {', '.join(names[:shown])}{', ...' if len(names) > shown else ''}"


def in_a_clone(command: str) -> str:
    """Return a command that this package does not hold, and where it runs.

    >>> in_a_clone("python -m builders build")
    "'python -m builders build', which runs in a clone of https://github.com/mll-lab-nu/BAGEN"
    """
    return f"{command!r}, which runs in a clone of {CODE_PAGE}"


def differences(begun: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return the differences of a run's first settings and its present ones; empty without any.

    A setting that has settings of its own is named by the one that differs, amounts as options
    have them.

    >>> differences({"seed": 0, "model": "a"}, {"seed": 1, "model": "a"})
    'seed 0, not 1'
    >>> differences({"shard": "0/2"}, {})
    "shard '0/2', not without"
    >>> limits = {"tokens": 2500, "search": 20}
    >>> differences({"budget": {"limits": limits}}, {"budget": {"limits": {"tokens": 9}}})
    'budget limits tokens=2500,search=20, not tokens=9'
    """
    return ", and ".join(_differences("", begun, now))


def _differences(place: str, begun: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for key in sorted(begun.keys() | now.keys()):
        name, before, after = f"{place}{key}", begun.get(key), now.get(key)
        if before == after:
            continue
        if not isinstance(before, Mapping) or not isinstance(after, Mapping):
            yield f"{_stated(name, before)}, not {_value(after)}"
        elif _are_amounts(before) and _are_amounts(after):
            yield f"{name} {_value(before)}, not {_value(after)}"
        else:
            yield from _differences(f"{name} ", before, after)


def _are_amounts(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(each, int | float) and not isinstance(each, bool) for each in value.values()
    )


def _stated(name: str, value: Any) -> str:
    return f"no {name}" if value is None else f"{name} {_value(value)}"


def _value(value: Any) -> str:
    """Return a value as messages have it.

    >>> _value({"limits": {"tokens": 2500, "search": 20}, "status block": False})
    '(limits tokens=2500,search=20; status block False)'
    """
    if value is None:
        return "without"
    if not isinstance(value, Mapping):
        return repr(value)
    if not value:
        return "none"
    if _are_amounts(value):
        return ",".join(f"{name}={amount}" for name, amount in value.items())
    return f"({'; '.join(f'{name} {_value(each)}' for name, each in value.items())})"
