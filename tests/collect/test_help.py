"""Help texts of `python -m collect`."""

import pytest

from tests.making import REPO, collect


@pytest.mark.parametrize("command", ["sokoban", "searchr1", "swebench", "warehouse", "compare"])
def test_no_help_names_a_folder_of_the_machine(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert collect(command, "--help") == 0
    said = "".join(capsys.readouterr().out.split())
    assert str(REPO) not in said
    if command == "searchr1":
        for name in ("questions.jsonl", "corpus.jsonl"):
            assert f"[default:theclone'ssample/search/{name}]" in said
