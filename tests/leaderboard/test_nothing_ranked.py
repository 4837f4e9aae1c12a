"""A board on which nothing is ranked is an error, and replaces no board that has ranks."""

from pathlib import Path

import pytest

from tests.leaderboard.made_submissions import (
    budget_left,
    build_site,
    gold,
    leaderboard,
    results,
    submit,
)

ONE = ("--resamples", 0)


def message(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().err.split())


def test_a_first_board_shows_the_refusals(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "bad", dataset, budget_left, link="javascript:alert(1)")
    build_site(tmp_path / "in", dataset, tmp_path / "out", *ONE, code=1)
    error = message(capsys)
    assert "'bad': refused" in error
    assert "no submission is ranked: 1 refused and 0 apart" in error
    assert "out shows them; correct the submissions" in error
    assert "--allow-empty" in error
    assert "bad" in (tmp_path / "out" / "refused.html").read_text()


def test_a_board_with_ranks_is_kept(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    submit(tmp_path / "in" / "good", dataset, gold)
    before = build_site(tmp_path / "in", dataset, tmp_path / "out", *ONE)
    submit(tmp_path / "in" / "good", dataset, gold, dataset_revision="f" * 40)
    assert build_site(tmp_path / "in", dataset, tmp_path / "out", *ONE, code=1) == before
    said = capsys.readouterr()
    assert "0 refused and 1 apart" in said.err
    assert "out keeps the board that it had" in " ".join(said.err.split())
    assert said.out.endswith("0 submissions scored, 1 apart, 0 refused\n")
    after = build_site(tmp_path / "in", dataset, tmp_path / "out", *ONE, "--allow-empty")
    assert (after["submissions"], len(after["apart"])) == ([], 1)


def test_a_folder_without_submissions_is_an_error_unless_an_empty_board_is_allowed(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in").mkdir()
    flags = ("--submissions", tmp_path / "in", "--dataset", dataset, "--out", tmp_path / "out")
    assert leaderboard("build", *flags) == 1
    assert "holds no submission" in message(capsys)
    assert not (tmp_path / "out").exists()
    assert leaderboard("build", *flags, "--allow-empty") == 0
    assert results(tmp_path / "out")["submissions"] == []
