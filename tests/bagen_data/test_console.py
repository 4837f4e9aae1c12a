"""Texts are printed as they are, whatever of them Rich would take for markup."""

from collections.abc import Sequence

import pytest
from rich.table import Table

from bagen_data.command_line import run
from bagen_data.errors import InputError
from bagen_data.terminal_tables import print_table
from tests.making import exit_code

PLACE = "rows.jsonl:100: [red] is not :dog: in /tmp/x:dog:y"


def test_a_place_in_a_message_does_not_become_an_emoji(capsys: pytest.CaptureFixture[str]) -> None:
    def fail(_: Sequence[str] | None) -> None:
        raise InputError(PLACE)

    assert exit_code(lambda arguments: run(fail, arguments)) == 1
    assert capsys.readouterr().err == f"{PLACE}\n"


def test_nor_does_a_cell_of_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("file:100:name")
    print_table(table)
    assert "file:100:name" in capsys.readouterr().out
