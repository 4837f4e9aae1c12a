"""What every command line of the project does alike: its help, its errors, its exit codes."""

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer
from rich.console import Console
from rich.markup import escape

from bagen_data.errors import BagenError, WrongUsageError

ERRORS = Console(stderr=True, highlight=False, soft_wrap=True)
"""Messages go to stderr; results to stdout or to files."""
_INTERRUPTED = 130
"""The exit code that typer gives Ctrl-C."""


def new_app(description: str | None) -> typer.Typer:
    """A command line with this help, of plain text."""
    return typer.Typer(
        help=description,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def run(app: Callable[[Sequence[str] | None], Any], arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit; errors of the user's data become one message and exit code 1.

    Args:
        app: the command line: a typer app, or a function of the arguments.
        arguments: of it; those of the process if None.
    """
    try:
        app(arguments)
    except SystemExit as end:
        if end.code == _INTERRUPTED:
            ERRORS.print("interrupted; nothing is half written")
        raise
    except KeyboardInterrupt:  # of a function; typer makes its own an exit
        ERRORS.print("interrupted; what was written so far stays")
        sys.exit(_INTERRUPTED)
    except WrongUsageError as error:
        ERRORS.print(escape(str(error)), style="red")
        sys.exit(2)
    except BagenError as error:
        ERRORS.print(escape(str(error)), style="red")
        sys.exit(1)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = f"{where}{error.strerror or error}; the output is as it was"
        ERRORS.print(escape(reason), style="red")
        sys.exit(1)
