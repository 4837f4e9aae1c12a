"""Find a model through Inspect; what is missing shows at once, as one message."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from inspect_ai.model import GenerateConfig, Model, get_model
from rich.errors import MarkupError

from bagen_data.console import STDERR, shown
from bagen_data.errors import InputError
from bagen_data.models.model_options import ModelOptions
from bagen_data.models.redacted_model import redact_answers
from bagen_data.redaction import check_address

_PREREQUISITE = "PrerequisiteError"
"""Inspect's error for a package or a key that is missing. No public module of Inspect exports it,
and its only public base is Exception; so it is recognised by its name."""
_KEY = re.compile(r"\b[A-Z][A-Z0-9_]*_API_KEY\b")
"""A variable of the environment that holds a key."""


def find_model(
    name: str,
    options: ModelOptions,
    limits: Mapping[str, Any] | None = None,
    *,
    flag: str = "",
) -> Model:
    """Return the model of a name; what it answers and how it fails holds none of its keys.

    Args:
        name: PROVIDER/NAME, as Inspect has it.
        options: how it is asked.
        limits: `options.limits`, where they are not given with each request or to a run.
        flag: the option that the name was given with, for messages.

    Raises:
        InputError: an unknown provider or option, or a package or a key is missing.
        WrongUsageError: the server's address, which the environment may give, holds a key.
    """
    try:
        with prerequisites():
            model = get_model(
                name,
                config=GenerateConfig(**options.generation, **(limits or {})),
                base_url=options.base_url,
                memoize=False,
                **options.model_args,
            )
    except (ValueError, TypeError, ImportError) as error:
        raise InputError(f"{flag} {name}: {error}".lstrip()) from error
    check_address("the server's address in the environment", model.api.base_url)
    return redact_answers(model)


@contextmanager
def prerequisites() -> Iterator[None]:
    """Turn what Inspect says of a missing package or key into an error of the user's input.

    Raises:
        InputError: something is missing; the message is Inspect's, without Rich's markup, and for a
            key begins with the line that sets it.
    """
    try:
        yield
    except Exception as error:
        if type(error).__name__ != _PREREQUISITE:
            raise
        message = getattr(error, "message", error)
        with STDERR.capture() as captured:
            try:
                STDERR.print(message)
            except MarkupError:  # of a name in brackets
                STDERR.print(shown(str(message)))
        plain = " ".join(captured.get().strip().removeprefix("ERROR:").split())
        key = _KEY.search(plain)
        if key:
            plain = f"the model's key is missing; set it with: export {key[0]}=... ({plain})"
        raise InputError(plain) from error
