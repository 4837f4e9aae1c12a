"""Wrong options are reported before any weights load."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from bagen_data.errors import InputError
from tests.train.running import FORM, SHORT, fail, run, sft_options, write_yaml
from train.break_even import AnswerSums
from train.data import sft_rows
from train.reward_functions import AnswerWatch, CollapseWatch, reward_functions
from train.training_options import (
    GRPOOptions,
    SFTOptions,
    parse,
    reward_weights,
)


def arguments(tmp_path: Path, dataset: str, model: str, **changes: Any) -> list[str]:
    content = sft_options(dataset, model, tmp_path / "out", **changes)
    return ["--config", str(write_yaml(tmp_path / "run.yaml", content))]


def test_the_command_line_goes_before_the_file(tmp_path: Path, dataset: str, tiny: str) -> None:
    flags = ("--target", "fix500", "--learning_rate", "0.5")
    config, settings = parse([*arguments(tmp_path, dataset, tiny), *flags], SFTOptions)
    assert (settings.data.target, config.learning_rate) == ("fix500", 0.5)
    assert config.model_init_kwargs["attn_implementation"] == "sdpa"
    assert (config.report_to, config.bf16) == ([], False)
    assert settings.tokenizer.chat_template


@pytest.mark.parametrize("checkpointing", [True, False])
def test_trls_name_of_checkpointing_warns_of_nothing(
    tmp_path: Path, dataset: str, tiny: str, checkpointing: bool
) -> None:
    words = arguments(tmp_path, dataset, tiny, gradient_checkpointing=checkpointing)
    config, _ = parse(words, SFTOptions)  # a warning is an error here
    assert config.activation_checkpointing == config.gradient_checkpointing == checkpointing


def test_a_run_is_tracked_unless_told_otherwise(tmp_path: Path, dataset: str, tiny: str) -> None:
    content = sft_options(dataset, tiny, tmp_path / "out")
    del content["report_to"]
    config, _ = parse(["--config", str(write_yaml(tmp_path / "a.yaml", content))], SFTOptions)
    assert config.report_to == ["trackio"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"use_cpu": False}, "cannot find a GPU that PyTorch can use; give --use_cpu true"),
        ({"max_length": 600}, "max_length is 600 and max_prompt_tokens 1152; a prompt and its"),
        ({"max_length": 9000}, "its context has 2,048 tokens, and prompt and answer may have"),
        ({"target": "wide"}, "target 'wide'"),
        ({"eval_strategy": "epoch"}, "eval_strategy is 'epoch', and evaluate_on names no config"),
        ({"eval_on_start": True}, "eval_on_start is true, and eval_strategy is 'no'; give"),
        ({"per_device_train_batch_size": 0}, "expected 1 or more"),
        ({"max_lenght": 9}, r"unknown option max_lenght; did you mean max_length\?"),
        ({"zzzzz": 9}, "unknown option zzzzz; see --help"),
        ({"hub_token": "hf_abc"}, "hub_token: holds a key, and checkpoints keep all options"),
        ({"model_init_kwargs": {"token": "hf_abc"}}, "model_init_kwargs: holds a key"),
        (
            {"num_train_epochs": "many"},
            "argument --num_train_epochs.*: invalid float value: 'many'",
        ),
        ({"model_name_or_path": "/nowhere"}, "/nowhere: cannot be read as a model"),
        ({"train_on": "sokoban_train"}, "train_on is 'sokoban_train'; expected a list of names"),
        ({"keep_epochs": 2}, "keep_epochs is 2; expected a list of whole numbers"),
        ({"keep_epochs": [0]}, r"keep_epochs is \[0\]; expected 1 or more"),
        (
            {"keep_epochs": [2, 9], "num_train_epochs": 5, "max_steps": -1},
            "keep_epochs names 9, and num_train_epochs is 5",
        ),
        ({"num_train_epochs": 0, "max_steps": -1}, "num_train_epochs is 0; expected more than 0"),
        ({"target": 30}, "target 30: expected pct10"),
        ({"max_prompt_tokens": [640]}, r"max_prompt_tokens is \[640\]; expected 1 or more"),
    ],
)
def test_what_does_not_fit(
    tmp_path: Path, dataset: str, tiny: str, changes: dict[str, Any], message: str
) -> None:
    if "use_cpu" in changes and torch.accelerator.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(InputError, match=message):
        parse(arguments(tmp_path, dataset, tiny, **changes), SFTOptions)


@pytest.mark.parametrize(
    ("flags", "message"),
    [(["--config"], "--config names no file"), (["--config", "bad.yaml"], "while parsing a flow")],
)
def test_a_file_that_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bad.yaml").write_text("a: [")
    with pytest.raises(InputError, match=message):
        parse(flags, SFTOptions)


def test_no_model_is_named(tmp_path: Path, dataset: str, tiny: str) -> None:
    content = sft_options(dataset, tiny, tmp_path / "out")
    del content["model_name_or_path"]
    with pytest.raises(InputError, match="model_name_or_path is missing"):
        parse(["--config", str(write_yaml(tmp_path / "a.yaml", content))], SFTOptions)


def test_a_model_that_cannot_chat(tmp_path: Path, dataset: str, tiny: str) -> None:
    shutil.copytree(tiny, tmp_path / "mute")
    (tmp_path / "mute" / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match="its tokenizer has no chat template"):
        parse(arguments(tmp_path, dataset, str(tmp_path / "mute")), SFTOptions)


def test_weights_that_are_cut_off(tmp_path: Path, dataset: str, tiny: str) -> None:
    """A weights file that is cut off was a traceback of safetensors, from each process."""
    model = tmp_path / "model"
    shutil.copytree(tiny, model)
    weights = model / "model.safetensors"
    content = weights.read_bytes()
    for length in (len(content) - 1, 300, 0):
        weights.write_bytes(content[:length])
        with pytest.raises(
            InputError, match=r"model\.safetensors: is cut off; copy the model again"
        ):
            parse(arguments(tmp_path, dataset, str(model)), SFTOptions)
    weights.unlink()
    with pytest.raises(InputError, match=r"model: holds no weights; expected model\.safetensors"):
        parse(arguments(tmp_path, dataset, str(model)), SFTOptions)
    index = model / "model.safetensors.index.json"
    index.write_text('{"weight_map": {"a": "model-00001-of-00002.safetensors"}}')
    with pytest.raises(InputError, match=r"model-00001-of-00002\.safetensors: is missing; copy"):
        parse(arguments(tmp_path, dataset, str(model)), SFTOptions)
    index.write_text('{"weight_')
    with pytest.raises(InputError, match=r"model\.safetensors\.index\.json: cannot be read"):
        parse(arguments(tmp_path, dataset, str(model)), SFTOptions)


def test_a_model_that_takes_no_system_message(tmp_path: Path, dataset: str, tiny: str) -> None:
    """Gemma-2's template; it was a traceback of jinja's, once the rows were read."""
    shutil.copytree(tiny, tmp_path / "gemma")
    raises = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}"
    (tmp_path / "gemma" / "chat_template.jinja").write_text(raises)
    with pytest.raises(InputError, match=r"cannot show a system, .* message: no system; take"):
        parse(arguments(tmp_path, dataset, str(tmp_path / "gemma")), SFTOptions)


def test_training_does_not_begin_with_an_adapter(tmp_path: Path, dataset: str, tiny: str) -> None:
    """SFT with LoRA leaves an adapter, with which GRPO cannot begin."""
    shutil.copytree(tiny, tmp_path / "lora")
    adapter = {"base_model_name_or_path": tiny}
    (tmp_path / "lora" / "adapter_config.json").write_text(json.dumps(adapter))
    with pytest.raises(InputError, match="is a LoRA adapter, and training begins with weights"):
        parse(arguments(tmp_path, dataset, str(tmp_path / "lora")), SFTOptions)


def test_arguments_of_the_chat_template(tmp_path: Path, dataset: str, tiny: str) -> None:
    """Template options are YAML or, on the command line, JSON; SFT's rows carry them to TRL."""
    flags = ["--chat_template_kwargs", '{"enable_thinking": false}']
    _, settings = parse([*arguments(tmp_path, dataset, tiny), *flags], SFTOptions)
    assert settings.template == {"enable_thinking": False}
    rows = sft_rows(settings.data, settings.tokenizer, settings.template).rows
    assert rows[0]["chat_template_kwargs"] == {"enable_thinking": False}


