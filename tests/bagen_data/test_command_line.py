"""What every command line does alike."""

from collections.abc import Sequence

import pytest

from bagen_data.command_line import run


def test_an_interrupted_function_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The trainers are functions: Ctrl-C in them was a traceback from within PyTorch."""

    def main(_: Sequence[str] | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == 130
    assert capsys.readouterr().err == "interrupted; what was written so far stays\n"
