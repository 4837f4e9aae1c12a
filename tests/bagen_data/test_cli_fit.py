"""`bagen fit` as a command: what it writes, prints and refuses."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, close_session

from bagen_data.answers import parse
from bagen_data.cli import main
from bagen_data.forecasters.kept import load_forecaster
from bagen_data.forecasters.learning.examples import load_examples
from bagen_data.live import BudgetTracker
from tests.bagen_data.forecasters.fitting.taught import counted, write_logs
from tests.loopback_hub import loopback_hub
from tests.making import (
    REPO,
    SAMPLE,
    SHARED_LOGS,
    build,
    build_record,
    contents,
    exit_code,
    needs_shared_logs,
    write_lines,
)


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return out


def fit(*arguments: object) -> int:
    return exit_code(main, "fit", *arguments)


@pytest.mark.parametrize("task", ["sokoban", "searchr1", "swebench", "warehouse"])
def test_a_training_config_of_the_sample(
    task: str, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, scores = tmp_path / "out", tmp_path / "scores.json"
    config = f"{task}_train"
    flags = ("--dataset", sample, "--config", config, "--forecaster", "aft", "--out", out)
    assert fit(*flags, "--json", scores) == 0
    printed = capsys.readouterr()
    rows = printed.out.splitlines()
    first = next(n for n, row in enumerate(rows) if row.startswith("brier "))
    assert rows[first + 1].startswith("brier_skill ")  # no line between them
    assert f"the aft forecaster of {task}, learned from 9 rollouts of 9 instances" in printed.out
    assert "It learned from 9 instances" in printed.err
    kept = load_forecaster(out)
    assert (kept.kind, kept.task, kept.knows_success) == ("aft", task, True)
    assert kept.learned_from.revision == build_record(sample)["revision"]
    assert kept.learned_from.splits == ("sft", "rl")
    assert kept.skill == json.loads(scores.read_text(encoding="utf-8"))["skill"]
    for name, content in contents(out).items():
        assert str(sample).encode() not in content, name
        assert str(tmp_path).encode() not in content, name


@pytest.mark.parametrize("task", ["sokoban", "warehouse"])
def test_the_example_of_a_card_runs(task: str, sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    flags = ("--dataset", sample, "--config", f"{task}_train", "--forecaster", "aft", "--out", out)
    assert fit(*flags) == 0
    assert_its_example_runs(out)


def test_the_example_of_a_card_of_any_resources_runs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    rows = [
        counted(f"session {number}", True, [(30, 50 + number)] * (3 + number % 3))
        for number in range(5)
    ]
    for row in rows:
        call = {"id": "1", "type": "function", "function": {"name": "ls", "arguments": "{}"}}
        for message in row["messages"][1::2]:
            message["tool_calls"] = [call]
    write_lines(tmp_path / "logs" / "a.jsonl", rows)
    flags = ("--logs", tmp_path / "logs", "--resources", "tokens,tool_calls,turns", "--out", out)
    assert fit(*flags, "--forecaster", "aft") == 0
    assert_its_example_runs(out)


def assert_its_example_runs(folder: Path) -> None:
    """The card's example runs once a user's values are filled in."""
    card = (folder / "README.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"(?ms)^```python\n(.*?)^```$", card)
    texts = {
        "ORG/NAME": str(folder),
        "from bagen_data.live import BudgetTracker, load_forecaster": "",
        "user=...": 'user="look"',
        "assistant=...": 'assistant="go"',
        "response.usage": '{"prompt_tokens": 300, "completion_tokens": 40}',
        "state=...": 'state={"cash_usd": 9_000.0}',
        "=...": "=3",
    }
    for old, new in texts.items():
        code = code.replace(old, new)
    names = {"BudgetTracker": BudgetTracker, "load_forecaster": load_forecaster}
    exec(code, names)  # noqa: S102  the card's own lines
    tracker = names["tracker"]
    assert isinstance(tracker, BudgetTracker)
    assert tracker.problems == ()
    assert tracker.forecast() is not None
    assert min(tracker.used.values()) > 0


def test_a_dataset_on_the_hub_is_named_with_its_commit(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there = tmp_path / "here", tmp_path / "there"
    learning = ("--config", "sokoban_train", "--forecaster", "aft")
    with loopback_hub() as hub:
        hub.patch(monkeypatch, tmp_path / "home")
        commit = hub.upload("ORG/NAME", sample)
        hub.commit("ORG/NAME", {"README.md": b"A line."})
        flags = ("--dataset", "ORG/NAME", "--revision", commit[:9])
        assert fit(*flags, *learning, "--out", there) == 0
        close_session()
    assert fit("--dataset", sample, *learning, "--out", here) == 0
    learned = load_forecaster(there).learned_from
    assert (learned.dataset, learned.commit) == ("ORG/NAME", commit)
    card = ModelCard((there / "README.md").read_text(encoding="utf-8"))
    assert card.data.datasets == ["ORG/NAME"]
    assert {each.dataset_revision for each in card.data.eval_results} == {commit}
    assert {each.dataset_split for each in card.data.eval_results} == {"sft+rl", "heldout"}
    arrays = "forecaster.safetensors"
    assert (here / arrays).read_bytes() == (there / arrays).read_bytes()


def test_a_family_has_the_scores_of_cross_validation(sample: Path, tmp_path: Path) -> None:
    out, scores = tmp_path / "out", tmp_path / "scores.json"
    of = ("--dataset", sample, "--config", "swebench")
    assert fit(*of, "--forecaster", "aft", "--seed", 3, "--json", scores) == 0
    predicting = ("predict", "baseline", "aft", *of, "--seed", 3, "--cross-validate", "--out", out)
    assert exit_code(main, *predicting) == 0
    assert exit_code(main, "score", out, *of, "--json", tmp_path / "other.json") == 0
    own = json.loads(scores.read_text(encoding="utf-8"))["skill"]["cross_fitted"]["scores"]
    other = json.loads((tmp_path / "other.json").read_text(encoding="utf-8"))["overall"]
    assert own == {name: other[name] for name in own}


def test_what_was_fitted_forecasts_as_predict_baseline(sample: Path, tmp_path: Path) -> None:
    """`fit` learns what `predict baseline` learns from the same config."""
    out, other = tmp_path / "out", tmp_path / "other"
    train = ("--dataset", sample, "--config", "sokoban_train")
    assert fit(*train, "--forecaster", "aft", "--out", out) == 0
    of = ("--dataset", sample, "--config", "sokoban")
    assert exit_code(main, "predict", "baseline", "aft", *of, "--out", other) == 0
    lines = (other / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    predicted = [parse(json.loads(line)["response"], None, "forecast").forecast for line in lines]
    probes = [each.probe for each in load_examples(str(sample), "sokoban").examples]
    assert load_forecaster(out).forecast(probes) == predicted


def test_logs_without_outcomes_teach_amounts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    flags = ("--logs", write_logs(tmp_path / "logs", 12), "--task", "refactoring", "--out", out)
    assert fit(*flags, "--forecaster", "aft", "--resources", "tokens,turns") == 0
    printed = capsys.readouterr()
    assert "forecaster of refactoring, which does not know success, learned from" in printed.out
    assert "None of the 12 rollouts is judged" in printed.err
    kept = load_forecaster(out)
    assert not kept.knows_success
    assert kept.resources == ("tokens", "turns")
    assert kept.units == {"tokens": "tokens", "turns": "turns"}
    assert str(tmp_path).encode() not in b"".join(contents(out).values())


def test_judged_logs_teach_success(tmp_path: Path) -> None:
    folder = write_logs(tmp_path / "logs", 6)
    labels = [{"rollout": f"a.jsonl:{n}", "success": n % 2 == 0} for n in range(1, 7)]
    write_lines(folder / "labels.jsonl", labels)
    out = tmp_path / "out"
    assert fit("--logs", folder, "--out", out, "--forecaster", "aft") == 0
    kept = load_forecaster(out)
    assert kept.knows_success
    assert kept.task == "runs"


@needs_shared_logs
def test_a_log_of_claude_code_alone_is_too_little(capsys: pytest.CaptureFixture[str]) -> None:
    assert fit("--logs", SHARED_LOGS / "claude-code") == 1
    assert "1 rollout of one instance only" in capsys.readouterr().err


def test_without_out_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_logs(tmp_path / "logs", 5)
    assert fit("--logs", folder, "--forecaster", "climatology") == 0
    assert "was not kept; give --out FOLDER" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["logs"]


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        ((), 2, "--dataset and --logs: neither was given"),
        (("--dataset", "SAMPLE", "--logs", "SAMPLE"), 2, "both were given"),
        (("--dataset", "SAMPLE"), 2, "--config: is missing"),
        (("--dataset", "SAMPLE", "--config", "chess_train"), 1, "no config chess_train"),
        (("--dataset", "SAMPLE", "--config", "sokoban_start"), 2, "has no probes of one task"),
        (("--dataset", "SAMPLE", "--config", "sokoban", "--task", "x"), 2, "--task: does not go"),
        (("--logs", "SAMPLE", "--config", "sokoban"), 2, "--config: does not go with --logs"),
        (("--logs", "SAMPLE", "--task", "a b"), 2, "--task a b"),
        (("--logs", "SAMPLE", "--resources", "gold"), 2, "--resources gold"),
        (("--logs", "SAMPLE", "--price", "x"), 2, "--price x"),
        (
            ("--dataset", "SAMPLE", "--config", "sokoban", "--forecaster", "forrest"),
            2,
            "--forecaster forrest: is not a forecaster; expected one of conformal, climatology, "
            "aft, forest\n",
        ),
        (
            ("--dataset", "SAMPLE", "--config", "sokoban", "--forecaster", "quantiles"),
            2,
            "cannot be kept",
        ),
        (("--dataset", "NOWHERE", "--config", "sokoban"), 1, "no such folder"),
        (
            ("--dataset", "SAMPLE", "--config", "sokoban", "--rollout-model", "gpt"),
            2,
            "expected one of scripted",
        ),
        (
            ("--dataset", "SAMPLE", "--config", "sokoban", "--out", "s3://bucket/x"),
            2,
            "is a URL",
        ),
    ],
)
def test_what_cannot_be_fitted_says_why(
    flags: tuple[str, ...],
    code: int,
    words: str,
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    places = {"SAMPLE": sample, "NOWHERE": tmp_path / "no" / "where"}
    assert fit(*(places.get(each, each) for each in flags)) == code
    assert words in capsys.readouterr().err


def test_a_folder_without_logs_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert fit("--logs", empty) == 1
    problem = capsys.readouterr().err
    assert f"{empty}: refused: holds no .json" in problem
    assert "\n.: " not in problem


def test_a_hidden_split_has_nothing_to_learn_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build(SAMPLE, tmp_path / "out", "--hidden", 6) == 0
    assert fit("--dataset", tmp_path / "out" / "public", "--config", "sokoban") == 1
    assert "is a hidden split, without labels to learn from" in capsys.readouterr().err


def test_a_folder_of_something_else_stays(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")
    flags = ("--dataset", sample, "--config", "sokoban_train", "--out", tmp_path)
    assert fit(*flags) == 1
    assert "notes.txt" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_missing_scikit_learn_is_named(sample: Path, tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['sklearn'] = None; "
        "from bagen_data.cli import main; main(sys.argv[1:])"
    )
    flags = ("fit", "--dataset", sample, "--config", "sokoban_train", "--out", tmp_path / "out")
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, flags)],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.strip() == (
        "scikit-learn is not installed; install it with: pip install 'bagen-data[baselines]'"
    )
    assert not list(tmp_path.iterdir())
