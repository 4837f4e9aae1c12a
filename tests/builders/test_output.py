"""Wrong flags, foreign folders, kills and full disks: the output is the old one or none."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.making import REPO, build, build_record, contents, counts, dialogue, run, write_json

KNOWN = "sokoban, swebench, warehouse"


@pytest.mark.parametrize(
    ("flags", "code", "message"),
    [
        (("--task", "no_such_task"), 2, KNOWN),
        (("--task", "swebench"), 1, "found families of sokoban"),
        (("--budget", "no_such_task=3"), 2, KNOWN),
        (("--budget", "sokoban=1", "--budget", "sokoban=2"), 2, "has a budget already"),
        (("--budget", "sokoban=tokens:1,tokens:2"), 2, "expected a number"),
        (("--budget", "sokoban"), 2, "expected TASK=NUMBER"),
        (("--budget", "sokoban=much"), 2, "--budget sokoban=much: expected a number"),
        (("--budget", "sokoban=1e30"), 2, "--budget sokoban=1e30: expected a number"),
        (("--budget", "sokoban=-3"), 2, "--budget sokoban=-3: expected a number"),
        (("--budget", "sokoban=nan"), 2, "--budget sokoban=nan: expected a number"),
        (("--budget", "swebench=3"), 1, "no family of swebench; found sokoban"),
        (("--usage", "sometimes"), 2, "sometimes"),
        (("--prompt", "loud"), 2, "loud"),
        (("--workers", "0"), 2, "workers"),
        (("--tokenizer", "/no/such/folder"), 2, "expected a tokenizer's folder or Hub id"),
    ],
)
def test_wrong_flags(
    origin: Path, tmp_path: Path, flags: tuple[str, ...], code: int, message: str, capsys: Any
) -> None:
    assert build(origin, tmp_path / "out", *flags) == code
    assert message in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_an_unknown_task_in_the_origin(tmp_path: Path, capsys: Any) -> None:
    write_json(tmp_path / "origin" / "no_such_task-origin-m" / "a.json", [dialogue()])
    assert build(tmp_path / "origin", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "unknown task 'no_such_task'; known: " in said
    assert KNOWN in said


def test_an_origin_without_families(tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "notes").mkdir()
    for origin in (tmp_path, tmp_path / "nowhere"):
        assert build(origin, tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert KNOWN in said
    assert "nowhere: does not exist" in said
    assert not (tmp_path / "out").exists()


def test_a_file_as_origin_names_its_folder(origin: Path, tmp_path: Path, capsys: Any) -> None:
    file = origin / "sokoban-origin-m" / "good.json"
    assert build(file, tmp_path / "out") == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "is not a folder; expected a folder of logs; give the folder that holds it" in said
    assert said.endswith("sokoban-origin-m")


def test_other_folders_of_the_origin_are_mentioned(
    origin: Path, tmp_path: Path, capsys: Any
) -> None:
    (origin / "sokoban_origin_m").mkdir()
    assert build(origin, tmp_path / "out") == 0
    assert "ignored sokoban_origin_m/" in capsys.readouterr().err


def test_what_may_be_a_lost_family_is_named_and_refused_if_strict(
    origin: Path, tmp_path: Path, capsys: Any
) -> None:
    (origin / "warehouse-origin-m").symlink_to("nowhere")
    (origin / "webshop-origin-m").symlink_to("webshop-origin-m")
    (origin / ".warehouse-origin-n").mkdir()
    (origin / "warehouse-origin-o").write_text("../elsewhere")
    (origin / "loose.json").write_text("[]")
    (origin / "README.md").write_text("notes")
    (origin / ".warehouse-origin-p.building-0123456789abcdef").mkdir()  # another process's
    assert build(origin, tmp_path / "out") == 0
    ignored = [line for line in capsys.readouterr().err.splitlines() if "ignored" in line]
    assert [line.split(":")[0].split(" is ")[0] for line in ignored] == [
        "ignored .warehouse-origin-n",
        "ignored loose.json",
        "ignored warehouse-origin-m",
        "ignored warehouse-origin-o",
        "ignored webshop-origin-m",
    ]
    assert build(origin, tmp_path / "strict", "--strict") == 1
    said = capsys.readouterr().err
    assert "5 not used, so --strict wrote nothing" in said
    assert not (tmp_path / "strict").exists()


def test_nothing_usable_builds_nothing(tmp_path: Path, capsys: Any) -> None:
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "a.json", [3])
    assert build(tmp_path / "origin", tmp_path / "out") == 1
    assert "no rollout can be used" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_foreign_out_is_not_touched(origin: Path, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    assert build(origin, tmp_path / "out") == 1
    assert "thesis.tex" in capsys.readouterr().err
    assert contents(tmp_path / "out") == {"thesis.tex": b"mine"}
    assert build(origin, tmp_path / "out" / "thesis.tex" / "below") == 1


def test_a_manifest_alone_makes_no_build(origin: Path, tmp_path: Path) -> None:
    """A folder with somebody's own README.md and manifest.jsonl is not an earlier build."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "README.md").write_text("mine")
    (tmp_path / "out" / "thesis.tex").write_text("mine")
    (tmp_path / "out" / "manifest.jsonl").write_text('{"path": "thesis.tex"}\n')
    before = contents(tmp_path / "out")
    assert build(origin, tmp_path / "out") == 1
    assert contents(tmp_path / "out") == before


