import dataclasses
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from types import SimpleNamespace
from typing import Any, NamedTuple
from unittest.mock import MagicMock

import numpy as np
import pytest

from bagen_data.errors import RolloutError
from bagen_data.live.usage_reading import usage_requests

CHAT = {
    "prompt_tokens": 900,
    "completion_tokens": 70,
    "total_tokens": 970,
    "prompt_tokens_details": {"cached_tokens": 800},
    "completion_tokens_details": {"reasoning_tokens": 64},
}
RESPONSES = {
    "input_tokens": 900,
    "output_tokens": 70,
    "total_tokens": 970,
    "input_tokens_details": {"cached_tokens": 800, "cache_write_tokens": 0},
    "output_tokens_details": {"reasoning_tokens": 64},
}


@dataclasses.dataclass
class Details:
    cached_tokens: int = 800


@dataclasses.dataclass
class DataUsage:
    prompt_tokens: int = 900
    completion_tokens: int = 70
    prompt_tokens_details: Details = dataclasses.field(default_factory=Details)


class NamedUsage(NamedTuple):
    input_tokens: int = 900
    output_tokens: int = 70


class SlotUsage:
    __slots__ = ("completion_tokens", "prompt_tokens")

    def __init__(self) -> None:
        self.prompt_tokens, self.completion_tokens = 900, 70


class DictUsage:
    def to_dict(self) -> dict[str, Any]:
        return {"prompt_tokens": 900, "completion_tokens": 70}


class ProtoUsage(type):
    """Usage of proto-plus: the class and not the object has `to_dict`."""

    def to_dict(cls, instance: Any) -> dict[str, Any]:
        assert isinstance(instance, cls)
        return {"prompt_token_count": 900, "candidates_token_count": 70, "total_token_count": 970}


class GeminiProto(metaclass=ProtoUsage):
    pass


class Kind(Enum):
    NORMAL = "normal"


class Frozen(Mapping[str, Any]):
    """A mapping that is no dict."""

    def __init__(self, fields: dict[str, Any]) -> None:
        self._fields = fields

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __iter__(self) -> Any:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)


@pytest.mark.parametrize(
    "usage",
    [
        CHAT,
        RESPONSES,
        Frozen({**CHAT, "prompt_tokens_details": Frozen({"cached_tokens": 800})}),
        {**CHAT, "service_tier": Kind.NORMAL, "extra": ("a", {"b"}), "raw": b"x"},
        {"prompt_tokens": np.int64(900), "completion_tokens": Decimal(70)},
        {"usage": CHAT},
        SimpleNamespace(usage=SimpleNamespace(prompt_tokens=900, completion_tokens=70)),
        DataUsage(),
        NamedUsage(),
        SlotUsage(),
        DictUsage(),
        GeminiProto(),
        SimpleNamespace(
            prompt_tokens=900,
            completion_tokens=70,
            prompt_tokens_details=SimpleNamespace(cached_tokens=800),
            completion_tokens_details=None,
        ),
        [CHAT],
        (DataUsage(),),
    ],
)
def test_any_object_is_read_as_its_mapping(usage: Any) -> None:
    (request,) = usage_requests(usage)
    assert (request.input_tokens, request.output_tokens) == (900, 70)


def test_a_list_has_an_object_for_each_request() -> None:
    assert [each.input_tokens for each in usage_requests([CHAT, NamedUsage(), RESPONSES])] == [
        *(900, 900, 900)
    ]
    assert usage_requests([]) == ()


def test_a_stated_cost_is_kept() -> None:
    (request,) = usage_requests({**CHAT, "cost_usd": Decimal("0.25")})
    assert request.cost_usd == 0.25


class Raising:
    @property
    def prompt_tokens(self) -> int:
        raise OSError("the stream is closed")


def _nested(levels: int) -> Any:
    return {"prompt_tokens": 1, "more": _nested(levels - 1)} if levels else 1


def _recursive() -> dict[str, Any]:
    usage: dict[str, Any] = dict(CHAT)
    usage["self"] = usage
    return usage


