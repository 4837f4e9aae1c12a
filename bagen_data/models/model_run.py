"""What it is to ask a model every question of a split."""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bagen_data.errors import WrongUsageError

CONNECTIONS = 8
"""Requests at a time. A fixed number keeps the order of the dataset, in which prefixes follow each
other, so that providers' caches can reuse them."""
RETRIES = 6
"""Of a request, seconds to minutes apart; after the last the sample stays open."""
ATTEMPT_SECONDS = 900
"""After which a request without an answer is tried again."""
MAX_TOKENS = 4_096
"""Of an answer, reasoning included."""

_PRICES = {
    "input": "input",
    "cached": "input_cache_read",
    "written": "input_cache_write",
    "output": "output",
}


_SECRET = re.compile(r"key|token$|secret|password|credential|auth", re.IGNORECASE)


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float
    input_cache_read: float
    """Of the input, read from a cache."""
    input_cache_write: float
    """Of the input, written to a cache."""


def parse_price(text: str) -> Price:
    """A price as the command line takes it.

    Args:
        text: `input=`, `output=`, and perhaps `cached=` and `written=`, which cost what other
            input does if they are left out.

    Raises:
        WrongUsageError: it is not that.

    >>> parse_price("input=2,cached=0.2,output=10").input_cache_read
    0.2
    """
    found = {}
    for part in text.split(","):
        name, equals, amount = part.partition("=")
        try:
            number = float(amount)
        except ValueError:
            number = math.nan
        if name.strip() not in _PRICES or not equals or not 0 <= number < math.inf:
            raise WrongUsageError(
                f"--price {text}: expected US dollars a million tokens, as in "
                "input=2,cached=0.2,output=10"
            )
        found[_PRICES[name.strip()]] = number
    if not {"input", "output"} <= found.keys():
        raise WrongUsageError(f"--price {text}: lacks input= or output=")
    own = {"input_cache_read": found["input"], "input_cache_write": found["input"]}
    return Price(**{**own, **found})


@dataclass(frozen=True)
class Run:
    """What is asked of which model, and how: what a resumed run must have in common."""

    dataset: str
    config: str
    split: str
    model: str
    """`PROVIDER/NAME`."""
    base_url: str | None = None
    model_args: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)
    """Options of Inspect's `GenerateConfig`."""
    constrained: bool = False
    limit: int | None = None
    """How many samples, the first ones; all if None."""


@dataclass(frozen=True)
class Operation:
    """What may differ when a run is resumed."""

    connections: int = CONNECTIONS
    retries: int = RETRIES
    timeout: int | None = None
    """Seconds for a request and its retries."""
    price: Price | None = None


def short_name(model: str) -> str:
    """What a model is called where its provider is not said.

    >>> short_name("openrouter/qwen/qwen3-235b-a22b")
    'qwen3-235b-a22b'
    """
    return model.rstrip("/").rpartition("/")[2]


def check_base_url(url: str | None) -> str | None:
    """The address of a server, which a run is written down with.

    Raises:
        WrongUsageError: it has a user or a key in it.
    """
    if url and "@" in url:
        raise WrongUsageError(
            "--base-url: a run is written down with it; give a key in the environment, not in it"
        )
    return url


def parse_model_args(texts: Sequence[str]) -> dict[str, Any]:
    """KEY=VALUE options; values are JSON, or else text."""
    found = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            raise WrongUsageError(f"--model-arg {text}: expected KEY=VALUE")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
        if _SECRET.search(key) or any(_SECRET.search(name) for name in _names(found[key])):
            raise WrongUsageError(
                f"--model-arg {key}: a run is written down with its arguments; give a key in the "
                "environment, as in OPENAI_API_KEY"
            )
    return found


def _names(value: object) -> Iterator[str]:
    """Of everything that a value names."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield name
            yield from _names(part)
