"""The process of an engine: it reads a job from stdin and writes an answer a line to stdout.

`replicas` starts it, and its end is the end of this process and of all that it started.
"""

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[2])  # not this folder


def main(_arguments: object = None) -> None:
    """Answer all prompts of the job."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # libraries print to stdout, which is for answers only
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    job = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _answer(job, answers)
    answers.close()
    sys.stderr.flush()
    os._exit(0)  # an engine that is taken apart may hang


def _answer(job: dict[str, Any], answers: TextIO) -> None:
    from train.generation import Decoding, generator

    decoding = Decoding(**job["decoding"])
    tokenizer = None
    if job["backend"] == "transformers":
        from transformers import AutoTokenizer

        tokenizer = AutoTokenizer.from_pretrained(decoding.model)
    sizes = job["longest"], job["tensor_parallel"]
    generate = generator(job["backend"], decoding, tokenizer, *sizes)
    for place, answer in generate(job["prompts"]):
        line = [place, answer.text, answer.input_tokens, answer.output_tokens]
        answers.write(json.dumps(line) + "\n")
        answers.flush()


def _end_with_parent() -> None:
    """Wait until the parent has ended, however it did, and end this process's session."""
    while os.read(0, 1 << 16):
        pass
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    from bagen_data.command_line import run

    run(main)
