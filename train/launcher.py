"""Start a training script's processes, as `accelerate launch` does, and report an error once.

    python train/launcher.py --config_file train/accelerate/fsdp2.yaml train/sft.py --config FILE
    python train/launcher.py --config_file train/accelerate/cpu.yaml --num_processes 2 SCRIPT ...

Options before the script are those of `accelerate launch`. That command adds a traceback of its own
to every error and Ctrl-C, and ends with exit code 1. This one adds nothing to what the script says,
and ends with the script's exit code: 1, 2, or 130 after Ctrl-C. `--num_processes 2` on a CPU starts
two processes here, where `accelerate launch` starts one without a message.
"""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)  # not this folder
    import train.installed  # noqa: F401

from bagen_data.command_line import run
from bagen_data.errors import InputError

_INTERRUPTED = 130
_SIGNALLED = 128
"""The exit code of a process that a signal ended is this and the number of the signal."""


def main(arguments: Sequence[str] | None) -> None:
    """Run a script in its processes, and exit with its code."""
    codes: list[int] = []
    run(lambda words: codes.append(launch(words)), arguments)
    sys.exit(codes[0])


def launch(arguments: Sequence[str] | None) -> int:
    """Run a script in its processes, and return its exit code.

    Raises:
        InputError: the script is missing, or the processes cannot be started.
    """
    from accelerate.commands.launch import launch_command_parser

    parser = launch_command_parser()
    options = parser.parse_args(None if arguments is None else list(arguments))
    if not Path(options.training_script).is_file() and not options.module:
        raise InputError(f"{options.training_script}: cannot find this script")
    _silence_torchrun()
    # The script gets Ctrl-C as well, and says what is kept: this process only waits for its end.
    signal.signal(signal.SIGINT, lambda *_: None)
    signal.signal(signal.SIGTERM, _pass_on)
    return _exit_code(options)


def _pass_on(number: int, _frame: object) -> None:
    """Send a signal on to the processes, which would go on and hold the run's folder."""
    import psutil

    for process in psutil.Process().children():
        process.send_signal(number)


def _silence_torchrun() -> None:
    """Keep torchrun from logging what the script says itself."""
    import torch.distributed.run  # noqa: F401  it makes the loggers

    for name in list(logging.root.manager.loggerDict):
        if name.startswith("torch.distributed.elastic"):
            logging.getLogger(name).setLevel(logging.CRITICAL)


def _exit_code(options: Any) -> int:
    from accelerate.commands.launch import launch_command
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    try:
        processes = _processes_on_cpu(options)
        if processes > 1:
            _launch_on_cpu(options, processes)
        else:
            launch_command(options)
    except subprocess.CalledProcessError as error:
        return _code_of(error.returncode)
    except SignalException as error:
        return _SIGNALLED + int(error.sigval)
    except ChildFailedError as error:
        return _failed(error, is_first_machine=not options.machine_rank)
    except (OSError, ValueError, TypeError) as error:
        raise InputError(f"launch: {error}; see accelerate launch --help") from error
    return 0


def _failed(error: Any, *, is_first_machine: bool) -> int:
    """Say why the first process failed, unless the process of rank 0 has; return the exit code."""
    rank, first = error.get_first_failure()
    said = is_first_machine and _first_process_file(first.error_file).is_file()
    codes = {_code_of(each.exitcode) for each in error.failures.values()}
    if _INTERRUPTED in codes:
        return _INTERRUPTED
    if not said:
        message = first.message["message"] if isinstance(first.message, dict) else first.message
        sys.stderr.write(f"process {rank}: {message}\n")
    return _code_of(first.exitcode)


def _first_process_file(error_file: str) -> Path:
    """Return where the process of rank 0 leaves its error, beside that of another one.

    torchrun names these files ATTEMPT/RANK/error.json. The process of rank 0 may be ended by the
    other's error after it said its own, and is then not among the failures.
    """
    path = Path(error_file)
    return path.parent.parent / "0" / path.name


def _code_of(returned: int) -> int:
    return returned if returned >= 0 else _SIGNALLED - returned


def _processes_on_cpu(options: Any) -> int:
    """Return the number of processes of a launch on a CPU; 0 of one on GPUs."""
    from accelerate.commands.config.config_args import load_config_from_file

    file = options.config_file
    settings: Any = load_config_from_file(file) if file and Path(file).is_file() else None
    if not (options.cpu or getattr(settings, "use_cpu", False)):
        return 0
    return int(options.num_processes or getattr(settings, "num_processes", None) or 1)


def _launch_on_cpu(options: Any, processes: int) -> None:
    from torch.distributed import run as torchrun

    os.environ |= {"ACCELERATE_USE_CPU": "true", "ACCELERATE_MIXED_PRECISION": "no"}
    os.environ.setdefault("OMP_NUM_THREADS", str(options.num_cpu_threads_per_process or 1))
    command = ["--standalone", "--nproc_per_node", str(processes)]
    module = ["--module"] if options.module else []
    script = [*module, options.training_script, *options.training_script_args]
    torchrun.run(torchrun.get_args_parser().parse_args([*command, *script]))


if __name__ == "__main__":
    main(None)
