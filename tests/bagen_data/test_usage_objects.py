"""Usage objects as tools write them, each with the request that it means."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagen_data.errors import RolloutError
from bagen_data.usage import Request
from bagen_data.usage_objects import BARE, codex_difference, provider_usage, read_usage

Usage = dict[str, Any]


def details(prompt: Usage | None = None, completion: Usage | None = None, **more: Any) -> Usage:
    """Make usage of OpenAI's chat completions with 1,000 and 200 tokens."""
    usage = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
    parts = {"prompt_tokens_details": prompt, "completion_tokens_details": completion}
    return {**usage, **{name: part for name, part in parts.items() if part}, **more}


OBJECTS: dict[str, tuple[Usage, tuple[int, ...]]] = {
    "OpenAI chat": (
        details(
            {"cached_tokens": 896, "audio_tokens": 0, "cache_write_tokens": 50},
            {"reasoning_tokens": 128, "audio_tokens": 0, "accepted_prediction_tokens": 10},
        ),
        (1000, 200, 72, 896, 50),
    ),
    "OpenAI predicted outputs": (
        details(None, {"reasoning_tokens": 0, "rejected_prediction_tokens": 40}),
        (1000, 200, 160, 0, 0),
    ),
    "OpenAI Responses": (
        {
            "input_tokens": 1000,
            "input_tokens_details": {
                "cached_tokens": 896,
                "cache_write_tokens": 20,
                "cache_write_tokens_details": {"ttl_30m_tokens": 20, "ttl_12h_tokens": 0},
            },
            "output_tokens": 200,
            "output_tokens_details": {"reasoning_tokens": 128},
            "total_tokens": 1200,
        },
        (1000, 200, 72, 896, 20),
    ),
    "Anthropic": (
        {
            "input_tokens": 4,
            "cache_creation_input_tokens": 150,
            "cache_read_input_tokens": 846,
            "cache_creation": {"ephemeral_5m_input_tokens": 150, "ephemeral_1h_input_tokens": 0},
            "output_tokens": 200,
            "output_tokens_details": {"thinking_tokens": 128},
            "server_tool_use": {"web_search_requests": 0},
            "service_tier": "standard",
        },
        (1000, 200, 72, 846, 150),
    ),
    "Anthropic, written tokens by lifetime alone": (
        {
            "input_tokens": 4,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 50},
            "output_tokens": 200,
        },
        (154, 200, 200, 0, 150),
    ),
    "litellm of Anthropic": (
        details(
            {
                "cached_tokens": 846,
                "cache_creation_tokens": 150,
                "cache_creation_token_details": {"ephemeral_5m_input_tokens": 150},
                "text_tokens": 4,
            },
            {"reasoning_tokens": 128, "text_tokens": 72},
            cache_read_input_tokens=846,
            cache_creation_input_tokens=150,
        ),
        (1000, 200, 72, 846, 150),
    ),
    "Inspect, caches apart": (
        {
            "input_tokens": 4,
            "output_tokens": 200,
            "total_tokens": 1200,
            "input_tokens_cache_write": 150,
            "input_tokens_cache_read": 846,
            "reasoning_tokens": 128,
            "total_cost": 0.002,
        },
        (1000, 200, 72, 846, 150),
    ),
    "Inspect, older": (
        {
            "input_tokens": 1000,
            "output_tokens": 200,
            "total_tokens": 1200,
            "input_tokens_cache_write": None,
            "input_tokens_cache_read": 846,
            "reasoning_tokens": 128,
        },
        (1000, 200, 72, 846, 0),
    ),
    "Codex": (
        {
            "input_tokens": 1000,
            "cached_input_tokens": 846,
            "output_tokens": 200,
            "reasoning_output_tokens": 128,
            "total_tokens": 1200,
        },
        (1000, 200, 72, 846, 0),
    ),
    "LangChain": (
        {
            "input_tokens": 1000,
            "output_tokens": 200,
            "total_tokens": 1200,
            "input_token_details": {
                "cache_read": 846,
                "cache_creation": 0,
                "ephemeral_5m_input_tokens": 150,
                "ephemeral_1h_input_tokens": 0,
            },
            "output_token_details": {"reasoning": 128, "audio": 0},
        },
        (1000, 200, 72, 846, 150),
    ),
    "LangChain, OpenAI's flex tier": (
        {
            "input_tokens": 1000,
            "output_tokens": 200,
            "total_tokens": 1200,
            "input_token_details": {"flex_cache_read": 846, "flex": 154},
            "output_token_details": {"flex_reasoning": 128, "flex": 72},
        },
        (1000, 200, 72, 846, 0),
    ),
    "LangChain of xAI": (
        {
            "input_tokens": 1000,
            "output_tokens": 72,
            "total_tokens": 1200,
            "output_token_details": {"reasoning": 128},
        },
        (1000, 200, 72, 0, 0),
    ),
    "Gemini API": (
        {
            "promptTokenCount": 950,
            "cachedContentTokenCount": 846,
            "toolUsePromptTokenCount": 50,
            "candidatesTokenCount": 72,
            "thoughtsTokenCount": 128,
            "totalTokenCount": 1200,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 950}],
            "trafficType": "ON_DEMAND",
        },
        (1000, 200, 72, 846, 0),
    ),
    "Gemini API, Python SDK": (
        {
            "prompt_token_count": 1000,
            "candidates_token_count": 72,
            "thoughts_token_count": 128,
            "total_token_count": 1200,
            "cached_content_token_count": None,
            "tool_use_prompt_token_count": None,
        },
        (1000, 200, 72, 0, 0),
    ),
    "Gemini CLI": (
        {
            "input": 1000,
            "output": 72,
            "cached": 846,
            "thoughts": 128,
            "tool": 0,
            "total": 1200,
        },
        (1000, 200, 72, 846, 0),
    ),
    "xAI": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 72,
            "total_tokens": 1200,
            "prompt_tokens_details": {"text_tokens": 1000, "image_tokens": 0, "cached_tokens": 846},
            "completion_tokens_details": {"reasoning_tokens": 128, "audio_tokens": 0},
            "num_sources_used": 3,
            "cost_in_usd_ticks": 37756000,
        },
        (1000, 200, 72, 846, 0),
    ),
    "ATIF": (
        {
            "prompt_tokens": 1000,
            "completion_tokens": 200,
            "cached_tokens": 846,
            "cost_usd": 0.002,
            "prompt_token_ids": [1, 2],
            "extra": {"reasoning_output_tokens": 128},
        },
        (1000, 200, 72, 846, 0),
    ),
    "DeepSeek": (
        details(
            {"cached_tokens": 896},
            {"reasoning_tokens": 128},
            prompt_cache_hit_tokens=896,
            prompt_cache_miss_tokens=104,
        ),
        (1000, 200, 72, 896, 0),
    ),
    "Moonshot and Together": (details(cached_tokens=896), (1000, 200, 200, 896, 0)),
    "Groq": (
        details(queue_time=0.03, prompt_time=0.01, completion_time=0.4, total_time=0.41),
        (1000, 200, 200, 0, 0),
    ),
    "Mistral": (
        details(
            {"cached_tokens": 896},
            prompt_audio_seconds=None,
            num_cached_tokens=896,
        ),
        (1000, 200, 200, 896, 0),
    ),
    "DashScope": (
        details(
            {
                "cached_tokens": 0,
                "cache_creation_input_tokens": 150,
                "cache_creation": {"ephemeral_5m_input_tokens": 150},
                "cache_type": "ephemeral",
            }
        ),
        (1000, 200, 200, 0, 150),
    ),
    "OpenRouter": (
        details(
            {"cached_tokens": 846, "cache_write_tokens": 100, "audio_tokens": 0, "video_tokens": 0},
            {"reasoning_tokens": 128, "image_tokens": 0},
            cost=0.002,
            is_byok=False,
            cost_details={"upstream_inference_cost": None, "upstream_inference_prompt_cost": 0.001},
        ),
        (1000, 200, 72, 846, 100),
    ),
    "vLLM": (details(None, None, prompt_tokens_details=None), (1000, 200, 200, 0, 0)),
    "SGLang": (details(reasoning_tokens=128), (1000, 200, 72, 0, 0)),
    "Perplexity": (
        details(
            search_context_size="low",
            citation_tokens=None,
            num_search_queries=1,
            cost={"input_tokens_cost": 0.001, "request_cost": 0.005, "total_cost": 0.006},
        ),
        (1000, 200, 200, 0, 0),
    ),
    "Bedrock Converse": (
        {
            "inputTokens": 4,
            "outputTokens": 200,
            "totalTokens": 1200,
            "cacheReadInputTokens": 846,
            "cacheWriteInputTokens": 150,
            "cacheDetails": [{"ttl": "5m", "inputTokens": 150}],
        },
        (1000, 200, 200, 846, 150),
    ),
    "AI SDK 5, no cache": (
        {
            "inputTokens": 1000,
            "outputTokens": 200,
            "totalTokens": 1200,
            "reasoningTokens": 128,
            "cachedInputTokens": 0,
        },
        (1000, 200, 72, 0, 0),
    ),
    "AI SDK 5 of Gemini": (
        {
            "inputTokens": 1000,
            "outputTokens": 72,
            "totalTokens": 1200,
            "reasoningTokens": 128,
        },
        (1000, 200, 72, 0, 0),
    ),
    "AI SDK 6": (
        {
            "inputTokens": 1000,
            "inputTokenDetails": {
                "noCacheTokens": 4,
                "cacheReadTokens": 846,
                "cacheWriteTokens": 150,
            },
            "outputTokens": 200,
            "outputTokenDetails": {"textTokens": 72, "reasoningTokens": 128},
            "totalTokens": 1200,
            "cachedInputTokens": 846,
            "reasoningTokens": 128,
            "raw": {"input_tokens": 4, "cache_read_input_tokens": 846, "output_tokens": 200},
        },
        (1000, 200, 72, 846, 150),
    ),
    "AI SDK 6, of a provider": (
        {
            "inputTokens": {"total": 1000, "noCache": 154, "cacheRead": 846},
            "outputTokens": {"total": 200, "text": 72, "reasoning": 128},
            "raw": {"prompt_tokens": 1000},
        },
        (1000, 200, 72, 846, 0),
    ),
    "Ollama": (
        {
            "total_duration": 5191566416,
            "prompt_eval_count": 1000,
            "prompt_eval_cached_count": 846,
            "prompt_eval_duration": 383809000,
            "eval_count": 200,
            "eval_duration": 4799921000,
        },
        (1000, 200, 200, 846, 0),
    ),
    "Cohere": (
        {
            "billed_units": {"input_tokens": 17.0, "output_tokens": 200.0},
            "tokens": {"input_tokens": 1000.0, "output_tokens": 200.0},
            "cached_tokens": 846,
        },
        (1000, 200, 200, 846, 0),
    ),
    "OpenHands": (
        {
            "model": "claude",
            "prompt_tokens": 1000,
            "completion_tokens": 200,
            "cache_read_tokens": 846,
            "cache_write_tokens": 150,
            "reasoning_tokens": 128,
            "context_window": 200000,
            "per_turn_token": 1200,
            "response_id": "chatcmpl-1",
        },
        (1000, 200, 72, 846, 150),
    ),
    "bare": ({"input_tokens": 1000, "output_tokens": 200, "cost": 0.1}, (1000, 200, 200, 0, 0)),
}


