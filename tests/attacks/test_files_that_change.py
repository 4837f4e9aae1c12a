"""Files are changed while they are read: swapped, cut, written over, removed, linked elsewhere.

A submission was hashed by its path, opened again to be scored and once more to be copied into the
site. Swapped in between, one content got the scores of the other, and the cache gave them to
whoever sent that content next. A log was hashed and then parsed, so that `build.json` named bytes
that no rollout came from. A result is that of one content with its own hash, or a refusal.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

import pytest

from bagen_data.errors import InputError
from bagen_data.scoring.resampling import Resampling
from bagen_data.submission_folder import read_submission_folder
from bagen_data.tables import sha256_of
from leaderboard.benchmark_samples import Benchmark, load_benchmark
from leaderboard.cache import NO_CACHE, Cache
from leaderboard.submission_scores import score_submission
from tests.attacks.file_swapper import WAYS
from tests.attacks.tallies import Tally
from tests.leaderboard.made_submissions import budget_left, gold, leaderboard, results, submit
from tests.making import SAMPLE, build, build_record, dialogue, run, write_json, write_lines

_SWAPPER = Path(__file__).with_name("file_swapper.py")
_FEW = Resampling(0)


@contextmanager
def swapped(way: str, target: Path, *contents: Path) -> Iterator[None]:
    """Change a file all through a block."""
    command = [sys.executable, str(_SWAPPER), way, str(target), *map(str, contents)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


@pytest.fixture(scope="module")
def benchmark(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Benchmark]:
    out = tmp_path_factory.mktemp("changing") / "built"
    assert build(SAMPLE, out) == 0
    return out, load_benchmark(str(out))


def scored(folder: Path, benchmark: Benchmark, cache: Cache) -> tuple[str, str]:
    """Return the hash of a submission's file, and its scores."""
    read = read_submission_folder(folder, benchmark.tasks)
    scores = score_submission(read, benchmark, _FEW, cache)
    return read.files[0].sha256, json.dumps(scores.record["scores"], sort_keys=True)


def prepare(
    tmp_path: Path, dataset: Path, benchmark: Benchmark
) -> tuple[list[Path], dict[str, str]]:
    """Write two contents, and a third one that lies elsewhere; return two, and their scores."""
    files, scores = [], {}
    for name, answer in (("one", gold), ("other", lambda _: "<answer>impossible</answer>")):
        folder = submit(tmp_path / "contents" / name, dataset, answer)
        files.append(folder / "predictions.jsonl")
        sha256, score = scored(folder, benchmark, NO_CACHE)
        scores[sha256] = score
    secret = submit(tmp_path / "secret", dataset, budget_left)
    (tmp_path / "secret.jsonl").write_bytes((secret / "predictions.jsonl").read_bytes())
    return files, scores


@pytest.mark.attack("files that change: a submission")
def test_a_submission(tmp_path: Path, benchmark: tuple[Path, Benchmark], tally: Tally) -> None:
    dataset, samples = benchmark
    contents, scores = prepare(tmp_path, dataset, samples)
    cache = Cache(tmp_path / "cache")
    refused = 0
    for way in WAYS:
        folder = submit(tmp_path / "submissions" / way, dataset, gold)
        target = folder / "predictions.jsonl"
        with swapped(way, target, *contents):
            for _ in range(tally.size(8, 300)):
                tally.tried += 1
                try:
                    sha256, score = scored(folder, samples, cache)
                except InputError as error:
                    refused += 1
                    tally.wrong += way not in str(error)
                else:
                    tally.wrong += scores.get(sha256) != score
        for number, content in enumerate(contents):
            later = submit(tmp_path / "later" / f"{way}-{number}", dataset, gold)
            (later / "predictions.jsonl").write_bytes(content.read_bytes())
            sha256, score = scored(later, samples, cache)
            tally.wrong += scores[sha256] != score
    tally.worst = f"{tally.tried - refused} scored, {refused} refused"


