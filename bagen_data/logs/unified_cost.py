"""Unified cost: the US dollars of a rollout's requests and of its tool calls, as one number.

    cost_usd = sum over requests of the price of its tokens, cached and not     (`prices.py`)
             + sum over tools of the executed calls times the price of a call

A tool without a price is free. `docs/cost.md` has the definition. The unified cost of BATS (arXiv
2511.17006) adds tokens and tool calls the same way.
"""

import math
from collections.abc import Iterable, Mapping, Sequence

from bagen_data.errors import WrongUsageError
from bagen_data.logs.prices import PriceTable
from bagen_data.schema import decimals
from bagen_data.usage import Request

FLAG = "--tool-price"


def parse_tool_prices(texts: Sequence[str]) -> dict[str, float]:
    """Return the prices of `--tool-price TOOL=USD` values by tool, in US dollars a call.

    Raises:
        WrongUsageError: a value has another form, or a tool has two prices.

    >>> parse_tool_prices(["search=0.001"])
    {'search': 0.001}
    """
    prices: dict[str, float] = {}
    for text in texts:
        tool, _, stated = (part.strip() for part in text.partition("="))
        try:
            price = float(stated)
        except ValueError:
            price = math.nan
        if not tool or not 0 <= price < math.inf:
            raise WrongUsageError(
                f"{FLAG} {text}: expected TOOL=USD, in US dollars a call, such as search=0.001"
            )
        if tool in prices:
            raise WrongUsageError(f"{FLAG} {text}: {tool} has a price already; give one")
        prices[tool] = price
    return prices


def unified_cost(
    requests: Iterable[Request],
    model: str,
    calls: Mapping[str, int],
    prices: PriceTable,
    tool_prices: Mapping[str, float],
) -> float:
    """Return what a rollout costs, in US dollars to a millionth.

    Args:
        requests: all that it made.
        model: the model of requests that name none.
        calls: executed tool calls by tool.
        prices: of tokens.
        tool_prices: of tool calls, in US dollars each; other tools are free.

    Raises:
        RolloutError: no price of a model is known.

    >>> from bagen_data.logs.prices import ModelPrice
    >>> prices = PriceTable({"m": ModelPrice(2, 10, 0.2, 2)})
    >>> request = Request(1_000, 100, 100, cached_tokens=500)
    >>> unified_cost([request], "m", {"search": 2}, prices, {"search": 0.001})
    0.0041
    """
    tokens = math.fsum(prices.cost(each, each.model or model).usd for each in requests)
    tools = math.fsum(number * tool_prices.get(tool, 0) for tool, number in calls.items())
    return round(tokens + tools, decimals("cost_usd"))
