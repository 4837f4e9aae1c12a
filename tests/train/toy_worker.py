"""A script in several processes that ends as its first argument says: END FOLDER."""

import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from bagen_data.errors import InputError, WrongUsageError
from train.worker import run_worker


def main(arguments: Sequence[str] | None) -> None:
    end, folder = arguments or sys.argv[1:]
    rank = os.environ.get("RANK", "0")
    Path(folder, rank).touch()
    if end == "done":
        return
    if end == "input":
        raise InputError("dataset: cannot be read")
    if end == "usage":
        raise WrongUsageError("options: unknown option targt")
    if end == "second" and rank == "1":
        raise InputError("dataset: the second process cannot read it")
    time.sleep(120)


if __name__ == "__main__":
    run_worker(main)