def numbers(request: Request) -> tuple[int, ...]:
    return (
        request.input_tokens,
        request.output_tokens,
        request.visible_tokens,
        request.cached_tokens,
        request.cache_write_tokens,
    )


@pytest.mark.parametrize("tool", OBJECTS)
def test_a_usage_object_means_one_request(tool: str) -> None:
    usage, expected = OBJECTS[tool]
    (request,) = read_usage(usage)
    assert numbers(request) == expected
    assert (request.shape == BARE) == (tool == "bare")


@pytest.mark.parametrize("tool", OBJECTS)
def test_nulls_and_zeros_of_unknown_fields_change_nothing(tool: str) -> None:
    usage, expected = OBJECTS[tool]
    new = {"new_tokens": 0, "new_token_details": {"more": None, "less": 0}, "new": "text"}
    (request,) = provider_usage({**usage, **new})
    assert numbers(request) == expected


@pytest.mark.parametrize("tool", OBJECTS)
def test_an_unknown_count_is_refused_by_its_name(tool: str) -> None:
    with pytest.raises(RolloutError, match="new_tokens"):
        read_usage({**OBJECTS[tool][0], "new_tokens": 3})


REFUSED: dict[str, tuple[Usage, str]] = {
    "a total that disagrees": (details(total_tokens=1300), "total of 1300"),
    "reasoning that is more than the output": (
        details(None, {"reasoning_tokens": 300}),
        "visible output is -100",
    ),
    "a count of 400 digits": ({"api_input_tokens": 10**400, "api_output_tokens": 1}, "at most 10"),
    "a cached count of 400 digits": (details({"cached_tokens": 10**400}), "at most 10"),
    "ATIF: another input in extra": (
        {"prompt_tokens": 682, "completion_tokens": 60, "extra": {"prompt_tokens": 9000}},
        "682 and 9000 as prompt_tokens",
    ),
    "ATIF: more cached in extra than read, beside a null": (
        {
            "prompt_tokens": 682,
            "completion_tokens": 60,
            "cached_tokens": None,
            "extra": {"cached_tokens": 700},
        },
        "700 cached tokens",
    ),
    "reasoning as a text with a point": (
        {"prompt_tokens": 100, "completion_tokens": 20, "reasoning_tokens": "15.0"},
        "reasoning_tokens",
    ),
    "a text with a comma": (details(foo_tokens="1,000"), "foo_tokens"),
    "details as a list": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "completion_tokens_details": [{"reasoning_tokens": 15}],
        },
        "completion_tokens_details",
    ),
    "details as JSON text": (
        {
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "completion_tokens_details": '{"reasoning_tokens": 15}',
        },
        "completion_tokens_details",
    ),
    "a count that is a truth value": (
        {"input_tokens": 100, "output_tokens": 20, "cached_tokens": True},
        "cached_tokens",
    ),
    "requests as text": (details(requests="3"), 'requests = "3"'),
    "requests as a list": (details(requests=[1, 1]), "requests = "),
    "more audio than read": (details({"audio_tokens": 5000}), "audio_tokens = 5000; expected at"),
    "more text than written": (details(None, {"text_tokens": 201}), "text_tokens = 201; expected"),
    "more accepted than written": (
        details(None, {"accepted_prediction_tokens": 500}),
        "tokens = 500; expected at most 200",
    ),
    "LangChain: more audio than read": (
        {
            "input_tokens": 350,
            "output_tokens": 240,
            "total_tokens": 590,
            "input_token_details": {"audio": 9999, "cache_read": 100},
        },
        "audio = 9999; expected at most 350",
    ),
    "AI SDK: more text than written": (
        {"inputTokens": 9, "outputTokens": 7, "outputTokenDetails": {"textTokens": 60}},
        "textTokens = 60; expected at most 7",
    ),
    "more cached than read": (details({"cached_tokens": 1001}), "1001 cached tokens"),
    "names that disagree": (details(input_tokens=999), "999 as input_tokens"),
    "Anthropic: written to caches, by how long they are kept": (
        {
            "input_tokens": 4,
            "cache_creation_input_tokens": 150,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 60},
            "output_tokens": 80,
        },
        "= 160; expected 150",
    ),
    "litellm: written to caches, by how long they are kept": (
        details(
            {
                "cache_creation_tokens": 150,
                "cache_creation_token_details": {"ephemeral_5m_input_tokens": 140},
            }
        ),
        "= 140; expected 150",
    ),
    "LangChain: written to caches, by how long they are kept": (
        {
            "input_tokens": 350,
            "output_tokens": 240,
            "total_tokens": 590,
            "input_token_details": {"cache_creation": 150, "ephemeral_1h_input_tokens": 140},
        },
        "= 140; expected 150",
    ),
    "DeepSeek's hit and miss": (
        details(prompt_cache_hit_tokens=896, prompt_cache_miss_tokens=4),
        "1000 together",
    ),
    "Perplexity's reasoning beside its completion": (
        details(num_search_queries=25, reasoning_tokens=150),
        "reasoning_tokens = 150",
    ),
    "Perplexity's citations": (details(citation_tokens=19004), "citation_tokens"),
    "AI SDK 5 with a cache": (
        {
            "inputTokens": 1000,
            "outputTokens": 200,
            "totalTokens": 1200,
            "cachedInputTokens": 800,
        },
        "AI SDK 6",
    ),
    "AI SDK 6 whose parts are not the whole": (
        {
            "inputTokens": 1000,
            "outputTokens": 200,
            "inputTokenDetails": {"noCacheTokens": 1000, "cacheReadTokens": 800},
        },
        "1000 together",
    ),
    "AI SDK 4": (
        {"promptTokens": 1000, "completionTokens": 200, "totalTokens": 1200},
        "promptTokens",
    ),
    "reasoning without a total": (
        {"input_tokens": 1000, "output_tokens": 200, "reasoning_tokens": 50},
        "no total_tokens",
    ),
    "Inspect: the total holds the cache or the reasoning": (
        {
            "input_tokens": 1000,
            "output_tokens": 200,
            "total_tokens": 1250,
            "input_tokens_cache_read": 50,
            "reasoning_tokens": 50,
        },
        "holds one of the two",
    ),
    "OpenAI Agents SDK, two requests": (
        {
            "requests": 2,
            "input_tokens": 1000,
            "output_tokens": 200,
            "total_tokens": 1200,
            "input_tokens_details": {"cached_tokens": 0},
        },
        "requests = 2",
    ),
    "CrewAI": (details(successful_requests=3), "successful_requests = 3"),
    "OpenHands, sums": (details(per_turn_token=90), "90 as per_turn_token"),
    "opencode": (
        {"input": 4, "output": 200, "reasoning": 0, "cache": {"read": 846, "write": 0}},
        "cache.read",
    ),
    "bare counts beside a cache of another name": (
        {"input_tokens": 4, "output_tokens": 200, "cache_read": 846},
        "cache_read",
    ),
    "a count as text": (
        {"input_tokens": 4, "output_tokens": 200, "cache_read_input_tokens": "846"},
        "846",
    ),
    "Bedrock, caches in no total": (
        {"inputTokens": 4, "outputTokens": 2, "totalTokens": 6, "cacheReadInputTokens": 846},
        "total of 6",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_may_mean_something_else_is_refused(case: str) -> None:
    usage, reason = REFUSED[case]
    with pytest.raises(RolloutError, match=reason):
        read_usage(usage)


@pytest.mark.parametrize(
    "usage",
    [
        {},
        {"service_tier": "standard"},
        {"prompt_eval_count": 26, "eval_count": 259, "prompt_eval_duration": 130079000},
        {"input_tokens": None, "output_tokens": None},
    ],
)
def test_unknown_usage_is_no_request(usage: Usage) -> None:
    """Ollama's older versions leave cached tokens out of what they count, and do not say so."""
    assert read_usage(usage) == ()


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (details(cost=0.25, is_byok=False), 0.25),
        (details(cost=0.95, is_byok=True, cost_details={"upstream_inference_cost": 19}), 19.95),
        (details(cost=0.95, is_byok=True), None),
        (details(cost={"total_cost": 0.006}), 0.006),
        (details(cost_usd=0.5), 0.5),
        (details(cost=0, cost_usd=0.5), 0.5),
        (details(cost=0.5, cost_usd=0.50001), 0.50001),
        (details(cost="unknown"), None),
        (details(cost=True), None),
        ({"input_tokens": 4, "output_tokens": 2, "total_cost": 0.5}, 0.5),
    ],
)
def test_a_stated_price(usage: Usage, cost: float | None) -> None:
    assert read_usage(usage)[0].cost_usd == cost


