"""`bagen predict baseline DIR`: a kept forecaster answers what it did not learn from."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bagen_data.answers import parse
from bagen_data.cli import main
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.forecasters import find_forecaster
from bagen_data.forecasters.kept import KeptForecaster, keep, learned_of
from bagen_data.forecasters.kept.kept_predictions import predict_kept
from bagen_data.forecasters.learning.examples import Example, load_examples
from bagen_data.forecasters.learning.predictions import ForecastRequest, predict
from bagen_data.submissions import METADATA, read_metadata
from tests.making import SAMPLE, build, exit_code


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> str:
    out = tmp_path_factory.mktemp("sample") / "built"
    assert build(SAMPLE, out) == 0
    return str(out)


@pytest.fixture(scope="module")
def kept(sample: str) -> KeptForecaster:
    """A forest of sokoban's training rollouts, as `predict baseline forest` learns it."""
    examples: list[Example] = []
    for split in ("rl", "sft"):
        loaded = load_examples(sample, "sokoban_train", split)
        examples += [
            one for one in loaded.examples if one.probe.turns and any(one.target.remaining.values())
        ]
    return fitted_on(examples, loaded.revision, "sokoban_train")


def fitted_on(examples: Sequence[Example], revision: str | None, config: str) -> KeptForecaster:
    fit = find_forecaster("forest").fit
    assert fit is not None
    known = learned_of(examples, dataset="sample", revision=revision, config=config, seed=0)
    return keep("forest", fit(examples, 0), examples, known)


def request_of(sample: str, config: str | None = "sokoban", split: str = "test") -> ForecastRequest:
    return ForecastRequest(sample, config, split, "a folder")


@pytest.mark.parametrize("question", ["forecast", "interval"])
def test_it_answers_as_the_baseline_that_learned_the_same(
    sample: str, kept: KeptForecaster, question: str
) -> None:
    asked = replace(request_of(sample), question=question)  # type: ignore[arg-type]
    predicted = predict_kept(kept, asked)
    expected = predict(replace(asked, forecaster="forest"))
    assert predicted.rows == expected.rows
    assert predicted.trained_on == expected.trained_on == "train"
    assert predicted.settings == {**expected.settings, "forecaster_sha256": kept.sha256}
    assert predicted.revision == expected.revision


def test_what_it_learned_from_is_refused_by_name(sample: str, kept: KeptForecaster) -> None:
    asked = request_of(sample, "sokoban_train", "rl")
    first = load_examples(sample, "sokoban_train", "rl").examples[0].sample_id
    with pytest.raises(
        InputError, match=rf"learned from the instances of \d+ samples, .* {first};"
    ):
        predict_kept(kept, asked)
    assert predict_kept(kept, asked, "answered").trained_on == "benchmark"


def test_the_training_is_said(sample: str, kept: KeptForecaster) -> None:
    known = kept.learned_from
    asked = request_of(sample)
    for learned, trained_on in (
        (replace(known, revision="another"), "other"),
        (replace(known, revision=None), "other"),
        (replace(known, config="sokoban"), "benchmark"),
    ):
        other = replace(kept, learned_from=learned)
        assert predict_kept(other, asked).trained_on == trained_on


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        (None, "is of task searchr1, and the forest forecaster of sokoban answers sokoban only"),
        ("warehouse", "is of task warehouse, and the forest .* give --config sokoban"),
    ],
)
def test_other_tasks_are_refused(
    sample: str, kept: KeptForecaster, config: str | None, problem: str
) -> None:
    with pytest.raises(InputError, match=problem):
        predict_kept(kept, request_of(sample, config))


def test_other_budgets_are_refused(sample: str, kept: KeptForecaster) -> None:
    other = replace(kept, conditions={"target_cash_usd": 1.0})
    with pytest.raises(InputError, match=r"the conditions none, and the forest .* target_cash_usd"):
        predict_kept(other, request_of(sample))


def test_it_is_not_asked_to_learn(sample: str, kept: KeptForecaster) -> None:
    asked = request_of(sample)
    with pytest.raises(
        WrongUsageError, match=r"--cross-validate: the forest .* has learned already"
    ):
        predict_kept(kept, replace(asked, cross_validate=True))
    with pytest.raises(WrongUsageError, match=r"--learn-from: the forest .* has learned already"):
        predict_kept(kept, replace(asked, learn_from=sample))


def test_amounts_alone_answer_no_sample(sample: str) -> None:
    examples = load_examples(sample, "sokoban_train", "rl").examples
    fit_amounts = find_forecaster("forest").fit_amounts
    assert fit_amounts is not None
    kept = keep("forest", fit_amounts(examples, 0), examples)
    with pytest.raises(InputError, match="learned amounts from runs whose outcome is not known"):
        predict_kept(kept, request_of(sample))


def test_the_command_names_the_forecaster_by_its_hash(
    sample: str, kept: KeptForecaster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept.save(tmp_path / "kept")
    out = tmp_path / "out"
    flags = ("--dataset", sample, "--config", "sokoban", "--out", str(out))
    assert exit_code(main, "predict", "baseline", str(tmp_path / "kept"), *flags) == 0
    metadata = read_metadata(out / METADATA)
    assert metadata.estimator == f"forest-{kept.sha256[:12]}"
    assert metadata.model_id == "forest"
    assert metadata.decoding["forecaster_sha256"] == kept.sha256
    assert metadata.trained_on == "train"
    assert metadata.prompt_variant == "forecast_no_think"
    assert str(tmp_path) not in (out / METADATA).read_text()
    rows = [json.loads(line) for line in (out / "predictions.jsonl").read_text().splitlines()]
    examples = load_examples(sample, "sokoban").examples
    said = [parse(row["response"], ("tokens",), "forecast").forecast for row in rows]
    assert said == kept.forecast([example.probe for example in examples])
    capsys.readouterr()
    assert exit_code(main, "predict", "baseline", "nothing", *flags) == 2
    assert "no baseline is called nothing" in capsys.readouterr().err
    assert exit_code(main, "predict", "baseline", "./nothing", *flags) == 1
    assert "no such folder" in capsys.readouterr().err
