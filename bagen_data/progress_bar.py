"""The progress bar of the project's command lines."""

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from bagen_data.console import STDERR


class _Bar(Progress):
    """A bar that leaves no empty line where it is not shown, as Rich up to 14 does."""

    def stop(self) -> None:
        if not self.disable:
            super().stop()


def progress_bar() -> Progress:
    """Return a bar on stderr of what is done, of how many and for how long; it vanishes at its end.

    A description is shown as it stands, without Rich's markup.

    Where stderr is not a terminal no bar is shown: it would leave an empty line in a log.
    """
    return _Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=STDERR,
        transient=True,
        disable=not STDERR.is_terminal,
    )
