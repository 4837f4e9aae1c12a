"""Usage objects of the tools people run, each mapped to a request in normal form.

A usage object is recognised by its keys. Its mapping reads the keys it knows; a key that counts
tokens and is left over refuses the object, and so does a stated total that the normal form does not
add up to. Tokens read from a cache are part of the input, reasoning is part of the output.

    OpenAI chat       prompt_tokens, completion_tokens, total_tokens; also litellm, xAI and gateways
    OpenAI Responses  input_tokens, output_tokens, total_tokens
    Anthropic         input_tokens, cache_read_input_tokens, cache_creation_input_tokens, ...
    Inspect           input_tokens, input_tokens_cache_read, input_tokens_cache_write, ...
    Codex             input_tokens, cached_input_tokens, reasoning_output_tokens, ...
    LangChain         input_tokens, input_token_details, output_token_details, ...
    Gemini API        promptTokenCount, candidatesTokenCount, thoughtsTokenCount, ...
    Gemini CLI        input, output, cached, thoughts, tool, total
    ATIF              prompt_tokens, completion_tokens, cached_tokens, cost_usd, extra
    Bedrock Converse  inputTokens, outputTokens, totalTokens, cacheReadInputTokens, ...
    Vercel AI SDK     inputTokens, outputTokens, inputTokenDetails, reasoningTokens, ...
    Cohere            billed_units, tokens, cached_tokens
    Ollama            prompt_eval_count, eval_count, prompt_eval_cached_count
    bare counts       an input and an output, and nothing else that counts tokens
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

from bagen_data.camel_case_usage import camel_case_usage
from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_fields import (
    MODALITIES,
    Counts,
    Roles,
    UsageFields,
    brief,
    reasoning_apart,
    whole_number,
)

Usage = Mapping[str, Any] | UsageFields
"""A usage object, or its fields where they were looked at already."""
BARE = "bare counts"
CODEX = "Codex"
_INPUT_NAMES = ("api_input_tokens", "input_tokens", "prompt_tokens")
_BARE_TOTAL = "api_total_tokens"
_OUTPUT_NAMES = ("api_output_tokens", "output_tokens", "completion_tokens")


def openai_chat(usage: Usage) -> Request:
    """Map usage of OpenAI's chat completions, and of what speaks like them.

    Cached tokens are in the prompt. litellm puts Anthropic's keys beside: the prompt is the whole
    input there, too. xAI and some gateways leave reasoning out of the completion, and their total
    says so. Predicted tokens that were rejected are part of the completion and not of its text, as
    reasoning is.

    >>> xai = {"prompt_tokens": 500, "completion_tokens": 200, "total_tokens": 850,
    ...        "completion_tokens_details": {"reasoning_tokens": 150}}
    >>> request = openai_chat(xai)
    >>> request.input_tokens, request.output_tokens, request.visible_tokens
    (500, 350, 200)
    """
    fields = UsageFields.of(usage)
    roles, has_second_names = fields.of_layout(_chat_layout)
    read, written, reasoning, cached, cache_write, rejected, total = fields.counts(roles)
    if not read or not written:
        fields.needed("prompt_tokens")
        fields.needed("completion_tokens")
    if has_second_names:
        _refuse_other_names(fields, Counts(read, written, reasoning, cached, cache_write))
    written += reasoning_apart(total, read, written, reasoning)
    reasoning += rejected
    if fields.has_unread():
        fields.parts(read, "prompt_tokens_details", "input_tokens_details")
        fields.parts(written, "completion_tokens_details", "output_tokens_details")
        fields.ignore_part(written, "completion_tokens_details.accepted_prediction_tokens")
        fields.ignore("prompt_tokens_details.web_search_requests")
        for lifetimes in _CHAT_LIFETIMES:
            cache_write = fields.whole_or_parts(cache_write, lifetimes)
    counts = Counts(read, written, reasoning, cached, cache_write)
    return fields.request("OpenAI chat", counts, "total_tokens", total)


_PERPLEXITY = ("citation_tokens", "num_search_queries", "search_context_size")
"""Fields of Perplexity, whose reasoning_tokens are no part of its completion or its total."""
_CHAT_REASONING = (
    "completion_tokens_details.reasoning_tokens",
    "completion_tokens_details.thinking_tokens",
    "output_tokens_details.reasoning_tokens",
    "output_tokens_details.thinking_tokens",
    "reasoning_output_tokens",
)
_CHAT_CACHED = (
    "prompt_tokens_details.cached_tokens",
    "prompt_token_details.cached_tokens",
    "cache_read_input_tokens",
    "cache_read_tokens",
    "prompt_cache_hit_tokens",
    "input_tokens_details.cached_tokens",
    "cached_tokens",
    "num_cached_tokens",
)
_CHAT_CACHE_WRITE = (
    "cache_creation_input_tokens",
    "cache_write_tokens",
    "prompt_tokens_details.cache_creation_tokens",
    "prompt_tokens_details.cache_creation_input_tokens",
    "prompt_tokens_details.cache_write_tokens",
)
_CHAT_REJECTED = ("completion_tokens_details.rejected_prediction_tokens",)
_CHAT_ROLES, _PERPLEXITY_ROLES = (
    Roles(
        ("prompt_tokens",),
        ("completion_tokens",),
        reasoning,
        _CHAT_CACHED,
        _CHAT_CACHE_WRITE,
        _CHAT_REJECTED,
        ("total_tokens",),
    )
    for reasoning in ((*_CHAT_REASONING, "reasoning_tokens"), _CHAT_REASONING)
)
"""Read, written, reasoning, cached, written to a cache, and rejected tokens of chat usage, and the
total."""
_CACHE_CREATION = (
    "cache_creation.ephemeral_5m_input_tokens",
    "cache_creation.ephemeral_1h_input_tokens",
)
"""Anthropic's tokens written to caches, by how long they are kept: parts of the written ones."""
_CHAT_LIFETIMES = (
    _CACHE_CREATION,
    *(
        tuple(
            f"prompt_tokens_details.{name}{path.removeprefix('cache_creation')}"
            for path in _CACHE_CREATION
        )
        for name in ("cache_creation", "cache_creation_token_details")
    ),
)
"""Places where chat usage has Anthropic's tokens written to caches, by how long they are kept."""


