"""The reach of contained commands, and the error where nothing contains them."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bagen_data.errors import WrongUsageError
from collect.swebench.checkout import Clone
from collect.swebench.command_process import kill_group, start
from collect.swebench.containment import Bubblewrap, Containment, Namespaces, find_containment
from collect.swebench.hidden_tests import evaluate
from collect.swebench.instances import Instance
from collect.swebench.local_rollout import Limits, rollout
from collect.swebench.model_commands import CommandOptions
from collect.swebench.visible_files import unseen_paths
from sample.actors.swebench_agents import ScriptStep, scripted_model
from tests.collect.swebench.played_toys import TOY, needs_tool, one_instance, outputs

KINDS = {"bwrap": Bubblewrap, "unshare": Namespaces}


def without(programs: Path, *names: str) -> str:
    """A search path in which these programs fail."""
    programs.mkdir(exist_ok=True)
    for name in names:
        (programs / name).write_text("#!/bin/sh\necho not allowed >&2; exit 1\n")
        (programs / name).chmod(0o755)
    return f"{programs}:{os.environ['PATH']}"


@pytest.fixture(params=list(KINDS))
def containment(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Bubblewrap | Namespaces:
    others = [name for name in KINDS if name != request.param]
    with monkeypatch.context() as patch:
        patch.setenv("PATH", without(tmp_path / "bin", *others))
        chosen = find_containment()
    if not isinstance(chosen.containment, KINDS[request.param]):
        pytest.skip(f"{request.param} does not contain commands here")
    return chosen.containment


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Clone]:
    made = Clone(tmp_path / "clone")
    made.root.mkdir()
    made.make_folders()
    yield made
    shutil.rmtree(made.root)


def printed(containment: Containment, clone: Clone, command: str) -> str:
    process = start(containment.launch(clone, command), subprocess.PIPE)
    return process.communicate(timeout=60)[0]


def test_a_command_sees_its_clone_and_the_system_alone(
    containment: Containment, clone: Clone, tmp_path: Path
) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    command = (
        f"pwd; echo ~; ls -A / ~ /tmp; cat {tmp_path}/mine.txt; ls -d /proc/[0-9]* | wc -l; "
        f"test -e /proc/{os.getpid()}/environ; echo $?; cat /etc/environment"
    )
    said = printed(containment, clone, command)
    assert said.startswith("/testbed\n/home/agent\n")
    assert "mine\n" not in said
    assert f"{tmp_path}/mine.txt: No such file" in said
    assert "\n1\n" in said
    assert "/etc/environment: No such file" in said


def test_a_command_has_neither_a_network_nor_privileges(
    containment: Containment, clone: Clone
) -> None:
    command = (
        "cat /sys/class/net/*/operstate; ls -A /sys; python3 -c 'import socket; "
        'socket.create_connection(("192.0.2.1", 80), 2)\' 2>&1 | tail -1; '
        "grep -E 'Cap(Prm|Eff|Bnd)|NoNewPrivs' /proc/self/status; umount /usr; "
        "cat /proc/sys/kernel/core_pattern > /tmp/same; "
        "cat /tmp/same > /proc/sys/kernel/core_pattern; touch /usr/here"
    )
    said = printed(containment, clone, command)
    assert "Network is unreachable" in said
    assert said.count("0000000000000000") == 3
    assert "NoNewPrivs:\t1" in said
    assert "core_pattern: Read-only file system" in said
    assert "'/usr/here': Read-only file system" in said


def test_a_command_can_do_what_commands_do(containment: Containment, clone: Clone) -> None:
    said = printed(
        containment,
        clone,
        "git init -q . && git status --short && echo a > /tmp/a && echo b > ~/b && echo c > c; "
        "cat <(echo d) > /dev/null; script -qc 'echo e' /dev/null; head -c 3 /dev/zero | wc -c; "
        "python3 -c 'import socket; socket.create_server((\"127.0.0.1\", 0)); print(6)'",
    )
    assert said.replace("\r", "") == "e\n3\n6\n"
    assert printed(containment, clone, "cat /tmp/a ~/b c") == "a\nb\nc\n"


def test_a_command_is_killed_with_what_it_started(containment: Containment, clone: Clone) -> None:
    mark = f"7{os.getpid()}.25"
    process = start(
        containment.launch(clone, f"setsid sleep {mark} & echo on; sleep {mark}"), subprocess.PIPE
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "on\n"
    kill_group(process)
    process.communicate(timeout=60)
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert f"sleep {mark}" not in {line.strip() for line in listed.stdout.splitlines()}


def test_nothing_of_a_command_outlives_it(containment: Containment, clone: Clone) -> None:
    mark = f"8{os.getpid()}.25"
    printed(containment, clone, f"setsid sleep {mark} >/dev/null 2>&1 & echo on")
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    assert f"sleep {mark}" not in {line.strip() for line in listed.stdout.splitlines()}


def test_further_paths_can_be_shown(
    containment: Bubblewrap | Namespaces, clone: Clone, tmp_path: Path
) -> None:
    folder = tmp_path / "with a space"
    folder.mkdir()
    (folder / "a.txt").write_text("shown\n")
    showing = replace(containment, shown=(folder,))
    said = printed(showing, clone, f"cat '{folder}/a.txt'; echo x > '{folder}/a.txt'; echo $?")
    assert said.startswith("shown\n")
    assert said.endswith("Read-only file system\n1\n")


@needs_tool
def test_a_contained_rollout_is_judged_as_another(containment: Containment, tmp_path: Path) -> None:
    from collect.swebench.containment import Isolation

    instance = one_instance(tmp_path / "toys")
    commands = ["cat README.md; pwd; ls", "echo x >> README.md; git diff > patch.txt"]
    commands += ["echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT; cat patch.txt"]
    steps = [ScriptStep("next", (command,)) for command in commands]
    played = [
        rollout(instance, scripted_model("commanded", steps, Limits()), Limits(), isolation)
        for isolation in (Isolation(), Isolation(containment, containment))
    ]
    assert outputs(played[0]) == outputs(played[1])
    assert played[0].model_patch == played[1].model_patch
    assert played[0].reason == played[1].reason == "the hidden tests failed with exit code 1"
    right = instance.test_patch.replace("hidden", "other")
    passing = replace(instance, test_patch="", test_command=f"test -f {TOY.file}")
    assert evaluate(passing, right, 60, containment).resolved


def test_tests_outside_the_clone_are_refused_unless_they_are_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if find_containment().containment is None:
        pytest.skip("nothing contains commands here")
    script = tmp_path / "hidden.sh"
    script.write_text("exit 0")
    instance = Instance("a", tmp_path, "0" * 40, "", test_command=f"bash {script}")
    with pytest.raises(WrongUsageError, match="a: test_command names /"):
        CommandOptions().isolate([instance])
    CommandOptions(show_tests=[script]).isolate([instance])
    CommandOptions(show=[tmp_path]).isolate([instance])
    assert capsys.readouterr().err == ""
    with pytest.raises(WrongUsageError, match="nothing: is missing"):
        CommandOptions(show=[tmp_path / "nothing"]).isolate([])


@pytest.mark.parametrize(
    ("command", "unseen"),
    [
        ("python3 -m unittest", []),
        ("/usr/bin/env python3 /testbed/a.py > /dev/null", []),
        ("cat /no/such/file", []),
        ("cat ./a/b ../c d/e", []),
    ],
)
def test_paths_that_a_command_names(command: str, unseen: list[str]) -> None:
    assert unseen_paths(command, ()) == unseen


def test_a_path_is_found_behind_an_equals_sign(tmp_path: Path) -> None:
    command = f"pytest --rootdir={tmp_path} '{tmp_path}/a'"
    (tmp_path / "a").touch()
    assert unseen_paths(command, ()) == [str(tmp_path), f"{tmp_path}/a"]
    assert unseen_paths(command, (tmp_path,)) == []


def test_a_warning_where_nothing_contains_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", without(tmp_path / "bin", *KINDS))
    CommandOptions().isolate([])
    said = capsys.readouterr().err
    assert said.startswith("warning: the model's commands are not contained here, and run as ")
    assert "unshare does not work: not allowed" in said
    assert "--i-know" in said
    CommandOptions(i_know=True).isolate([])
    assert capsys.readouterr().err == ""
