"""Everything that can go wrong with a user's data, as one tree.

    BagenError                 catch this to catch all of them
    +-- InputError             bad input: a file, a flag's value, a dataset; exit 1
    |   +-- RolloutError       one rollout or source file is refused; the build goes on
    |   |   +-- NotJudgedError nobody says whether the rollout succeeded
    |   |       +-- StoppedError a budget or a forecaster ended it before its own end
    |   +-- UnansweredError    predictions that leave samples out, and are right but for that
    |   +-- TemplateError      a prompt template and its fields do not match
    |   +-- WrongUsageError    a flag's value that fits nothing; exit 2
    |   +-- BuildChangedError  a built dataset is no longer what its manifest says
    +-- OutputError            the output folder cannot be written, or is not ours
    +-- StoreError             a store does not answer, however often it is asked
    +-- WorkerDiedError       a worker process was killed or crashed; exit 1
    +-- InterruptedRunError    the user stopped a run that can be gone on with; exit 130
    +-- MissingExtraError      an optional dependency is missing; the message names its extra

A message says where, what was found, what was expected and what to do.
"""

from collections.abc import Sequence
from typing import Self


class BagenError(Exception):
    """Base of every error this project raises on purpose."""


class InputError(BagenError):
    """Input that cannot be used as it is."""


class RolloutError(InputError):
    """A refused rollout, or a refused source file."""


class NotJudgedError(RolloutError):
    """A rollout without an outcome."""


class StoppedError(NotJudgedError):
    """A rollout that was stopped, whose own end is unknown."""


class UnansweredError(InputError):
    """Predictions that leave samples out, and are right but for that."""

    def __init__(self, message: str, answered: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.answered = tuple(answered)
        """The tasks that a folder has files for, where it lacks those of others."""


class TemplateError(InputError):
    """A prompt template asks for a field nobody gives, or leaves one out."""


class WrongUsageError(InputError):
    """A flag with a value it cannot have."""


class BuildChangedError(InputError):
    """A built dataset whose files differ from its manifest."""


class OutputError(BagenError):
    """An output folder that cannot be written or must not be replaced."""


class StoreError(BagenError):
    """A store whose requests fail, however often they are made."""


class WorkerDiedError(BagenError):
    """A worker process that was killed, or that crashed."""


class InterruptedRunError(BagenError):
    """A run that its user stopped, and that can be gone on with."""


class MissingExtraError(BagenError):
    """An optional dependency is missing."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; install it with: pip install 'bagen-data[{extra}]'"
        )
        self._arguments = package, extra

    def __reduce__(self) -> tuple[type[Self], tuple[str, str]]:  # between processes
        return type(self), self._arguments
