"""`bagen predict model --shard` and `bagen merge`."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from bagen_data.cli import main
from tests.making import exit_code
from tests.model_server import ModelServer, model_server
from tests.predicting import ask, command, make, predictions

SAMPLES, SHARDS = 60, 4


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("data"), SAMPLES)


@pytest.fixture(scope="module")
def server() -> Iterator[ModelServer]:
    with model_server() as started:
        yield started


@pytest.fixture(scope="module")
def whole(server: ModelServer, dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    assert ask(server, dataset, out, "--price", "input=2,output=10").returncode == 0
    return out


@pytest.fixture(scope="module")
def asked_shards(
    server: ModelServer, dataset: Path, tmp_path_factory: pytest.TempPathFactory
) -> list[Path]:
    folder = tmp_path_factory.mktemp("asked")
    outs = [folder / f"shard-{number}" for number in range(SHARDS)]
    for number, out in enumerate(outs):
        flags = ("--price", "input=2,output=10", "--shard", f"{number}/{SHARDS}")
        done = ask(server, dataset, out, *flags)
        assert done.returncode == 0, done.stderr
    return outs


@pytest.fixture
def shards(asked_shards: list[Path], tmp_path: Path) -> list[Path]:
    """Copies that a test may change."""
    return [shutil.copytree(shard, tmp_path / shard.name) for shard in asked_shards]


def merge(*arguments: object) -> int:
    return exit_code(main, "merge", *arguments)


def test_merged_shards_are_what_one_run_gives(
    shards: list[Path], whole: Path, dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert merge(*shards[::-1], "--out", out) == 0
    for name in ("predictions.jsonl", "metadata.yaml"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert sorted(path.name for path in (out / "logs").iterdir()) == sorted(
        path.name for shard in shards for path in (shard / "logs").iterdir()
    )
    assert sorted(path.name for path in out.iterdir() if not path.name.startswith(".")) == [
        *("logs", "metadata.yaml", "predictions.jsonl")
    ]
    flags = ("--dataset", dataset, "--config", "swebench")
    assert exit_code(main, "validate", out, *flags) == 0
    reports = []
    for each in (out, whole):
        report = tmp_path / f"{each.parent.name}.json"
        assert exit_code(main, "score", each, *flags, "--json", report) == 0
        reports.append(json.loads(report.read_text())["overall"])
    assert reports[0] == reports[1]


def test_merging_again_replaces_what_was_merged(shards: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert merge(*shards, "--out", out) == 0
    before = (out / "predictions.jsonl").read_bytes()
    assert merge(*shards, "--out", out) == 0
    assert (out / "predictions.jsonl").read_bytes() == before


def test_shards_are_whole_rollouts_and_even(asked_shards: list[Path]) -> None:
    rollouts = [
        {row["sample_id"].rpartition("/")[0] for row in predictions(shard)}
        for shard in asked_shards
    ]
    assert sorted(map(len, rollouts)) == [1, 1, 2, 2]
    assert len(set().union(*rollouts)) == SAMPLES // 10
    record = json.loads((asked_shards[0] / "shard.json").read_text())
    assert (record["shard"], record["shards"], record["samples"]) == (0, SHARDS, SAMPLES)


def _rewritten(folder: Path, **changes: object) -> None:
    """Change `metadata.yaml` as a shard that was asked that way would have it."""
    path = folder / "metadata.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | changes, sort_keys=False))
    _seal(folder)


def _record(folder: Path, **changes: object) -> None:
    path = folder / "shard.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def _seal(folder: Path) -> None:
    from bagen_data.tables import sha256_of

    files = json.loads((folder / "shard.json").read_text())["files"]
    _record(folder, files={name: sha256_of(folder / name) for name in files})


def _asked(folder: Path, **changes: object) -> None:
    asked = json.loads((folder / "shard.json").read_text())["asked"]
    _record(folder, asked=asked | changes)


def _without_a_line(folder: Path) -> None:
    path = folder / "predictions.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[1:]))
    _seal(folder)


def _swapped(folder: Path) -> None:
    path = folder / "predictions.jsonl"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[::-1]))
    _seal(folder)


CHANGES: list[tuple[Callable[[Path], object], str]] = [
    (lambda each: _asked(each, model="openai/other"), "model 'openai-api/local/rule', not 'open"),
    (lambda each: _asked(each, config="sokoban"), "config 'swebench', not 'sokoban'"),
    (lambda each: _asked(each, generation={"temperature": 1.0}), "not temperature=1.0"),
    (lambda each: _record(each, code_version="0.0.1"), "code_version '0.1.0', not '0.0.1'"),
    (lambda each: _record(each, prompts_sha256="0"), "prompts_sha256"),
    (lambda each: _record(each, shards=5), "shards 4, not 5"),
    (lambda each: _rewritten(each, dataset_revision="another"), "dataset_revision"),
    (lambda each: _rewritten(each, prompt_variant="forecast_think"), "prompt_variant"),
    (lambda each: _rewritten(each, benchmark_version="1.0"), "benchmark_version '2.0', not '1.0'"),
    (lambda each: _record(each, rollouts=[[0, 10]]), "are in two shards"),
    (lambda each: _record(each, rollouts=[]), "are in no shard"),
    (lambda each: (each / "predictions.jsonl").write_text("{}\n"), "jsonl: was changed"),
    (lambda each: (each / "metadata.yaml").write_text("a: b\n"), "metadata.yaml: was changed"),
    (lambda each: (each / "predictions.jsonl").unlink(), "predictions.jsonl: is missing"),
    (lambda each: next((each / "logs").iterdir()).write_text(""), ".eval: was changed"),
    (lambda each: (each / "shard.json").write_text("{}"), "shard.json: shard: is missing"),
    (lambda each: (each / "shard.json").unlink(), "is not a shard: shard.json is missing"),
    (lambda each: _record(each, files={"../../x": "0"}), "expected predictions, metadata and logs"),
    (_without_a_line, "predictions.jsonl: was changed"),
    (_swapped, "are not those of the run"),
    (shutil.rmtree, "no such folder"),
]


@pytest.mark.parametrize(("change", "words"), CHANGES)
def test_what_is_not_one_run_is_refused(
    change: Callable[[Path], object],
    words: str,
    shards: list[Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    change(shards[2])
    assert merge(*shards, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert words in said
    assert "shard-2" in said or words in ("are in no shard", "are not those of the run")
    assert not (tmp_path / "out").exists()


def test_missing_and_repeated_shards_are_named(
    shards: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert merge(shards[0], shards[3], "--out", out) == 1
    assert "shard 1/4, 2/4 is missing; expected all 4" in capsys.readouterr().err
    assert merge(*shards, shards[1], "--out", out) == 1
    assert "shard-1: shard 1 is given twice, first as" in capsys.readouterr().err
    assert merge(*shards, "--out", shards[1]) == 1
    assert "is one of the shards; give another --out" in capsys.readouterr().err
    assert not out.exists()


def test_what_is_in_out_is_not_replaced(
    shards: list[Path], whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = shutil.copytree(whole, tmp_path / "out")
    before = (out / "metadata.yaml").read_bytes()
    assert merge(*shards, "--out", out) == 1
    assert "holds the log of another run" in capsys.readouterr().err
    _rewritten_estimator = yaml.safe_load(before) | {"estimator": "other"}
    (out / "metadata.yaml").write_text(yaml.safe_dump(_rewritten_estimator))
    assert merge(*shards, "--out", out) == 1
    assert "holds predictions of other" in capsys.readouterr().err


def test_a_shard_that_is_not_complete_is_gone_on_with(
    shards: list[Path],
    dataset: Path,
    whole: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.rmtree(shards[2])
    flags = ("--price", "input=2,output=10", "--shard", "2/4")
    with model_server(fail=lambda number: 503 if number > 4 else 0) as failing:
        assert ask(failing, dataset, shards[2], *flags, "--retries", 0).returncode == 1
    assert merge(*shards, "--out", tmp_path / "out") == 1
    said = capsys.readouterr().err
    assert "shard-2: is not a complete shard" in said
    assert "with --resume" in said
    with model_server() as other:  # at another address
        assert ask(other, dataset, shards[2], *flags, "--resume").returncode == 0
    assert merge(*shards, "--out", tmp_path / "out") == 0
    merged = tmp_path / "out" / "predictions.jsonl"
    assert merged.read_bytes() == (whole / "predictions.jsonl").read_bytes()


def test_a_dry_run_shows_the_samples_of_a_shard(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LOCAL_API_KEY", "any")
    flags = ("--base-url", "http://a/v1", "--base-url", "http://b/v1", "--shard", "3/4")
    arguments = command(dataset, tmp_path / "out", *flags, "--dry-run")[2:]
    assert exit_code(main, *arguments) == 0
    said = capsys.readouterr().out
    assert "samples: 10 of 1 rollout, rollout by rollout" in said
    assert "shard: 3/4" in said
    assert "servers: 2" in said


@pytest.mark.parametrize(
    ("shard", "words"),
    [
        ("4/4", "shard 4 of 4 does not exist; shards are numbered from 0 to 3"),
        ("-1/4", "expected I/N"),
        ("1", "expected I/N"),
        ("0/0", "N is 0; expected I/N"),
        ("0/7", "the run has 6 rollouts, which are not divided; expected at most as many shards"),
    ],
)
def test_shards_that_cannot_be_are_refused(
    shard: str, words: str, server: ModelServer, dataset: Path, tmp_path: Path
) -> None:
    done = ask(server, dataset, tmp_path / "out", f"--shard={shard}")
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "out").exists()
