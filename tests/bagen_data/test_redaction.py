"""Secrets, the places where they are looked for, and texts that are left as they are."""

import base64
import html
import json
from urllib.parse import quote

import pytest

from bagen_data.errors import WrongUsageError
from bagen_data.models.model_options import ModelOptions
from bagen_data.redaction import (
    check_address,
    check_no_secret,
    is_secret_name,
    redact,
    remember,
    without_known_keys,
)

KEY = 'se+cret/k=y-99%z"q'


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", KEY)


@pytest.mark.parametrize(
    "written",
    [
        KEY,
        quote(KEY, safe=""),
        json.dumps(KEY)[1:-1],
        json.dumps(json.dumps(KEY))[3:-3],
        KEY.encode().hex(),
        KEY.encode().hex().upper(),
        quote(KEY),
        quote(quote(KEY)),
        quote(KEY, safe="").lower(),
        json.dumps(KEY)[1:-1].replace("/", "\\/"),
        html.escape(KEY).replace("/", "&#x2F;").replace("+", "&#43;"),
        "".join(f"\\u{ord(each):04x}" for each in KEY),
        base64.encodebytes(b"u" * 50 + KEY.encode()).decode(),
        *(base64.b64encode(b"-" * n + KEY.encode() + b"tail").decode() for n in range(4)),
        *(base64.urlsafe_b64encode(b"-" * n + KEY.encode()).decode() for n in range(4)),
    ],
)
def test_a_known_key_is_found_however_it_is_written(written: str) -> None:
    text = f"before {written} after"
    for redacted in (redact(text), without_known_keys([{text: text}])):
        assert written not in str(redacted)
        assert "[redacted]" in str(redacted)


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [
        ("MY_TOKEN", "abcdefgh", True),
        ("MY_TOKEN", "EMPTY", False),
        ("MY_TOKEN", "12345678", False),
        ("MY_KEY", "/usr/bin", False),
        ("INPUT_GITHUB_TOKEN", "abcdefgh", True),
        ("MAX_API_TOKEN", "abcdefgh", True),
        ("MAX_TOKEN", "12345678", False),
        ("DB_PASS", "abcdefgh", True),
        ("JWT", "abcdefgh", True),
        ("BYPASS", "abcdefgh", False),
        ("AZURE_STORAGE_CONNECTION_STRING", "AccountKey=abcdefgh", True),
        ("GIT_AUTHOR_NAME", "Somebody Else", False),
        ("MAX_TOKENS", "all-of-them", False),
        ("HTTPS_PROXY", "http://me:abcdefgh@proxy:1", True),
        ("SERVICE", "https://host/?sig=abcdefgh", True),
        ("PRIVATE_KEY", "first line\nabcdefgh12345678\nlast line", True),
    ],
)
def test_a_variable_is_a_secret_by_its_name_and_its_value(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, is_secret: bool
) -> None:
    monkeypatch.setenv(name, value)
    shown = "abcdefgh12345678" if "\n" in value else value[-8:] if "sig" in value else value
    shown = "abcdefgh" if "://" in value else shown
    assert (without_known_keys(shown) == "[redacted]") == is_secret


def test_the_key_in_a_connection_string_is_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    value = "BlobEndpoint=https://me.blob.example/;AccountName=somebody;AccountKey=abcd+fgh/12=="
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", value)
    assert without_known_keys("somebody: abcd+fgh/12==") == "somebody: [redacted]"


def test_a_key_that_is_the_mark_itself_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_TOKEN", "redacted")
    assert "%72" not in without_known_keys("a\n%72edacted")


def test_a_value_can_be_remembered() -> None:
    assert without_known_keys("from-a-file-1") == "from-a-file-1"
    remember("from-a-file-1")
    assert without_known_keys("from-a-file-1") == "[redacted]"


@pytest.mark.parametrize(
    ("message", "redacted"),
    [
        ("GET http://h/v1?a=1&api_key=x failed", "GET http://h/v1?a=1&api_key=[redacted] failed"),
        ("at https://me:pw@host/v1", "at https://[redacted]@host/v1"),
        ("Authorization: Bearer abcdefgh", "Authorization: Bearer [redacted]"),
        ("{'x-api-key': 'abcdefgh'}", "{'x-api-key': '[redacted]'}"),
        ("key sk-ant-" + "a" * 30, "key [redacted]"),
        ("Bearer " + "a" * 30, "Bearer [redacted]"),
    ],
)
def test_a_secret_is_known_by_its_form_or_place(message: str, redacted: str) -> None:
    assert redact(message) == redacted


