"""`bagen demo`: the main job, from the package alone."""

import json
import resource
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pyarrow.parquet as pq
import pytest

import bagen_data
from bagen_data.cli import main
from bagen_data.demo.shipped import SHIPPED
from bagen_data.hub import load_samples
from bagen_data.tables import sha256_of
from tests.bare_install import bare_bagen
from tests.making import exit_code
from tools import shipped_sample

MOST_BYTES = 200_000


def run_demo(*options: str) -> int:
    return exit_code(main, "demo", *options)


def bare(folder: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run `bagen demo` in a folder, without the packages of extras and without a network."""
    return bare_bagen(folder, "demo", *options, **environment)


@pytest.fixture(scope="module")
def remade(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("shipped") / "dataset"
    shipped_sample.main(out)
    return out


def test_the_shipped_dataset_is_the_one_that_the_bundled_rollouts_give(remade: Path) -> None:
    paths = [sorted(p.relative_to(f) for p in f.rglob("*.*")) for f in (SHIPPED, remade)]
    assert paths[0] == paths[1]
    for path in filter(lambda path: path.suffix == ".parquet", paths[0]):
        assert pq.read_table(SHIPPED / path).equals(pq.read_table(remade / path)), path
    assert (SHIPPED / "README.md").read_text("utf-8") == (remade / "README.md").read_text("utf-8")
    records = [json.loads((f / "build.json").read_text("utf-8")) for f in (SHIPPED, remade)]
    for record in records:  # another machine may have other versions, which write other bytes
        record.pop("versions")
    assert records[0] == records[1]


def test_the_shipped_dataset_is_small_and_its_files_are_those_of_its_manifest() -> None:
    files = [path for path in SHIPPED.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    rows = [json.loads(line) for line in (SHIPPED / "manifest.jsonl").read_text().splitlines()]
    named = {SHIPPED / row["path"]: row["sha256"] for row in rows}
    assert {path for path in files if path.suffix == ".parquet"} == named.keys()
    assert all(sha256_of(path) == digest for path, digest in named.items())


def test_the_shipped_dataset_is_one_that_datasets_loads() -> None:
    pytest.importorskip("datasets", reason="the extra load is not installed")
    samples = bagen_data.load(SHIPPED, "swebench", split="test")
    assert len(samples) == len(load_samples(str(SHIPPED), "swebench").table)
    assert bagen_data.load(SHIPPED, "sokoban_train").keys() == {"sft", "rl", "heldout"}


def test_it_shows_predicts_validates_and_scores_without_extras_or_network(tmp_path: Path) -> None:
    done = bare(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    asked = next(line for line in lines if "Total budget for the whole run: 2500" in line)
    commands = [line for line in lines if line.startswith("$ bagen ")]
    assert [line.split()[2] for line in commands] == ["predict", "validate", "score"]
    assert lines.index(asked) < lines.index(commands[0])
    assert "use 1,845 more" in " ".join(lines)
    folder = tmp_path / "bagen-demo"
    assert len((folder / "quantiles/predictions.jsonl").read_text().splitlines()) == 142
    scores = json.loads((folder / "scores.json").read_text())["overall"]
    assert scores["valid_rate"] == {"value": 1.0, "n": 142, "low": 1.0, "high": 1.0}
    own = [line for line in lines if not line.startswith(("$", "  bagen", "bagen-demo/"))]
    assert max(map(len, own)) < 100


def test_its_last_line_names_a_page_with_the_question_the_answers_and_the_scores(
    tmp_path: Path,
) -> None:
    done = bare(tmp_path)
    opened, path, *_ = done.stdout.splitlines()[-1].split()
    page = (tmp_path / path.rstrip(":")).read_text("utf-8")
    text = PageText(page).text
    assert opened == "Open"
    warning = "are small scripts, and so is the estimator: the scores say nothing about any model."
    assert warning in " ".join(done.stdout.split())
    assert warning in " ".join(text.split())
    for part in ("Board size: 6 rows", "use 1,845 more", "budget left", "interval_skill"):
        assert part in text, part
    assert '<html lang="en">' in page
    assert "http" not in page.replace("http-equiv", "")


class PageText(HTMLParser):
    """The text of a page, whose elements must all be closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.open = "", list[str]()
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        del attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_commands_that_it_names_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = bare(tmp_path).stdout.splitlines()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "none")  # a dry run without a key says so, and exits 1
    named = [line.split()[1:] for line in lines if line.startswith("  bagen ")]
    assert [words[0] for words in named] == ["show", "predict"]
    for words in named:
        assert exit_code(main, *words) == 0, words


def test_a_browser_is_opened_where_it_is_asked_for_and_only_there(tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/opened\n')
    browser.chmod(0o755)
    assert bare(tmp_path, BROWSER=str(browser)).returncode == 0
    assert not (tmp_path / "opened").exists()
    assert bare(tmp_path, "--open", BROWSER=str(browser)).returncode == 0
    report = (tmp_path / "bagen-demo/report.html").resolve()
    assert (tmp_path / "opened").read_text() == f"{report.as_uri()}\n"


def test_a_second_run_replaces_the_first_and_leaves_what_is_beside_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run_demo("--out", str(out)) == 0
    (out / "gpt").mkdir()
    (out / "gpt/predictions.jsonl").write_text("mine")
    (out / "dataset/manifest.jsonl").write_text("")
    (out / "report.html").write_text("old")
    assert run_demo("--out", str(out)) == 0
    assert (out / "gpt/predictions.jsonl").read_text() == "mine"
    assert (out / "report.html").read_text("utf-8").startswith("<!doctype html>")
    assert (out / "dataset/manifest.jsonl").read_bytes() == (
        SHIPPED / "manifest.jsonl"
    ).read_bytes()


def test_a_folder_of_somebody_else_is_refused_untouched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    assert run_demo("--out", str(tmp_path)) == 1
    assert "nothing was touched" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]
    assert run_demo("--out", str(tmp_path / "notes.txt")) == 1
    assert "is not a folder" in capsys.readouterr().err


def test_a_file_in_the_copy_that_no_demo_wrote_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_demo("--out", str(tmp_path)) == 0
    (tmp_path / "dataset/notes.txt").write_text("mine")
    capsys.readouterr()
    assert run_demo("--out", str(tmp_path)) == 1
    assert "notes.txt" in capsys.readouterr().err
    assert (tmp_path / "dataset/notes.txt").read_text() == "mine"


def test_a_full_disk_is_one_line_that_names_the_copy(tmp_path: Path) -> None:
    """The message used to name the packaged file that was copied, which is not what is full."""
    out, sizes = tmp_path / "out", (2_000, 2_000)
    done = subprocess.run(
        [sys.executable, "-m", "bagen_data", "demo", "--out", out],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, sizes),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == f"{out / 'dataset'}: cannot be written: File too large\n"
    assert list(out.iterdir()) == []
