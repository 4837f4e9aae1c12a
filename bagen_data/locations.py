"""Places of files and folders: paths of this machine, URLs of shared stores, commits on the Hub."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Self, TypeAlias

from bagen_data.errors import WrongUsageError

_URL = re.compile(r"(?P<protocol>[A-Za-z][A-Za-z0-9+.:-]*)://(?P<rest>.*)", re.DOTALL)
_LOCAL = ("file", "local")
_ONE_SLASH = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/(?!/).*", re.DOTALL)
"""A URL that lacks a slash, which would be made a folder like `s3:`."""
_SHOWN = 12
"""Characters of a commit that messages show."""


@dataclass(frozen=True)
class StoreUrl:
    """The URL of a file or folder in a store that fsspec knows, without `/` at its end.

    >>> out = StoreUrl("s3://bucket/built")
    >>> str(out / "data/a.parquet"), (out / "build.json").name
    ('s3://bucket/built/data/a.parquet', 'build.json')
    """

    url: str

    def __truediv__(self, relative: str) -> Self:
        return type(self)(f"{self.url}/{relative}")

    def __str__(self) -> str:
        return self.url

    @property
    def protocol(self) -> str:
        """The kind of store, such as `s3`."""
        return self.url.partition("://")[0]

    @property
    def name(self) -> str:
        """The last part of the URL; empty where it names a whole store."""
        return self.url.partition("://")[2].rpartition("/")[2]

    def is_within(self, folder: "StoreUrl") -> bool:
        """Return whether this is a folder, or lies in it."""
        return f"{self.url}/".startswith(f"{folder.url}/")


Location: TypeAlias = Path | StoreUrl
"""The place of a file or folder; `/` and `name` work for both kinds."""


@dataclass(frozen=True)
class HubPath:
    """A file or folder of one commit of a dataset on the Hub, which can only be read.

    >>> dataset = HubPath("ORG/NAME", "531ad17e2c50c4b7a1e4a0c6d1f1a2b3c4d5e6f7")
    >>> str(dataset / "data/a.parquet"), (dataset / "build.json").name
    ('ORG/NAME@531ad17e2c50/data/a.parquet', 'build.json')
    """

    repository: str
    commit: str
    """The whole commit, 40 hexadecimal digits."""
    path: str = ""
    """The path in the repository; empty for its root."""

    def __truediv__(self, relative: str) -> Self:
        path = f"{self.path}/{relative}" if self.path else relative
        return type(self)(self.repository, self.commit, path)

    def __str__(self) -> str:
        root = f"{self.repository}@{self.commit[:_SHOWN]}"
        return f"{root}/{self.path}" if self.path else root

    @property
    def name(self) -> str:
        """The last part of the path; of the root, of the repository's id."""
        return (self.path or self.repository).rpartition("/")[2]


ReadLocation: TypeAlias = Location | HubPath
"""The place of a file or folder that is read and never written."""


def absolute(location: Location) -> Location:
    """Return the same place, whatever the current folder is."""
    return location.absolute() if isinstance(location, Path) else location


def parse_location(text: str) -> Location:
    """Return the place that a text names; `file://...` is a path.

    Raises:
        WrongUsageError: the text is a URL that names no folder, several stores, or `..`, or lacks
            a slash.

    >>> parse_location("file:///tmp/out"), parse_location("s3://bucket/built/")
    (PosixPath('/tmp/out'), StoreUrl(url='s3://bucket/built'))
    """
    match = _URL.fullmatch(text)
    if _ONE_SLASH.fullmatch(text):
        raise WrongUsageError(
            f"{text}: has one slash after '{text.partition('/')[0]}'; expected two in a URL, such "
            "as s3://bucket/built, or a folder, such as ./out"
        )
    if match is None:
        return Path(text)
    protocol, rest = match["protocol"].lower(), match["rest"]
    if protocol in _LOCAL:
        return Path(rest)
    parts = rest.rstrip("/").split("/")
    if not parts[-1] or "::" in text or {"", ".", ".."} & set(parts[1:]):
        raise WrongUsageError(
            f"{text}: is not the URL of one folder; expected PROTOCOL://PLACE/FOLDER, such as "
            "s3://bucket/built, without '::', '..' and empty parts"
        )
    return StoreUrl(f"{protocol}://{'/'.join(parts)}")