@pytest.mark.parametrize(
    "price", [-0.5, float("nan"), float("inf"), 1e308, 10**400, "0.5", "-1e3", 1_000_001]
)
@pytest.mark.parametrize("name", ["cost", "cost_usd", "total_cost"])
def test_a_number_that_is_no_price_is_refused(name: str, price: Any) -> None:
    with pytest.raises(RolloutError, match=f"{name} is .*; expected a number of US dollars"):
        read_usage(details(**{name: price}))


def test_prices_that_differ_are_refused() -> None:
    with pytest.raises(RolloutError, match=r"cost_usd = 5\.0, cost = 0\.5, total_cost = 100\.0"):
        read_usage(details(cost=0.5, cost_usd=5, total_cost=100))


@dataclass(frozen=True)
class MadeRequest:
    """A request as it was made, in parts that no tool counts twice."""

    uncached: int
    cached: int
    cache_write: int
    visible: int
    reasoning: int

    @property
    def read(self) -> int:
        return self.uncached + self.cached + self.cache_write

    @property
    def written(self) -> int:
        return self.visible + self.reasoning

    @property
    def total(self) -> int:
        return self.read + self.written


sizes = st.integers(0, 10**6)
spent = st.builds(MadeRequest, st.integers(1, 10**6), sizes, sizes, st.integers(1, 10**6), sizes)