_SECOND_NAMES = ("input_tokens", "output_tokens", "per_turn_token", "prompt_cache_miss_tokens")
"""Fields of chat usage that state again what others do."""


def _chat_layout(fields: UsageFields) -> tuple[Roles, bool]:
    """Return the roles of chat usage, and whether it has second names of counts."""
    roles = _PERPLEXITY_ROLES if fields.has(*_PERPLEXITY) else _CHAT_ROLES
    return roles, fields.has(*_SECOND_NAMES)


def _refuse_other_names(fields: UsageFields, counts: Counts) -> None:
    """Refuse chat usage that states one count twice, and not the same."""
    read, written, reasoning, cached, cache_write = counts
    _refuse_other_name(fields, "input_tokens", read, cached, cache_write)
    _refuse_other_name(fields, "output_tokens", written, reasoning)
    _refuse_other_name(fields, "per_turn_token", read + written)
    missed = fields.count("prompt_cache_miss_tokens")
    if fields.has("prompt_cache_miss_tokens") and missed + cached != read:
        raise RolloutError(
            f"usage states {cached} tokens that a cache served and {missed} that it did not; "
            f"expected {read} together, the prompt_tokens"
        )


def _refuse_other_name(fields: UsageFields, name: str, value: int, *apart: int) -> None:
    """Refuse a second name of a count that states something else.

    Args:
        fields: the usage object.
        name: the second name.
        value: what the first name states.
        apart: parts of the value that the second name may leave out, all of them.
    """
    if not fields.has(name):
        return
    other = fields.count(name)
    if other not in (value, value - sum(apart)):
        raise RolloutError(
            f"usage states {value} tokens and {other} as {name}; expected the same number, or "
            f"{value - sum(apart)}"
        )


