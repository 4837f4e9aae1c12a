"""Run a training script whose files may not grow beyond some bytes, as on a full disk.

python tests/train/small_files.py BYTES SCRIPT OPTION...
"""

import resource
import runpy
import sys
from pathlib import Path
from typing import Any

from transformers import Trainer

train = Trainer.train


def limited(trainer: Trainer, **options: Any) -> Any:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))
    return train(trainer, **options)


if __name__ == "__main__":
    LIMIT = int(sys.argv[1])
    Trainer.train = limited
    sys.argv = sys.argv[2:]
    sys.path[0] = str(Path(sys.argv[0]).resolve().parent)
    runpy.run_path(sys.argv[0], run_name="__main__")
