"""Help, errors and exit codes that all command lines of the project share."""

import sys
from collections.abc import Callable, Sequence
from io import TextIOWrapper
from types import TracebackType
from typing import Any

import typer
from typer.core import TyperCommand

from bagen_data.errors import BagenError, InputError, InterruptedRunError, WrongUsageError
from bagen_data.garbage_collection import skip_last_collection
from bagen_data.prompt_variants import Variant, find_variant

_INTERRUPTED = 130
"""The exit code that typer gives Ctrl-C."""


_CONFIG = "--config"


class _Command(TyperCommand):
    """A command whose arguments are refused in the words of this project."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        _refuse_second_config(args)
        try:
            return super().parse_args(ctx, args)
        except typer.BadParameter as error:
            raise _in_our_words(error) from error


def _refuse_second_config(arguments: Sequence[str]) -> None:
    """Refuse two --config, of which the last one alone would count.

    Raises:
        WrongUsageError: there are two.
    """
    if sum(each.partition("=")[0] == _CONFIG for each in arguments) > 1:
        raise WrongUsageError(
            f"{_CONFIG} appears twice, and takes one config; leave it out to take every task's "
            "benchmark, or run the command once for each"
        )


def _in_our_words(error: typer.BadParameter) -> Exception:
    """Return the error to raise for a refused argument: the same one unless Pydantic words it."""
    from pydantic import ValidationError

    from bagen_data.field_problems import argument_problem

    if error.param is None or not isinstance(error.__cause__, ValidationError):
        return error
    name = max(error.param.opts, key=len)
    return WrongUsageError(f"{name} {argument_problem(error.__cause__)}")


class _App(typer.Typer):
    """A command line of commands of this project."""

    def command(self, *arguments: Any, **options: Any) -> Any:
        return super().command(*arguments, **{"cls": _Command, **options})


def parse_variant(name: str) -> Variant:
    """Return the variant that an option names.

    Raises:
        typer.BadParameter: the variant is unknown.
    """
    try:
        return find_variant(name)
    except InputError as error:
        raise typer.BadParameter(str(error)) from error


def new_app(description: str | None) -> typer.Typer:
    """Return a command line with this help, in plain text."""
    return _App(
        help=description,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def run(app: Callable[[Sequence[str] | None], Any], arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; errors of the user's data become one message and exit code 1.

    Args:
        app: a typer app, or a function of the arguments.
        arguments: the arguments of the command; those of the process if None.
    """
    sys.excepthook = _print_traceback
    skip_last_collection()
    _escape_unwritable()
    try:
        app(arguments)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            _say("interrupted; nothing is half written")
        raise
    except KeyboardInterrupt:  # of a function; typer makes its own an exit
        _say("interrupted; what was written so far stays")
        sys.exit(_INTERRUPTED)
    except InterruptedRunError as error:
        _say(str(error))
        sys.exit(_INTERRUPTED)
    except WrongUsageError as error:
        _say(str(error), style="red")
        sys.exit(2)
    except BagenError as error:
        _say(str(error), style="red")
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        _say(f"{where}{error.strerror or error}; the output is as it was", style="red")
        sys.exit(1)


def _escape_unwritable() -> None:
    """Let stdout escape characters that its encoding lacks: a folder's name ended a command."""
    if isinstance(sys.stdout, TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def _say(message: str, style: str | None = None) -> None:
    from bagen_data.console import STDERR, shown  # Rich is imported when there is something to say
    from bagen_data.redaction import redact

    STDERR.print(shown(redact(message)), style=style)


def _print_traceback(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    """Print what Python would print of an error that nobody expected, without secrets."""
    from traceback import format_exception

    from bagen_data.redaction import redact

    sys.stderr.write(redact("".join(format_exception(kind, error, traceback))))
