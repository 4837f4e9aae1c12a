"""Evaluation of whether a patch resolves an instance: hidden tests in a fresh clone."""

import subprocess
from dataclasses import dataclass
from pathlib import PurePosixPath

from bagen_data.errors import InputError
from collect.swebench.checkout import Clone, fresh_clone
from collect.swebench.command_process import kill_group, start
from collect.swebench.containment import UNCONTAINED, Containment
from collect.swebench.instances import Instance


@dataclass(frozen=True)
class HiddenTestResult:
    """The result of the hidden tests."""

    resolved: bool
    reason: str
    """Reason for the result, in words for people."""


def evaluate(
    instance: Instance, patch: str, test_seconds: int, containment: Containment = UNCONTAINED
) -> HiddenTestResult:
    """Apply a submitted patch, then the hidden tests, and run them.

    Files that the hidden tests bring are theirs: what the patch does to them is undone first.

    Args:
        instance: the instance that the patch is for.
        patch: the patch as submitted; empty resolves nothing.
        test_seconds: seconds after which the tests count as failed, and their process group is
            killed.
        containment: starts the tests, which run what the patch says.

    Raises:
        InputError: the hidden tests themselves do not fit the repository.
    """
    if not patch.strip():
        return HiddenTestResult(False, "no patch was submitted")
    with fresh_clone(instance) as clone:
        if clone.git("apply", "--index", "-", text=patch).returncode:
            return HiddenTestResult(False, "the patch does not apply")
        if instance.test_patch:
            _apply_tests(clone, instance)
        return _run_tests(clone, containment, instance.test_command, test_seconds)


def _apply_tests(clone: Clone, instance: Instance) -> None:
    listed = clone.git("apply", "--numstat", "-z", "-", text=instance.test_patch)
    for entry in filter(None, listed.stdout.split("\0")):
        path = entry.rpartition("\t")[2]
        if path.startswith("/") or ".." in PurePosixPath(path).parts:
            raise InputError(f"{instance.instance_id}: test_patch names {path}, outside the clone")
        if clone.git("checkout", "--quiet", instance.base_commit, "--", path).returncode:
            clone.git("rm", "--quiet", "--force", "--ignore-unmatch", "--", path)
    done = clone.git("apply", "-", text=instance.test_patch)
    if done.returncode:
        reason = " ".join(done.stderr.split())
        raise InputError(f"{instance.instance_id}: test_patch does not apply: {reason}")


def _run_tests(
    clone: Clone, containment: Containment, command: str, seconds: int
) -> HiddenTestResult:
    process = start(containment.launch(clone, command), subprocess.DEVNULL)
    try:
        code = process.wait(seconds)
    except subprocess.TimeoutExpired:
        return HiddenTestResult(False, f"the hidden tests took longer than {seconds} seconds")
    finally:
        kill_group(process)  # ends what the tests left running, too
        process.wait()
    if code:
        return HiddenTestResult(False, f"the hidden tests failed with exit code {code}")
    return HiddenTestResult(True, "the hidden tests passed")
