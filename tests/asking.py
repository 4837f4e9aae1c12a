"""Imported by the process that commands which ask models are forked from: see `tests/forks.py`."""

import acp  # noqa: F401  Inspect imports these two with its first sample
import anthropic  # noqa: F401
import openai  # noqa: F401
from inspect_ai.model import get_model_info

import collect.cli  # noqa: F401

get_model_info("none/none")  # reads what is known of all models
