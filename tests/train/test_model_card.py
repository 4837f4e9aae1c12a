"""A model's card says how it was made, holds its held-out scores, and is pushed with the model."""

import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from bagen_data.replaced_file import write_file
from tests.forks import Forks
from tests.loopback_hub import LoopbackHub, loopback_hub
from tests.train.running import ENVIRONMENT, FORM, SHORT, run, sft_options, write_yaml
from train.model_card import (
    CARD,
    SCORES,
    TRAINING,
    Card,
    Stage,
    add_scores,
    read_card,
    write_card,
)

SOURCE = {
    "path": "MLL-Lab/BAGEN",
    "commit": "0" * 40,
    "config": "sokoban_train",
    "split": "heldout",
    "revision": "531ad17e2c50",
    "samples": 120,
}
ACCURACY = {"value": 0.75, "low": 0.5, "high": 0.9, "n": 120}
NONE = {"value": None, "low": None, "high": None, "n": 0}


def stage(method: str = "sft", **changes: Any) -> Stage:
    values: dict[str, Any] = {
        "method": method,
        "settings": {"model_name_or_path": "ORG/base", "seed": 42},
        "rows": ["sokoban_train/sft: 7 rows"],
        "begun_with": "ORG/base",
        "dataset": "MLL-Lab/BAGEN",
        "config": "sokoban_train",
        "variant": "interval_no_think",
        "is_adapter": False,
    }
    return Stage(**{**values, **changes})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_card(tmp_path / "sft", "ORG/sft", stage())
    return tmp_path / "sft"


def metadata_of(folder: Path) -> Any:
    """Return the card as the Hub's client reads it."""
    return ModelCard.load(folder / CARD).data


def scored(folder: Path, source: Mapping[str, Any] = SOURCE, **scores: Any) -> Path | None:
    rows = scores or {"accuracy": ACCURACY, "mre_p50": NONE}
    return add_scores(str(folder), source, "interval_no_think", rows)


def test_a_card_says_what_it_was_made_of(model: Path) -> None:
    text, metadata = (model / CARD).read_text("utf-8"), metadata_of(model)
    assert (metadata.base_model, metadata.datasets) == ("ORG/base", ["MLL-Lab/BAGEN"])
    assert (metadata.library_name, metadata.eval_results) == ("transformers", None)
    assert "trained from `ORG/base` by SFT, with" in text
    assert "| `seed` | 42 |" in text
    assert "This model was not evaluated yet." in text


def test_a_card_says_what_the_model_answers(model: Path, tmp_path: Path) -> None:
    write_card(tmp_path / "forecasts", "ORG/f", stage(variant="forecast_no_think"))
    texts = [(folder / CARD).read_text("utf-8") for folder in (model, tmp_path / "forecasts")]
    assert ["an interval around what remains" in text for text in texts] == [True, False]
    assert ["the probabilities that the agent" in text for text in texts] == [False, True]


def test_scores_are_put_there_once(model: Path) -> None:
    assert scored(model) == model / CARD
    once = (model / CARD).read_bytes()
    scored(model)
    assert (model / CARD).read_bytes() == once
    assert b"| `accuracy` | 0.750 | 0.500 to 0.900 | 120 |" in once
    assert b"not evaluated" not in once
    (result,) = metadata_of(model).eval_results
    assert (result.metric_type, result.metric_value, result.dataset_split) == (
        *("accuracy", 0.75),
        "heldout",
    )
    scored(model, accuracy={**ACCURACY, "value": 0.8})
    assert [each.metric_value for each in metadata_of(model).eval_results] == [0.8]


def test_evaluations_that_end_at_once_lose_no_scores(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Evaluations at once each wrote the card that it had read, without the others' scores."""

    def slow(path: Path, text: str) -> None:
        time.sleep(0.05)
        write_file(path, text)

    monkeypatch.setattr("train.model_card.write_file", slow)
    sources = [{**SOURCE, "config": config} for config in ("sokoban", "searchr1", "swebench")]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda source: scored(model, source), sources))
    configs = {each.dataset_config for each in metadata_of(model).eval_results}
    assert configs == {"sokoban", "searchr1", "swebench"}


def test_a_score_of_the_papers_table_has_its_name_there(model: Path) -> None:
    scored(model, hit_rate=ACCURACY)
    assert "| `hit_rate`, the paper's Cover | 0.750 |" in (model / CARD).read_text("utf-8")
    assert metadata_of(model).eval_results[0].metric_name == "Cover"