@pytest.mark.parametrize(
    "usage",
    [
        "900 tokens",
        b"900",
        7,
        float("nan"),
        True,
        {},
        {"id": "x"},
        object(),
        MagicMock(),
        [None],
        [[CHAT]],
        {"prompt_tokens": -1, "completion_tokens": 3},
        {"prompt_tokens": float("nan"), "completion_tokens": 3},
        {"prompt_tokens": 10**5_000, "completion_tokens": 3},
        {"prompt_tokens": "900", "completion_tokens": "70"},
        {**CHAT, "total_tokens": 5},
        {**CHAT, "requests": 3},
        _nested(40),
        _recursive(),
        [CHAT] * 20_000,
        {str(number): number for number in range(5_000)},
    ],
)
def test_what_is_no_usage_is_refused(usage: Any) -> None:
    with pytest.raises(RolloutError):
        usage_requests(usage)


def _openai_chat() -> Any:
    types = pytest.importorskip("openai.types")
    return types.CompletionUsage.model_validate(CHAT)


def _openai_responses() -> Any:
    responses = pytest.importorskip("openai.types.responses")
    return responses.ResponseUsage.model_validate(RESPONSES)


def _anthropic() -> Any:
    types = pytest.importorskip("anthropic.types")
    return types.Usage(
        input_tokens=100,
        output_tokens=70,
        cache_read_input_tokens=700,
        cache_creation_input_tokens=100,
        service_tier="standard",
    )


def _gemini() -> Any:
    types = pytest.importorskip("google.genai.types")
    return types.GenerateContentResponseUsageMetadata(
        prompt_token_count=900,
        candidates_token_count=6,
        thoughts_token_count=64,
        total_token_count=970,
        prompt_tokens_details=[{"modality": "TEXT", "token_count": 900}],
    )


def _inspect() -> Any:
    model = pytest.importorskip("inspect_ai.model")
    return model.ModelUsage(
        input_tokens=100,
        output_tokens=70,
        total_tokens=970,
        input_tokens_cache_read=800,
        reasoning_tokens=64,
    )


def _langchain() -> Any:
    messages = pytest.importorskip("langchain_core.messages")
    usage = {
        "input_tokens": 900,
        "output_tokens": 70,
        "total_tokens": 970,
        "input_token_details": {"cache_read": 800},
        "output_token_details": {"reasoning": 64},
    }
    return messages.AIMessage("so", usage_metadata=usage).usage_metadata


def _agents() -> Any:
    usage = pytest.importorskip("agents.usage")
    return usage.Usage(
        requests=1,
        input_tokens=900,
        output_tokens=70,
        total_tokens=970,
        input_tokens_details=_openai_responses().input_tokens_details,
        output_tokens_details=_openai_responses().output_tokens_details,
    )


@pytest.mark.filterwarnings("ignore")  # of the packages, as they are imported
@pytest.mark.parametrize(
    "make",
    [_openai_chat, _openai_responses, _anthropic, _gemini, _inspect, _langchain, _agents],
)
def test_objects_of_sdks(make: Callable[[], Any]) -> None:
    (request,) = usage_requests(make())
    assert (request.input_tokens, request.output_tokens) == (900, 70)


@pytest.mark.filterwarnings("ignore")  # of the packages, as they are imported
def test_a_whole_response_of_an_sdk_is_read_by_its_usage() -> None:
    messages = pytest.importorskip("langchain_core.messages")
    usage = {"input_tokens": 900, "output_tokens": 70, "total_tokens": 970}
    (request,) = usage_requests(messages.AIMessage("so", usage_metadata=usage))
    assert request.input_tokens == 900


@pytest.mark.filterwarnings("ignore")  # of the packages, as they are imported
def test_a_sum_of_the_agents_sdk_is_refused_and_its_entries_are_read() -> None:
    usage = pytest.importorskip("agents.usage")
    whole = usage.Usage()
    for _ in range(2):
        whole.add(_agents())
    with pytest.raises(RolloutError, match="sums up several requests"):
        usage_requests(whole)
    entries = whole.request_usage_entries
    assert [each.input_tokens for each in usage_requests(entries)] == [900, 900]