def test_an_out_among_the_files_that_are_read(origin: Path, capsys: Any) -> None:
    assert build(origin, origin / "sokoban-origin-m" / "out") == 1
    assert "lies in sokoban-origin-m" in capsys.readouterr().err


def test_an_unwritable_out(origin: Path, capsys: Any) -> None:
    assert build(origin, Path("/proc/bagen/out")) == 1
    assert "cannot be written" in capsys.readouterr().err


def command(origin: Path, out: Path) -> list[str]:
    flags = ["build", "--origin", str(origin), "--out", str(out)]
    return [sys.executable, "-m", "builders", *flags]


@contextmanager
def started(command: list[str], stderr: int) -> Iterator["subprocess.Popen[str]"]:
    """Start a process; it is killed when the block ends."""
    with subprocess.Popen(command, cwd=REPO, stderr=stderr, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


UNFINISHED = """
import signal, sys, time
from builders.cli import main

def hold(event, arguments):
    if event == "shutil.rmtree" and str(arguments[0]).endswith("spools"):
        time.sleep(3600)

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.addaudithook(hold)
main(sys.argv[1:])
"""
"""A build that stays at its work of reading, so that a slow test is not late to stop it."""


def test_kill_9_leaves_the_old_output_and_a_rerun_succeeds(origin: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(origin, out) == 0
    before = contents(out)
    family = origin / "sokoban-origin-m"
    rows = [dialogue([(9, 5)] * 40, name=f"row {n}") for n in range(300)]
    write_json(family / "many.json", rows)
    for delay in (0.0, 0.1, 0.2):
        with started(command(origin, out), stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and not list(tmp_path.glob(".out.building-*/spools")):
                time.sleep(0.01)
            time.sleep(delay)
        assert process.returncode == 0 or contents(out) == before
    assert build(origin, out) == 0
    assert run("verify", out) == 0
    assert counts(out)["rollouts"] == 301
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_workers_die_with_their_parent(origin: Path, tmp_path: Path) -> None:
    rows = [dialogue([(9, 5)] * 40, name=f"row {n}") for n in range(2_000)]
    write_json(origin / "sokoban-origin-n" / "many.json", rows)
    flags = ("--workers", "2")
    own: list[str] = []
    with started(
        [*command(origin, tmp_path / "out"), *flags], stderr=subprocess.DEVNULL
    ) as process:
        threads = Path(f"/proc/{process.pid}/task")
        while process.poll() is None and len(own) < 3:
            own = [each for one in threads.glob("*/children") for each in one.read_text().split()]
            time.sleep(0.01)
    assert len(own) == 3  # two workers, and what tracks their resources
    for _ in range(6_000):
        if not any(is_alive(child) for child in own):
            return
        time.sleep(0.1)
    pytest.fail("workers went on without their parent")


@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_leaves_the_old_output_and_says_so(
    origin: Path, tmp_path: Path, workers: int
) -> None:
    assert build(origin, tmp_path / "out") == 0
    before = contents(tmp_path / "out")
    rows = [dialogue([(9, 5)] * 40, name=f"row {n}") for n in range(2_000)]
    write_json(origin / "sokoban-origin-n" / "many.json", rows)
    flags = [*command(origin, tmp_path / "out")[3:], "--workers", str(workers)]
    begun = ".out.building-*/spools" + ("/*" if workers > 1 else "")  # workers are at work
    with started([sys.executable, "-c", UNFINISHED, *flags], stderr=subprocess.PIPE) as process:
        while process.poll() is None and not list(tmp_path.glob(begun)):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate()
    assert process.returncode == 130
    assert said == "interrupted; nothing is half written\n"
    assert contents(tmp_path / "out") == before
    assert not list(tmp_path.glob(".out.*"))


def is_alive(pid: str) -> bool:
    status = Path(f"/proc/{pid}/status")
    return status.exists() and "State:\tZ" not in status.read_text()


def test_names_and_texts_of_any_script_in_any_locale(tmp_path: Path) -> None:
    write_json(tmp_path / "origin" / "sokoban-origin-é模" / "a.json", [dialogue(user_prompt="é模")])
    for out, changes in (("here", {}), ("there", {"LC_ALL": "C"})):
        done = subprocess.run(
            command(tmp_path / "origin", tmp_path / out),
            cwd=REPO,
            env=os.environ | changes,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "here") == contents(tmp_path / "there")


def test_file_names_that_are_no_text(origin: Path, tmp_path: Path, capsys: Any) -> None:
    family = os.fsencode(origin / "sokoban-origin-m")
    with open(family + b"/\xff.json", "wb") as file:
        file.write(b"3")
    assert build(origin, tmp_path / "out") == 0
    [refusal] = build_record(tmp_path / "out")["families"][0]["refused"]
    assert refusal["where"] == "\ufffd.json"
    assert run("verify", tmp_path / "out") == 0
    os.rename(family, family + b"\xff")
    assert build(origin, tmp_path / "other") == 1
    assert "not UTF-8" in capsys.readouterr().err


def test_a_full_disk_leaves_the_old_output(origin: Path, tmp_path: Path) -> None:
    """A file-size limit stands in for the disk: writes fail in the middle of a file."""
    out = tmp_path / "out"
    assert build(origin, out) == 0
    before = contents(out)
    write_json(
        origin / "sokoban-origin-m" / "more.json", [dialogue(user_prompt=os.urandom(9_000).hex())]
    )
    limited = f"ulimit -f 4; exec {' '.join(command(origin, out))}"
    done = subprocess.run(
        ["/bin/bash", "-c", limited], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert contents(out) == before
    assert build(origin, out) == 0
    assert json.loads((out / "build.json").read_text())["families"][0]["counts"]["rollouts"] == 2


def test_a_family_half_moved_into_place_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    family = tmp_path / "origin" / "sokoban-origin-m"
    write_json(family / "a.json", [dialogue()])
    (family / ".replacement").mkdir()
    assert build(tmp_path / "origin", tmp_path / "out") == 1
    advice = "only some of its new files are in place; go on with 'python -m collect ... --resume'"
    assert advice in " ".join(capsys.readouterr().err.split())


def test_a_dataset_that_a_kill_moved_away_is_brought_back_by_its_reader(tmp_path: Path) -> None:
    write_json(tmp_path / "origin" / "sokoban-origin-m" / "a.json", [dialogue()])
    assert build(tmp_path / "origin", tmp_path / "out") == 0
    (tmp_path / "out").rename(tmp_path / ".out.replaced-0123456789abcdef")
    assert run("verify", tmp_path / "out") == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["origin", "out"]


def test_no_file_has_a_star_in_its_name(tmp_path: Path) -> None:
    for model in ("m*", "m%2A"):
        write_json(tmp_path / "origin" / f"sokoban-origin-{model}" / "a.json", [dialogue()])

    assert build(tmp_path / "origin", tmp_path / "out") == 0

    names = {path.name for path in (tmp_path / "out" / "data" / "sokoban").iterdir()}
    assert names == {"test-m%2A.parquet", "test-m%252A.parquet"}
