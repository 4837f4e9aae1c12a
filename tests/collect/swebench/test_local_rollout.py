"""A local rollout: what the agent sees, what its commands cannot, and what the hidden tests say."""

import os
import subprocess
import sys
from dataclasses import replace
from difflib import unified_diff
from pathlib import Path

import orjson
import pytest

from bagen_data.errors import InputError
from collect.swebench.agent_prompts import SUBMIT
from collect.swebench.hidden_tests import evaluate
from collect.swebench.local_rollout import Limits
from tests.collect.swebench.played_toys import (
    TOY,
    needs_tool,
    one_instance,
    outputs,
    run_commands,
    run_script,
)

pytestmark = needs_tool


def diff(name: str, before: list[str], after: list[str]) -> str:
    """Return the patch between two states; a file without lines is removed."""
    to = f"b/{name}" if after else os.devnull
    return "".join(unified_diff(before, after, f"a/{name}", to))


def running() -> str:
    """The commands of all processes of this machine."""
    listed = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True)
    return listed.stdout


def test_the_right_fix_is_resolved_and_half_of_one_is_not(tmp_path: Path) -> None:
    instance = one_instance(tmp_path / "toys")
    right, half = run_script("direct", instance), run_script("hasty", instance)
    assert (right.resolved, right.reason) == (True, "the hidden tests passed")
    assert (half.resolved, half.reason) == (False, "the hidden tests failed with exit code 1")
    assert right.model_patch.startswith(f"diff --git a/{TOY.file} b/{TOY.file}\n")
    assert right.trajectory["info"]["exit_status"] == "Submitted"
    assert right.trajectory["instance_id"] == instance.instance_id


def test_a_rollout_ends_at_its_step_limit(tmp_path: Path) -> None:
    played = run_script("lost", one_instance(tmp_path / "toys"), steps=5)
    assert played.trajectory["info"]["exit_status"] == "LimitsExceeded"
    assert played.trajectory["info"]["model_stats"]["api_calls"] == 5
    assert (played.resolved, played.reason) == (False, "no patch was submitted")


def test_a_patch_that_does_not_apply(tmp_path: Path) -> None:
    played = run_commands(
        one_instance(tmp_path / "toys"), ["echo no diff at all > patch.txt", SUBMIT]
    )
    assert played.model_patch == "no diff at all\n"
    assert (played.resolved, played.reason) == (False, "the patch does not apply")


def test_tests_that_hang_are_stopped_with_their_children(tmp_path: Path) -> None:
    mark = f"6{os.getpid()}.125"
    command = f"sleep {mark} & sleep {mark}"
    instance = replace(one_instance(tmp_path / "toys"), test_command=command)
    verdict = evaluate(instance, instance.test_patch.replace("hidden", "other"), 1)
    assert (verdict.resolved, verdict.reason) == (
        False,
        "the hidden tests took longer than 1 seconds",
    )
    assert mark not in running()


def test_a_patch_cannot_replace_the_hidden_tests(tmp_path: Path) -> None:
    instance = one_instance(tmp_path / "toys")
    cheat = instance.test_patch.replace(TOY.bug.example.expected, TOY.bug.example.expression)
    assert evaluate(instance, cheat, 60).reason == "the hidden tests failed with exit code 1"


@pytest.mark.parametrize("meddling", ["unchanged", "emptied", "removed"])
def test_tests_that_hidden_ones_change_are_put_back_first(tmp_path: Path, meddling: str) -> None:
    """An agent that spoils a visible test does not keep the hidden change of it from applying."""
    instance = one_instance(tmp_path / "toys")
    name, lines = f"test_{TOY.file}", TOY.tests.splitlines(keepends=True)
    hidden = [*lines, "# hidden\n"]
    ends = {"unchanged": lines, "emptied": lines[:1], "removed": []}[meddling]
    readme = TOY.files["README.md"].splitlines(keepends=True)
    patch = diff("README.md", readme, [*readme, "More.\n"])
    patch += diff(name, lines, ends)
    changed = replace(
        instance, test_patch=diff(name, lines, hidden), test_command=f"grep -q hidden {name}"
    )
    assert evaluate(changed, patch, 60).reason == "the hidden tests passed"


@pytest.mark.parametrize("path", ["../outside.py", "a/../../outside.py"])
def test_hidden_tests_outside_the_clone_are_refused(tmp_path: Path, path: str) -> None:
    instance = one_instance(tmp_path / "toys")
    outside = replace(instance, test_patch=instance.test_patch.replace("test_hidden.py", path))
    patch = instance.test_patch.replace("hidden", "other")
    with pytest.raises(InputError, match="outside the clone"):
        evaluate(outside, patch, 60)


