"""mini-swe-agent, imported without its greeting and without its folder in the user's home."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory
from threading import Lock

from bagen_data.errors import InputError

VERSION = "2.4.6"
INSTALL = (
    f"pip install --no-deps mini-swe-agent=={VERSION} && pip install platformdirs python-dotenv"
)
_ALONE = Lock()


@cache
def load_mini_swe_agent() -> None:
    """Import all of mini-swe-agent that rollouts need; later imports find it there.

    Raises:
        InputError: it, or a package it needs, is not installed; the message says how it is.
    """
    try:
        with _ALONE, TemporaryDirectory(prefix="bagen-mini-") as folder, _environment(folder):
            import minisweagent.agents.default
            import minisweagent.environments.local
            import minisweagent.models.test_models  # noqa: F401
    except ModuleNotFoundError as error:
        raise InputError(
            f"{error.name} is not installed; local SWE-bench rollouts are played by "
            f"mini-swe-agent. Install it with: {INSTALL}\n--no-deps leaves out litellm, which is "
            "not needed here, and whose huggingface-hub is older than the one this project needs"
        ) from error


@contextmanager
def _environment(folder: str) -> Iterator[None]:
    """Keep mini-swe-agent from printing, and from reading or making settings of its own."""
    quiet = {"MSWEA_SILENT_STARTUP": "1", "MSWEA_GLOBAL_CONFIG_DIR": folder}
    before = {name: os.environ.get(name) for name in quiet}
    os.environ.update(quiet)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