def openai_responses(usage: Usage) -> Request:
    """Map usage of OpenAI's Responses API.

    >>> request = openai_responses({"input_tokens": 900, "output_tokens": 70, "total_tokens": 970,
    ...     "input_tokens_details": {"cached_tokens": 800},
    ...     "output_tokens_details": {"reasoning_tokens": 64}})
    >>> request.input_tokens, request.output_tokens, request.visible_tokens
    (900, 70, 6)
    """
    fields = UsageFields.of(usage)
    read = fields.needed("input_tokens")
    written = fields.needed("output_tokens")
    reasoning = fields.count(
        "output_tokens_details.reasoning_tokens", "output_tokens_details.thinking_tokens"
    )
    cached = fields.count(
        "input_tokens_details.cached_tokens", "prompt_tokens_details.cached_tokens"
    )
    cache_write = fields.count(
        "input_tokens_details.cache_write_tokens", "input_tokens_details.cache_creation_tokens"
    )
    fields.ignore_below("input_tokens_details.cache_write_tokens_details")
    _refuse_other_name(fields, "prompt_tokens", read)
    _refuse_other_name(fields, "completion_tokens", written)
    written += reasoning_apart(fields.count(_TOTAL), read, written, reasoning)
    fields.parts(read, "input_tokens_details")
    fields.parts(written, "output_tokens_details")
    counts = Counts(read, written, reasoning, cached, cache_write)
    return fields.request("OpenAI Responses", counts, total="total_tokens")


def anthropic(usage: Usage) -> Request:
    """Map usage of Anthropic's Messages API: what caches served and took is counted apart.

    >>> request = anthropic({"input_tokens": 4, "cache_read_input_tokens": 996,
    ...     "cache_creation_input_tokens": 150, "output_tokens": 80})
    >>> request.input_tokens, request.output_tokens
    (1150, 80)
    """
    fields = UsageFields.of(usage)
    cached = fields.count("cache_read_input_tokens")
    cache_write = fields.count("cache_creation_input_tokens")
    cache_write = fields.whole_or_parts(cache_write, _CACHE_CREATION)
    read = fields.needed("input_tokens") + cached + cache_write
    written = fields.needed("output_tokens")
    reasoning = fields.count(
        "output_tokens_details.thinking_tokens", "output_tokens_details.reasoning_tokens"
    )
    fields.ignore("cache_deleted_input_tokens")
    counts = Counts(read, written, reasoning, cached, cache_write)
    return fields.request("Anthropic", counts, total="total_tokens")


def inspect_model_usage(usage: Usage) -> Request:
    """Map Inspect's `ModelUsage`: newer logs count cached input apart, and their total says so.

    >>> request = inspect_model_usage({"input_tokens": 3, "output_tokens": 120,
    ...     "total_tokens": 1423, "input_tokens_cache_write": 300, "input_tokens_cache_read": 1000})
    >>> request.input_tokens, request.output_tokens
    (1303, 120)
    """
    fields = UsageFields.of(usage)
    cached = fields.count("input_tokens_cache_read")
    cache_write = fields.count("input_tokens_cache_write")
    stated = fields.needed("input_tokens")
    written = fields.needed("output_tokens")
    reasoning = fields.count("reasoning_tokens")
    if cached + cache_write + reasoning and not fields.has("total_tokens"):
        raise RolloutError(
            "usage states cached or reasoning tokens and no total_tokens; expected a total, which "
            "says whether input_tokens and output_tokens hold them"
        )
    whole = stated + cached + cache_write
    total = fields.count("total_tokens")
    if whole > stated and total == whole + written == stated + written + reasoning:
        raise RolloutError(
            f"usage states {reasoning} cached tokens, as many reasoning tokens, and a total of "
            f"{total} that holds one of the two; expected a total that says which; "
            "remove the rollout"
        )
    read = whole if total in (whole + written, whole + written + reasoning) else stated
    written += reasoning_apart(total, read, written, reasoning)
    counts = Counts(read, written, reasoning, cached, cache_write)
    return fields.request("Inspect", counts, total="total_tokens")


