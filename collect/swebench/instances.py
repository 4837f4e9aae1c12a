"""Task instances of one's own: an issue in a local git repository, and hidden tests.

One JSON object a line:

    {"instance_id": "shop__basket-12", "repo": "repos/shop", "base_commit": "4f2a...",
     "problem_statement": "An empty basket costs ...", "test_patch": "--- /dev/null ...",
     "test_command": "python3 -m unittest"}

`repo` is relative to the file. At least one of `test_patch` and `test_command` is given: after the
submitted patch and then the test patch are applied to a fresh clone, the test command ends with
exit code 0 exactly if the instance is resolved.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagen_data.errors import InputError
from bagen_data.fast_json import load_json

TEST_COMMAND = "python3 -m unittest"
"""Test command of an instance that names none."""
_ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_COMMIT = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True)
class Instance:
    """An issue to resolve.

    Raises:
        InputError: an id or a commit that is none.
    """

    instance_id: str
    """Id of the instance; also the rollout's id, and the name of its folder."""
    repo: Path
    """A git repository on this machine; it is only read."""
    base_commit: str
    """Commit at which the agent begins, in hexadecimal digits."""
    problem_statement: str
    test_patch: str = ""
    """Hidden tests as a diff; empty where the command has them elsewhere."""
    test_command: str = TEST_COMMAND

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.instance_id):
            raise InputError(
                f"instance_id is {self.instance_id!r}; expected letters, digits, _ . -, at most 200"
            )
        if not _COMMIT.fullmatch(self.base_commit):
            raise InputError(
                f"base_commit is {self.base_commit!r}; expected 7 to 64 hexadecimal digits"
            )


def read_instances(path: Path) -> tuple[Instance, ...]:
    """Return the instances of a JSONL file, in its order.

    Raises:
        InputError: the file cannot be read, a line is not an instance, or two have the same id.
    """
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from error
    instances: dict[str, Instance] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            instance = _instance(load_json(line), path.parent)
            if instance.instance_id in instances:
                raise InputError(f"instance_id {instance.instance_id} appears twice; keep one")
        except (InputError, ValueError) as error:
            raise InputError(f"{path}:{number}: {error}") from error
        instances[instance.instance_id] = instance
    if not instances:
        raise InputError(f"{path}: is empty; expected one instance a line")
    return tuple(instances.values())


def take(instances: Sequence[Instance], rollouts: int) -> tuple[Instance, ...]:
    """Return the first instances, one for each rollout: a family's rollouts are named by them.

    Raises:
        InputError: there are too few.
    """
    if rollouts > len(instances):
        raise InputError(
            f"{rollouts} rollouts need as many instances, and there are {len(instances)}: a family "
            "has one rollout of each; give more instances, or --rollouts "
            f"{len(instances)}"
        )
    return tuple(instances[:rollouts])


def _instance(value: Any, folder: Path) -> Instance:
    if not isinstance(value, dict):
        raise InputError("is not an object; expected one instance a line")
    if not (value.get("test_patch") or value.get("test_command")):
        raise InputError("has neither test_patch nor test_command; expected hidden tests")
    repo = (folder / _text(value, "repo")).resolve()
    if not repo.is_dir():
        raise InputError(f"repo is {repo}, which is not a folder; expected a git repository")
    return Instance(
        instance_id=_text(value, "instance_id"),
        repo=repo,
        base_commit=_text(value, "base_commit"),
        problem_statement=_text(value, "problem_statement"),
        test_patch=_text(value, "test_patch", ""),
        test_command=_text(value, "test_command", TEST_COMMAND),
    )


def _text(value: Mapping[str, Any], name: str, otherwise: str | None = None) -> str:
    text = value.get(name) or otherwise
    if not isinstance(text, str):
        raise InputError(f"{name} is {text!r}; expected a text")
    return text