def as_openai_chat(own: MadeRequest) -> Usage:
    return {
        "prompt_tokens": own.read,
        "completion_tokens": own.written,
        "total_tokens": own.total,
        "prompt_tokens_details": {
            "cached_tokens": own.cached,
            "cache_write_tokens": own.cache_write,
        },
        "completion_tokens_details": {"reasoning_tokens": own.reasoning},
    }


def as_openai_responses(own: MadeRequest) -> Usage:
    return {
        "input_tokens": own.read,
        "output_tokens": own.written,
        "total_tokens": own.total,
        "input_tokens_details": {
            "cached_tokens": own.cached,
            "cache_write_tokens": own.cache_write,
        },
        "output_tokens_details": {"reasoning_tokens": own.reasoning},
    }


def as_anthropic(own: MadeRequest) -> Usage:
    return {
        "input_tokens": own.uncached,
        "cache_read_input_tokens": own.cached,
        "cache_creation_input_tokens": own.cache_write,
        "output_tokens": own.written,
        "output_tokens_details": {"thinking_tokens": own.reasoning},
    }


def as_litellm(own: MadeRequest) -> Usage:
    return {
        **as_openai_chat(own),
        "prompt_tokens_details": {
            "cached_tokens": own.cached,
            "cache_creation_tokens": own.cache_write,
            "text_tokens": own.uncached,
        },
        "cache_read_input_tokens": own.cached,
        "cache_creation_input_tokens": own.cache_write,
    }