@pytest.mark.parametrize(
    ("rewards", "message"),
    [
        ("papr", "rewards is 'papr'; expected paper, dense, proper"),
        ("[1]", "expected paper, dense, proper"),
        ('{"intervall": 1}', "reward of intervall"),
        ({"interval": "much"}, "the weight of interval is 'much'"),
    ],
)
def test_rewards_that_are_none(rewards: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        reward_weights(rewards)


def test_grpo_options(tmp_path: Path, dataset: str, tiny: str) -> None:
    changes = {"num_generations": 4, "rewards": {"interval": 1.5, "format": 0}}
    content = sft_options(dataset, tiny, tmp_path / "out", **changes)
    for name in ("target", "max_length"):
        del content[name]
    file = str(write_yaml(tmp_path / "grpo.yaml", content))
    config, _ = parse(["--config", file], GRPOOptions)
    assert config.rewards == {"interval": 1.5, "format": 0}
    with pytest.raises(InputError, match="use_vllm is true, and vLLM is not installed"):
        parse(["--config", file, "--use_vllm", "true"], GRPOOptions)
    with pytest.raises(InputError, match="context has 2,048 tokens"):
        parse(["--config", file, "--max_completion_length", "1500"], GRPOOptions)


def test_reward_functions_log_what_to_watch() -> None:
    """TRL calls a function for each part, named after it, which judges each answer once."""
    logged: dict[str, list[float]] = {}
    amounts = [{"resource": "tokens", "budget": 900.0, "used": 200.0, "remaining": 400.0}]
    texts = ["<answer>[360, 440]</answer>", "<answer>impossible</answer>", "?"]
    watch = AnswerWatch({"interval": 1.8, "impossible": 0.2, "format": 0}, feasible_share=0.5)
    rewards = {
        function.__name__: function(
            prompts=[[]] * 3,
            completions=[[{"role": "assistant", "content": text}] for text in texts],
            feasible=[True, False, False],
            resources=[amounts] * 3,
            prompt_variant=["interval_no_think"] * 3,
            rollout_success=[True, False, False],
            log_metric=lambda name, value: logged.setdefault(name, []).append(value),
        )
        for function in reward_functions(watch)
    }
    assert rewards == {
        "interval": [pytest.approx(0.8), 0.0, 0.0],
        "impossible": [0.0, 1.0, 0.0],
        "format": [1.0, 1.0, 0.0],
    }
    assert logged == {
        "valid_rate": [1, 1, 0],
        "impossible_rate": [0, 1, 0],
        "coverage": [1],
        "relative_width": [pytest.approx(0.2)],
        "interval_worth": [pytest.approx(0.8)],
        "break_even": [pytest.approx(1 / 9)],
    }
    sums = watch.take()
    assert (sums.answers, sums.valid, sums.worth) == (3, 2, pytest.approx(0.8))
    assert watch.take() == AnswerSums()


def test_a_collapse_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    from transformers import TrainerState

    watch, state = CollapseWatch(), TrainerState()
    for logs in ({}, {"impossible_rate": 0.95, "frac_reward_zero_std": 0.8}):
        watch.on_log(None, state, None, logs)
    assert capsys.readouterr().err == ""
    for _ in range(2):
        watch.on_log(None, state, None, {"impossible_rate": 0.96, "frac_reward_zero_std": 0.9})
    warnings = " ".join(capsys.readouterr().err.split())
    assert warnings.count("the model has collapsed to `impossible`") == 1
    assert warnings.count("teach nothing") == 1


def test_lora_is_trained_and_evaluated(dataset: str, tiny: str, tmp_path: Path) -> None:
    """An adapter is a folder that evaluation takes like weights."""
    changes = {"use_peft": True, "lora_target_modules": "all-linear", "max_steps": 2, **SHORT}
    file = arguments(tmp_path, dataset, tiny, **changes)
    run("train/sft.py", *file)
    assert (tmp_path / "out" / "adapter_config.json").is_file()
    options = ("--dataset", dataset, "--max-new-tokens", 4, *FORM, "--out", tmp_path / "said")
    written = run("train/evaluate.py", "--model", tmp_path / "out", *options)
    assert "| out | 0.00" in written
    rows = (tmp_path / "said" / "predictions.jsonl").read_text("utf-8").splitlines()
    assert len(rows) == 5  # the held-out part, the sample at k = T too
    assert all(json.loads(row)["usage"]["output_tokens"] <= 4 for row in rows)


def test_one_message_and_exit_code_1(dataset: str, tiny: str, tmp_path: Path) -> None:
    file = arguments(tmp_path, "nowhere", tiny)
    assert "nowhere: no such folder" in fail("train/sft.py", *file)
    assert "none.yaml" in fail("train/grpo.py", "--config", tmp_path / "none.yaml")
    options = ("--dataset", dataset, "--out", tmp_path / "message", "--model")
    assert "cannot be read as a model" in fail("train/evaluate.py", *options, tmp_path / "none")
    message = fail("train/evaluate.py", *options, tiny, "--max-new-tokens", 5000)
    assert "its context has 2,048 tokens, of which --max-new-tokens takes 5,000" in message
