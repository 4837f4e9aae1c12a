"""Usage objects in camel case, of Bedrock's Converse and of Vercel's AI SDK.

Sources: the TokenUsage type of the Amazon Bedrock API, LanguageModelUsage of https://ai-sdk.dev.
"""

from collections.abc import Mapping
from typing import Any

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_fields import Counts, UsageFields, reasoning_apart


def bedrock(usage: Mapping[str, Any]) -> Request:
    """Map usage of Bedrock's Converse: what caches served and took is counted apart.

    >>> request = bedrock({"inputTokens": 10, "outputTokens": 20, "totalTokens": 130,
    ...     "cacheReadInputTokens": 100, "cacheWriteInputTokens": 0})
    >>> request.input_tokens, request.output_tokens
    (110, 20)
    """
    fields = UsageFields(usage)
    stated, written = fields.needed("inputTokens"), fields.needed("outputTokens")
    cached = fields.count("cacheReadInputTokens", "cacheReadInputTokenCount")
    cache_write = fields.count("cacheWriteInputTokens", "cacheWriteInputTokenCount")
    counts = Counts(stated + cached + cache_write, written, 0, cached, cache_write)
    return fields.request("Bedrock", counts, total="totalTokens")


def ai_sdk(usage: Mapping[str, Any]) -> Request:
    """Map usage of Vercel's AI SDK: version 6, and version 5 where nothing was cached.

    In version 5 the input of some providers holds what caches served, and that of others does not.

    >>> request = ai_sdk({"inputTokens": 900, "outputTokens": 70, "totalTokens": 970,
    ...     "inputTokenDetails": {"noCacheTokens": 100, "cacheReadTokens": 800},
    ...     "outputTokenDetails": {"textTokens": 6, "reasoningTokens": 64}})
    >>> request.input_tokens, request.output_tokens, request.visible_tokens
    (900, 70, 6)
    """
    fields = UsageFields(_flat_sdk_usage(usage))
    fields.ignore_below("raw")
    read, written = fields.needed("inputTokens"), fields.needed("outputTokens")
    cached = fields.count("inputTokenDetails.cacheReadTokens", "cachedInputTokens")
    cache_write = fields.count("inputTokenDetails.cacheWriteTokens")
    uncached = fields.count("inputTokenDetails.noCacheTokens")
    reasoning = fields.count("outputTokenDetails.reasoningTokens", "reasoningTokens")
    if cached and not fields.has("inputTokenDetails"):
        raise RolloutError(
            f"usage has cachedInputTokens = {cached} and no inputTokenDetails; expected usage of "
            "AI SDK 6, as the input of some providers holds cached tokens in AI SDK 5 and that of "
            "others does not"
        )
    if uncached and uncached + cached + cache_write != read:
        raise RolloutError(
            f"usage states {uncached} uncached, {cached} cached and {cache_write} written tokens; "
            f"expected {read} together, the inputTokens"
        )
    written += reasoning_apart(fields.count("totalTokens"), read, written, reasoning)
    fields.ignore_part(written, "outputTokenDetails.textTokens")
    counts = Counts(read, written, reasoning, cached, cache_write)
    return fields.request("AI SDK", counts, total="totalTokens")


def _flat_sdk_usage(usage: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a provider's usage (LanguageModelV3Usage) in the names of an SDK's result."""
    read, written = usage.get("inputTokens"), usage.get("outputTokens")
    if not isinstance(read, Mapping) or not isinstance(written, Mapping):
        return usage
    details = {f"{name}Tokens": value for name, value in read.items() if name != "total"}
    output_details = {f"{name}Tokens": value for name, value in written.items() if name != "total"}
    return {
        **usage,
        "inputTokens": read.get("total"),
        "outputTokens": written.get("total"),
        "inputTokenDetails": details,
        "outputTokenDetails": output_details,
    }


def _is_ai_sdk(usage: Mapping[str, Any]) -> bool:
    return isinstance(usage.get("inputTokens"), Mapping) or not _AI_SDK.isdisjoint(usage)


_AI_SDK = {
    *("inputTokenDetails", "outputTokenDetails", "cachedInputTokens", "reasoningTokens", "raw"),
}


def camel_case_usage(usage: Mapping[str, Any]) -> Request:
    """Map usage in camel case, the AI SDK's or Bedrock's."""
    return ai_sdk(usage) if _is_ai_sdk(usage) else bedrock(usage)