def as_xai(own: MadeRequest) -> Usage:
    return {**as_openai_chat(own), "completion_tokens": own.visible}


def as_openhands(own: MadeRequest) -> Usage:
    return {
        "prompt_tokens": own.read,
        "completion_tokens": own.written,
        "cache_read_tokens": own.cached,
        "cache_write_tokens": own.cache_write,
        "reasoning_tokens": own.reasoning,
        "per_turn_token": own.total,
    }


def as_inspect(own: MadeRequest) -> Usage:
    return {
        "input_tokens": own.uncached,
        "output_tokens": own.written,
        "total_tokens": own.total,
        "input_tokens_cache_write": own.cache_write,
        "input_tokens_cache_read": own.cached,
        "reasoning_tokens": own.reasoning,
    }


def as_langchain(own: MadeRequest) -> Usage:
    return {
        "input_tokens": own.read,
        "output_tokens": own.written,
        "total_tokens": own.total,
        "input_token_details": {"cache_read": own.cached, "cache_creation": own.cache_write},
        "output_token_details": {"reasoning": own.reasoning},
    }


def as_bedrock(own: MadeRequest) -> Usage:
    return {
        "inputTokens": own.uncached,
        "outputTokens": own.written,
        "totalTokens": own.total,
        "cacheReadInputTokens": own.cached,
        "cacheWriteInputTokens": own.cache_write,
    }


