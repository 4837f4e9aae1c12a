"""The options of every command that asks a model, declared and checked once."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Any

import typer

from bagen_data.errors import WrongUsageError

CONNECTIONS = 8
"""Requests at a time. A fixed number keeps the order of the dataset, in which prefixes follow each
other, so that providers' caches can reuse them."""
RETRIES = 6
"""Retries of a request, seconds to minutes apart; after the last it has failed."""
ATTEMPT_SECONDS = 900
"""Seconds after which a request without an answer is tried again."""
MAX_TOKENS = 4_096
"""Most tokens of an answer, reasoning included."""

_SECRET = re.compile(
    r"key|token$|secret|passw|(?:^|[_-])pass$|credential|auth|jwt|connection_?string|cookie"
    r"|signature|subscription",
    re.IGNORECASE,
)
_QUERY = re.compile(r"query|params$", re.IGNORECASE)
"""Arguments whose names and values become parameters of an address."""
_QUERY_SECRET = re.compile(r"^(?:code|sig|pat|pwd|token)$", re.IGNORECASE)
_SCHEME = re.compile(r"\s*(?:Bearer|Basic|Token)\s+\S+\s*", re.IGNORECASE)
"""Texts of a header that authorizes."""
_HEADER = re.compile(r"\s*([\w-]{1,60})(?:\s*:\s*|\s+)\S+.*", re.DOTALL)
_NAMING = ("name", "header", "field", "id")
"""Names beside `value`, of a header that is written as an object."""


