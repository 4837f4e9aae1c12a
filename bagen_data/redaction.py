"""Keys and passwords kept out of what is written: files, logs, messages and errors.

A secret is known in two ways. Its *value* is that of a variable of this process whose name says
that it is a key, or was remembered (`remember`); it is found in any text, also percent-encoded, in
base64 or in hexadecimal digits. Its *form* is one that only keys have, or its place says what it
is: `?api_key=...`, `//user:password@host`, `Authorization: ...`.

`redact` goes by both, and is for messages. `without_known_keys` goes by values alone, and is for
what models and commands said: code under test is full of passwords that are nobody's.
`check_no_secret` refuses options that a run is written down with.
"""

import base64
import json
import os
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, quote, quote_plus, unquote, urlsplit

from bagen_data.errors import WrongUsageError

REDACTED = "[redacted]"

KEY_FORMS = {
    "anthropic key": r"sk-ant-[A-Za-z0-9_-]{20,}",
    "openai key": r"sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,}",
    "sk- key": r"(?<![A-Za-z0-9-])sk-[A-Za-z0-9]{32,}",
    "aws secret": r"(?i:aws_?secret_?access_?key)[\"'\s:=]{1,6}([\w/+]{40})(?![\w/+])",
    "npm access token": r"npm_[A-Za-z0-9]{36}",
    "openrouter key": r"sk-or-v1-[0-9a-f]{32,}",
    "google key": r"AIza[0-9A-Za-z_-]{35}(?![0-9A-Za-z_-])",
    "hugging face token": r"hf_[A-Za-z0-9]{30,}",
    "github token": r"github_pat_[A-Za-z0-9_]{22,}",
    "xai key": r"xai-[A-Za-z0-9]{40,}",
    "groq key": r"gsk_[A-Za-z0-9]{40,}",
    "bearer token": r"earer ([A-Za-z0-9._~+/-]{20,}=*)",
}
"""Forms of keys of services that agents use; where a form has a group, it is the secret. Builds
scrub them from logs, beside those that detect-secrets knows."""

_SHORTEST = 8
"""Characters of a variable's value from which on it may be a key, and not a word such as EMPTY."""
_LINE = 16
"""Characters from which on a line of a value that has several is looked for alone."""
_NAMED = (
    r"key(?!board|map|word|str)|token(?!iz)|secret|passw|passphrase|credential"
    r"|auth(?!or(?!iz))|signature|cookie|bearer|connection_?string"
)
_NAME = re.compile(rf"(?:{_NAMED})|(?:^|[_-])(?:pass|pat|pwd|sig|jwt)$", re.IGNORECASE)
_COUNTS = (
    r"budget|cached|completion|context|input|max|min|n|new|num|output|prompt|reasoning|stop"
    r"|thinking|total|used"
)
_HARMLESS = re.compile(
    rf"(?:^|[_-])(?:{_COUNTS})[_-](?:\w+_)?(?:tokens|token[_-]ids?)(?:$|_)", re.IGNORECASE
)
_COUNT = re.compile(rf"(?:^|[_-])(?:{_COUNTS})[_-](?:\w+_)?token(?:$|_)", re.IGNORECASE)
"""Names that are harmless where the value is a number: INPUT_GITHUB_TOKEN may hold a key."""
_WORD = re.compile(r"[\w-]{1,60}")
_SIGN = r"[\"']?\s{0,3}(?:=|:)\s{0,3}[\"']?(?:(?:Bearer|Basic|Token)\s{1,3})?"
_VALUE = r"[^\s\"'&;,<>)\]}#]{4,}"
_ASSIGNED = re.compile(
    rf"(?<![\w-])(?P<name>[\w-]{{0,40}}?(?:{_NAMED})[\w-]{{0,40}}){_SIGN}(?P<value>{_VALUE})",
    re.IGNORECASE,
)
"""A value beside a name that may say that it is a secret, as in an option."""
_HEADERS = (
    r"api[_-]?key|access[_-]?(?:key|token)|auth[_-]?token|client[_-]?secret|secret[_-]?key"
    r"|password|passphrase|authorization"
)
_SHOWN = (
    re.compile(
        rf"(?P<start>[\w-]{{0,40}}(?:{_HEADERS})[\w-]{{0,20}}{_SIGN}){_VALUE}", re.IGNORECASE
    ),
    re.compile(
        rf"(?P<start>[?&](?:[\w-]{{0,40}}?(?:{_NAMED})[\w-]{{0,40}}|sig|code|pat)=)[^\s\"'&#<>]+",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<start>[A-Za-z][\w+.-]{1,20}:/{2})[^\s/@\"'<>?#]{1,200}(?=@)"),
)
"""Secrets by their place in a message: in a header, in the parameters of an address, before its
host. Nothing else goes by names, for messages speak of tokens and of keys that are missing."""
_FORMS = tuple(
    re.compile(text)
    for text in (
        *KEY_FORMS.values(),
        r"gh[pousr]_[A-Za-z0-9]{30,}",
        r"glpat-[A-Za-z0-9_-]{20,}",
        r"xox[abposr]-[A-Za-z0-9-]{10,}",
        r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Z0-9])",
        r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    )
)
_QUERY_ALLOWED = ("api-version",)
"""Parameters that an address may have: all others could be a key, whatever they are called."""
_CONNECTION = re.compile(r"[\w ]{1,60}=[^;]*;")
"""A connection string, as in AccountName=...;AccountKey=..."""
_ESCAPE = re.compile(
    r"%(?P<percent>[0-9A-Fa-f]{2})|&#[xX](?P<hex>[0-9A-Fa-f]{1,4});|&#(?P<decimal>\d{1,5});"
    r"|&(?P<name>amp|lt|gt|quot|apos|sol|plus|equals);"
    r"|\\+(?:u(?P<unicode>[0-9A-Fa-f]{4})|x(?P<byte>[0-9A-Fa-f]{2})|(?P<itself>[\"'/\\]))"
)
"""A character of a text as addresses, HTML, JSON and Python write it."""
_BREAK = re.compile(r"(?:[\r\n]|\\{1,4}[rn])[ \t]*")
_DEPTH = 3
"""Times that a text is decoded, for what is encoded was sometimes so before."""
_remembered: set[str] = set()


