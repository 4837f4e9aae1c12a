"""Toys: each bug is one, each fix does what it should, and the repositories are always the same."""

import sys
import unittest
from ast import literal_eval
from io import StringIO
from pathlib import Path
from types import ModuleType

import orjson
import pytest

from bagen_data.errors import InputError
from collect.swebench.instances import read_instances
from sample.actors.toy_repositories import INSTANCES, Toy, choose_toys, make_repositories, toys

EVERY_TOY = pytest.mark.parametrize("toy", toys(), ids=lambda toy: toy.instance_id)


def passes(toy: Toy, part: str, tests: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Return whether the tests pass with this part where the bug is."""
    module = ModuleType(toy.module)
    exec(toy.with_part(part), module.__dict__)
    monkeypatch.setitem(sys.modules, toy.module, module)
    test_module = ModuleType("tests_of_a_toy")
    exec(tests, test_module.__dict__)
    suite = unittest.defaultTestLoader.loadTestsFromModule(test_module)
    assert suite.countTestCases() >= 2
    return unittest.TextTestRunner(StringIO()).run(suite).wasSuccessful()


@EVERY_TOY
def test_hidden_tests_pass_with_the_right_fix_alone(
    toy: Toy, monkeypatch: pytest.MonkeyPatch
) -> None:
    bug = toy.bug
    assert toy.source.count(bug.right) == 1
    passing = [
        part
        for part in (bug.right, bug.wrong, bug.half)
        if passes(toy, part, toy.hidden_tests, monkeypatch)
    ]
    assert passing == [bug.right]


@EVERY_TOY
def test_visible_tests_tell_none_of_them_apart(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    bug = toy.bug
    for part in (bug.right, bug.wrong, bug.half):
        assert passes(toy, part, toy.tests, monkeypatch)


@EVERY_TOY
def test_half_a_fix_does_for_the_example(toy: Toy) -> None:
    def value(part: str, expression: str) -> object:
        names: dict[str, object] = {}
        exec(toy.with_part(part), names)
        return eval(expression, names)

    bug = toy.bug
    example, other = bug.example, bug.other_case
    assert value(bug.wrong, example.expression) != literal_eval(example.expected)
    assert value(bug.half, example.expression) == literal_eval(example.expected)
    assert value(bug.half, other.expression) != literal_eval(other.expected)


def test_repositories_are_the_same_on_every_machine(tmp_path: Path) -> None:
    made = [make_repositories(toys(), tmp_path / name) for name in "ab"]
    first, second = ([each.base_commit for each in instances] for instances in made)
    assert first == second
    assert first[0] == "45a43c4d90745d86349b1b213a7d9301098a9ced"


def test_the_instance_file_reads_as_what_was_made(tmp_path: Path) -> None:
    instances = make_repositories(choose_toys(3, 4), tmp_path / "toys")
    assert read_instances(tmp_path / "toys" / INSTANCES) == instances


def test_families_that_begin_behind_each_other_share_no_instance() -> None:
    benchmark, training = choose_toys(0, 8), choose_toys(0, 10, first=8)
    assert len({*benchmark, *training}) == len(toys())
    assert choose_toys(0, 5) == benchmark[:5]
    assert choose_toys(1, 5) != benchmark[:5]


def test_too_few_toys() -> None:
    with pytest.raises(InputError, match=r"19 rollouts need as many instances, and of 18 toy"):
        choose_toys(0, 19)
    with pytest.raises(InputError, match="0 are left from --first 40 on"):
        choose_toys(0, 1, first=40)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (b"nonsense", ":1: "),
        (b"[]", ":1: is not an object"),
        (b'{"instance_id": "a"}', "neither test_patch nor test_command"),
        (b'{"test_command": "true", "repo": "nowhere"}', "which is not a folder"),
        (b'{"test_command": "true", "repo": ".", "instance_id": "../a"}', "instance_id is"),
        (b'{"test_command": "true", "repo": "."}', "instance_id is None"),
    ],
)
def test_a_bad_instance_is_named_with_its_line(tmp_path: Path, line: bytes, message: str) -> None:
    value = line
    if b"instance_id" in line and b"repo" in line:
        record = {**orjson.loads(line), "base_commit": "abcdef0", "problem_statement": "it fails"}
        value = orjson.dumps(record)
    path = tmp_path / "instances.jsonl"
    path.write_bytes(value + b"\n")
    with pytest.raises(InputError, match=message):
        read_instances(path)


def test_an_instance_stands_once(tmp_path: Path) -> None:
    make_repositories(choose_toys(0, 1), tmp_path / "toys")
    path = tmp_path / "toys" / INSTANCES
    path.write_bytes(path.read_bytes() * 2)
    with pytest.raises(InputError, match=r"jsonl:2: .*appears twice"):
        read_instances(path)
