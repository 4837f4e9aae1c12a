"""The process group of PyTorch ends, with its threads, before Python does."""

import sys
from pathlib import Path

import pytest

from tests.making import REPO
from tests.train.running import FORKS, TO_THE_END

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="the names of threads are read from Linux's /proc"
)

BEGIN = f"""
import importlib
import sys

sys.path[0] = {str(REPO)!r}
from torch import distributed, nn

from bagen_data.errors import WrongUsageError
from tests.train.gloo_threads import gloo_threads
from train.process_group import ended_process_group

def begin():
    store = distributed.HashStore()
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
"""

WRAPPED_MODEL = """
@ended_process_group()
def train(end):
    begin()
    model = nn.parallel.DistributedDataParallel(nn.Linear(2, 2))
    model.trainer = [model]  # as a trainer and its model refer to each other
    if end == "fails":
        raise ValueError

try:
    train(sys.argv[1])
    print("returns,", gloo_threads())
except ValueError:
    print("fails,", gloo_threads())
"""

WRONG_USAGE = """
begin()
try:
    importlib.import_module(sys.argv[1]).main(["--config"])
except WrongUsageError:
    print("fails,", gloo_threads())
"""


def run_to_its_very_end(*command: object) -> str:
    """Return the output of a command that ends as Python does, where such a thread is fatal."""
    process = FORKS.run(command, TO_THE_END)
    assert process.returncode == 0, process.stderr[-3000:]
    return process.stdout


@pytest.mark.parametrize("end", ["returns", "fails"])
def test_no_thread_outlives_a_wrapped_model(end: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(BEGIN + WRAPPED_MODEL)
    assert f"{end}, []\n" in run_to_its_very_end(program, end)


@pytest.mark.parametrize("script", ["train.sft", "train.grpo"])
def test_a_script_ends_the_process_group(script: str, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(BEGIN + WRONG_USAGE)
    assert "fails, []\n" in run_to_its_very_end(program, script)