def remember(value: str | None) -> None:
    """Take a value for a secret from now on, whatever its source."""
    if value and _may_be_key(value):
        _remembered.add(value)


def redact(text: str) -> str:
    """Return a message without secrets.

    >>> redact("GET http://me:pw@host/v1?api_key=12345678&n=1 failed")
    'GET http://[redacted]@host/v1?api_key=[redacted]&n=1 failed'
    """
    pattern = _pattern()
    text = _without_values(text, pattern) if pattern else text
    for form in _FORMS:
        text = form.sub(lambda match: _without_group(match, min(1, match.re.groups)), text)
    for place in _SHOWN:
        text = place.sub(rf"\g<start>{REDACTED}", text)
    return text


def without_known_keys(value: Any) -> Any:
    """Return a JSON value without the values of secrets in its texts and names."""
    pattern = _pattern()
    return _mapped(value, pattern) if pattern else value


def check_no_secret(flag: str, value: object) -> None:
    """Refuse an option that would be written down with a secret in it.

    Args:
        flag: the option, for the message.
        value: JSON: texts are searched at any depth, and names may not say that a value is secret.

    Raises:
        WrongUsageError: the message does not repeat the value.
    """
    if holds_secret(value):
        raise WrongUsageError(
            f"{flag}: holds what looks like a key or a password, and a run is written down with "
            "its options; give a key in the environment, as in OPENAI_API_KEY"
        )


def check_address(flag: str, address: str | None) -> None:
    """Refuse the address of a server that could hold a key.

    Raises:
        WrongUsageError: it has a user, a fragment, or parameters; or something in it looks like a
            key. The message does not repeat it.
    """
    if not address:
        return
    plain = unquote(unquote(address))
    check_no_secret(flag, address)
    check_no_secret(flag, plain)
    _, _, query = plain.partition("?")
    names = [name for name, _ in parse_qsl(query, keep_blank_values=True)]
    is_allowed = bool(names) and all(name.lower() in _QUERY_ALLOWED for name in names)
    if any(sign in plain for sign in "@#;") or (("?" in plain) and not is_allowed):
        raise WrongUsageError(
            f"{flag}: expected scheme, host and path alone, as in http://localhost:8000/v1: a run "
            "is written down with it; give a key in the environment, as in OPENAI_API_KEY"
        )


def holds_secret(value: object) -> bool:
    """Return whether JSON has a secret in its texts, or names that say that a value is one."""
    if isinstance(value, Mapping):
        return any(
            _is_secret_beside(str(name), part) or holds_secret(str(name)) or holds_secret(part)
            for name, part in value.items()
        )
    if isinstance(value, list | tuple):
        return any(_is_header_name(part) or holds_secret(part) for part in value)
    if not isinstance(value, str):
        return False
    texts = (value, unquote(value))
    matches = [match for text in texts for match in _ASSIGNED.finditer(text)]
    return any(redact(text) != text for text in texts) or any(
        _is_secret_beside(match["name"], match["value"]) for match in matches
    )


def _is_secret_beside(name: str, value: object) -> bool:
    """Return whether a name says that the value beside it is a secret; counts of tokens are not."""
    is_number = str(value).isdigit() or isinstance(value, int | float)
    return is_secret_name(name) and not (is_number and _COUNT.search(name))


def _is_header_name(value: object) -> bool:
    """Return whether an item of a list says that the next one is a secret."""
    return isinstance(value, str) and bool(_WORD.fullmatch(value)) and is_secret_name(value)


@lru_cache(1_000)
def is_secret_name(name: str) -> bool:
    """Return whether a variable or an argument of this name holds a secret.

    >>> names = ("OPENAI_API_KEY", "max_tokens", "GIT_AUTHOR_NAME")
    >>> list(filter(is_secret_name, names))
    ['OPENAI_API_KEY']
    """
    return bool(_NAME.search(name)) and not _HARMLESS.search(name)


def _without_group(match: re.Match[str], group: int) -> str:
    start, end = (place - match.start() for place in match.span(group))
    return match[0][:start] + REDACTED + match[0][end:]


