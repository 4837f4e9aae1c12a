"""A cache may be broken in any way; then what it holds is found anew."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import bagen_data
import leaderboard
from bagen_data.scoring.resampling import Resampling
from bagen_data.submission_folder import read_submission_folder
from leaderboard import cache as cache_module
from leaderboard.benchmark_samples import load_benchmark
from leaderboard.cache import Cache, hash_of_code
from leaderboard.submission_scores import score_submission
from tests.leaderboard.made_submissions import submit

RECORD, ARRAYS = '{"a": "ü"}', {"overall/macro_f1": np.arange(3.0)}


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    cache = Cache(tmp_path)
    cache.put("key", RECORD, ARRAYS)
    return cache


def test_what_was_put_is_got(cache: Cache) -> None:
    record, arrays = cache.get("key") or ("", {})
    assert record == RECORD
    assert {name: array.tolist() for name, array in arrays.items()} == {
        "overall/macro_f1": [0.0, 1.0, 2.0]
    }
    assert cache.get("another") is None


def test_a_file_with_any_bit_turned_is_read_or_is_not_there(cache: Cache, tmp_path: Path) -> None:
    """A flag of a zip file says that it is encrypted, another how it is compressed."""
    (path,) = tmp_path.rglob("*.npz")
    good = path.read_bytes()
    for place in range(len(good)):
        for bit in range(8):
            path.write_bytes(good[:place] + bytes([good[place] ^ 1 << bit]) + good[place + 1 :])
            cache.get("key")  # raises nothing


@pytest.mark.parametrize("record", ["{}", "null", "[", RECORD])
def test_another_record_missing_arrays_and_another_keys_file_are_not_there(
    cache: Cache, tmp_path: Path, record: str
) -> None:
    (path,) = tmp_path.rglob("*.npz")
    with np.load(path) as archive:
        content = dict(archive)
    content["record"] = np.frombuffer(record.encode(), np.uint8)
    if record == RECORD:
        del content["overall/macro_f1"]
    np.savez(path, **content)
    assert cache.get("key") is None
    del content["seal"]
    np.savez(path, **content)
    assert cache.get("key") is None
    cache.put("kept", RECORD, ARRAYS)
    path.write_bytes((path.parent / "kept.npz").read_bytes())
    assert cache.get("key") is None
    assert cache.get("kept") is not None


def test_a_broken_entry_is_scored_anew(dataset: Path, tmp_path: Path) -> None:
    benchmark, cache = load_benchmark(str(dataset)), Cache(tmp_path / "cache")
    entry = read_submission_folder(submit(tmp_path / "mine", dataset), benchmark.tasks)
    scores = score_submission(entry, benchmark, Resampling(0), cache)
    (path,) = (tmp_path / "cache").rglob("*.npz")
    for record in ("{}", "null"):
        np.savez(path, record=np.frombuffer(record.encode(), np.uint8))
        assert score_submission(entry, benchmark, Resampling(0), cache).record == scores.record


def test_a_folder_that_cannot_be_made_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    cache = Cache(tmp_path / "file")
    cache.put("key", RECORD, ARRAYS)
    assert cache.get("key") is None
    assert (tmp_path / "file").read_text() == "mine"


def test_nothing_is_left_of_what_could_not_be_kept(tmp_path: Path) -> None:
    (tmp_path / "ke" / "key.npz").mkdir(parents=True)
    Cache(tmp_path).put("key", RECORD, ARRAYS)
    assert [path.name for path in tmp_path.rglob("*")] == ["ke", "key.npz"]


def test_what_decides_decides_the_key() -> None:
    cache = Cache(None)
    keys = [cache.key(each) for each in ({"a": 1}, {"a": 2}, {"b": 1}, {"a": 1})]
    assert len(set(keys)) == 3
    assert keys[0] == keys[3]


def test_code_of_another_text_or_name_is_other_code(tmp_path: Path) -> None:
    file, other = tmp_path / "one" / "inner" / "a.py", tmp_path / "two" / "b.py"
    roots = [tmp_path / "one", tmp_path / "two"]
    for path in (file, other):
        path.parent.mkdir(parents=True)
        path.write_text("1")
    keys = [hash_of_code(roots)]
    (tmp_path / "one" / "notes.txt").write_text("no code")
    assert hash_of_code(roots) == keys[0]
    file.write_text("2")
    keys.append(hash_of_code(roots))
    renamed = file.rename(file.with_name("b.py"))
    keys.append(hash_of_code(roots))
    renamed.unlink()
    keys.append(hash_of_code(roots))
    other.write_text("2")
    keys.append(hash_of_code(roots))
    assert len(set(keys)) == 5


@pytest.mark.parametrize("package", [bagen_data, leaderboard])
def test_code_of_both_packages_decides_the_key(
    package: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = Cache(None).key({"a": 1})
    monkeypatch.setattr(package, "__path__", [str(tmp_path)])
    cache_module._code.cache_clear()
    other = Cache(None).key({"a": 1})
    cache_module._code.cache_clear()
    assert other != key


def test_another_revision_or_resampling_is_scored_anew(dataset: Path, tmp_path: Path) -> None:
    benchmark, cache = load_benchmark(str(dataset)), Cache(tmp_path / "cache")
    entry = read_submission_folder(submit(tmp_path / "mine", dataset), benchmark.tasks)
    for samples, resampling in (
        (benchmark, Resampling(0)),
        (benchmark, Resampling(9)),
        (benchmark, Resampling(9, seed=1)),
        (replace(benchmark, revision="0" * 40), Resampling(0)),
    ):
        kept = len(list((tmp_path / "cache").rglob("*.npz")))
        for _ in range(2):
            score_submission(entry, samples, resampling, cache)
            assert len(list((tmp_path / "cache").rglob("*.npz"))) == kept + 1
