"""The files that a contained command sees: its clone, the system's programs, and Python."""

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from collect.swebench.checkout import TESTBED, Clone

HOME = "/home/agent"
"""The home of contained commands."""
_SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "sbin", "usr", "nix/store")
_ETC = (
    *("alternatives", "group", "hosts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime"),
    *("mime.types", "nsswitch.conf", "passwd", "protocols", "services", "ssl/certs"),
    *("ssl/openssl.cnf", "timezone"),
)
"""The rest of /etc stays unseen: /etc/environment and others may hold keys."""
_PYTHON = ("bin", "include", "lib", "lib64", "libexec", "pyvenv.cfg", "share", "ssl")
"""Parts of Python's prefix; a project's own folder may be the prefix, and hold anything else."""
_ACTIVATION = "activate*"
"""Scripts in `bin` into which people write `export KEY=...`."""
_PATH = re.compile(r"(?<![\w.~/-])/[^\s'\"`$;|&<>(){}*?\[\]=:,]+")


@dataclass(frozen=True)
class Bind:
    """A file or folder of this machine as a contained command sees it."""

    source: Path
    target: Path
    is_writable: bool = False


def binds(clone: Clone, shown: Iterable[Path]) -> list[Bind]:
    """Return all files and folders that a command sees, outer ones before those inside them.

    Args:
        clone: the command's own; the only one that it can write to.
        shown: further paths, read-only.
    """
    own = {TESTBED: clone.testbed, HOME: clone.home, "/tmp": clone.tmp}  # noqa: S108
    return [
        *(Bind(source, Path(target), is_writable=True) for target, source in own.items()),
        *(Bind(path, path) for path in (*_system_files(), *shown)),
        *(Bind(Path("/dev/null"), path) for path in _activation_scripts()),
    ]


def unseen_paths(command: str, shown: Iterable[Path]) -> list[str]:
    """Return the files of this machine that a command names and would not see when contained.

    >>> unseen_paths("python3 -m unittest && /usr/bin/true", ())
    []
    """
    seen = [Path(TESTBED), Path("/dev"), Path("/proc"), *_system_files(), *shown]
    return [
        name
        for name in _PATH.findall(command)
        if Path(name).exists() and not any(Path(name).is_relative_to(each) for each in seen)
    ]


def _system_files() -> Iterator[Path]:
    names = [*_SYSTEM, *(f"etc/{name}" for name in _ETC)]
    yield from (path for path in (Path("/", name) for name in names) if path.exists())
    for prefix in _python_prefixes():
        yield from (path for path in (prefix / part for part in _PYTHON) if path.exists())


def _activation_scripts() -> Iterator[Path]:
    for prefix in _python_prefixes():
        yield from sorted((prefix / "bin").glob(_ACTIVATION))


def _python_prefixes() -> list[Path]:
    """Return the folders of this Python that are not among the system's."""
    prefixes = dict.fromkeys((Path(sys.base_prefix), Path(sys.prefix)))
    return [path for path in prefixes if not path.is_relative_to("/usr")]
