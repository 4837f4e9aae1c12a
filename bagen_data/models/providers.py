"""Find a model through Inspect; what is missing shows at once, as one message of ours."""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from inspect_ai.model import GenerateConfig, Model, get_model
from pydantic import ValidationError
from rich.errors import MarkupError

from bagen_data.console import STDERR, shown
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.field_problems import problems
from bagen_data.models.model_options import ModelOptions
from bagen_data.models.redacted_model import redact_answers
from bagen_data.redaction import check_address, redact

_PREREQUISITE = "PrerequisiteError"
"""Inspect's error for a package or a key that is missing. No public module of Inspect exports it,
and its only public base is Exception; so it is recognised by its name."""
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b")
"""A variable of the environment."""
_KEY = "_API_KEY"
"""The end of a variable that holds a key."""
_ADDRESS = "_BASE_URL"
"""The end of a variable that holds a server's address."""
_INSTALL = re.compile(r"\bpip install\s+.+")
_UNKNOWN = re.compile(r"Model API (\S+) of model .* not recognized")
_LOCAL = {"hf": "transformers", "sglang": "sglang", "vllm": "vllm", "vllm-completions": "vllm"}
"""The package that serves or loads weights on this machine, by provider."""


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
        WrongUsageError: an option has a value that it cannot have, or the server's address, which
            the environment may give, holds a key.
    """
    where = f"{flag} {name}".lstrip()
    try:
        config = GenerateConfig(**options.generation, **(limits or {}))
    except ValidationError as error:
        raise WrongUsageError("\n".join(map(_as_option, problems(error)))) from error
    try:
        with prerequisites(where):
            check_package(name, options.base_url)
            model = get_model(
                name,
                config=config,
                base_url=options.base_url,
                memoize=False,
                **options.model_args,
            )
    except TypeError as error:
        if not options.model_args:
            raise InputError(f"{where}: {_plain(error)}") from error
        names = ", ".join(options.model_args)
        raise WrongUsageError(
            f"--model-arg {names}: the client of {where} does not take it so: {_plain(error)}"
        ) from error
    except (ValueError, ImportError, OSError) as error:
        raise InputError(f"{where}: {_refusal(str(error))}") from error
    check_address("the server's address in the environment", model.api.base_url)
    return redact_answers(model)


def _as_option(problem: str) -> str:
    """Return a line on a generation option, by the name of the option of the command line."""
    name, colon, rest = problem.partition(":")
    return f"--{name.replace('_', '-')}{colon}{rest}"


def check_package(name: str, base_url: str | None) -> None:
    """Check that the package is there which serves or loads a model's weights on this machine.

    Args:
        name: PROVIDER/NAME.
        base_url: the address of a server that has the weights; None without one.

    Raises:
        InputError: it is missing.
    """
    package = _LOCAL.get(name.partition("/")[0])
    if package and (base_url is None or package == "transformers") and find_spec(package) is None:
        raise InputError(
            f"{name}: the provider's package is missing; install it with: pip install {package}"
        )


def is_local(name: str) -> bool:
    """Return whether a model's provider serves or loads its weights on this machine."""
    return name.partition("/")[0] in _LOCAL


@contextmanager
def prerequisites(where: str = "the model") -> Iterator[None]:
    """Turn what Inspect says of a missing package or key into an error of the user's input.

    Args:
        where: the model, for messages.

    Raises:
        InputError: something is missing; the message says how to install or set it.
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
        raise InputError(_missing(where, plain)) from error


def _missing(where: str, said: str) -> str:
    """Return what is missing, and how to get it, from what Inspect says."""
    variables = list(dict.fromkeys(_VARIABLE.findall(said)))
    keys = [each for each in variables if each.endswith(_KEY)]
    install = _INSTALL.search(said)
    if keys:
        others = f" (or {', '.join(keys[1:])})" if keys[1:] else ""
        return f"the model's key is missing; set it with: export {keys[0]}=...{others}"
    if install:
        command = install[0].rstrip(" .")
        return f"{where}: the provider's package is missing; install it with: {command}"
    if variables and variables[0].endswith(_ADDRESS):
        return (
            f"{where}: the server's address is missing; give --base-url, as in --base-url "
            f"http://localhost:8000/v1, or set it with: export {variables[0]}=..."
        )
    if variables:
        return f"{where}: a setting is missing; set it with: export {variables[0]}=..."
    return f"{where}: {said}"


def _refusal(said: str) -> str:
    """Return in our words why a model cannot be asked, from what Inspect says."""
    unknown = _UNKNOWN.search(said)
    if unknown:
        return (
            f"{unknown[1]} is not a provider; expected e.g. openai, anthropic, google, openrouter, "
            "vllm, hf, or openai-api/NAME/MODEL with the server's --base-url; all are listed at "
            "https://inspect.aisi.org.uk/providers.html"
        )
    return " ".join(redact(said).split())


def _plain(error: TypeError) -> str:
    """Return what Python says of a call, without the name of the function."""
    return redact(re.sub(r"^[\w.]+\(\) ", "", str(error)))