@pytest.mark.parametrize(
    "message",
    [
        "rollouts.jsonl:41: turn 3 has no token counts; pass --tokenizer, or remove the rollout",
        "total_tokens: 12345 is not the sum of input_tokens: 345 and output_tokens: 12000",
        "duplicate key: 'tokens'",
        "KeyError: 'usage'",
        "AuthenticationError: Error code: 401 - Incorrect API key provided",
        "OPENAI_API_KEY is missing",
        "mail somebody@host, or read https://host/a?page=2#part",
    ],
)
def test_a_message_of_ours_stays_as_it_is(message: str) -> None:
    assert redact(message) == message


def test_what_models_say_goes_by_known_keys_alone() -> None:
    said = "password=hunter22 http://a:b@c Authorization: Bearer 12345678"
    assert without_known_keys({"text": [said]}) == {"text": [said]}


@pytest.mark.parametrize(
    "value",
    [
        {"a": [{"b": {"api_key": "x"}}]},
        ["Authorization: Bearer abcd"],
        ["x-goog-api-key", "abcd"],
        {"headers": '{"token": "abcd"}'},
        {"url": "https://u:p@host"},
        {"url": "https://host/%3Fapi%5Fkey%3Dabcd"},
        "hf_" + "a" * 34,
        f"prefix {KEY}",
    ],
)
def test_an_option_with_a_secret_is_refused_without_repeating_it(value: object) -> None:
    with pytest.raises(WrongUsageError, match="--model-arg: holds what looks like a key") as error:
        check_no_secret("--model-arg", value)
    assert "abcd" not in str(error.value)
    assert KEY not in str(error.value)


@pytest.mark.parametrize(
    "value",
    [
        {"max_token": 3, "text": "max_input_token: 12345"},
        {"max_tokens": 3, "model_path": "/a/b", "stop_token_ids": [1], "tokenizer": "m/x"},
        {"author": "me", "dtype": "auto", "device": "cuda:0"},
        "a plain text",
        None,
    ],
)
def test_an_option_without_one_is_taken(value: object) -> None:
    check_no_secret("--model-arg", value)


@pytest.mark.parametrize(
    "argument",
    [
        'headers=[{"name":"X-Api-Key","value":"SECRETabcd1"}]',
        'x={"name":"Authorization","value":"Bearer SECRETabcd1"}',
        "x=Bearer SECRETabcd1",
        'x="Basic SECRETabcd1"',
        'x="X-Api-Key SECRET"',
        'headers=["Ocp-Apim-Subscription: SECRETabcd1"]',
        'default_query={"code":"SECRETabcd1"}',
        'extra_body={"user_pass":"SECRETabcd1"}',
        "azure_endpoint=https://h/?x=SECRET",
        'x=[{"url":"https://h/?x=SECRET"}]',
    ],
)
def test_an_argument_of_a_model_with_a_key_is_refused(argument: str) -> None:
    with pytest.raises(WrongUsageError, match="--model-arg") as error:
        ModelOptions(model_arg=[argument])
    assert "SECRET" not in str(error.value)


@pytest.mark.parametrize(
    "argument",
    [
        "azure_endpoint=https://h/v1?api-version=2026-01-01",
        'extra_body={"code": "python", "stop": ["a b"]}',
        'default_headers={"X-Title": "an evaluation"}',
        "max_tokens=3",
        "dtype=float16",
        'default_query={"api-version": "2026-01-01"}',
    ],
)
def test_an_argument_of_a_model_without_a_key_is_taken(argument: str) -> None:
    assert ModelOptions(model_arg=[argument]).model_args


@pytest.mark.parametrize(
    "address",
    [
        "http://host/v1?api_key=x",
        "http://host/v1?anything=x",
        "http://host/v1?api-version=1&sig=x",
        "http://me:pw@host/v1",
        "http://host/v1#x",
        "http://host/v1;x",
        "http://host/v1%3Fx%3Dy",
        "http://host/v1%253Fx%253Dy",
        "http://host/sk-" + "a1" * 20,
    ],
)
def test_an_address_is_scheme_host_and_path(address: str) -> None:
    with pytest.raises(WrongUsageError, match="--base-url: ") as error:
        check_address("--base-url", address)
    assert address not in str(error.value)


@pytest.mark.parametrize(
    "address", [None, "", "http://localhost:8000/v1", "https://h/a/b?api-version=2026-01-01"]
)
def test_an_address_without_a_secret_is_taken(address: str | None) -> None:
    check_address("--base-url", address)


def test_names() -> None:
    secret = ("OPENAI_API_KEY", "HF_TOKEN", "x-api-key", "password", "Authorization", "GH_PAT")
    newer = ("INPUT_HF_TOKEN", "NEW_RELIC_TOKEN", "CONTEXT_API_TOKEN", "SMTP_PASS", "user_pass")
    harmless = ("KEYBOARD", "max_new_tokens", "tokenizer", "author", "PATH", "n_tokens")
    counts = ("stop_token_ids", "input_tokens", "max_token_id", "compass")
    assert all(map(is_secret_name, (*secret, *newer)))
    assert not any(map(is_secret_name, (*harmless, *counts)))
