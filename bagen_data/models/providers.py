"""Find a model through Inspect; what is missing shows at once, as one message."""

from collections.abc import Mapping
from typing import Any

from inspect_ai._util.error import PrerequisiteError
from inspect_ai.model import GenerateConfig, Model, get_model

from bagen_data.console import STDERR
from bagen_data.errors import InputError


def find_model(
    name: str,
    generation: Mapping[str, Any],
    *,
    base_url: str | None = None,
    arguments: Mapping[str, Any] | None = None,
    flag: str = "--model",
) -> Model:
    """A model by its name, PROVIDER/NAME.

    Args:
        name: as Inspect has it.
        generation: options of Inspect's `GenerateConfig`.
        base_url: of an OpenAI-compatible server.
        arguments: for the provider, as Inspect's `-M`.
        flag: where the name was given, for messages.

    Raises:
        InputError: an unknown provider or option, or a package or a key is missing.
    """
    try:
        return get_model(
            name,
            config=GenerateConfig(**generation),
            base_url=base_url,
            memoize=False,
            **(arguments or {}),
        )
    except PrerequisiteError as error:
        raise InputError(plain(error)) from error
    except (ValueError, TypeError, ImportError) as error:
        raise InputError(f"{flag} {name}: {error}") from error


def plain(error: PrerequisiteError) -> str:
    """The message without Rich's markup."""
    with STDERR.capture() as captured:
        STDERR.print(error.message)
    return captured.get().strip().removeprefix("ERROR:").strip()
