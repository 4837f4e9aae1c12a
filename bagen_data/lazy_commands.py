"""Commands that are imported when they are run; a list of commands needs their names alone."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand

from bagen_data.command_line import new_app


class LazyCommand(TyperCommand):
    """The name and the summary of a command, whose function is imported with its options."""

    place: str
    """The function, as module:function."""

    def load(self) -> Any:
        """Import the function and return the command of it."""
        module, _, function = self.place.partition(":")
        alone = new_app(None)
        alone.command(self.name)(getattr(import_module(module), function))
        return typer.main.get_command(alone)

    def make_context(self, *arguments: Any, **options: Any) -> Any:
        """Return the context of the loaded command, which is then the one that runs."""
        return self.load().make_context(*arguments, **options)


def add_command(app: typer.Typer, name: str, place: str, summary: str) -> None:
    """Add a command that is imported when it is run, or asked for its help.

    Args:
        app: a command line.
        name: the command's name there.
        place: its function, as module:function.
        summary: the first paragraph of the function's docstring, for the list of commands.
    """
    kind = type("LazyCommand", (LazyCommand,), {"place": place})
    app.command(name, cls=kind, help=summary)(_load_first)


def _load_first() -> None:
    """Stand for a function that is not loaded; nothing calls it."""
    raise NotImplementedError
