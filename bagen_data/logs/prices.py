"""Costs of requests: prices given on the command line, else those of the library genai-prices.

A price is in US dollars per million tokens. Tokens that a cache served or took have prices of their
own; all other input has the input's. The library has prices that change with time and with the
length of a request, so a date is fixed for a whole build, and each request is priced by itself.
Prices: https://github.com/pydantic/genai-prices
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

from bagen_data.errors import MissingExtraError, RolloutError, WrongUsageError
from bagen_data.usage import Request

LIBRARY = "genai-prices"
OVERRIDE = "--price"
_MILLION = 1e6


@dataclass(frozen=True)
class ModelPrice:
    """Prices of one model, in US dollars per million tokens."""

    input: float
    output: float
    cached: float
    """Price of input that a cache served."""
    cache_write: float
    """Price of input that was written to a cache."""

    def of(self, request: Request) -> float:
        """Return what a request costs, in US dollars.

        >>> price = ModelPrice(3, 15, 0.3, 3.75)
        >>> price.of(Request(1_000_000, 100_000, 0, cached_tokens=800_000))
        2.34
        """
        plain = request.input_tokens - request.cached_tokens - request.cache_write_tokens
        return (
            plain * self.input
            + request.cached_tokens * self.cached
            + request.cache_write_tokens * self.cache_write
            + request.output_tokens * self.output
        ) / _MILLION


class Cost(NamedTuple):
    """The cost of a request, and how it is known."""

    usd: float
    source: str
    """The model and the source of its price, for the record."""


@dataclass(frozen=True)
class PriceTable:
    """Prices of models."""

    given: Mapping[str, ModelPrice] = field(default_factory=dict)
    """Prices by the name of a model as logs spell it; they go before the library's."""
    date: str = ""
    """The day whose prices the library gives, such as `2026-11-28`; empty for the present."""

    def cost(self, request: Request, model: str) -> Cost:
        """Return what a request to a model costs.

        Raises:
            RolloutError: no price of the model is known.
            MissingExtraError: the library is needed and not installed.
        """
        if model in self.given:
            return Cost(self.given[model].of(request), f"{model} by {OVERRIDE}")
        return _library_cost(request, model, self.date)

    def record(self, sources: Iterable[str]) -> dict[str, Any]:
        """Return what a build says of its prices: those given, and the library that gave others.

        Args:
            sources: where the amounts of its rollouts come from, as `Cost.source` says.
        """
        record: dict[str, Any] = {
            "given": {model: asdict(price) for model, price in sorted(self.given.items())}
        }
        if any(LIBRARY in source for source in sources):
            record[LIBRARY] = {"version": library_version(), "date": self.date}
        return record


def price_date(text: str | None) -> str:
    """Return the day of a `--price-date` value; today's, in UTC, if there is none.

    Raises:
        WrongUsageError: the value is not a day.

    >>> price_date("2026-11-28")
    '2026-11-28'
    """
    if text is None:
        return datetime.now(UTC).date().isoformat()
    try:
        return datetime.strptime(text, "%Y-%m-%d").date().isoformat()
    except ValueError as error:
        raise WrongUsageError(f"--price-date {text}: expected a day such as 2026-11-28") from error


def parse_prices(texts: Sequence[str]) -> dict[str, ModelPrice]:
    """Return the prices of `--price MODEL=IN,OUT[,CACHED[,CACHE_WRITE]]` values by model.

    Prices that are left out are those of other input.

    Raises:
        WrongUsageError: a value has another form, or a model has two.

    >>> parse_prices(["gpt-5=1.25,10,0.125"])["gpt-5"]
    ModelPrice(input=1.25, output=10.0, cached=0.125, cache_write=1.25)
    """
    prices: dict[str, ModelPrice] = {}
    for text in texts:
        model, _, stated = text.rpartition("=")
        try:
            numbers = [float(number) for number in stated.split(",")]
        except ValueError:
            numbers = []
        if not model or len(numbers) not in (2, 3, 4) or not all(map(_is_price, numbers)):
            raise WrongUsageError(
                f"{OVERRIDE} {text}: expected MODEL=IN,OUT[,CACHED[,CACHE_WRITE]], in US dollars "
                "per million tokens, such as gpt-5=1.25,10,0.125"
            )
        if model in prices:
            raise WrongUsageError(f"{OVERRIDE} {text}: {model} has a price already; give one")
        read, written, *more = numbers
        prices[model] = ModelPrice(read, written, *[*more, read, read][:2])
    return prices


def _is_price(number: float) -> bool:
    return math.isfinite(number) and number >= 0


def library_version() -> str:
    """Return the version of the library of prices.

    Raises:
        MissingExtraError: the library is not installed.
    """
    try:
        from genai_prices import __version__
    except ModuleNotFoundError as error:
        raise MissingExtraError(LIBRARY, "prices") from error
    return __version__


def _library_cost(request: Request, model: str, date: str) -> Cost:
    version = library_version()
    from genai_prices import Usage, calc_price

    provider, name = _library_name(model)
    if not name:
        raise RolloutError(
            f"the price of {model} is not known to {LIBRARY} {version}; give {OVERRIDE} "
            f"'{model}=IN,OUT[,CACHED[,CACHE_WRITE]]' in US dollars per million tokens"
        )
    usage = Usage(
        input_tokens=request.input_tokens,
        cache_read_tokens=request.cached_tokens,
        cache_write_tokens=request.cache_write_tokens,
        output_tokens=request.output_tokens,
    )
    noon = datetime.fromisoformat(f"{date}T12:00:00+00:00") if date else None
    price = calc_price(usage, name, provider_id=provider or None, genai_request_timestamp=noon)
    source = f"{model} by {LIBRARY} ({price.provider.id}/{price.model.id})"
    return Cost(float(price.total_price), source)


@cache
def _library_name(model: str) -> tuple[str, str]:
    """Return the provider and the name under which the library knows a model; empty names if not.

    A name such as `openai/gpt-5` is looked up whole, then as a provider's model.
    """
    from genai_prices import Usage, calc_price

    provider, slash, name = model.partition("/")
    ways = [("", model), *([(provider, name)] if slash and name else [])]
    for way in ways:
        try:
            calc_price(Usage(input_tokens=1, output_tokens=1), way[1], provider_id=way[0] or None)
        except LookupError:
            continue
        return way
    return "", ""