def as_ai_sdk(own: MadeRequest) -> Usage:
    return {
        "inputTokens": own.read,
        "outputTokens": own.written,
        "totalTokens": own.total,
        "inputTokenDetails": {
            "noCacheTokens": own.uncached,
            "cacheReadTokens": own.cached,
            "cacheWriteTokens": own.cache_write,
        },
        "outputTokenDetails": {"textTokens": own.visible, "reasoningTokens": own.reasoning},
        "raw": as_anthropic(own),
    }


def as_codex(own: MadeRequest) -> Usage:
    return {
        "input_tokens": own.read,
        "cached_input_tokens": own.cached,
        "cache_write_input_tokens": own.cache_write,
        "output_tokens": own.written,
        "reasoning_output_tokens": own.reasoning,
        "total_tokens": own.total,
    }


def as_atif(own: MadeRequest) -> Usage:
    return {
        "prompt_tokens": own.read,
        "completion_tokens": own.written,
        "cached_tokens": own.cached,
        "extra": {
            "reasoning_tokens": own.reasoning,
            "cache_creation_input_tokens": own.cache_write,
        },
    }


def as_gemini_api(own: MadeRequest) -> Usage:
    return {
        "promptTokenCount": own.read,
        "cachedContentTokenCount": own.cached,
        "candidatesTokenCount": own.visible,
        "thoughtsTokenCount": own.reasoning,
        "totalTokenCount": own.total,
    }


