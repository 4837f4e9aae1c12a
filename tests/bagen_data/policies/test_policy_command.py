"""`bagen policy`."""

import json
import re
import sys
from pathlib import Path

import pytest

from bagen_data.cli import main
from bagen_data.live.policies import (
    SequentialPolicy,
    ThresholdPolicy,
    load_policy,
)
from bagen_data.policies.policy_tables import policy_sentence
from tests.making import SAMPLE, build, exit_code


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return out


def policy(sample: Path, *more: object) -> int:
    flags = ("--dataset", sample, "--config", "swebench", "--resamples", 20)
    return exit_code(main, "policy", "climatology", *flags, *more)


def test_a_policy_is_printed_written_and_drawn(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, numbers = tmp_path / "policy.json", tmp_path / "numbers.json"
    for picture in ("curve.svg", "curve.png", "curve.html"):
        files = ("--out", out, "--json", numbers, "--chart", tmp_path / picture)
        assert policy(sample, "--worth", 0.5, "--never-before", 2, *files) == 0
        assert (tmp_path / picture).stat().st_size > 5_000
    printed = capsys.readouterr().out
    assert "best:" in printed
    assert "8 rollouts of 8 instances: 5 succeeded" in printed.replace("\n", " ")
    assert "policy, on unseen instances" in printed
    assert "perfect foresight" in printed
    chosen = load_policy(out)
    assert isinstance(chosen, ThresholdPolicy)
    assert chosen.first_turn == 2
    assert "worth 0.5 budgets on 8 rollouts of swebench" in chosen.about
    record = json.loads(numbers.read_text())
    assert record["policy"] == {"kind": "threshold", **vars(chosen)}
    assert record["counts"] == {"rollouts": 8, "instances": 8, "successes": 5, "feasible": 4}
    svg = (tmp_path / "curve.svg").read_text()
    for words in ("cost saved", "successes lost", "perfect foresight", "net benefit"):
        assert words in svg


def test_a_test_without_enough_successes_never_stops_and_says_what_it_needs(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert policy(sample, "--max-false-abort", 0.05, "--out", tmp_path / "policy.json") == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "it never stops: a share of at most 0.05 needs 19 instances that succeed" in printed
    assert "there are 5" in printed
    chosen = load_policy(tmp_path / "policy.json")
    assert isinstance(chosen, SequentialPolicy)
    assert chosen.threshold is None


def test_a_test_says_what_it_guarantees(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    chart = tmp_path / "curve.svg"
    flags = ("--max-false-abort", 0.2, "--outcome", "finish", "--chart", chart)
    assert policy(sample, *flags) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "* 20%" in printed
    assert "at most 20% of the runs that would succeed within the budgets are stopped" in printed
    assert "the bound is approximate" in printed
    assert "it is not tried on unseen instances" in printed
    assert "share of false aborts allowed" in chart.read_text()


@pytest.mark.parametrize(
    ("flags", "problem"),
    [
        (("--max-false-abort", 0), "expected more than 0 and less than 1"),
        (("--max-false-abort", 1), "expected more than 0 and less than 1"),
        (("--max-false-abort", "nan"), "expected more than 0 and less than 1"),
        (("--worth", "nan"), "--worth nan: expected a number from 0 on"),
        (("--worth", "inf"), "--worth inf"),
        (("--outcome", "finish"), "with --max-false-abort only"),
        (("--max-false-abort", 0.2, "--patience", 2), "without --max-false-abort only"),
        (("--chart", "curve.gif"), "expected a file ending in .svg, .png, .html"),
    ],
)
def test_wrong_usage_is_one_message(
    flags: tuple[object, ...], problem: str, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert policy(sample, *flags) == 2
    assert problem in " ".join(capsys.readouterr().err.split())


def test_without_the_extra_for_pictures_nothing_is_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "altair", None)
    assert policy(Path("nowhere"), "--chart", "curve.svg") == 1
    assert "bagen-data[pictures]" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_one_message(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    for option in ("--out", "--json", "--chart"):
        assert policy(sample, option, tmp_path / "file" / "new.svg") == 1
        assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--out", "--json", "--chart"])
def test_a_file_that_cannot_be_is_refused_before_the_work(
    option: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "folder.svg").mkdir()
    nowhere = tmp_path / "nowhere"
    assert policy(nowhere, option, tmp_path / "folder.svg") == 1
    assert "folder.svg: is a folder; expected the path of a file" in capsys.readouterr().err
    assert policy(nowhere, option, tmp_path / "new" / "deep" / "curve.svg") == 1
    assert f"the folder {tmp_path / 'new' / 'deep'} is missing" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("flags", [(), ("--max-false-abort", 0.123)])
def test_the_tables_fit_into_80_columns(
    flags: tuple[object, ...],
    sample: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    of = ("--dataset", sample, "--config", "swebench_train", "--resamples", 50)
    assert exit_code(main, "policy", "aft", *of, *flags, "--worth", 90) == 0
    printed = capsys.readouterr().out
    assert "in brackets: 95% interval" in " ".join(printed.split())
    assert re.search(r"  \[[\d.]+, [\d.]+\](  |\n)", printed)
    assert max(map(len, printed.splitlines())) <= 80


def test_rows_without_intervals_are_one_line(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert policy(sample) == 0
    printed = capsys.readouterr().out
    assert "[" not in printed
    assert "95%" not in printed


def test_a_policy_in_words() -> None:
    said = policy_sentence(SequentialPolicy(threshold=9.0, outcome="finish", first_turn=3))
    assert (
        said == "stop where the chance to succeed within the budgets is below 10%, from turn 3 on"
    )
    assert policy_sentence(ThresholdPolicy(0.0)) == "never stop"
