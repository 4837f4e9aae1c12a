"""Small repositories with seeded bugs: instances for the sample, and to try models on.

A file in `toys/` holds one module of a few dozen lines, the tests that can be seen, and bugs. Each
bug is an instance: a repository of one commit that has the bug and not the past without it.
"""

import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import orjson

from bagen_data.errors import InputError
from bagen_data.replaced_file import write_file
from collect.swebench.checkout import plain_environment, run_git
from collect.swebench.instances import TEST_COMMAND, Instance

FOLDER = Path(__file__).parent / "toys"
HIDDEN = "test_hidden.py"
INSTANCES = "instances.jsonl"
_COMMITTER = "A. Developer <developer@localhost> 1767225600 +0000"
"""Committer at the first second of 2026: the same commit always has the same hash."""


@dataclass(frozen=True)
class Case:
    """An expression and its value, both as code."""

    expression: str
    expected: str


@dataclass(frozen=True)
class Bug:
    """A bug, and two fixes of it. Code is given as parts of the module."""

    name: str
    right: str
    """Code without the bug, at its place; the module has this code exactly once."""
    wrong: str
    """Code with the bug, in place of `right`."""
    half: str
    """A fix with which the example comes out right, and the other case does not."""
    issue: str
    """Report of the bug: a title, and a few sentences."""
    example: Case
    """A case that the issue names."""
    other_case: Case
    """A case that the issue only describes."""


@dataclass(frozen=True)
class Toy:
    """A task instance, with what only its maker knows."""

    module: str
    about: str
    source: str = field(repr=False)
    """Code of the module without the bug."""
    tests: str = field(repr=False)
    """Tests that can be seen; they pass with the bug, too."""
    bug: Bug

    @property
    def instance_id(self) -> str:
        """Id of the instance, in the manner of SWE-bench."""
        return f"toys__{self.module}-{self.bug.name}"

    @property
    def file(self) -> str:
        """The module's name in the repository."""
        return f"{self.module}.py"

    def with_part(self, part: str) -> str:
        """Return the module with something else where the bug is."""
        return self.source.replace(self.bug.right, part)

    @property
    def files(self) -> dict[str, str]:
        """Contents of the repository's files, by name."""
        readme = f"# {self.module}\n\n{self.about}\n\nRun the tests: `{TEST_COMMAND}`\n"
        return {
            "README.md": readme,
            self.file: self.with_part(self.bug.wrong),
            f"test_{self.file}": self.tests,
        }

    @property
    def hidden_tests(self) -> str:
        """Tests of the example, and of the other case."""
        example, other = self.bug.example, self.bug.other_case
        return (
            f"import unittest\n\nfrom {self.module} import *\n\n\n"
            "class HiddenTest(unittest.TestCase):\n"
            "    def test_example(self):\n"
            f"        self.assertEqual({example.expression}, {example.expected})\n\n"
            "    def test_other_case(self):\n"
            f"        self.assertEqual({other.expression}, {other.expected})\n"
        )


@cache
def toys() -> tuple[Toy, ...]:
    """Return all toys, by name.

    >>> len(toys()), toys()[0].instance_id
    (18, 'toys__calc-left-to-right')
    """
    return tuple(toy for path in sorted(FOLDER.glob("*.toml")) for toy in _read(path))


def choose_toys(seed: int, rollouts: int, first: int = 0) -> tuple[Toy, ...]:
    """Return so many different toys in the seed's order.

    Args:
        seed: the seed of the order.
        rollouts: the number of toys.
        first: the place in the order to begin at; families that begin behind each other share none.

    Raises:
        InputError: there are too few.
    """
    order = list(toys())
    Random(f"toys {seed}").shuffle(order)
    if first + rollouts > len(order):
        raise InputError(
            f"{rollouts} rollouts need as many instances, and of {len(order)} toy repositories "
            f"{max(0, len(order) - first)} are left from --first {first} on: a family has one "
            "rollout of each; ask for fewer, or give an instance file of your own: --local FILE"
        )
    return tuple(order[first : first + rollouts])


def make_repositories(chosen: Sequence[Toy], folder: Path) -> tuple[Instance, ...]:
    """Write a git repository for each module, with a branch for each bug.

    Args:
        chosen: the toys whose repositories are written.
        folder: made if it is not there; the repositories and an instance file go into it.

    Returns:
        The instances, in the order of the toys; `instances.jsonl` has them too.
    """
    commits: dict[Toy, str] = {}
    for module in sorted({toy.module for toy in chosen}):
        members = [toy for toy in chosen if toy.module == module]
        branches = _make_repository(members, folder / module)
        commits |= {toy: branches[toy.bug.name] for toy in members}
    instances = tuple(
        Instance(
            instance_id=toy.instance_id,
            repo=folder.resolve() / toy.module,
            base_commit=commits[toy],
            problem_statement=toy.bug.issue,
            test_patch=_new_file(HIDDEN, toy.hidden_tests),
        )
        for toy in chosen
    )
    rows = ({**asdict(each), "repo": each.repo.name} for each in instances)
    write_file(folder / INSTANCES, "".join(f"{orjson.dumps(row).decode()}\n" for row in rows))
    return instances


def _make_repository(members: Sequence[Toy], folder: Path) -> dict[str, str]:
    """Make the repository of a module, and return each branch's commit."""
    folder.mkdir(parents=True)
    stream = "".join(_commit(toy) for toy in members)
    with TemporaryDirectory(prefix="bagen-home-") as home:
        environment = plain_environment(Path(home))
        for command in (
            ("init", "--quiet", "--bare", "--template=", f"--initial-branch={members[0].bug.name}"),
            ("fast-import", "--quiet"),
        ):
            run_git(folder, environment, *command, text=stream).check_returncode()
        listed = run_git(
            folder, environment, "for-each-ref", "--format=%(refname:short) %(objectname)"
        )
    return dict(line.split() for line in listed.stdout.splitlines())


def _commit(toy: Toy) -> str:
    """Return a toy's commit for `git fast-import`."""
    files = "".join(
        f"M 100644 inline {name}\n{_data(content)}" for name, content in toy.files.items()
    )
    message = _data(f"Add {toy.module}\n")
    return f"commit refs/heads/{toy.bug.name}\ncommitter {_COMMITTER}\n{message}{files}\n"


def _data(text: str) -> str:
    return f"data {len(text.encode())}\n{text}\n"


def _new_file(name: str, content: str) -> str:
    """Return a diff that adds a file."""
    lines = content.splitlines()
    added = "".join(f"+{line}\n" for line in lines)
    header = f"diff --git a/{name} b/{name}\nnew file mode 100644\n--- /dev/null\n+++ b/{name}\n"
    return f"{header}@@ -0,0 +1,{len(lines)} @@\n{added}"


def _read(path: Path) -> Iterator[Toy]:
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    for bug in content["bugs"]:
        cases = {name: Case(*bug[name]) for name in ("example", "other_case")}
        yield Toy(
            path.stem, content["about"], content["source"], content["tests"], Bug(**bug | cases)
        )