def as_gemini_cli(own: MadeRequest) -> Usage:
    return {
        "input": own.read,
        "output": own.visible,
        "cached": own.cached,
        "thoughts": own.reasoning,
        "tool": 0,
        "total": own.total,
    }


def as_cohere(own: MadeRequest) -> Usage:
    return {
        "billed_units": {"input_tokens": own.uncached, "output_tokens": own.written},
        "tokens": {"input_tokens": own.read, "output_tokens": own.written},
        "cached_tokens": own.cached,
    }


def as_ollama(own: MadeRequest) -> Usage:
    return {
        "prompt_eval_count": own.read,
        "prompt_eval_cached_count": own.cached,
        "eval_count": own.written,
    }


WRITERS: tuple[Callable[[MadeRequest], Usage], ...] = (
    *(as_openai_chat, as_openai_responses, as_anthropic, as_litellm, as_xai, as_openhands),
    *(as_inspect, as_langchain, as_ai_sdk, as_codex, as_atif),
)
WITHOUT_WRITES = (as_gemini_api, as_gemini_cli)
"""Tools that do not say what was written to a cache."""
WITHOUT_REASONING = (as_bedrock, as_cohere, as_ollama)
"""Tools that do not say what part of the output is reasoning."""


@pytest.mark.parametrize("written_as", [*WRITERS, *WITHOUT_WRITES, *WITHOUT_REASONING])
@given(own=spent)
def test_a_request_comes_back_as_it_was_made(
    written_as: Callable[[MadeRequest], Usage], own: MadeRequest
) -> None:
    if written_as is as_inspect and own.reasoning and own.reasoning == own.cached + own.cache_write:
        return  # refused: the total does not say which of the two it holds
    (request,) = read_usage(written_as(own))
    assert (request.input_tokens, request.output_tokens) == (own.read, own.written)
    assert request.cached_tokens == own.cached
    if written_as in (*WRITERS, as_bedrock):
        assert request.cache_write_tokens == own.cache_write
    if written_as not in WITHOUT_REASONING:
        assert request.visible_tokens == own.visible


