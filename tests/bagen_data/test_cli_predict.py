"""`bagen predict baseline`, dry runs, and `bagen show`."""

import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import yaml

from bagen_data.cli import main
from bagen_data.hub import load_samples, splits
from bagen_data.models.model_options import ModelOptions
from bagen_data.models.presets import find_preset
from bagen_data.submission_writer import new_metadata
from bagen_data.submissions import METADATA, read_metadata
from tests.bagen_data.forecasters.few_trees import few_trees
from tests.making import REPO, SAMPLE, build, build_record, exit_code, write_trajectories


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return out


def bagen(*arguments: object) -> int:
    return exit_code(main, *arguments)


def predict(sample: Path, out: Path, *more: object) -> int:
    return bagen("predict", *more, "--dataset", sample, "--out", out)


def first(sample: Path, config: str = "sokoban", split: str = "test") -> str:
    ids = load_samples(str(sample), config, split).table["sample_id"]
    return str(ids[0].as_py())


@pytest.mark.parametrize("baseline", ["over_budget", "quantiles"])
def test_what_it_writes_validates_and_scores(baseline: str, sample: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    for _ in range(2):  # it may replace its own
        assert predict(sample, out, "baseline", baseline) == 0
    assert bagen("validate", out, "--dataset", sample) == 0
    assert bagen("score", out, "--dataset", sample, "--resamples", 0) == 0
    metadata = read_metadata(out / METADATA)
    assert metadata.dataset_revision == build_record(sample)["revision"]
    assert metadata.trained_on == ("train" if baseline == "quantiles" else "none")
    assert (metadata.provider, metadata.model_id, metadata.prompt_variant) == (
        "none",
        baseline,
        "none",
    )


def test_cross_validation_is_written_down(sample: Path, tmp_path: Path) -> None:
    flags = ("baseline", "conformal", "--config", "swebench", "--cross-validate", "--seed", 3)
    with few_trees():
        assert predict(sample, tmp_path / "out", *flags, "--name", "mine") == 0
    metadata = read_metadata(tmp_path / "out" / METADATA)
    assert (metadata.trained_on, metadata.estimator) == ("benchmark", "mine")
    assert metadata.decoding == {"nominal_coverage": 0.8, "seed": 3, "cross_validated_folds": 10}


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("model",), "give a model as PROVIDER/NAME, or --preset NAME"),
        (("model", "openai/x", "--preset", "qwen3-235b"), "one of the two"),
        (("baseline", "oracle"), "expected one of always_infeasible"),
        (("model", "--preset", "gpt-9"), "unknown; expected one of: gpt-5.2-instant"),
        (("baseline", "over_budget", "--resume"), "No such option: --resume"),
        (("model", "openai/x", "--cross-validate"), "No such option: --cross-validate"),
        (("baseline", "over_budget", "--cross-validate"), "learns nothing"),
        (("baseline", "over_budget", "--temperature", "0"), "No such option: --temperature"),
        (("baseline", "over_budget", "--link", "here"), "--link: found 'here'"),
        (("model", "openai/x", "--name", ""), "--name: found ''"),
        (("baseline", "over_budget", "--name", ""), "--name: found ''"),
        (("baseline", "conformal", "--seed", "4294967296"), "--seed"),
        (("model", "openai/x", "--constrained"), "needs a vLLM server"),
        (("model", "gpt-5"), "gpt-5: is not PROVIDER/NAME; expected e.g. openai/gpt-5.2"),
        (("model", "openai/"), "openai/: is not PROVIDER/NAME"),
        (("model", "openai-api/local"), "a part of the name is missing; expected openai-api/NAME"),
        (("model", "openai-api//x"), "a part of the name is missing"),
        (("model", "openai/x", "--full"), "--full: shows the prompts of --dry-run"),
        (("model", "openai/x", "--price", "cheap"), "US dollars a million"),
        (("model", "openai/x", "--price", "input=1"), "input= or output= is missing"),
        (("model", "openai/x", "--model-arg", "x"), "expected KEY=VALUE"),
        (("model", "openai/x", "--model-arg", "api_key=x"), "in the environment"),
        (("model", "openai/x", "--model-arg", 'headers={"auth": 1}'), "in the environment"),
        (("model", "openai/x", "--base-url", "http://key@host"), "in the environment"),
        (("model", "openai/x", "--base-url", "localhost:8000"), "does not begin with http://"),
        (
            ("model", "openai/x", "--base-url", "http://a/v1", "--base-url", "b:80/v1"),
            "--base-url b:80/v1: does not begin with http://",
        ),
        (("model", "openai/x", "--base-url", "http://"), "has no valid host and port"),
        (("model", "openai/x", "--base-url", "http://a:99999/v1"), "has no valid host and port"),
        (("model", "openai/x", "--base-url", "http://[::1/v1"), "has no valid host and port"),
        (
            ("model", "openai/x", "--reasoning-effort", "huge"),
            "--reasoning-effort: found 'huge'; expected 'none', 'minimal'",
        ),
        (
            ("model", "openai/x", "--model-arg", "foo=1"),
            "--model-arg foo: the client of openai/x does not take it so",
        ),
        (("baseline", "quantiles", "--config", "sokoban_train", "--split", "rl"), "learns from"),
    ],
)
def test_wrong_usage(
    flags: tuple[str, ...],
    words: str,
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    assert predict(sample, tmp_path / "out", *flags) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "pydantic" not in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "command",
    [
        ("predict", "baseline", "oracle", "--config", "sokoban", "--out", "out"),
        ("show", "sokoban/m/r/1", "--baseline", "oracle"),
        ("policy", "oracle", "--config", "sokoban"),
    ],
)
def test_an_unknown_forecaster_is_refused_before_data_is_read(
    command: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bagen(*command, "--dataset", tmp_path / "nowhere") != 0
    said = capsys.readouterr().err
    assert "oracle" in said
    assert "conformal" in said
    assert "nowhere" not in said


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (("predict", "--estimator", "over_budget"), "bagen predict baseline NAME"),
        (("predict", "--dataset", "d", "--model=openai/x"), "bagen predict model PROVIDER/NAME"),
        (("predict", "--preset", "qwen3-235b"), "bagen predict model --preset NAME"),
        (("show", "a/b/c/1", "--estimator", "quantiles"), "bagen show SAMPLE_ID --baseline NAME"),
    ],
)
def test_old_spellings_answer_with_one_line(
    old: tuple[str, ...], new: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bagen(*old) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(new)


@pytest.mark.parametrize("url", ["s3://bucket/out", "file:///srv/out", "hf://buckets/me/out"])
def test_a_url_is_not_made_a_folder(
    url: str,
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert predict(sample, Path(url), "baseline", "over_budget") == 2
    assert bagen("merge", "a", "b", "--out", url) == 2
    assert capsys.readouterr().err.count("is a URL, and predictions are written to a folder") == 2
    assert not list(tmp_path.iterdir())


def test_a_preset_completes_what_is_not_given() -> None:
    gemini = find_preset("gemini-3.1-pro")
    assert gemini.complete(ModelOptions(temperature=0)).generation == {
        "temperature": 0,
        "max_tokens": 16_384,
    }
    assert gemini.complete(ModelOptions(max_tokens=9)).generation == {"max_tokens": 9}


def test_predictions_of_others_are_not_replaced(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert predict(sample, out, "baseline", "over_budget") == 0
    before = (out / "predictions.jsonl").read_bytes()
    assert predict(sample, out, "baseline", "always_feasible") == 1
    assert "holds predictions of over_budget" in capsys.readouterr().err
    assert (out / "predictions.jsonl").read_bytes() == before
    alone = tmp_path / "alone" / METADATA
    alone.parent.mkdir()
    for text, known in (
        ((out / METADATA).read_text(encoding="utf-8"), "over_budget"),
        ("mine", "an unknown estimator"),
    ):
        alone.write_text(text, encoding="utf-8")
        assert predict(sample, alone.parent, "baseline", "always_feasible") == 1
        assert f"holds metadata of {known}" in capsys.readouterr().err
        assert alone.read_text(encoding="utf-8") == text
    (out / METADATA).unlink()
    assert predict(sample, out, "baseline", "over_budget") == 1
    (tmp_path / "file").write_text("", encoding="utf-8")
    assert predict(sample, tmp_path / "file", "baseline", "over_budget") == 1
    assert "is not a folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("model", "missing"),
    [
        ("openai/gpt-5.2", "the model's key is missing; set it with: export OPENAI_API_KEY=..."),
        ("mistral/x", "the provider's package is missing; install it with: pip install mistralai"),
        ("vllm/ORG/NAME", "package is missing; install it with: pip install vllm"),
        ("openai-api/local/rule", "give --base-url, as in --base-url http://localhost:8000/v1"),
        ("nosuch/x", "nosuch is not a provider; expected e.g. openai, anthropic"),
    ],
)
def test_a_dry_run_finds_what_the_run_would_lack(
    model: str,
    missing: str,
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    package = re.search(r"pip install (\w+)", missing)
    if package and find_spec(package[1]):
        pytest.skip(f"{package[1]} is installed here")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("LOCAL_API_KEY", "any")
    flags = ("model", model, "--dry-run", "--config", "sokoban", "--full")
    assert predict(sample, tmp_path / "out", *flags) == 1
    said = capsys.readouterr()
    (ready,) = [line for line in said.out.splitlines() if line.startswith("ready: ")]
    assert ready.startswith("ready: no, ")
    assert missing in ready
    assert said.out.count("You are an estimator.") == 3
    assert "--full shows" not in said.out
    assert said.err.startswith("the run would fail: ")
    assert missing in " ".join(said.err.split())
    assert not (tmp_path / "out").exists()


def test_a_dry_run_shows_prompts_and_costs_and_asks_nothing(
    sample: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A dry run makes no request, and checks of a key only that it is set."""
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    model = ("model", "openai/gpt-5.2", "--dry-run", "--temperature", 0)
    flags = (*model, "--config", "sokoban")
    assert predict(sample, tmp_path / "out", *flags) == 0
    said = capsys.readouterr().out
    assert said.index("ready: yes") < said.index("You are an estimator.")
    assert said.count("You are an estimator.") == 3
    assert said.count("more characters; --full shows them") == 3
    prompts = re.split(r"(?m)^-+ [a-z]+/.* -+$", said)[1:]
    assert len(prompts) == 3
    assert all(len(prompt) < 1_600 and prompt.count("\n") < 32 for prompt in prompts)
    assert all(prompt.rstrip().endswith("<answer>impossible</answer>") for prompt in prompts)
    assert "48 of 8 rollouts" in said
    assert "cost: unknown; give --price" in said
    assert "temperature 0.0" in said
    price = ("--price", "input=1000,cached=100,output=0")
    assert predict(sample, tmp_path / "out", *flags, *price, "--limit", 2) == 0
    said = capsys.readouterr().out
    assert "samples: 2 of 1 rollout," in said
    assert "US dollars, or" in said
    assert predict(sample, tmp_path / "out", *model) == 0
    assert "257 of 32 rollouts" in capsys.readouterr().out
    for prompt, tokens in (("no_think", 30), ("point_no_think", 20), ("forecast_think", 330)):
        one = ("--prompt", prompt, "--limit", 1, "--full")
        assert predict(sample, tmp_path / "out", *flags, *one) == 0
        said = capsys.readouterr().out
        assert f"output: about {tokens} tokens" in said
    assert "question: forecast_think" in said
    assert "Give five quantiles." in said
    assert predict(sample, tmp_path / "out", *flags, "--prompt", "guess") == 2
    assert "expected one of: interval_think" in " ".join(capsys.readouterr().err.split())
    assert not (tmp_path / "out").exists()


def test_a_missing_extra_is_named(sample: Path, tmp_path: Path) -> None:
    for module, extra, flags in (
        ("inspect_ai", "models", ("model", "openai/x")),
        ("sklearn", "baselines", ("baseline", "conformal")),
    ):
        code = (
            f"import sys; sys.modules[{module!r}] = None; from bagen_data.cli import main; "
            f"main(sys.argv[1:])"
        )
        arguments = ("predict", *flags, "--dataset", sample, "--out", tmp_path / "out")
        done = subprocess.run(
            [sys.executable, "-c", code, *map(str, arguments)],
            cwd=REPO,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 1
        assert f"pip install 'bagen-data[{extra}]'" in done.stderr
        assert "Traceback" not in done.stderr


def test_show(sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert predict(sample, tmp_path / "out", "baseline", "quantiles") == 0
    capsys.readouterr()
    baselines = ("--baseline", "over_budget", "--baseline", "median_22")
    flags = ("--dataset", sample, "--predictions", tmp_path / "out", *baselines)
    assert bagen("show", first(sample), *flags) == 0
    said = capsys.readouterr().out
    assert "You are an estimator." in said
    assert "so the best answer is <answer>" in said
    assert str(tmp_path / "out" / "predictions.jsonl") in said
    assert said.count("drawn: = answer, o what the run went on to use, | budget left") == 3


def test_show_finds_training_samples_and_several_resources(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = first(sample, "warehouse_train", "rl")
    flags = ("--dataset", sample, "--baseline", "always_feasible", "--full")
    assert bagen("show", own, *flags) == 0
    said = capsys.readouterr().out
    assert "target_cash_usd" in said
    assert "cumulative_cost_usd" in said
    assert "more characters" not in said


@pytest.mark.parametrize(
    ("sample_id", "words"),
    [
        ("chess/m/r/1", "the dataset has the configs searchr1, searchr1_start, searchr1_train"),
        ("[bold]", "no sample id begins with '[bold]'"),
        ("sokoban/m/r/1", "expected sokoban/scripted; pass sokoban to list its ids"),
        ("sokoban/scripted/r/1", "and 13 more; pass sokoban/scripted to list its ids"),
        ("{}99", "expected {}0, {}1, {}2, {}3, {}4 and 5 more"),
    ],
)
def test_show_says_what_there_is(
    sample_id: str, words: str, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stem = first(sample).rpartition("/")[0] + "/"
    wanted = words.replace("{}", stem)
    assert bagen("show", sample_id.format(stem), "--dataset", sample) == 1
    assert wanted in capsys.readouterr().err


@pytest.mark.parametrize(
    ("beginning", "configs"),
    [
        ("sokoban", ["sokoban"]),
        ("soko", ["sokoban"]),
        ("sokoban_start", ["sokoban_start"]),
        ("sokoban_train", ["sokoban_train"]),
        ("sokoban/scripted", ["sokoban", "sokoban_start", "sokoban_train"]),
    ],
)
def test_show_lists_ids_one_a_line_in_a_pipe(
    beginning: str, configs: list[str], sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bagen("show", beginning, "--dataset", sample) == 0
    ids = [
        sample_id
        for config in configs
        for split in splits(str(sample), config)
        for sample_id in load_samples(str(sample), config, split).table["sample_id"].to_pylist()
    ]
    assert sorted(capsys.readouterr().out.split("\n")[:-1]) == sorted(ids)


@pytest.mark.parametrize("slash", ["", "/"])
def test_show_lists_the_probes_of_a_rollout_by_turn(
    slash: str, sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rollout = first(sample, "warehouse").rpartition("/")[0]
    assert bagen("show", rollout + slash, "--dataset", sample) == 0
    printed = capsys.readouterr().out.splitlines()
    assert printed == [f"{rollout}/{turn}" for turn in range(11)]


def test_show_cuts_a_list_to_a_screen(
    sample: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("TTY_COMPATIBLE", "1"), ("LINES", "20"), ("COLUMNS", "80")):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("NO_COLOR", "1")
    listing = ("show", "swebench/scripted", "--dataset", sample)
    assert bagen(*listing) == 0
    cut = capsys.readouterr().out
    assert "swebench/scripted: 232 samples of 18 rollouts" in cut
    assert "These are 12 of 18 rows; pass --full to see all of them." in cut
    assert re.search(r"^swebench/scripted/toys__calc-blanks +0 to 14 +failed$", cut, re.MULTILINE)
    assert max(map(len, cut.splitlines())) <= 80
    assert bagen(*listing, "--full") == 0
    whole = capsys.readouterr().out
    assert "--full" not in whole
    assert whole.count("\nswebench/scripted/") == 18


@pytest.mark.parametrize("option", ["--baseline", "--predictions", "--picture"])
def test_answers_are_shown_along_one_rollout(
    option: str, sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "predictions.jsonl").write_text("", encoding="utf-8")
    value = {"--baseline": "over_budget", "--predictions": tmp_path}.get(option, tmp_path / "p.svg")
    assert bagen("show", "sokoban", "--dataset", sample, option, value) == 2
    error = " ".join(capsys.readouterr().err.split())
    assert f"sokoban: is the beginning of 48 sample ids; {option} needs one, such as" in error


def test_show_reads_a_folder_with_a_file_for_each_config(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert predict(sample, tmp_path / "all", "baseline", "over_budget") == 0
    folder = tmp_path / "apart"
    folder.mkdir()
    lines = (tmp_path / "all" / "predictions.jsonl").read_text("utf-8").splitlines(keepends=True)
    for task in ("sokoban", "swebench"):
        own = [line for line in lines if f'"{task}/' in line]
        (folder / f"{task}.jsonl").write_text("".join(own), encoding="utf-8")
    capsys.readouterr()
    for task in ("sokoban", "swebench"):
        flags = ("--dataset", sample, "--predictions", folder)
        assert bagen("show", first(sample, task), *flags) == 0
        out, error = capsys.readouterr()
        assert str(folder / f"{task}.jsonl") in out
        assert "no answer" not in out
        assert error == ""


def test_show_takes_an_id_as_it_is(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["a[/x]b-1", "a[bold]-2"]
    write_trajectories(tmp_path / "origin" / "swebench-origin-m", names, names[:1])
    assert build(tmp_path / "origin", tmp_path / "built") == 0
    for name in names:
        own = f"swebench/m/{name}/1"
        assert bagen("show", own, "--dataset", tmp_path / "built") == 0
        assert own in capsys.readouterr().out


@pytest.mark.parametrize("beside", [False, True])
def test_show_reads_answers_by_their_variant(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], beside: bool
) -> None:
    own = first(sample)
    text = "<answer>finish=0.65, success=0.8, tokens=[0, 1, 2, 3, 99999]</answer>"
    file = tmp_path / "predictions.jsonl"
    file.write_text(json.dumps({"sample_id": own, "response": text}) + "\n", encoding="utf-8")
    if beside:
        metadata = new_metadata(
            None,
            estimator="mine",
            model_id="none",
            decoding={},
            trained_on="none",
            prompt_variant="forecast_no_think",
        )
        content = yaml.safe_dump(metadata.model_dump(mode="json", exclude_none=True))
        (tmp_path / METADATA).write_text(content, encoding="utf-8")
    chosen = () if beside else ("--prompt", "forecast_no_think")
    assert bagen("show", own, "--dataset", sample, "--predictions", file, *chosen) == 0
    said = capsys.readouterr().out
    assert "finish 0.65: [0, 99999]" in said
    form = "finish=p_finish, success=p_success, tokens=[q10, q25, q50, q75, q90]"
    assert (f"<answer>{form}</answer>" in said) is not beside
    assert ("the best answer is <answer>finish=" in said) is not beside


def test_show_asks_baselines_the_question_that_is_shown(
    sample: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = load_samples(str(sample), "sokoban").table.to_pylist()
    failed = next(row["sample_id"] for row in rows if not row["rollout_success"])
    unscored = "quantiles of this run are not scored, because it failed"
    baselines = ("--baseline", "climatology", "--baseline", "always_infeasible")
    flags = ("--dataset", sample, "--cross-validate", *baselines)
    assert bagen("show", failed, *flags, "--prompt", "forecast_think") == 0
    said = capsys.readouterr().out
    assert "  finish 0." in said
    assert unscored in said
    assert bagen("show", failed, *flags) == 0
    said = capsys.readouterr().out
    assert "finish 0." not in said
    assert unscored not in said


def test_show_marks_answers(
    sample: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = load_samples(str(sample), "sokoban").table
    rows = [row for row in table.to_pylist() if row["feasible"]]
    stem = rows[0]["sample_id"].rpartition("/")[0]
    own = [row for row in rows if row["sample_id"].startswith(stem)]
    remaining = own[0]["resources"][0]["remaining"]
    for response, verdict in (
        (f"<answer>[0, {remaining:.0f}]</answer>", "right: covers the amount"),
        ("<answer>[0, 1]</answer>", "too low: it used more"),
        (f"<answer>[{remaining + 1:.0f}, 99999]</answer>", "too high: it used less"),
        ("<answer>impossible</answer>", "wrong: it finished within the budget"),
        ("", "invalid (no_answer)  wrong: no answer given"),
    ):
        said = said_of(sample, own[0]["sample_id"], response, tmp_path, capsys)
        assert verdict in said
        assert said.count("-  no answer") == len(own) - 1
        assert "the agent succeeded within the budget; this is after turn 1 of" in said


@pytest.mark.parametrize(
    ("is_success", "ending", "reason"),
    [
        (False, "the agent failed", "the agent failed"),
        (True, "the agent succeeded above the budget", "it finished above the budget"),
    ],
)
def test_show_says_why_a_run_was_infeasible(
    is_success: bool,
    ending: str,
    reason: str,
    sample: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = next(
        row["sample_id"]
        for row in load_samples(str(sample), "swebench").table.to_pylist()
        if not row["feasible"] and row["rollout_success"] == is_success
    )
    for response, judged in (("[1, 9]", "wrong"), ("impossible", "right")):
        said = said_of(sample, own, f"<answer>{response}</answer>", tmp_path, capsys)
        assert f"{judged}: {reason}" in said
        assert f"{ending}" in said


def said_of(
    sample: Path, own: str, response: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> str:
    """The output of `bagen show` beside one prediction."""
    file = folder / "predictions.jsonl"
    line = json.dumps({"sample_id": own, "response": response})
    file.write_text(f"{line}\n", encoding="utf-8")
    assert bagen("show", own, "--dataset", sample, "--predictions", file) == 0
    return capsys.readouterr().out