def test_scores_on_other_questions_stand_beside(model: Path) -> None:
    scored(model)
    scored(model, {**SOURCE, "config": "searchr1", "split": "test"})
    results = metadata_of(model).eval_results
    assert [each.dataset_config for each in results] == ["sokoban_train", "searchr1"]


def test_scores_on_what_was_trained_on_are_left_out(model: Path) -> None:
    before = (model / CARD).read_bytes()
    for part in ("sft", "rl"):
        assert scored(model, {**SOURCE, "split": part}) is None
    assert (model / CARD).read_bytes() == before


def test_what_was_written_by_hand_stays(model: Path) -> None:
    text = (model / CARD).read_text("utf-8").replace("## Scores", "By hand.\n\n## Scores")
    (model / CARD).write_text(text.replace("library_name:", "license: mit\nlibrary_name:"), "utf-8")
    scored(model)
    assert "By hand." in (model / CARD).read_text("utf-8")
    assert metadata_of(model).license == "mit"


@pytest.mark.parametrize(
    "text", ["# Somebody's", "---\na: [\n---\n", "---\nlicense: mit\n---\n# Theirs", None]
)
def test_a_card_of_somebody_else_stays(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / CARD).write_text(text, "utf-8")
    assert scored(tmp_path) is None
    assert add_scores("ORG/model", SOURCE, "interval_no_think", {"accuracy": ACCURACY}) is None
    assert [path.read_text("utf-8") for path in tmp_path.iterdir()] == [text] * (text is not None)


def test_the_same_training_keeps_the_scores_and_another_does_not(model: Path) -> None:
    scored(model)
    before = (model / CARD).read_bytes()
    write_card(model, "ORG/sft", stage())
    assert (model / CARD).read_bytes() == before
    write_card(model, "ORG/sft", stage(settings={"seed": 43}))
    assert metadata_of(model).eval_results is None


def test_a_run_that_was_done_already_keeps_what_was_written_by_hand(model: Path) -> None:
    """The same command, given again, wrote a new card over it."""
    text = (model / CARD).read_text("utf-8").replace("## Scores", "By hand.\n\n## Scores")
    (model / CARD).write_text(text, "utf-8")
    write_card(model, "ORG/sft", stage())
    assert (model / CARD).read_text("utf-8") == text


@pytest.mark.parametrize(
    "entry",
    [
        *("somebody's", None, {}),
        {"task": {"type": "text-generation"}, "dataset": {"type": "mmlu"}, "metrics": []},
        {"dataset": {"type": "mmlu", "args": {"num_few_shot": 5}}, "metrics": [{"value": 1}]},
    ],
)
def test_scores_of_somebody_else_in_the_metadata_stay(model: Path, entry: Any) -> None:
    """Evaluation ended with a KeyError on such a card."""
    scored(model)
    card = read_card(model)
    assert card is not None
    index = [{"name": "ORG/sft", "results": [*card.results, entry]}]
    changed = Card({**card.metadata, "model-index": index}, card.text)
    (model / CARD).write_text(str(changed), "utf-8")
    scored(model, accuracy={**ACCURACY, "value": 0.8})
    card = read_card(model)
    assert card is not None
    assert card.results[0] == entry
    assert "| `accuracy` | 0.800 |" in (card.section(SCORES) or "")


def test_a_second_stage_names_the_first(model: Path, tmp_path: Path) -> None:
    scored(model)
    settings = {"model_name_or_path": "out/sft", "beta": 0.05}
    folder = tmp_path / "grpo"
    write_card(folder, "ORG/grpo", stage("grpo", settings=settings, begun_with=str(model)))
    text = (folder / CARD).read_text("utf-8")
    assert metadata_of(folder).base_model == "ORG/base"
    assert metadata_of(folder).eval_results is None  # those of the first stage's model
    assert "trained from `ORG/base` by SFT, then GRPO, with" in text
    assert text.index("### 1. SFT") < text.index("### 2. GRPO") < text.index("`beta` | 0.05")


def test_no_path_of_the_machine_is_shown(tmp_path: Path) -> None:
    """A card may be published."""
    local = stage(begun_with=str(tmp_path), dataset=str(tmp_path))
    write_card(tmp_path / "out", str(tmp_path / "out"), local)
    source: dict[str, Any] = {**SOURCE, "path": str(tmp_path)}
    del source["commit"]
    scored(tmp_path / "out", source)
    text = (tmp_path / "out" / CARD).read_text("utf-8")
    assert str(tmp_path) not in text
    assert "--model FOLDER --out OUT" in text
    assert "--dataset DATASET --config" in text
    assert metadata_of(tmp_path / "out").base_model is None


