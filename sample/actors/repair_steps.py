"""What scripted agents do on a toy, a step each: they know the fix, and the words are ours."""

import difflib
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from collect.swebench.agent_prompts import SUBMIT
from collect.swebench.instances import TEST_COMMAND
from sample.actors.toy_repositories import Toy

_TESTS = f"{TEST_COMMAND} 2>&1 | grep -E '^(FAIL|ERROR|AssertionError|OK|FAILED)'"
"""Without the seconds they took."""

_FIRST = (
    "I think that this is it; I change it.",
    "This should make the example come out right.",
    "A small change here should do.",
)
_AGAIN = (
    "I still believe in this change. Perhaps I misread what came of it, so once more.",
    "I find no other way to get the example right. The same again, with care.",
    "Let me go back to my first idea and see where it goes wrong.",
)
"""Before a fix that is tried again."""


@dataclass(frozen=True)
class Step:
    """What an agent says, and the commands that it calls the tool with."""

    thought: str
    commands: tuple[str, ...]


class Moves:
    """What scripts are made of; it keeps track of the module as it is after the steps so far."""

    def __init__(self, toy: Toy, rng: Random) -> None:
        """For one rollout."""
        self.toy = toy
        self.rng = rng
        self._part = toy.bug.wrong
        self._tried_half = False

    def look(self) -> Step:
        """At the files."""
        return self._say(
            (
                "I look at what is in the repository first.",
                "Let me see which files there are.",
                "I begin with an overview.",
            ),
            *self.rng.choice((("ls",), ("git ls-files",), ("ls", "cat README.md"))),
        )

    def history(self) -> Step:
        """At the commits."""
        return self._say(
            (
                "Perhaps the history tells when this began.",
                "Did somebody change this lately?",
            ),
            "git log --format='%h %an, %ad: %s' --date=short",
        )

    def read(self) -> Step:
        """The module."""
        return self._say(
            (
                f"Now {self.toy.file} itself.",
                f"The issue must be in {self.toy.file}; I read it.",
                f"I read {self.toy.file} from top to bottom.",
            ),
            self.rng.choice((f"cat -n {self.toy.file}", f"cat {self.toy.file}")),
        )

    def read_place(self) -> Step:
        """The lines around the bug."""
        source = self.toy.with_part(self._part)
        line = source[: _difference(self.toy.source, source)].count("\n") + 1
        return self._say(
            (
                "I look at these lines again.",
                "Once more, the part that I mean.",
                "This is where I would look for it.",
            ),
            f"sed -n '{max(1, line - 4)},{line + 5}p' {self.toy.file}",
        )

    def read_tests(self) -> Step:
        """Those that can be seen."""
        return self._say(
            (
                "What do the tests that are there expect?",
                "The tests may show how this is meant.",
            ),
            f"cat test_{self.toy.file}",
        )

    def list_functions(self) -> Step:
        """Where things are."""
        return self._say(
            ("Which functions are there, and where?", "I list the functions."),
            f"git grep -n 'def ' -- {self.toy.file}",
        )

    def run_tests(self) -> Step:
        """Those that can be seen."""
        return self._say(
            (
                "I run the tests.",
                "Do the tests pass?",
                "Let me see what the tests say.",
            ),
            _TESTS,
        )

    def try_example(self) -> Step:
        """Of the issue."""
        bug = self.toy.bug
        if self._part == bug.wrong:
            said = (
                "Let me see it with my own eyes before I change anything.",
                f"First I repeat what is reported; it should be {bug.expected}.",
            )
        else:
            said = (
                f"Is the reported case right now? I expect {bug.expected}.",
                "The example of the issue again, with my change.",
            )
        return self._say(said, self._python(bug.example))

    def try_other(self) -> Step:
        """The case that the issue only describes."""
        bug = self.toy.bug
        return self._say(
            (
                f"A case that the issue describes without an example: it should be "
                f"{bug.also_expected}.",
                f"The issue says more than its example does. Here I expect {bug.also_expected}.",
            ),
            self._python(bug.also),
        )

    def fix(self) -> Step:
        """The right one."""
        return self._change(
            self.toy.bug.right,
            (
                "I see what is wrong, and change it.",
                "This is the cause. The fix is small.",
                "So this place has to handle all of what the issue says.",
            ),
        )

    def fix_half(self) -> Step:
        """What does for the example, and not for all of the issue."""
        thoughts = _AGAIN if self._tried_half else _FIRST
        self._tried_half = True
        return self._change(self.toy.bug.half, thoughts)

    def search_notes(self) -> Step:
        """That others may have left; there are none."""
        return self._say(
            (
                "Did somebody leave a note about this?",
                "Perhaps this is a known gap. I search for notes.",
            ),
            "git grep -n -i -E 'todo|fixme|hack'",
        )

    def undo(self) -> Step:
        """Back to the beginning."""
        self._part = self.toy.bug.wrong
        return self._say(
            (
                "That is not right yet. I take my change back and think again.",
                "No: this case is wrong now. Back to where I began.",
                "So my change was not the answer. I undo it.",
            ),
            f"git checkout -- {self.toy.file}",
            "git status --short",
        )

    def show_change(self) -> Step:
        """As a diff."""
        return self._say(
            ("What have I changed so far?", "I look at my change as a whole."), "git diff"
        )

    def submit(self) -> Iterator[Step]:
        """In the three commands that the task asks for."""
        yield self._say(
            (
                "I am done, and write the patch.",
                "That should be all. The patch:",
                "Now the patch, with this one file.",
            ),
            f"git diff -- {self.toy.file} > patch.txt",
        )
        yield self._say(
            ("Is it what I mean?", "I read it once more before I hand it in."), "cat patch.txt"
        )
        yield self._say(("I hand it in.", "Good. I submit it."), SUBMIT)

    def _say(self, thoughts: tuple[str, ...], *commands: str) -> Step:
        return Step(self.rng.choice(thoughts), commands)

    def _python(self, expression: str) -> str:
        code = f"from {self.toy.module} import *; print(repr({expression}))"
        return f"python3 -c {shlex.quote(code)}"

    def _change(self, part: str, thoughts: tuple[str, ...]) -> Step:
        old, self._part = self._part, part
        before = self.toy.with_part(old)
        ways = [_diff(self.toy.file, before, self.toy.with_part(part))]
        if before.count(old) == 1:
            ways.append(_replacement(self.toy.file, old, part))
        return self._say(thoughts, self.rng.choice(ways))


def _replacement(file: str, old: str, new: str) -> str:
    return (
        "python3 - <<'EOF'\n"
        "from pathlib import Path\n\n"
        f"path = Path({file!r})\n"
        "text = path.read_text()\n"
        f"old = {old!r}\n"
        f"new = {new!r}\n"
        'print(text.count(old), "found")\n'
        "path.write_text(text.replace(old, new))\n"
        "EOF"
    )


def _diff(file: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.splitlines(keepends=True), new.splitlines(keepends=True), f"a/{file}", f"b/{file}"
    )
    return f"git apply -v - <<'EOF'\n{''.join(lines)}EOF"


def _difference(first: str, second: str) -> int:
    """Where two texts begin to differ.

    >>> _difference("abc", "abd")
    2
    """
    pairs = enumerate(zip(first, second, strict=False))
    return next((place for place, (left, right) in pairs if left != right), 0)
