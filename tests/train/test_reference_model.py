"""The reference model of GRPO is the model on disk in every process, or nothing is trained."""

from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils.launch import prepare_multi_gpu_env

from bagen_data.errors import InputError
from tests.forks import FORKED_CHILDREN
from tests.making import REPO
from tests.train.running import run, sft_options, write_yaml
from train.reference_model import check_reference_loading
from train.training_options import GRPOOptions, parse

pytestmark = pytest.mark.filterwarnings(
    "ignore:`gradient_checkpointing` is deprecated:FutureWarning"  # which TRL sets
)

FSDP2 = {
    "ACCELERATE_USE_FSDP": "true",
    "FSDP_VERSION": "2",
    "FSDP_CPU_RAM_EFFICIENT_LOADING": "true",
}


def launched(monkeypatch: pytest.MonkeyPatch, release: str, **changes: str) -> None:
    """Set what `accelerate launch` would, under a release of transformers."""
    for name, value in {**FSDP2, **changes}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("train.reference_model.version", lambda _: release)


def environment_of(launch: str) -> dict[str, str]:
    """The environment that `accelerate launch` sets for a file of ours."""
    file = str(REPO / "train" / "accelerate" / launch)
    words = ["--config_file", file, "train/grpo.py"]
    arguments, *_ = _validate_launch_command(launch_command_parser().parse_args(words))
    return {name: prepare_multi_gpu_env(arguments)[name] for name in FSDP2}


@pytest.mark.parametrize(("launch", "is_refused"), [("fsdp2", True), ("fsdp2_grpo", False)])
def test_the_file_for_grpo_loads_weights_with_any_release(
    monkeypatch: pytest.MonkeyPatch, launch: str, is_refused: bool
) -> None:
    launched(monkeypatch, "5.17.0", **environment_of(f"{launch}.yaml"))
    with pytest.raises(InputError) if is_refused else nullcontext():
        check_reference_loading(0.05, has_adapter=False)


def test_both_files_share_the_model_alike() -> None:
    sft, grpo = (
        yaml.safe_load((REPO / "train" / "accelerate" / name).read_text())
        for name in ("fsdp2.yaml", "fsdp2_grpo.yaml")
    )
    loading = "fsdp_cpu_ram_efficient_loading"
    assert (sft["fsdp_config"].pop(loading), grpo["fsdp_config"].pop(loading)) == (True, False)
    assert sft == grpo


def test_two_processes_compare_the_reference_with_the_weights(tiny: str) -> None:
    """Each process says so where either one's copy is another; nobody waits for the other."""
    torchrun = ("-m", "torch.distributed.run", "--standalone", "--nproc_per_node", 2)
    written = run(FORKED_CHILDREN, *torchrun, "-m", "tests.train.sharded_reference", tiny)
    for process in (0, 1):
        said = [line for line in written.splitlines() if line.startswith(f"process {process}: ")]
        lines = [line.removeprefix(f"process {process}: ") for line in said]
        assert [line.partition(";")[0] for line in lines] == [
            f"The reference model equals {tiny} in all 26 parameters.",
            differs(tiny, "zeros", 24, "model.embed_tokens.weight"),
            differs(tiny, "buffer", 1, "model.rotary_emb.inv_freq"),
            f"The reference model equals {tiny} in all 26 parameters.",
            differs(tiny, "not sharded, one value", 1, "model.layers.1.mlp.up_proj.weight"),
        ]


def differs(model: str, fault: str, count: int, first: str) -> str:
    return (
        f"{fault}: {model}: the reference model in memory differs from these weights in {count} "
        f"of 26 parameters, first in {first}"
    )


@pytest.mark.parametrize("release", ["4.56.2", "5.17.0", "5.22.2"])
def test_a_release_that_loads_zeros_is_refused(
    monkeypatch: pytest.MonkeyPatch, release: str
) -> None:
    launched(monkeypatch, release)
    message = f"beta is 0.05, and with .* transformers {release} loads a reference model of zeros"
    with pytest.raises(InputError, match=message):
        check_reference_loading(0.05, has_adapter=False)


@pytest.mark.parametrize(
    ("release", "beta", "has_adapter", "changes"),
    [
        ("5.23.0", 0.05, False, {}),
        ("5.22.2", 0.0, False, {}),
        ("5.22.2", 0.05, True, {}),
        ("5.22.2", 0.05, False, {"FSDP_CPU_RAM_EFFICIENT_LOADING": "false"}),
        ("5.22.2", 0.05, False, {"FSDP_VERSION": "1"}),
        ("5.22.2", 0.05, False, {"ACCELERATE_USE_FSDP": "false"}),
    ],
)
def test_what_loads_weights_is_not_refused(
    monkeypatch: pytest.MonkeyPatch,
    release: str,
    beta: float,
    has_adapter: bool,
    changes: dict[str, str],
) -> None:
    launched(monkeypatch, release, **changes)
    check_reference_loading(beta, has_adapter=has_adapter)


def test_the_refusal_comes_before_weights_load(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dataset: str
) -> None:
    """The model does not even exist."""
    content = sft_options(dataset, "/nowhere", tmp_path / "out", num_generations=4, beta=0.1)
    for name in ("target", "max_length"):
        del content[name]
    file = str(write_yaml(tmp_path / "grpo.yaml", content))
    launched(monkeypatch, "5.17.0")
    with pytest.raises(InputError, match=r"loads a reference model of zeros.*fsdp2_grpo\.yaml"):
        parse(["--config", file], GRPOOptions)
