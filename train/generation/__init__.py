"""Answer prompts with weights on this machine: by vLLM where it is, else by transformers.

`engines` says which engines there are and on which GPUs; `vllm_engine` and `transformers_engine`
are one each, in this process; `replicas` has several at work, each in a `replica` process.
"""

from train.generation.decoding import Answers, Decoding, GeneratedAnswer, Generator
from train.generation.engines import (
    BACKENDS,
    Engines,
    choose_backend,
    generator,
    plan_engines,
    visible_gpus,
)

__all__ = [
    "BACKENDS",
    "Answers",
    "Decoding",
    "Engines",
    "GeneratedAnswer",
    "Generator",
    "choose_backend",
    "generator",
    "plan_engines",
    "visible_gpus",
]
