r"""Personal data in a text: e-mail addresses, home folders and user names.

alice@corp.io                     an e-mail address
/home/alice, C:\Users\alice       a home folder: alice is a user name in the whole rollout
~alice/, -home-alice-project      a home folder: alice is one here, as it may be a word elsewhere
"""

import builtins
import keyword
import re
from collections.abc import Collection, Iterator

from bagen_data.logs.key_patterns import Span

EMAIL = "e-mail"
USER = "user"

_HOST = re.compile(
    r"@(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})\.){1,8}(?P<top>[A-Za-z]{2,24}))(?![\w-])"
)
_LOCAL_PART = re.compile(r"(?:^|[^\w.%+-])(?:(?<=\\)[nrt])?(?P<name>[\w.%+-]{1,64})$")
"""The end of what stands before @; behind a written line end (\\n) begins another word."""
_LONGEST_LOCAL_PART = 64
_NO_PERSON = ("git", "noreply", "no-reply")
"""Local parts of addresses that belong to nobody, such as git@github.com."""
_NO_TOP = frozenset(
    {
        *("png", "jpg", "jpeg", "gif", "svg", "webp", "ico", "css", "js", "mjs", "ts", "tsx"),
        *("json", "html", "py", "md", "txt", "so", "dll", "exe", "zip", "tar", "gz", "tgz"),
    }
)
"""Ends of file names such as icon@2x.png."""

_NAME = r"(?P<name>\w(?:[\w.-]{0,62}\w)?)"
_WINDOWS = r":(?:\\{1,4}|/)Users(?:\\{1,4}|/)"
_UNIX_HOME = re.compile(rf"/(?:home|Users)/{_NAME}")
_WINDOWS_HOMES = (
    re.compile(rf"{_WINDOWS}(?P<name>\w[^\\/:*?\"<>|\r\n]{{0,62}})(?=[\\/])"),
    re.compile(rf"{_WINDOWS}{_NAME}"),
)
_NO_START = re.compile(r"[\w./~-]$")
_START = re.compile(r"(?:[\s=]-[A-Za-z]|\\[nrt]|\dm|file://|/mnt/[a-z]|/host|[^\w][A-Za-z]:)$")
"""Text that may stand before a path though it looks like the path's beginning: an option (-I), a
written line end, a colour code, a mount point or a drive."""
_LONGEST_START = 8
_HOMES_IN_PLACE = (
    re.compile(r"(?<![\w~/.\\-])~(?P<name>[A-Za-z_][\w-]{1,31})(?=/)"),
    re.compile(r"-(?<![\w-]-)(?:home|Users)-(?P<name>[A-Za-z0-9_]{2,32})(?=[-/])"),
)
_EVERYBODY = frozenset(
    {
        *("root", "user", "users", "ubuntu", "debian", "centos", "fedora", "alpine", "admin"),
        *("app", "workspace", "runner", "runneradmin", "node", "vscode", "codespace", "jovyan"),
        *("docker", "agent", "sandbox", "public", "shared", "default", "nobody", "git", "pi"),
        *("www", "www-data", "ec2-user", "openhands", "swe-bench", "swebench", "nonroot"),
        *("linuxbrew", "conda", "mambauser", "postgres", "oracle", "vagrant", "circleci"),
        *("gitpod", "travis", "kali"),
    }
)
"""Accounts of systems and images, the same on many machines, that name nobody."""
_WORDS = frozenset(
    {
        *(word.lower() for word in (*dir(builtins), *keyword.kwlist, *keyword.softkwlist)),
        *("mark", "will", "bill", "grant", "chase", "rich", "jack", "dean", "page", "hope"),
        *("grace", "norm", "frank", "drew", "rose", "sandy", "rusty", "ruby", "jade", "julia"),
        *("dash", "star", "data", "main", "core", "base", "home", "temp", "file", "path", "code"),
        *("repo", "server", "client", "local", "remote", "master", "model", "models", "python"),
        *("java", "linux", "windows", "desktop", "documents", "downloads", "student", "research"),
        *("train", "build", "builder", "test", "tester", "testuser", "guest", "assistant"),
        *("username", "yourname", "your_name", "name", "somebody", "someone", "example", "myuser"),
        *("dev", "developer", "devuser", "work", "workspaces", "apps", "site", "project", "coder"),
        *("claude", "codex", "container", "administrator"),
    }
)
"""Names that are words of English or of code, too: they are replaced in their folders only."""
_SHORTEST = 4
"""Fewest characters of a name that is replaced where it stands alone."""


def email_spans(text: str) -> Iterator[Span]:
    """Yield the places of e-mail addresses."""
    for match in _HOST.finditer(text):
        at = match.start()
        local = _LOCAL_PART.search(text[max(0, at - _LONGEST_LOCAL_PART - 2) : at])
        is_file = match["top"].lower() in _NO_TOP
        if local and not is_file and local["name"] not in _NO_PERSON:
            yield Span(at - len(local["name"]), match.end(), EMAIL)


def home_spans(text: str) -> Iterator[Span]:
    """Yield the places of user names in home folders."""
    for match in _homes(text):
        yield Span(*match.span("name"), USER)
    for pattern in _HOMES_IN_PLACE:
        for match in pattern.finditer(text):
            if match["name"].lower() not in _EVERYBODY:
                yield Span(*match.span("name"), USER)


def _homes(text: str) -> Iterator[re.Match[str]]:
    for match in _UNIX_HOME.finditer(text):
        before = text[max(0, match.start() - _LONGEST_START) : match.start()]
        is_path = not _NO_START.search(before) or _START.search(before)
        if is_path and match["name"].lower() not in _EVERYBODY:
            yield match
    for pattern in _WINDOWS_HOMES:
        for match in pattern.finditer(text):
            if match["name"].lower() not in _EVERYBODY:
                yield match


def user_names(text: str) -> set[str]:
    """Return the names of home folders that are replaced wherever they stand alone."""
    names = {match["name"] for match in _homes(text)}
    return {name for name in names if len(name) >= _SHORTEST and name.lower() not in _WORDS}


def name_spans(text: str, names: Collection[str]) -> Iterator[Span]:
    """Yield the places where names stand alone as words, in lower case or in title case."""
    if names:
        forms = sorted({form for name in names for form in (name, name.title())}, reverse=True)
        either = "|".join(map(re.escape, forms))
        for match in re.finditer(rf"(?<![A-Za-z0-9_])(?:{either})(?![A-Za-z0-9_])", text):
            yield Span(*match.span(), USER)
