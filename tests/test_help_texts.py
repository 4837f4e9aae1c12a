"""Help texts: each option says what it is, in a sentence that stands alone; no line is too wide."""

import dataclasses
import re
import shlex
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from typer.main import get_command

from bagen_data.lazy_commands import LazyCommand

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

COLUMNS = 80
EXAMPLE = " " * 6
"""Blanks before a line of an example, which nothing wraps; a paragraph has two."""


def options() -> Iterator[tuple[str, str, Any]]:
    """The command, name and parameter of each option and argument."""
    for name, module in APPS.items():
        yield from _options(name, get_command(import_module(module).app))
    pytest.importorskip("trl", reason="the extra train is not installed")
    for name in TRAINING:
        yield from _options(name, get_command(import_module(f"train.{name}").app))


def commands(group: Any) -> dict[str, Any]:
    """The commands of a group by their names, each with its options."""
    below = getattr(group, "commands", {})
    return {
        name: each.load() if isinstance(each, LazyCommand) else each for name, each in below.items()
    }


def _options(path: str, command: Any) -> Iterator[tuple[str, str, Any]]:
    for name, inner in commands(command).items():
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


@pytest.fixture
def helps(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The help of each command at 80 columns, by what is typed to run it."""
    monkeypatch.setenv("COLUMNS", str(COLUMNS))
    modules = {name if name == "bagen" else f"python -m {name}": APPS[name] for name in APPS}
    if find_spec("trl"):
        modules |= {f"python -m train.{name}": f"train.{name}" for name in TRAINING}
    return dict(
        shown
        for name, module in modules.items()
        for shown in _helps(get_command(import_module(module).app), name)
    )


def _helps(command: Any, name: str, parent: Any = None) -> Iterator[tuple[str, str]]:
    context = command.context_class(command, info_name=name, parent=parent)
    yield context.command_path, command.get_help(context)
    for below, inner in commands(command).items():
        yield from _helps(inner, below, context)


def test_no_line_of_a_help_is_wider_than_80_columns(helps: dict[str, str]) -> None:
    wide = {
        f"{path}: {line}"
        for path, text in helps.items()
        for line in text.splitlines()
        if len(line) > COLUMNS
    }
    assert len(helps) > 35
    assert wide == set()


def test_examples_of_a_help_are_whole_commands(helps: dict[str, str]) -> None:
    """An example goes on where its line ends with a backslash; each names a command that is."""
    described = [re.split("\n(?:Arguments|Options|Commands):", text)[0] for text in helps.values()]
    joined = [re.sub(r" \\\n +", " ", text) for text in described]
    examples = [each for text in joined for each in re.findall(rf"(?m)^{EXAMPLE}(.*)$", text)]
    assert len(examples) > 25
    for example in examples:
        words = shlex.split(example)
        begins = (" ".join(words[:length]) for length in range(2, len(words) + 1))
        assert any(begin in helps for begin in begins), example


def test_a_command_that_is_not_loaded_has_the_summary_of_its_docstring() -> None:
    bagen: Any = get_command(import_module("bagen_data.cli").app)
    groups = (bagen, bagen.commands["predict"])
    lazy = [
        each
        for group in groups
        for each in group.commands.values()
        if isinstance(each, LazyCommand)
    ]
    assert len(lazy) == 13
    for each in lazy:
        paragraph = (each.load().help or "").partition("\n\n")[0]
        assert each.help == " ".join(paragraph.split())
