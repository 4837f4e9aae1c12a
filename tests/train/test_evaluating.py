"""Evaluation that is killed goes on, and never with another model's answers."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models
from transformers import AutoTokenizer, PreTrainedTokenizerFast

from bagen_data.errors import WorkerDiedError
from bagen_data.hub import load_samples
from bagen_data.submissions import read_metadata
from bagen_data.tables import read_jsonl
from tests.train.running import FORM, run, started
from train.answering import PARTIAL, QuestionOptions, ResumableAnswers
from train.generation import Decoding, GeneratedAnswer, choose_backend, generator
from train.paper_table import table_row


def answered(out: Path) -> int:
    path = out / PARTIAL
    return max(0, path.read_text("utf-8").count("\n") - 1) if path.is_file() else 0


def test_an_evaluation_that_was_killed_goes_on(dataset: str, tiny: str, tmp_path: Path) -> None:
    questions = ("--model", tiny, "--dataset", dataset, "--config", "sokoban", "--split", "test")
    sizes = ("--max-new-tokens", 16, "--batch-size", 1)
    command = ("train/evaluate.py", *questions, *sizes, *FORM, "--out")
    with started(*command, tmp_path / "killed") as process:
        while answered(tmp_path / "killed") < 5:
            assert process.poll() is None, "".join(process.communicate())[-3000:]
            time.sleep(0.01)
    partial = tmp_path / "killed" / PARTIAL
    lines = partial.read_text("utf-8").splitlines()
    marked = json.loads(lines[1]) | {"response": "kept"}
    partial.write_text("\n".join([lines[0], json.dumps(marked), *lines[2:], '{"sample_i']), "utf-8")
    run(*command, tmp_path / "killed")
    run(*command, tmp_path / "whole")
    killed, whole = (
        read_jsonl(tmp_path / name / "predictions.jsonl") for name in ("killed", "whole")
    )
    assert len(whole) == 48
    again = [row for row in killed if row["response"] == "kept"]
    assert [row["sample_id"] for row in again] == [marked["sample_id"]]  # it was not asked again
    for row, other in zip(killed, whole, strict=True):
        assert row in (other, marked)
    assert not partial.exists()
    metadata = read_metadata(tmp_path / "killed" / "metadata.yaml")
    assert (metadata.provider, metadata.weights) == ("transformers", "open")
    assert metadata.decoding["max_tokens"] == 16


@pytest.fixture
def answering(dataset: str, tiny: str, tmp_path: Path) -> ResumableAnswers:
    model = tmp_path / "model"
    shutil.copytree(tiny, model)
    questions = QuestionOptions(dataset, "sokoban_train", "heldout", "as_built", 1000)
    decoding = Decoding(str(model), 4, 2, "float32")
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    return ResumableAnswers(tmp_path / "out", questions, decoding, tokenizer)


def test_other_weights_do_not_go_on(
    answering: ResumableAnswers, dataset: str, capsys: pytest.CaptureFixture[str]
) -> None:
    also = ("prompt", "prompt_variant")
    samples = load_samples(dataset, "sokoban_train", "heldout", also=also)
    rows, variant = answering.answers(samples)
    assert variant == "interval_no_think"
    partial = answering.out / PARTIAL
    kept = partial.read_text("utf-8").replace('"response": "', '"response": "kept ')
    partial.write_text(kept, "utf-8")
    again, _ = answering.answers(samples)
    assert all(row["response"].startswith("kept ") for row in again)
    weights = Path(answering.decoding.model) / "model.safetensors"
    tensors = load_file(weights)
    os.utime(weights, ns=(1, 1))  # a copy of them is not another model
    assert answering.answers(samples)[0] == again
    capsys.readouterr()
    save_file(tensors, weights, metadata={"format": "pt", "other": "bytes"})
    assert answering.answers(samples)[0] == rows
    said = " ".join(capsys.readouterr().err.split())
    assert "5 answers of an evaluation with model weights '" in said
    assert "these are not kept, and all questions are asked again" in said
    Path(answering.decoding.model, "chat_template.jinja").write_text("-", "utf-8")
    answering.answers(samples)
    assert "with model files chat_template.jinja '" in " ".join(capsys.readouterr().err.split())


def test_lines_that_a_crash_left_are_asked_again(answering: ResumableAnswers, dataset: str) -> None:
    """Zeros in a file after the machine's end were a traceback."""
    also = ("prompt", "prompt_variant")
    samples = load_samples(dataset, "sokoban_train", "heldout", also=also)
    rows, _ = answering.answers(samples)
    partial = answering.out / PARTIAL
    settings, first, *_ = partial.read_bytes().split(b"\n")
    kept = first.replace(b'"response": "', b'"response": "kept ')
    broken = [kept, b"\0" * 9, b"\xff", b"[]", b'{"sample_id": 5}', b""]
    partial.write_bytes(b"\n".join([settings, *broken]))
    again, _ = answering.answers(samples)
    assert sum(row["response"].startswith("kept ") for row in again) == 1
    assert [row for row in again if row in rows] == [
        row for row in rows if row["sample_id"] != json.loads(first)["sample_id"]
    ]