def test_hidden_tests_that_do_not_fit_are_the_instances_fault(tmp_path: Path) -> None:
    instance = one_instance(tmp_path / "toys")
    change = "--- a/README.md\n+++ b/README.md\n@@ -1 +1 @@\n-what is not there\n+else\n"
    broken = replace(instance, test_patch=change)
    patch = instance.test_patch.replace("hidden", "other")
    with pytest.raises(InputError, match="test_patch does not apply"):
        evaluate(broken, patch, 60)


def test_a_commit_that_is_not_there(tmp_path: Path) -> None:
    instance = replace(one_instance(tmp_path / "toys"), base_commit="0" * 40)
    with pytest.raises(InputError, match="has no commit 0000"):
        run_script("direct", instance)


def test_no_path_of_the_temporary_folder_is_in_the_log(tmp_path: Path) -> None:
    played = run_commands(
        one_instance(tmp_path / "toys"),
        [
            "pwd; cd /testbed && git rev-parse --show-toplevel; echo $HOME; env; ls .git",
            f"echo '# in /testbed' >> /testbed/{TOY.file}; git diff > patch.txt; cd $PWD/nowhere",
            "dirname $PWD; cat .git/FETCH_HEAD .git/config",
            SUBMIT,
        ],
    )
    assert outputs(played)[0].startswith("/testbed\n/testbed\n/home\n")
    assert outputs(played)[2].startswith("/\n")
    assert str(tmp_path) not in orjson.dumps(played.trajectory).decode()
    assert "bagen-swe-" not in orjson.dumps(played.trajectory).decode()
    assert "+# in /testbed\n" in played.model_patch
    assert "timestamp" not in orjson.dumps(played.trajectory).decode()


def test_commands_see_no_key_and_no_input_and_no_later_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a secret")
    commands = ["env | grep -c KEY", "cat", "git log --all --oneline | wc -l", "echo $0"]
    played = run_commands(one_instance(tmp_path / "toys"), [*commands, "touch patch.txt", SUBMIT])
    assert [text.strip() for text in outputs(played)[:4]] == ["0", "", "1", "bash"]
    assert "a secret" not in orjson.dumps(played.trajectory).decode()


def test_commands_do_not_read_what_is_typed_here(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, b"typed\n")
    os.close(write)
    before = os.dup(0)
    os.dup2(read, 0)
    try:
        commands = ["cat", "touch patch.txt", SUBMIT]
        played = run_commands(one_instance(tmp_path / "toys"), commands)
    finally:
        os.dup2(before, 0)
    assert outputs(played)[0] == ""


def test_a_command_that_hangs_is_killed_with_its_children(tmp_path: Path) -> None:
    mark = f"3{os.getpid()}.125"
    played = run_commands(
        one_instance(tmp_path / "toys"),
        [f"echo begun; sleep {mark} & sleep {mark}", "touch patch.txt", SUBMIT],
        Limits(command_seconds=1),
    )
    said = next(each for each in played.trajectory["messages"] if each["role"] == "tool")
    assert f"Command 'echo begun; sleep {mark} & sleep {mark}' timed out" in said["content"]
    assert "begun" in said["content"]
    assert mark not in running()


def test_long_output_is_cut_in_the_middle(tmp_path: Path) -> None:
    played = run_commands(one_instance(tmp_path / "toys"), ["seq 9000", "touch patch.txt", SUBMIT])
    said = next(each for each in played.trajectory["messages"] if each["role"] == "tool")
    assert "<left_out>33893 characters; ask for less at a time</left_out>" in said["content"]
    assert len(said["content"]) < 10_300


def test_the_repository_is_only_read(tmp_path: Path) -> None:
    instance = one_instance(tmp_path / "toys")

    def content() -> dict[Path, bytes]:
        return {path: path.read_bytes() for path in instance.repo.rglob("*") if path.is_file()}

    before = content()
    run_script("direct", instance)
    assert content() == before


def test_importing_the_tool_prints_nothing_and_leaves_nothing_in_the_home(tmp_path: Path) -> None:
    code = "from collect.swebench import minisweagent_import as m; m.load_mini_swe_agent()"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (done.stdout, done.stderr, list(tmp_path.iterdir())) == ("", "", [])
