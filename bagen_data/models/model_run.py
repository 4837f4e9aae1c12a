"""A run: which model is asked which samples, and at what price."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagen_data.errors import WrongUsageError
from bagen_data.models.model_options import ModelOptions
from bagen_data.models.shard import RunShard
from bagen_data.prompt_variants import Variant
from bagen_data.redaction import check_no_secret

_PRICES = {
    "input": "input",
    "cached": "input_cache_read",
    "written": "input_cache_write",
    "output": "output",
}


_SERVED = ("openai-api", "openai-api-completions")
"""Providers whose models have a name of a server, too."""
LIMIT = "limit"
"""The key of a run's record that holds its limit, which a resumed run may raise."""


@dataclass(frozen=True)
class Price:
    """US dollars for a million tokens."""

    input: float
    output: float
    input_cache_read: float
    """Price of input that is read from a cache."""
    input_cache_write: float
    """Price of input that is written to a cache."""


def parse_price(text: str) -> Price:
    """Return the price that an option states.

    Args:
        text: `input=`, `output=`, and perhaps `cached=` and `written=`, which cost what other
            input does if they are left out.

    Raises:
        WrongUsageError: the text is something else.

    >>> parse_price("input=2,cached=0.2,output=10").input_cache_read
    0.2
    """
    prices = {}
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
        prices[_PRICES[name.strip()]] = number
    if not {"input", "output"} <= prices.keys():
        raise WrongUsageError(f"--price {text}: input= or output= is missing")
    own = {"input_cache_read": prices["input"], "input_cache_write": prices["input"]}
    return Price(**{**own, **prices})


@dataclass(frozen=True)
class ModelRun:
    """A model, and the samples of a split that it is asked."""

    dataset: str
    config: str
    split: str
    model: str
    """`PROVIDER/NAME`."""
    options: ModelOptions
    constrained: bool = False
    limit: int | None = None
    """The number of samples, the first ones; all if None."""
    variant: Variant | None = None
    """The variant of the question; that of the dataset if None."""
    shard: RunShard | None = None
    """The part of the samples that is asked; all of them if None."""
    servers: tuple[str, ...] = ()
    """Addresses of the servers that share the rollouts; empty for the provider's own."""

    def __post_init__(self) -> None:
        check_no_secret("PROVIDER/NAME", self.model)
        _check_name(self.model)
        if self.constrained and not self.model.startswith(("vllm/", "openai-api/")):
            raise WrongUsageError(
                "--constrained: needs a vLLM server; give vllm/NAME, or openai-api/NAME/MODEL with "
                "its --base-url"
            )

    def record(self) -> dict[str, Any]:
        """Return what a resumed run must have in common with this one, and its limit.

        Servers are not part of it: a model may be served from another address meanwhile.
        """
        shard = str(self.shard) if self.shard else None
        return {"dataset": self.dataset, "shard": shard, **self.question_record()}

    def question_record(self) -> dict[str, Any]:
        """Return what all shards of a run have in common, wherever they are asked."""
        return {
            "config": self.config,
            "split": self.split,
            "model": self.model,
            "model_args": self.options.model_args,
            "generation": self.options.generation,
            "constrained": self.constrained,
            LIMIT: self.limit,
            "variant": self.variant,
        }


def _check_name(model: str) -> None:
    """Refuse a name that no provider can be read from.

    Raises:
        WrongUsageError: a part of it is missing.
    """
    parts = model.split("/")
    least = 3 if parts[0] in _SERVED else 2
    if len(parts) >= least and all(parts[:least]) and parts[0] != "none":
        return
    if parts[0] in _SERVED:
        raise WrongUsageError(
            f"{model}: a part of the name is missing; expected {parts[0]}/NAME/MODEL, where NAME "
            "is any name for the server, whose key is in NAME_API_KEY, and MODEL is the model there"
        )
    raise WrongUsageError(
        f"{model}: is not PROVIDER/NAME; expected e.g. openai/gpt-5.2, vllm/ORG/NAME, or "
        "openai-api/NAME/MODEL with the server's --base-url"
    )


def without_limit(record: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left of a run's record without its limit."""
    return {name: value for name, value in record.items() if name != LIMIT}


def short_name(model: str) -> str:
    """Return a model's name without its provider.

    >>> short_name("openrouter/qwen/qwen3-235b-a22b")
    'qwen3-235b-a22b'
    """
    return model.rstrip("/").rpartition("/")[2]
