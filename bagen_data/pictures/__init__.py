"""Rollouts as pictures, for people who would rather look than read.

    sokoban_picture.py      the level before each turn
    warehouse_picture.py    cash, stock and orders over the weeks

A picture is of a rollout of a built dataset, so of a model's own words: where a message has not the
form that this project's environments and the published families write, that part is left out.
"""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bagen_data.errors import InputError, MissingExtraError, OutputError, WrongUsageError

if TYPE_CHECKING:
    import altair as alt

TASKS = ("sokoban", "warehouse")
SUFFIXES = (".svg", ".png", ".html")

ChartFunction = Callable[[Mapping[str, Any], int], "alt.TopLevelMixin | None"]
"""A function of a row of the config `rollouts` and the turn k of a probe that returns a picture.

It returns None where the messages show nothing that can be drawn.
"""


def check_picture(path: Path, task: str) -> None:
    """Refuse what cannot be drawn, before anything is read.

    Raises:
        WrongUsageError: the task has no picture, or the file another ending.
        MissingExtraError: the plotting library is missing.
    """
    if task not in TASKS:
        raise WrongUsageError(
            f"--picture: no picture of {task} can be drawn; expected {' or '.join(TASKS)}"
        )
    check_picture_file("--picture", path)


def check_picture_file(flag: str, path: Path) -> None:
    """Refuse a file that no picture can be drawn into.

    Args:
        flag: the option that names the file.
        path: the file.

    Raises:
        WrongUsageError: the file has another ending.
        MissingExtraError: the plotting library is missing.
    """
    if path.suffix not in SUFFIXES:
        raise WrongUsageError(f"{flag} {path}: expected a file ending in {', '.join(SUFFIXES)}")
    try:
        import altair  # noqa: F401
        import vl_convert  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("altair", "pictures") from error


def draw(path: Path, rollout: Mapping[str, Any], turn: int) -> None:
    """Draw a rollout into a file.

    Args:
        path: SVG, PNG or a page that needs nothing else, by its ending.
        rollout: a row of the dataset's config `rollouts`.
        turn: the k of the probe, which the picture marks.

    Raises:
        InputError: its messages show nothing that can be drawn.
        OutputError: the file cannot be written.
    """
    chart_of: ChartFunction = import_module(
        f"bagen_data.pictures.{rollout['task']}_picture"
    ).rollout_chart
    picture = chart_of(rollout, turn)
    if picture is None:
        raise InputError(
            f"{rollout['rollout_id']}: its messages hold no {rollout['task']} state that can be "
            "drawn"
        )
    save_picture(picture, path)


def save_picture(picture: "alt.TopLevelMixin", path: Path) -> None:
    """Write a picture into a file; the ending of its name says in which form.

    Raises:
        OutputError: the file cannot be written.
    """
    try:
        if path.suffix == ".html":
            picture.save(path, inline=True)
        else:
            picture.save(path, scale_factor=2)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error


def amounts_by_name(pairs: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Return a column of names and values of the dataset as values by name."""
    return {pair["name"]: pair["value"] for pair in pairs}