@given(st.lists(spent, min_size=1, max_size=8))
def test_sums_of_codex_come_back_as_single_requests(requests: list[MadeRequest]) -> None:
    before: Mapping[str, Any] = {}
    for own in requests:
        single = as_codex(own)
        now = {name: before.get(name, 0) + count for name, count in single.items()}
        assert codex_difference(before, now) == read_usage(single)[0]
        assert codex_difference(now, now) is None
        before = now


def test_a_total_of_bare_counts_is_their_sum() -> None:
    usage = {"api_input_tokens": 30, "api_output_tokens": 50, "api_total_tokens": 80}
    (request,) = read_usage(usage)
    assert (request.input_tokens, request.output_tokens, request.shape) == (30, 50, BARE)
    with pytest.raises(RolloutError, match="api_total_tokens is 81; expected 80"):
        read_usage({**usage, "api_total_tokens": 81})


def test_a_compaction_is_a_request_of_its_own_and_begins_a_context() -> None:
    """Anthropic bills it beside the object's own counts."""
    compaction, message = read_usage(
        {
            "input_tokens": 23,
            "output_tokens": 10,
            "cache_read_input_tokens": 0,
            "iterations": [
                {"type": "compaction", "input_tokens": 180000, "output_tokens": 3500},
                {"type": "message", "input_tokens": 23, "output_tokens": 10},
            ],
        }
    )
    assert (compaction.input_tokens, compaction.output_tokens) == (180000, 3500)
    assert (message.input_tokens, message.output_tokens) == (23, 10)
    assert compaction.context != message.context


@pytest.mark.parametrize("total", ["", "abc", True, [], {}, 1.5, -1, float("nan"), 10**30])
@pytest.mark.parametrize(
    "names", [("prompt_tokens", "completion_tokens"), ("input_tokens", "output_tokens")]
)
def test_a_total_that_is_not_a_number_is_refused(names: tuple[str, str], total: Any) -> None:
    with pytest.raises(RolloutError, match="total"):
        read_usage({names[0]: 30, names[1]: 50, "total_tokens": total})


def test_usage_of_one_structure_is_looked_at_each_on_its_own() -> None:
    usage = {"prompt_tokens": 30, "completion_tokens": 50, "total_tokens": 80, "a": {"b_tokens": 0}}
    assert read_usage(usage)[0].input_tokens == 30
    with pytest.raises(RolloutError, match=r"a\.b_tokens = 4"):
        read_usage({**usage, "a": {"b_tokens": 4}})
    with pytest.raises(RolloutError, match="total of 81"):
        read_usage({**usage, "total_tokens": 81})
    with pytest.raises(RolloutError, match=r"c\.b_tokens = 4"):
        read_usage({**usage, "a": {}, "c": {"b_tokens": 4}})
    for odd in (True, "x", [3], None):
        with pytest.raises(RolloutError, match="prompt_tokens"):
            read_usage({**usage, "prompt_tokens": odd})
    assert read_usage(usage)[0].output_tokens == 50


def test_inner_objects_of_usage_with_the_same_keys_may_have_other_keys() -> None:
    cached = details({"cached_tokens": 40, "text_tokens": 960}, {"reasoning_tokens": 9})
    turned = details({"text_tokens": 960, "cached_tokens": 40}, {"reasoning_tokens": 9})
    written = details({"cache_write_tokens": 40}, {"reasoning_tokens": 9})
    expected = {0: (1000, 200, 191, 40, 0), 1: (1000, 200, 191, 40, 0), 2: (1000, 200, 191, 0, 40)}
    for number in (0, 1, 2, 1, 0, 2, 0):
        (request,) = read_usage((cached, turned, written)[number])
        assert numbers(request) == expected[number]
    for odd in (5, None, "7 tokens", [{"tokens": 3}]):
        beside = {**cached, "prompt_tokens_details": odd}
        if odd is None:
            assert numbers(read_usage(beside)[0]) == (1000, 200, 191, 0, 0)
        else:
            with pytest.raises(RolloutError, match="prompt_tokens_details = "):
                read_usage(beside)
        assert numbers(read_usage(cached)[0]) == expected[0]
