"""Submissions whose files change between the steps of a board, and datasets that do."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bagen_data.errors import InputError
from bagen_data.scoring.resampling import Resampling
from bagen_data.submission_folder import read_submission_folder
from bagen_data.tables import sha256_of
from leaderboard.benchmark_samples import load_benchmark
from leaderboard.build_results import check_submissions, results_of
from leaderboard.cache import NO_CACHE, Cache
from leaderboard.site import write_site
from leaderboard.submission_scores import score_submission
from tests.leaderboard.made_submissions import budget_left, gold, submit

FEW = Resampling(0)


def test_what_changes_between_hash_and_scores_is_refused(dataset: Path, tmp_path: Path) -> None:
    benchmark, cache = load_benchmark(str(dataset)), Cache(tmp_path / "cache")
    folder = submit(tmp_path / "mine", dataset, gold)
    read = read_submission_folder(folder, benchmark.tasks)
    submit(folder, dataset, budget_left)
    with pytest.raises(InputError, match=r"predictions\.jsonl: was changed while it was judged"):
        score_submission(read, benchmark, FEW, cache)
    assert not list(tmp_path.glob("cache/**/*.npz"))


def leave_nothing(folder: Path) -> None:
    shutil.rmtree(folder)


def link_out(folder: Path) -> None:
    file = folder / "predictions.jsonl"
    file.rename(folder.parent.parent / "elsewhere.jsonl")
    file.symlink_to(folder.parent.parent / "elsewhere.jsonl")


def change(folder: Path) -> None:
    (folder / "predictions.jsonl").write_text("another content")


@pytest.mark.parametrize("harm", [leave_nothing, link_out, change])
def test_a_site_offers_what_was_scored(
    harm: Callable[[Path], None], dataset: Path, tmp_path: Path
) -> None:
    benchmark = load_benchmark(str(dataset))
    folders = [submit(tmp_path / "all" / name, dataset, gold) for name in ("calm", "changed")]
    checked = list(check_submissions(folders, benchmark, FEW, NO_CACHE, 1))
    results = results_of(checked, benchmark, FEW)
    harm(folders[1])
    site = tmp_path / "site"
    assert write_site(results, site, tmp_path / "all") == ["changed/predictions.jsonl"]
    copied = [path.relative_to(site).as_posix() for path in site.glob("files/*/*")]
    assert copied == ["files/calm/predictions.jsonl"]
    assert sha256_of(site / copied[0]) == results["submissions"][0]["files"][0]["sha256"]
    pages = {name: (site / f"submissions/{name}.html").read_text() for name in ("calm", "changed")}
    assert ["not offered here" in pages[name] for name in ("calm", "changed")] == [False, True]


def test_a_board_takes_no_tables_that_its_manifest_does_not_know(
    dataset: Path, tmp_path: Path
) -> None:
    copy = shutil.copytree(dataset, tmp_path / "copy")
    table = next(copy.glob("data/sokoban/*.parquet"))
    table.write_bytes(table.read_bytes() + b"x")
    with pytest.raises(InputError, match=r"was changed: another sha256 than in manifest\.jsonl"):
        load_benchmark(str(copy))