def codex_last(usage: Usage) -> Request:
    """Map Codex's `last_token_usage`, one request's: the cache is in the input.

    >>> request = codex_last({"input_tokens": 9150, "cached_input_tokens": 8960,
    ...     "output_tokens": 900, "reasoning_output_tokens": 800, "total_tokens": 10050})
    >>> request.input_tokens, request.output_tokens, request.visible_tokens
    (9150, 900, 100)
    """
    fields = UsageFields.of(usage)
    read, written = fields.needed("input_tokens"), fields.needed("output_tokens")
    cached = fields.count("cached_input_tokens")
    cache_write = fields.count("cache_write_input_tokens")
    reasoning = fields.count("reasoning_output_tokens")
    counts = Counts(read, written, reasoning, cached, cache_write)
    return fields.request(CODEX, counts, total="total_tokens")


def codex_difference(before: Mapping[str, Any], now: Mapping[str, Any]) -> Request | None:
    """Map two of Codex's `total_token_usage`, sums over a session, to the request between them.

    Args:
        before: the earlier sums; empty for the first request of a session.
        now: the later sums.

    Returns:
        None where nothing was spent between: the sums were written again.

    Raises:
        RolloutError: a sum falls, or the difference is not a request.

    >>> request = codex_difference({"input_tokens": 9000, "output_tokens": 700},
    ...     {"input_tokens": 18150, "output_tokens": 1600, "reasoning_output_tokens": 800})
    >>> request.input_tokens, request.output_tokens, request.visible_tokens
    (9150, 900, 100)
    """
    spent: dict[str, Any] = {**now}
    for name, value in now.items():
        if "token" in name and value is not None:
            earlier = whole_number(before.get(name) or 0, name)
            difference = whole_number(value, name) - earlier
            if difference < 0:
                raise RolloutError(
                    f"{name} falls from {earlier} to {value}; expected sums that only grow"
                )
            spent[name] = difference
    if not any(spent[name] for name in spent if "token" in name):
        return None
    return codex_last(spent)


def langchain(usage: Usage) -> Request:
    """Map LangChain's `usage_metadata`.

    >>> request = langchain({"input_tokens": 350, "output_tokens": 240, "total_tokens": 590,
    ...     "input_token_details": {"cache_read": 100}, "output_token_details": {"reasoning": 200}})
    >>> request.input_tokens, request.output_tokens, request.visible_tokens
    (350, 240, 40)
    """
    fields = UsageFields.of(usage)
    read, written = fields.needed("input_tokens"), fields.needed("output_tokens")
    cached = fields.count(*_of_tier("input_token_details", "cache_read"))
    cache_write = fields.count(*_of_tier("input_token_details", "cache_creation"))
    cache_write = fields.whole_or_parts(cache_write, _LANGCHAIN_LIFETIMES)
    reasoning = fields.count(*_of_tier("output_token_details", "reasoning"))
    written += reasoning_apart(fields.count(_TOTAL), read, written, reasoning)
    for side, whole in (("input", read), ("output", written)):
        parts = (f"{side}_token_details.{part}" for part in (*MODALITIES, *_TIERS))
        fields.ignore_part(whole, *parts)
    counts = Counts(read, written, reasoning, cached, cache_write)
    return fields.request("LangChain", counts, total="total_tokens")


_TIERS = ("flex", "priority")
_LANGCHAIN_LIFETIMES = tuple(
    f"input_token_details.ephemeral_{life}_input_tokens" for life in ("5m", "1h")
)


def _of_tier(details: str, name: str) -> list[str]:
    """Return the paths of a count, also as LangChain names it for OpenAI's service tiers."""
    return [f"{details}.{name}", *(f"{details}.{tier}_{name}" for tier in _TIERS)]


def gemini_api(usage: Usage) -> Request:
    """Map the Gemini API's `usageMetadata`, also in the spelling of its Python SDK.

    >>> request = gemini_api({"promptTokenCount": 90, "toolUsePromptTokenCount": 10,
    ...     "candidatesTokenCount": 20, "thoughtsTokenCount": 30, "totalTokenCount": 150})
    >>> request.input_tokens, request.output_tokens, request.visible_tokens
    (100, 50, 20)
    """
    fields = UsageFields.of(usage)
    read = fields.needed("promptTokenCount", "prompt_token_count")
    read += fields.count("toolUsePromptTokenCount", "tool_use_prompt_token_count")
    reasoning = fields.count("thoughtsTokenCount", "thoughts_token_count")
    written = reasoning + fields.count(
        *("candidatesTokenCount", "candidates_token_count"),
        *("responseTokenCount", "response_token_count"),
    )
    cached = fields.count("cachedContentTokenCount", "cached_content_token_count")
    counts = Counts(read, written, reasoning, cached)
    total = "total_token_count" if fields.has("total_token_count") else "totalTokenCount"
    return fields.request("Gemini API", counts, total)