@dataclass(frozen=True, kw_only=True)
class ModelOptions:
    """The options of asking any model.

    Fields with a typer option are options of each command (`option_groups.spread_options`); the
    others are set by the commands that have them.

    Raises:
        WrongUsageError: the address or an argument holds a secret, the address does not begin with
            http:// or https://, or an argument is not KEY=VALUE.
    """

    base_url: Annotated[
        str | None, typer.Option(help="Address of an OpenAI-compatible server.")
    ] = None
    temperature: Annotated[float | None, typer.Option(min=0, help="Sampling temperature.")] = None
    top_p: Annotated[
        float | None, typer.Option(min=0, max=1, help="Probability mass that is sampled from.")
    ] = None
    reasoning_effort: Annotated[
        str | None, typer.Option(help="Effort of a reasoning model, e.g. none, low, high.")
    ] = None
    reasoning_tokens: Annotated[
        int | None, typer.Option(min=0, help="Most tokens that a model reasons with.")
    ] = None
    model_arg: Annotated[
        list[str] | None,
        typer.Option(help="Argument of the provider, KEY=VALUE, as Inspect's -M; repeatable."),
    ] = None
    connections: Annotated[int, typer.Option(min=1, help="Requests at a time, to each server.")] = (
        CONNECTIONS
    )
    retries: Annotated[
        int,
        typer.Option(min=0, help="Retries of a request that failed, beside its client's own."),
    ] = RETRIES
    timeout: Annotated[
        int | None, typer.Option(min=1, help="Seconds for a request and its retries.")
    ] = None
    max_tokens: int | None = None
    """Most tokens of an answer."""
    cache: bool = False
    """Answer from Inspect's cache where it can."""
    batch: bool = False
    """Use the provider's batch API."""
    seed: int | None = None
    """Seed of the sampling, where a provider takes one."""

    def __post_init__(self) -> None:
        if self.base_url:
            _check_server(self.base_url)
        _parse(self.model_arg or ())

    @property
    def model_args(self) -> dict[str, Any]:
        """Arguments for the provider, by name."""
        return _parse(self.model_arg or ())

    @property
    def generation(self) -> dict[str, Any]:
        """Options of Inspect's `GenerateConfig` that decide what is answered; only those set."""
        values = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": self.max_tokens,
            "reasoning_effort": self.reasoning_effort,
            "reasoning_tokens": self.reasoning_tokens,
            "cache": self.cache or None,
            "batch": self.batch or None,
            "seed": self.seed,
        }
        return {name: value for name, value in values.items() if value is not None}

    @property
    def limits(self) -> dict[str, int | None]:
        """Options of Inspect's `GenerateConfig` that say how often and how long is asked."""
        attempt = None if self.batch else self.timeout or ATTEMPT_SECONDS  # a batch takes hours
        return {
            "max_connections": self.connections,
            "max_retries": self.retries,
            "timeout": self.timeout,
            "attempt_timeout": attempt,
        }

    def given(self) -> dict[str, object]:
        """Return the fields that differ from their default, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        usual = {field.name: field.default for field in fields(self)}
        return {name: each for name, each in values.items() if each not in (usual[name], [])}


@dataclass(frozen=True, kw_only=True)
class ServedModelOptions(ModelOptions):
    """The options of asking a model that several servers may serve.

    Raises:
        WrongUsageError: as `ModelOptions`, or an address is given twice.
    """

    base_url: str | None = None
    """The address of one of the servers, set where that server is asked."""
    base_urls: Annotated[
        list[str] | None,
        typer.Option(
            "--base-url",
            help="Address of an OpenAI-compatible server; given several times, the servers share "
            "the rollouts evenly, and all questions about a rollout go to one of them.",
        ),
    ] = None

    def __post_init__(self) -> None:
        super().__post_init__()
        seen = set()
        for address in self.base_urls or ():
            _check_server(address)
            if address.rstrip("/") in seen:
                raise WrongUsageError(
                    f"--base-url {address}: appears twice; give each server once, and more "
                    "--connections for more requests at a time"
                )
            seen.add(address.rstrip("/"))


def _check_server(address: str) -> None:
    """Refuse an address that could hold a key, or that no client can ask."""
    from urllib.parse import urlsplit  # no help text needs these

    from bagen_data.redaction import check_address

    check_address("--base-url", address)
    try:
        url = urlsplit(address)
        has_host = bool(url.hostname) and (url.port is None or url.port > 0)
    except ValueError:  # a bracket that is not closed, a port that is not a port
        has_host = False
    is_web = address.lower().startswith(("http://", "https://"))
    if is_web and not has_host:
        raise WrongUsageError(
            f"--base-url {address}: has no valid host and port; expected scheme, host and path, as "
            "in http://localhost:8000/v1"
        )
    if not is_web:
        raise WrongUsageError(
            f"--base-url {address}: does not begin with http:// or https://; expected scheme, host "
            "and path, as in http://localhost:8000/v1"
        )


def _parse(texts: Sequence[str]) -> dict[str, Any]:
    """Return the values of KEY=VALUE options, as JSON where they are JSON, else as text."""
    import json  # no help text needs these

    from bagen_data.redaction import check_no_secret

    arguments = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise WrongUsageError("--model-arg: '=' is missing; expected KEY=VALUE")
        try:
            arguments[key] = json.loads(value)
        except ValueError:
            arguments[key] = value
        check_no_secret("--model-arg", [key, value, {key: arguments[key]}])
        if _holds_key(key, arguments[key]):
            raise WrongUsageError(
                f"--model-arg {key}: a run is written down with its arguments; give a key in the "
                "environment, as in OPENAI_API_KEY"
            )
    return arguments


def _holds_key(name: str, value: object) -> bool:
    """Return whether a name or text in JSON, at any depth, says that it holds a key.

    Raises:
        WrongUsageError: a text is an address that could hold one.
    """
    from bagen_data.redaction import check_address  # no help text needs it

    if _SECRET.search(name):
        return True
    if isinstance(value, dict):
        named = [str(value[each]) for each in value if each.lower() in _NAMING]
        is_header = any(each.lower() == "value" for each in value)
        is_query = bool(_QUERY.search(name))
        return (
            (is_header and any(map(_SECRET.search, named)))
            or (is_query and any(map(_QUERY_SECRET.search, value)))
            or any(_holds_key(each, part) for each, part in value.items())
        )
    if isinstance(value, list):
        return any(_holds_key("", part) for part in value)
    if not isinstance(value, str):
        return False
    if "://" in value:
        check_address("--model-arg", value)
    header = _HEADER.fullmatch(value)
    return bool(_SCHEME.fullmatch(value) or (header and _SECRET.search(header[1])))
