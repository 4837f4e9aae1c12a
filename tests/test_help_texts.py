"""Help texts: each option says what it is, in a sentence that stands alone."""

import dataclasses
import re
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from typer.main import get_command

APPS = {
    "bagen": "bagen_data.cli",
    "builders": "builders.cli",
    "leaderboard": "leaderboard.cli",
    "collect": "collect.cli",
    "metrics": "metrics.cli",
}
TRAINING = ("evaluate", "sweep", "break_even", "gpu_check")
RIDDLE = re.compile(
    r"(?:^|[.;] )(As|How|Likewise|None|Of|That|These|Those|What|Where|Which|Who|Whose)\b"
)
"""A sentence that begins with a word that refers to something else."""


def options() -> Iterator[tuple[str, str, Any]]:
    """The command, name and parameter of each option and argument."""
    for name, module in APPS.items():
        yield from _options(name, get_command(import_module(module).app))
    pytest.importorskip("trl", reason="the extra train is not installed")
    for name in TRAINING:
        yield from _options(name, get_command(import_module(f"train.{name}").app))


def _options(path: str, command: Any) -> Iterator[tuple[str, str, Any]]:
    for name, inner in getattr(command, "commands", {}).items():
        yield from _options(f"{path} {name}", inner)
    for parameter in command.params:
        if parameter.name != "help":
            yield path, parameter.opts[0], parameter


def test_each_option_says_what_it_is() -> None:
    bad = {
        f"{path} {name}": parameter.help
        for path, name, parameter in options()
        if not parameter.help or len(parameter.help.split()) < 2 or RIDDLE.search(parameter.help)
    }
    assert bad == {}


def test_each_default_is_shown() -> None:
    hidden = [
        f"{path} {name}"
        for path, name, parameter in options()
        if parameter.param_type_name == "option"
        and parameter.default not in (None, False, (), [])
        and not callable(parameter.default)
        and not parameter.show_default
        and "[default:" not in (parameter.help or "")
    ]
    assert hidden == []


def test_each_option_of_training_says_what_it_is() -> None:
    pytest.importorskip("trl", reason="the extra train is not installed")
    from train.training_options import OPTION_KINDS, GRPOOptions, SFTOptions

    own = [field for kind in OPTION_KINDS for field in dataclasses.fields(kind)]
    for kind in (SFTOptions, GRPOOptions):
        theirs = {field.name for field in dataclasses.fields(kind.__base__)}
        own += [field for field in dataclasses.fields(kind) if field.name not in theirs]
    bad = {
        field.name: field.metadata.get("help")
        for field in own
        if not field.metadata.get("help") or RIDDLE.search(field.metadata["help"])
    }
    assert bad == {}