def gemini_cli(usage: Mapping[str, Any]) -> Request:
    """Map the `tokens` of Gemini CLI's chats.

    >>> request = gemini_cli({"input": 100, "output": 10, "cached": 60, "thoughts": 5, "tool": 0,
    ...     "total": 115})
    >>> request.input_tokens, request.output_tokens, request.visible_tokens
    (100, 15, 10)
    """
    fields = UsageFields({"tokens": usage})
    reasoning = fields.count("tokens.thoughts")
    written = fields.needed("tokens.output") + reasoning
    stated, tool = fields.needed("tokens.input"), fields.count("tokens.tool")
    cached, total = fields.count("tokens.cached"), fields.count("tokens.total")
    read = stated if total == stated + written else stated + tool
    counts = Counts(read, written, reasoning, cached)
    return fields.request("Gemini CLI", counts, total="tokens.total")


def atif(usage: Mapping[str, Any]) -> Request:
    """Map the `metrics` of an ATIF step: the cache is in the prompt, reasoning in the completion.

    `extra` holds what the agent's own log states beside, under the names of that log.

    >>> request = atif({"prompt_tokens": 682, "completion_tokens": 60, "cached_tokens": 600,
    ...     "cost_usd": 0.0023, "extra": {"thoughts_tokens": 40}})
    >>> request.input_tokens, request.output_tokens, request.visible_tokens, request.cost_usd
    (682, 60, 20, 0.0023)
    """
    lists = ("prompt_token_ids", "completion_token_ids", "logprobs", "extra")
    extra = usage.get("extra")
    flat = {name: value for name, value in usage.items() if name not in lists}
    beside = extra if isinstance(extra, Mapping) else {}
    return replace(openai_chat(_merged([*flat.items(), *beside.items()])), shape="ATIF")


_ATIF_NAMES = {
    "thoughts_tokens": "reasoning_tokens",
    "cache_write_input_tokens": "cache_creation_input_tokens",
}
"""Names of counts in `extra`, of Gemini CLI and Codex as Harbor writes them, and their meaning."""


