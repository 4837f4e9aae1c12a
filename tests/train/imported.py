"""Imported by the process that training commands are forked from: see `tests/forks.py`."""

import accelerate.commands.launch  # noqa: F401
import peft  # noqa: F401
import torch.distributed.run  # noqa: F401
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: F401
from trl import GRPOTrainer, SFTTrainer  # noqa: F401

import tests.forked_children
import tests.forks  # noqa: F401
import train.evaluate
import train.training_options
import train.training_run  # noqa: F401
