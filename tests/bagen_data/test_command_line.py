"""The rules of every command line."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from functools import partial

import pytest

from bagen_data.cli import main as bagen_main
from bagen_data.command_line import run
from leaderboard.cli import main as leaderboard_main
from tests.making import REPO, collect, exit_code
from tests.making import run as builders

bagen, leaderboard = partial(exit_code, bagen_main), partial(exit_code, leaderboard_main)
REFUSED = [
    (bagen, "score x --dataset y --resamples -1", "--resamples -1: expected a number from 0 on"),
    (bagen, "score x --dataset y --seed a", "--seed a: expected a whole number"),
    (bagen, "score x --dataset y --by k", "--by k: expected one of task, family, progress"),
    (bagen, "policy x --dataset y --worth nan", "--worth nan: expected a number from 0 on"),
    (bagen, "policy x --dataset y --warn-below 2", "--warn-below 2: expected at most 1"),
    (bagen, "watch x --every 0", "--every 0: expected a number from 0.05 on"),
    (bagen, "predict model a/b --dataset y --limit 0", "--limit 0: expected a number from 1 on"),
    (builders, "build --limit 1.5", "--limit 1.5: expected a whole number"),
    (collect, "sokoban --rollouts 0", "--rollouts 0: expected a number from 1 on"),
    (leaderboard, "serve --port 70000", "--port 70000: expected at most 65,535"),
]


def test_an_interrupted_function_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """The trainers are functions: Ctrl-C in them was a traceback from within PyTorch."""

    def main(_: Sequence[str] | None) -> None:
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run(main)
    assert end.value.code == 130
    assert capsys.readouterr().err == "interrupted; what was written so far stays\n"


@pytest.mark.parametrize(("command", "arguments", "words"), REFUSED)
def test_a_refused_argument_is_one_line_in_our_words(
    command: Callable[..., int], arguments: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Typer says `Input should be greater than or equal to 1`, in the words of Pydantic."""
    assert command(*arguments.split()) == 2
    assert capsys.readouterr().err == f"{words}\n"


def test_two_configs_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """The last one alone counted, and nothing said so."""
    assert bagen("score", "x", "--dataset", "y", "--config", "sokoban", "--config=swebench") == 2
    assert capsys.readouterr().err.startswith("--config appears twice, and takes one config; ")


def test_a_name_that_the_encoding_of_stdout_lacks_is_escaped() -> None:
    """A folder named in Chinese ended `bagen demo` with a traceback in a pipe on Windows."""
    code = "from bagen_data.command_line import run; run(lambda _: print('in \\u6f22, \\u2014'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=REPO,
        env={"PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252:strict"},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"in \\u6f22, \x97\n", b"")


def test_a_command_exits_without_a_last_collection() -> None:
    """The last collection took 1.5 s after the imports of Inspect or PyTorch."""
    script = (
        "import atexit, gc\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 0, flush=True))\n"
        "from bagen_data.command_line import run\n"
        "run(lambda _: print('done'))\n"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=REPO)
    assert done.stdout == "done\nTrue\n"