@dataclass
class Publishing:
    """A Hub, and training commands that have it for the Hub."""

    hub: LoopbackHub
    environment: dict[str, str]
    forks: Forks

    def train(self, file: Path, **changes: str) -> "subprocess.CompletedProcess[str]":
        return self.forks.run(("train/sft.py", "--config", file), {**self.environment, **changes})


@pytest.fixture(scope="module")
def publishing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publishing]:
    with loopback_hub() as hub:
        home = tmp_path_factory.mktemp("home")
        environment = {**ENVIRONMENT, **hub.environment(home, "hf_write")}
        forks = Forks("tests.train.imported", environment=environment)
        yield Publishing(hub, environment, forks)
        forks.close()


def test_a_model_is_pushed_with_our_card(
    publishing: Publishing, dataset: str, tiny: str, tmp_path: Path
) -> None:
    """A LoRA adapter, as PEFT writes a card of its own beside TRL's."""
    out = tmp_path / "out"
    options = sft_options(dataset, tiny, out, max_steps=2, **SHORT)
    options |= {"use_peft": True, "lora_target_modules": "all-linear", "lora_r": 4}
    options |= {"save_strategy": "steps", "save_steps": 1, "hub_strategy": "checkpoint"}
    options |= {"push_to_hub": True, "hub_model_id": "ORG/lora", "hub_always_push": True}
    done = publishing.train(write_yaml(tmp_path / "run.yaml", options))
    assert done.returncode == 0, done.stderr[-3000:]
    files = publishing.hub.files("ORG/lora", repo_type="model")
    assert files["README.md"] == (out / CARD).read_bytes()
    assert files["adapter_model.safetensors"] == (out / "adapter_model.safetensors").read_bytes()
    card = read_card(out)
    assert card is not None
    assert card.metadata["library_name"] == "peft"
    assert "| `steps` | 2 of 2 |" in (card.section(TRAINING) or "")
    assert "| `lora_r` | 4 |" in (card.section(TRAINING) or "")
    own = [path for path in files if path.endswith(CARD)]
    assert own == ["README.md", "last-checkpoint/README.md"]
    for commit in publishing.hub.repositories["model", "ORG/lora"].commits.values():
        for path, kept in commit.files.items():
            assert b"hf_write" not in kept.data
            if path.endswith(CARD):
                assert b"<!-- bagen scores" in kept.data
    assert ".lock" not in files


def test_a_push_that_is_refused_is_one_message_before_weights_load(
    publishing: Publishing, dataset: str, tiny: str, tmp_path: Path
) -> None:
    options = sft_options(dataset, tiny, tmp_path / "out", push_to_hub=True, hub_model_id="ORG/b")
    done = publishing.train(write_yaml(tmp_path / "run.yaml", options), HF_TOKEN="hf_read")
    assert done.returncode == 1
    assert "ORG/b: the Hub refuses this with status 403; log in" in " ".join(done.stderr.split())
    assert not (tmp_path / "out").exists()


def test_a_hub_that_fails_at_the_end_loses_nothing(
    publishing: Publishing, dataset: str, tiny: str, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = sft_options(
        dataset, tiny, out, max_steps=1, **SHORT, push_to_hub=True, hub_model_id="ORG/c"
    )
    publishing.hub.fail_every(1, [403], only="commit/main")
    done = publishing.train(write_yaml(tmp_path / "run.yaml", options))
    publishing.hub.fail_every(0)
    assert done.returncode == 1
    message = " ".join(done.stderr.split())
    assert "the model is whole in" in message
    assert "push it with: hf upload ORG/c" in message
    assert (out / "model.safetensors").is_file()


def test_evaluation_puts_its_scores_into_the_card(dataset: str, tiny: str, tmp_path: Path) -> None:
    options = sft_options(dataset, tiny, tmp_path / "out", max_steps=1, **SHORT)
    run("train/sft.py", "--config", write_yaml(tmp_path / "run.yaml", options))
    questions = ("--model", tmp_path / "out", "--dataset", dataset, "--max-new-tokens", 4, *FORM)
    written = run("train/evaluate.py", *questions, "--out", tmp_path / "said")
    assert "holds these scores now" in written
    results = metadata_of(tmp_path / "out").eval_results
    assert results[0].dataset_split == "heldout"
    assert results[0].metric_value == 0