@pytest.mark.attack("files that change: a board")
def test_a_board(tmp_path: Path, benchmark: tuple[Path, Benchmark], tally: Tally) -> None:
    dataset, samples = benchmark
    contents, _ = prepare(tmp_path, dataset, samples)
    hashes = {sha256_of(content) for content in contents}
    submissions, site = tmp_path / "submissions", tmp_path / "site"
    submit(submissions / "calm", dataset, gold)
    flags = ("--submissions", submissions, "--dataset", dataset, "--out", site, "--workers", 2)
    offered = withheld = 0
    for way in islice(cycle(WAYS), tally.size(1, 24)):
        shutil.rmtree(submissions / way, ignore_errors=True)  # a pipe may lie there
        folder = submit(submissions / way, dataset, gold)
        with swapped(way, folder / "predictions.jsonl", *contents):
            code = leaderboard("build", *flags, "--cache", tmp_path / "cache", "--resamples", 0)
        tally.tried += 1
        tally.crashed += code != 0
        board = {each["folder"]: each for each in results(site)["submissions"]}
        tally.wrong += "calm" not in board
        for name, submission in board.items():
            [file] = submission["files"]
            copy = site / "files" / name / file["name"]
            tally.wrong += file["sha256"] not in hashes
            tally.wrong += copy.exists() and sha256_of(copy) != file["sha256"]
            page = (site / "submissions" / f"{name}.html").read_text()
            tally.wrong += copy.exists() == ("not offered here" in page)
            offered += copy.exists()
            withheld += not copy.exists()
    tally.worst = f"{offered} files offered, {withheld} withheld"


@pytest.mark.attack("files that change: a build")
@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "labels.jsonl"])
def test_a_build(tmp_path: Path, name: str, tally: Tally) -> None:
    origin, out = tmp_path / "origin", tmp_path / "out"
    family = origin / "sokoban-origin-m"
    (tmp_path / "secret").mkdir()
    counts = {}
    contents = []
    for number in (3, 5):
        rows = [dialogue([(9, 5)] * 3, name=f"row {n}") for n in range(number)]
        content = tmp_path / f"{number}-{name}"
        if name == "a.json":
            write_json(content, rows)
        elif name == "a.jsonl":
            write_lines(content, rows)
        else:
            labels = [{"rollout": f"b.jsonl:{n + 1}", "success": True} for n in range(number)]
            write_lines(content, labels)
        counts[hashlib.sha256(content.read_bytes()).hexdigest()] = number
        contents.append(content)
    if name == "labels.jsonl":
        rows = [dialogue([(9, 5)] * 3, rollout_success=None, name=f"row {n}") for n in range(5)]
        write_lines(family / "b.jsonl", rows)
    write_json(family / "calm.json", [dialogue([(9, 5)] * 4, name="calm")])
    (tmp_path / "secret.jsonl").write_bytes(contents[0].read_bytes())
    refused = 0
    for way in WAYS:
        if way == "move_folder":
            continue  # the family's own folder is the user's
        (family / name).unlink(missing_ok=True)
        (family / name).write_bytes(contents[0].read_bytes())
        with swapped(way, family / name, *contents):
            for _ in range(tally.size(2, 40)):
                tally.tried += 1
                code = build(origin, out)
                if code:
                    tally.crashed += code != 1
                    refused += 1
                    continue
                [record] = build_record(out)["families"]
                tally.wrong += run("verify", out) != 0
                source = next((each for each in record["sources"] if each["path"] == name), None)
                is_named = any(each["where"].startswith(name) for each in record["refused"])
                if is_named:
                    refused += 1
                elif source is None:
                    refused += 1
                    tally.wrong += way != "vanish"  # it was not there, and nobody knows of it
                else:
                    tally.wrong += record["counts"]["rollouts"] - 1 != counts.get(source["sha256"])
    tally.worst = f"{tally.tried - refused} built, {refused} refused"
