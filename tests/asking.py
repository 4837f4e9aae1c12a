"""Modules and tables that commands which ask models share, by forks of a process: `tests/forks.py`.

Inspect imports some of them late: with a model, with a task and with the first sample.
"""

import importlib.metadata
from functools import cache
from importlib import import_module

# Of an editable install Inspect lists all packages, for each run anew.
importlib.metadata.packages_distributions = cache(importlib.metadata.packages_distributions)
importlib.metadata.packages_distributions()
for name in (
    *("acp", "anthropic", "openai", "openai.resources.chat", "pandas", "rich.markdown"),
    *("bagen_data.cli", "bagen_data.cli.predict_model", "bagen_data.models.ask", "collect.cli"),
    *("bagen_data.models.inspect_task", "bagen_data.models.server_asking"),
    *("bagen_data.models.shard_writing", "bagen_data.scoring.check_predictions"),
    *("fsspec.implementations.chained", "pyarrow.pandas_compat", "pyarrow.vendored.version"),
    "tests.forked_children",
):
    import_module(name)

from inspect_ai.model import get_model_info  # noqa: E402
from openai import AsyncOpenAI  # noqa: E402

get_model_info("none/none")  # reads what is known of all models
AsyncOpenAI(api_key="none").chat.completions  # noqa: B018  imports what a client needs
