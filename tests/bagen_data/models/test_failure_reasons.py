"""Reasons of failed requests, and what must be corrected before the next one."""

import pytest

from bagen_data.models.failure_reasons import correct_first, failure_reason, to_correct


@pytest.mark.parametrize(
    ("message", "reason", "remedy"),
    [
        ("Error code: 401 - no", "401, no; check the key in the env", "the key in the environment"),
        ("Error code: 403", "the server answers 403; check the key", "the key in the environment"),
        ("Error code: 404 - no m", "404, no m; check the model's n", "the model's name or --base"),
        ("Error code: 400 - top_k", "400, top_k", "what the server objects to"),
        ("Error code: 402 - pay", "402, pay; add credit", "the account's credit"),
        (
            "Error code: 429 - {'code': 'insufficient_quota'}",
            "429, {'code': 'insufficient_quota'}; add credit to the account",
            "the account's credit",
        ),
        ("Error code: 429 - later", "429, later; the server is busy", ""),
        ("Error code: 503 - later", "503, later", ""),
        ("Error code: 503 - insufficient_quota", "503, insufficient_quota", ""),
        (
            "429 RESOURCE_EXHAUSTED. You exceeded your current quota. Please retry in 20s",
            "429, You exceeded your current quota. Please retry in 20s; the server is busy",
            "",
        ),
        ("404 Not Found. {'error': 1}", "404, {'error': 1}; check the model's", "the model's name"),
        ("404 NOT_FOUND. {'error': 1}", "404, {'error': 1}; check the model's", "the model's name"),
        (
            "400 INVALID_ARGUMENT. API key not valid. Please pass a valid API key.",
            "400, API key not valid. Please pass a valid API key.; check the key",
            "the key in the environment",
        ),
        ("404 tokens were asked for", "404 tokens were asked for", ""),
        ("Connection error.", "the server cannot be reached", ""),
        ("Request timed out.", "no answer in time", ""),
    ],
)
def test_a_lasting_failure_is_told_from_a_passing_one(
    message: str, reason: str, remedy: str
) -> None:
    assert failure_reason(message).startswith(reason)
    assert to_correct(message).startswith(remedy)
    assert bool(to_correct(message)) == bool(remedy)


def test_several_things_are_named_once() -> None:
    messages = ["Error code: 401 - no", "Error code: 404 - no", "Error code: 401", "cut"]
    assert correct_first(map(to_correct, messages)) == (
        "the same requests would fail again, so first correct the key in the environment, and the "
        "model's name or --base-url; then "
    )
