"""Keys and tokens in a text, found by the plugins of detect-secrets.

Only plugins that know a key by its own form are asked. Left out are those that go by entropy (every
hash and id of a log is random), by a variable's name (code under test is full of passwords), by an
IP address, and by forms that ordinary words have.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from typing import Any, NamedTuple

from bagen_data.errors import MissingExtraError
from bagen_data.redaction import KEY_FORMS


class Span(NamedTuple):
    """A place in a text that is not to be published."""

    start: int
    end: int
    kind: str


_PLUGINS = {
    "aws.AWSKeyDetector": "aws key",
    "azure_storage_key.AzureStorageKeyDetector": "azure key",
    "basic_auth.BasicAuthDetector": "password in a url",
    "discord.DiscordBotTokenDetector": "discord token",
    "github_token.GitHubTokenDetector": "github token",
    "gitlab_token.GitLabTokenDetector": "gitlab token",
    "jwt.JwtTokenDetector": "json web token",
    "mailchimp.MailchimpDetector": "mailchimp key",
    "npm.NpmDetector": "npm token",
    "openai.OpenAIDetector": "openai key",
    "private_key.PrivateKeyDetector": "private key",
    "pypi_token.PypiTokenDetector": "pypi token",
    "sendgrid.SendGridDetector": "sendgrid key",
    "slack.SlackDetector": "slack token",
    "square_oauth.SquareOAuthDetector": "square token",
    "stripe.StripeDetector": "stripe key",
    "telegram_token.TelegramBotTokenDetector": "telegram token",
    "twilio.TwilioKeyDetector": "twilio key",
}
"""Plugins of detect-secrets by module and class, and what they find."""
_IN_A_GROUP = ("aws key", "password in a url", "npm token")
"""Kinds whose patterns hold more than the secret, which is their first group then."""
_SELDOM = {"npm.NpmDetector": "_authToken", "openai.OpenAIDetector": "T3BlbkFJ"}
"""Strings that a text must hold before a plugin that is slow on long lines is asked."""
_LINE_END = r"(?:\\[nrt]|\s|\d{1,6}(?:\t|\\t|→|: ))"
_HEADER = rf"[A-Za-z-]{{1,40}}: [^\n\\]{{0,200}}+(?:\n|\\n|\\r\\n){_LINE_END}*+"
_KEY_BODY = re.compile(
    rf"-*+{_LINE_END}++(?:{_HEADER}){{0,8}}+(?:[A-Za-z0-9+/=]{{16,}}+{_LINE_END}*+)++"
    rf"(?:(?:[A-Za-z0-9+/=]{{1,80}}{_LINE_END}{{0,9}}+)?-+END [A-Z0-9 ]+-+)?"
)
"""Pattern of a private key after its first line, also where line ends are written as \\n, or lines
have numbers."""
_JWT_START = re.compile("eyJ")
_JWT_CHARACTER = re.compile(r"[A-Za-z0-9_-]")
_JWT_REST = re.compile(r"[\w+/=-]*")
_LONGEST_JWT = 20_000


class _Pattern(NamedTuple):
    kind: str
    regex: re.Pattern[str]
    group: int = 0
    """The group that is the secret."""
    needs: str = ""
    """The string that a text must hold before it is searched."""
    plugin: Any = None


def key_spans(text: str) -> Iterator[Span]:
    """Yield the places of keys and tokens, of each kind in order.

    Raises:
        MissingExtraError: detect-secrets is not installed.
    """
    for pattern in load_patterns():
        if pattern.needs in text:
            for start, end in _SEARCHES.get(pattern.kind, _matches)(pattern, text):
                yield Span(start, end, pattern.kind)


def _matches(pattern: _Pattern, text: str) -> Iterator[tuple[int, int]]:
    for match in pattern.regex.finditer(text):
        yield match.span(pattern.group)


def _private_keys(pattern: _Pattern, text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of private keys: the plugin finds their first line alone."""
    for match in pattern.regex.finditer(text):
        body = _KEY_BODY.match(text, match.end())
        if body is not None:  # else the text only speaks of keys
            yield match.start(), body.end()


def _web_tokens(pattern: _Pattern, text: str) -> Iterator[tuple[int, int]]:
    """Yield the places of JSON web tokens: the plugin finds them without their signatures."""
    for begin in _JWT_START.finditer(text):
        start = begin.start()
        before = text[max(0, start - 2) : start]
        if _JWT_CHARACTER.match(before[-1:]) and not before.startswith("\\"):
            continue  # inside a longer run
        match = pattern.regex.match(text, start, start + _LONGEST_JWT)
        if match is not None and pattern.plugin.is_formally_valid(match.group()):
            rest = _JWT_REST.match(text, match.end())
            yield start, rest.end() if rest else match.end()


_SEARCHES: dict[str, Callable[[_Pattern, str], Iterator[tuple[int, int]]]] = {
    "private key": _private_keys,
    "json web token": _web_tokens,
}
"""Searches, by kind, for the kinds whose plugin finds a part of the secret."""


@cache
def load_patterns() -> tuple[_Pattern, ...]:
    """Return the patterns of all kinds, loaded once a process.

    Raises:
        MissingExtraError: detect-secrets is not installed.
    """
    patterns = []
    for name, kind in _PLUGINS.items():
        module, _, detector = name.partition(".")
        try:
            plugin = getattr(import_module(f"detect_secrets.plugins.{module}"), detector)()
        except ModuleNotFoundError as error:
            raise MissingExtraError("detect-secrets", "scrub") from error
        for regex in plugin.denylist:
            group = 1 if kind in _IN_A_GROUP and regex.groups else 0
            patterns.append(_Pattern(kind, regex, group, _SELDOM.get(name, ""), plugin))
    for kind, text in KEY_FORMS.items():
        regex = re.compile(text)
        patterns.append(_Pattern(kind, regex, min(1, regex.groups)))
    return tuple(patterns)