def _merged(fields: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return the fields of metrics and their `extra` under one name each; nulls give way.

    Raises:
        RolloutError: two fields get the same name, and their values differ.
    """
    merged: dict[str, Any] = {}
    for key, value in fields:
        name = _ATIF_NAMES.get(key, key)
        if name in merged and value is not None and merged[name] not in (None, value):
            raise RolloutError(
                f"usage has {brief(merged[name])} and {brief(value)} as {name}; expected the same "
                "number in the metrics and in their extra"
            )
        merged[name] = merged.get(name) if value is None else value
    return merged


def cohere(usage: Usage) -> Request:
    """Map Cohere's usage: `tokens` are what the model was given, `billed_units` a part of them.

    >>> request = cohere({"billed_units": {"input_tokens": 5, "output_tokens": 40},
    ...     "tokens": {"input_tokens": 71, "output_tokens": 40}, "cached_tokens": 32})
    >>> request.input_tokens, request.output_tokens, request.cached_tokens
    (71, 40, 32)
    """
    fields = UsageFields.of(usage)
    fields.ignore_below("billed_units")
    read, written = fields.needed("tokens.input_tokens"), fields.needed("tokens.output_tokens")
    counts = Counts(read, written, cached=fields.count("cached_tokens"))
    return fields.request("Cohere", counts, total="total_tokens")


def ollama(usage: Usage) -> Request:
    """Map Ollama's counts, of versions that say what the cache served.

    Others may leave cached tokens out of `prompt_eval_count`, and nothing shows whether they do.

    >>> request = ollama({"prompt_eval_count": 900, "prompt_eval_cached_count": 800,
    ...     "eval_count": 70})
    >>> request.input_tokens, request.output_tokens, request.cached_tokens
    (900, 70, 800)
    """
    fields = UsageFields.of(usage)
    read, written = fields.needed("prompt_eval_count"), fields.needed("eval_count")
    counts = Counts(read, written, cached=fields.count("prompt_eval_cached_count"))
    return fields.request("Ollama", counts, total="total_tokens")


def bare_counts(usage: Usage) -> Request:
    """Map an input and an output that no shape explains: of a request, or of one turn alone.

    >>> bare_counts({"api_input_tokens": 30, "api_output_tokens": 50}).shape
    'bare counts'
    """
    fields = UsageFields.of(usage)
    read, written = fields.needed(*_INPUT_NAMES), fields.needed(*_OUTPUT_NAMES)
    total = fields.count(_BARE_TOTAL)
    if fields.has(_BARE_TOTAL) and total != read + written:
        raise RolloutError(
            f"{_BARE_TOTAL} is {total}; expected {read + written}, the input of {read} and the "
            f"output of {written}"
        )
    return Request(read, written, written, shape=BARE, cost_usd=fields.cost())


class _Shape(NamedTuple):
    marks: frozenset[str]
    """Keys of which one is enough to recognise the shape."""
    read: Callable[[Any], Request]


_TOTAL = "total_tokens"
_ANY_TOTAL = {_TOTAL, "input_tokens_details", "output_tokens_details"}
_SHAPES = tuple(
    _Shape(frozenset(marks), read)
    for marks, read in (
        ({"promptTokenCount", "prompt_token_count", "totalTokenCount"}, gemini_api),
        ({"inputTokens", "outputTokens"}, camel_case_usage),
        ({"billed_units"}, cohere),
        ({"prompt_eval_cached_count"}, ollama),
        ({"prompt_token_ids", "completion_token_ids", "extra"}, atif),
        ({"cached_input_tokens", "reasoning_output_tokens"}, codex_last),
        ({"input_tokens_cache_read", "input_tokens_cache_write"}, inspect_model_usage),
        ({"input_token_details", "output_token_details"}, langchain),
        ({"prompt_tokens", "completion_tokens"}, openai_chat),
        ({"cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation"}, anthropic),
        ({"reasoning_tokens"}, inspect_model_usage),
        (_ANY_TOTAL, openai_responses),
    )
)
"""Shapes in the order they are asked: what only one tool writes comes first."""


def read_usage(usage: Mapping[str, Any]) -> tuple[Request, ...]:
    """Map a usage object to its requests in normal form, by its shape.

    Returns:
        One request, as a rule; several where Anthropic's `iterations` state them one by one. None
        where the object counts nothing: usage is unknown then, and not 0.

    Raises:
        RolloutError: a count cannot be used, is not known of the shape, or disagrees with a total.

    >>> [request.shape for request in read_usage({"input_tokens": 30, "output_tokens": 50})]
    ['bare counts']
    >>> read_usage({"service_tier": "standard"})
    ()
    """
    _refuse_summed(usage)
    fields = UsageFields(usage)
    counted = fields.counted()
    read = _mapping_of(fields.names, counted)
    if not counted and read is not gemini_cli:
        for name in fields.names:
            if "token" in str(name).lower() and not isinstance(usage[name], Mapping | list):
                whole_number(usage[name], str(name))
        return ()
    if read is not None:
        request = read(fields if read in _OF_FIELDS else usage)
        return _iterations(usage, request) if read is anthropic else (request,)
    fields.ignore(*_BARE_NAMES)
    fields.refuse_unknown("any")
    return (bare_counts(fields),) if counted & _BARE_NAMES else ()


@lru_cache(maxsize=64)
def _mapping_of(names: frozenset[str], counted: frozenset[str]) -> Callable[[Any], Request] | None:
    """Return the mapping of a usage object's shape; None where no shape is recognised.

    Args:
        names: keys of the object whose values are not null.
        counted: paths that hold counts of tokens.
    """
    if {"input", "output"} <= names and names & _GEMINI_CLI:
        return gemini_cli
    named = counted - {_BARE_TOTAL}
    is_bare = named and named <= _BARE_NAMES and len(named) <= 2
    if is_bare and _TOTAL not in names:  # a total that is not a number is not a bare count, either
        return bare_counts
    return next((shape.read for shape in _SHAPES if not names.isdisjoint(shape.marks)), None)


_OF_FIELDS = frozenset(
    {openai_chat, openai_responses, anthropic, inspect_model_usage, codex_last, bare_counts}
)
"""Mappings that take a usage object's fields as they were looked at."""
_BARE_NAMES = frozenset({*_INPUT_NAMES, *_OUTPUT_NAMES})
_GEMINI_CLI = {"thoughts", "cached", "tool", "total"}


_REQUEST_COUNTS = frozenset(
    {
        *("requests", "successful_requests", "num_requests", "n_requests", "request_count"),
        *("llm_call_count", "llm_calls", "num_calls", "api_calls"),
    }
)
"""Fields that say how many requests a usage object sums up."""


def _refuse_summed(usage: Mapping[str, Any]) -> None:
    """Refuse the sum of several requests: what each of them replayed cannot be told from it.

    Raises:
        RolloutError: the object says that it holds more than one.
    """
    for name in _REQUEST_COUNTS.intersection(usage):
        stated = usage[name]
        if _is_above_one(stated):
            raise RolloutError(
                f"usage has {name} = {brief(stated)}, and sums up several requests; expected the "
                "counts of each request, as every one of them repeats the history"
            )


def _is_above_one(stated: Any) -> bool:
    if isinstance(stated, str):
        return stated.strip().isdecimal() and stated.strip().lstrip("0") not in ("", "1")
    number = len(stated) if isinstance(stated, list) else stated
    return isinstance(number, int | float) and number > 1


def _iterations(usage: Mapping[str, Any], whole: Request) -> tuple[Request, ...]:
    """Return the requests that an Anthropic usage object sums up: its own if it states no others.

    The object's own counts sum up its iterations but two kinds, which are billed beside them: a
    compaction, after which a new context begins, and an advisor's reading of the conversation.
    https://platform.claude.com/docs/en/build-with-claude/compaction says so of the first.

    Raises:
        RolloutError: the other iterations do not add up to the object's own counts.
    """
    entries = [entry for entry in usage.get("iterations") or () if isinstance(entry, dict)]
    requests = []
    context = ""
    for entry in entries:
        kind = str(entry.get("type"))
        request = anthropic({**entry, "iterations": None})
        requests.append(
            replace(
                request,
                context=ADVISOR if kind == _ADVICE else context,
                model=str(entry.get("model") or ""),
            )
        )
        context = COMPACTED if kind == _COMPACTION else context
    own = [
        _tokens(request)
        for entry, request in zip(entries, requests, strict=True)
        if entry.get("type") not in (_ADVICE, _COMPACTION)
    ]
    sums = [sum(column) for column in zip(*own, strict=True)]
    if entries and sums != [*_tokens(whole)]:
        kinds = ", ".join(sorted({str(entry.get("type")) for entry in entries}))
        stated = " and ".join(map(str, sums)) or "no"
        raise RolloutError(
            f"usage has iterations ({kinds}) of {stated} input and output tokens; "
            f"expected its own, {whole.input_tokens} and {whole.output_tokens}"
        )
    return tuple(requests) if len(requests) > 1 else (whole,)


ADVISOR = "advisor"
"""Context of what an advisor model reads and writes beside a response."""
COMPACTED = "compacted"
"""Context of what follows a compaction within one response."""
_ADVICE = "advisor_message"
_COMPACTION = "compaction"


def _tokens(request: Request) -> tuple[int, int]:
    return request.input_tokens, request.output_tokens


def provider_usage(usage: Mapping[str, Any]) -> tuple[Request, ...]:
    """Map a usage object that stands where a provider's own stands: its counts are a request's.

    Raises:
        RolloutError: as `read_usage`.

    >>> [request.shape for request in provider_usage({"input_tokens": 30, "output_tokens": 50})]
    ['provider']
    """
    requests = read_usage(usage)
    if BARE not in [each.shape for each in requests]:
        return requests
    return tuple(replace(each, shape="provider") for each in requests)