def _mapped(value: Any, pattern: re.Pattern[str]) -> Any:
    if isinstance(value, str):
        return _without_values(value, pattern)
    if isinstance(value, Mapping):
        return {_mapped(name, pattern): _mapped(part, pattern) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_mapped(part, pattern) for part in value]
    return value


def _without_values(text: str, pattern: re.Pattern[str]) -> str:
    text = pattern.sub(REDACTED, text)
    text = _without_encoded(text, pattern, _BREAK, 1)
    return _without_encoded(text, pattern, _ESCAPE, _DEPTH)


def _without_encoded(text: str, pattern: re.Pattern[str], code: re.Pattern[str], depth: int) -> str:
    """Return a text without the secrets that it has when the matches of a code are decoded."""
    for level in range(1, depth + 1):
        plain = text
        for _ in range(level):
            plain = code.sub(_character, plain)
        if plain == text:
            break
        if pattern.search(plain):
            for start, end in reversed(_spans(text, pattern, code, level)):
                text = text[:start] + REDACTED + text[end:]
    return text


def _spans(
    text: str, pattern: re.Pattern[str], code: re.Pattern[str], level: int
) -> list[tuple[int, int]]:
    """Return where the secrets of a decoded text are in the text itself."""
    places = [(at, at + 1) for at in range(len(text))]
    for _ in range(level):
        kept: list[tuple[int, int]] = []
        end = 0
        for match in code.finditer(text):
            kept += places[end : match.start()]
            if _character(match):
                kept.append((places[match.start()][0], places[match.end() - 1][1]))
            end = match.end()
        places = kept + places[end:]
        text = code.sub(_character, text)
    spans = [match.span() for match in pattern.finditer(text)]
    return [(places[start][0], places[end - 1][1]) for start, end in spans]


def _character(match: re.Match[str]) -> str:
    """Return the character that a match of a code stands for; empty for a line break."""
    kind = match.lastgroup
    if kind is None:
        return ""
    written = match[kind]
    if kind == "itself":
        return written
    if kind == "name":
        return unescape(f"&{written};")
    return chr(int(written, 10 if kind == "decimal" else 16))


def _pattern() -> re.Pattern[str] | None:
    """Return the pattern of the secrets that this process has now; None if it has none."""
    named = (value for name, value in os.environ.items() if is_secret_name(name))
    return _compiled(frozenset((*named, *_addresses(), *_remembered)))


def _addresses() -> Iterator[str]:
    return (value for value in os.environ.values() if "://" in value)


@lru_cache(8)
def _compiled(values: frozenset[str]) -> re.Pattern[str] | None:
    secrets = {part for value in values for part in _parts(value)}
    variants = {variant for secret in secrets for variant in _variants(secret)}
    if not variants:
        return None
    return re.compile("|".join(map(re.escape, sorted(variants, key=len, reverse=True))))


def _parts(value: str) -> Iterator[str]:
    """Yield the secrets of a variable's value."""
    if _CONNECTION.match(value):
        named = (part.strip().partition("=") for part in value.split(";"))
        yield from (part for name, _, part in named if is_secret_name(name) and _may_be_key(part))
    if "://" in value:
        yield from filter(_may_be_key, _address_secrets(value))
    elif _may_be_key(value):
        yield value
        lines = [line.strip() for line in value.splitlines()]
        yield from (line for line in lines if len(line) >= _LINE and len(lines) > 1)


def _address_secrets(address: str) -> Iterator[str]:
    try:
        parts = urlsplit(address)
        parameters = parse_qsl(parts.query)
    except ValueError:
        return
    if "@" in parts.netloc:
        user, _, password = parts.netloc.rpartition("@")[0].partition(":")
        yield password or user
        yield unquote(password or user)
    yield from (value for name, value in parameters if is_secret_name(name))


def _may_be_key(value: str) -> bool:
    """Return whether a value is neither a short word, nor a number, nor a path of this machine."""
    if len(value.strip()) < _SHORTEST or value.strip().isdigit():
        return False
    try:
        return not (value.startswith(("/", "./", "~")) and os.path.lexists(value))
    except ValueError:
        return True


def _variants(secret: str) -> set[str]:
    """Return the ways in which a secret is written.

    A secret inside of a longer text that is in base64 begins at one of three places of a group.
    """
    data = secret.encode("utf-8", "surrogateescape")
    written = {secret, secret.strip(), json.dumps(secret)[1:-1], repr(secret)[1:-1], data.hex()}
    written |= {data.hex().upper(), data.hex(":"), data.hex(":").upper()}
    written |= {quote(secret, safe="", errors="replace"), quote_plus(secret, errors="replace")}
    written |= {json.dumps(each)[1:-1] for each in written}
    for before in range(3):
        code = base64.b64encode(b"\0" * before + data + b"\0" * (-(before + len(data)) % 3))
        start = (8 * before + 5) // 6
        end = 8 * (before + len(data)) // 6
        whole = code[start:end].decode()
        written |= {whole, whole.replace("+", "-").replace("/", "_")}
    return {each for each in written if len(each) >= _SHORTEST}
