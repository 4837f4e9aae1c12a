"""Command functions whose parameters may be dataclasses of options.

Typer reads a command's options from its signature, one parameter an option, and has no groups of
them. Options that several commands share are the fields of a dataclass here, declared once.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Annotated, Any, get_origin, get_type_hints


def spread_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with each parameter that is a dataclass spread into its fields.

    A field is an option if its type is `Annotated[..., typer.Option(...)]`; a field that is a
    dataclass is spread too; other fields keep their default. Called with all options, the returned
    function makes the dataclasses and calls the command.

    >>> from dataclasses import dataclass
    >>> @dataclass
    ... class Size:
    ...     rows: Annotated[int, "Height of the board."] = 6
    ...     symbol: str = "."
    >>> @spread_options
    ... def draw(size: Size, symbol: str) -> None:
    ...     print(size.rows * symbol + size.symbol)
    >>> list(signature(draw).parameters)
    ['rows', 'symbol']
    >>> draw(rows=3, symbol="#")
    ###.
    """
    types = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in types.items() if is_dataclass(kind)}
    parameters: list[Parameter] = []
    for each in signature(command).parameters.values():
        if each.name in groups:
            parameters += _options(groups[each.name])
        else:
            kind = types[each.name]
            parameters.append(each.replace(kind=Parameter.KEYWORD_ONLY, annotation=kind))

    @wraps(command)
    def spread(**given: Any) -> None:
        made = {name: _made(group, given) for name, group in groups.items()}
        own = {name: given[name] for name in types if name in given}
        command(**made, **own)

    spread.__annotations__ = {each.name: each.annotation for each in parameters}
    spread.__dict__["__signature__"] = Signature(parameters)
    return spread


def _options(group: Any) -> Iterator[Parameter]:
    types = get_type_hints(group, include_extras=True)
    for field in fields(group):
        kind = types[field.name]
        if is_dataclass(kind):
            yield from _options(kind)
        elif get_origin(kind) is Annotated:
            default = Parameter.empty if field.default is MISSING else field.default
            yield Parameter(field.name, Parameter.KEYWORD_ONLY, default=default, annotation=kind)


def _made(group: Any, given: Mapping[str, Any]) -> Any:
    types = get_type_hints(group, include_extras=True)
    values = {}
    for field in fields(group):
        kind = types[field.name]
        if is_dataclass(kind):
            values[field.name] = _made(kind, given)
        elif get_origin(kind) is Annotated:
            values[field.name] = given[field.name]
    return group(**values)