def test_an_engine_that_fails_here_is_one_message(
    answering: ResumableAnswers, dataset: str
) -> None:
    """Weights of another shape stand for memory that runs out."""
    config = Path(answering.decoding.model) / "config.json"
    config.write_text(json.dumps(json.loads(config.read_bytes()) | {"intermediate_size": 96}))
    also = ("prompt", "prompt_variant", "completed_turns")
    samples = load_samples(dataset, "sokoban_train", "heldout", also=also)
    answering.out.mkdir()
    with pytest.raises(WorkerDiedError, match=r"0 answers of this run .*: 5 are left; give the"):
        answering.answers(samples)


def test_what_cannot_fit_stays_unanswered(answering: ResumableAnswers, dataset: str) -> None:
    samples = load_samples(dataset, "sokoban_train", "heldout", also=("prompt", "prompt_variant"))
    questions = QuestionOptions(dataset, "sokoban_train", "heldout", "as_built", 9)
    short = ResumableAnswers(
        answering.out, questions, answering.decoding, answering.tokenizer, answering.engines
    )
    rows, _ = short.answers(samples)
    assert [row["response"] for row in rows] == [""] * len(samples.table)
    assert GeneratedAnswer("", 0, 0).output_tokens == rows[0]["usage"]["output_tokens"]


def test_transformers_answer_where_there_is_no_vllm(tiny: str) -> None:
    assert choose_backend("auto", tiny) == "transformers"
    assert choose_backend("transformers", tiny) == "transformers"


def test_a_models_own_sampling_does_not_change_what_is_greedy(tiny: str, tmp_path: Path) -> None:
    """Qwen2.5-Instruct brings a repetition_penalty of 1.05, which vLLM is not told of either: of a
    question full of numbers, it moves the numbers of the answer."""
    prompts = [[{"role": "user", "content": "7 of 9 tokens; how many more?"}]]
    tokenizer = AutoTokenizer.from_pretrained(tiny)
    copied = tmp_path / "copied"
    shutil.copytree(tiny, copied)
    file = copied / "generation_config.json"
    content = json.loads(file.read_bytes()) | {"repetition_penalty": 9.0, "do_sample": True}
    file.write_text(json.dumps(content), "utf-8")
    plain, penalised = (
        list(generator("transformers", Decoding(str(folder), 8, 1, "float32"), tokenizer)(prompts))
        for folder in (tiny, copied)
    )
    assert penalised == plain


def test_an_answer_does_not_depend_on_its_batch(tiny: str, tmp_path: Path) -> None:
    """Token 0 filled short answers where a tokenizer has no padding (Llama-3.1): `!!!!`."""
    model = tmp_path / "model"
    shutil.copytree(tiny, model)
    for file in (model / "config.json", model / "generation_config.json"):
        file.write_text(json.dumps(json.loads(file.read_bytes()) | {"eos_token_id": 2}), "utf-8")
    words = Tokenizer(models.WordLevel({"!": 0, "go": 1, "stop": 2}, unk_token="!"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, eos_token="stop")
    tokenizer.chat_template = "{{ messages[0]['content'] }}"
    prompts = [[{"role": "user", "content": word}] for word in ("stop", "go")]
    alone, together = (
        dict(generator("transformers", decoding, tokenizer)(prompts))
        for decoding in (Decoding(str(model), 8, size, "float32") for size in (1, 2))
    )
    assert alone == together
    assert alone[0] == GeneratedAnswer("", 1, 1)  # two layers from nothing repeat the last token
    assert alone[1].output_tokens == 8


def test_the_table_leaves_out_what_has_nothing_remaining(dataset: str) -> None:
    table = load_samples(dataset, "sokoban_train", "heldout").table
    rows = table.to_pylist()
    left = [row for row in rows if row["resources"][0]["remaining"]]
    predictions = [{"sample_id": row["sample_id"], "response": "", "usage": {}} for row in rows]
    assert 0 < len(left) < len(rows)
    assert table_row(table, predictions, resamples=0)["valid_rate"]["n"] == len(left)
