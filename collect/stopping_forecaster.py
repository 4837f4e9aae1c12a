"""The kept forecaster that may stop rollouts: a folder of `bagen fit`, as a run found it."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bagen_data.errors import WrongUsageError
from bagen_data.live import BudgetTracker
from collect.recorded_file import RecordedFile, recorded_file

if TYPE_CHECKING:
    from bagen_data.forecasters.kept import KeptForecaster
    from bagen_data.live.policies import Policy

POLICY = "policy.json"
"""The policy of a kept forecaster, in its folder."""
_FORECASTER = ("forecaster.json", "forecaster.safetensors")
"""Files of a kept forecaster."""


@dataclass(frozen=True)
class StoppingForecaster:
    """A kept forecaster and its policy. Other processes get a copy of the names and hashes."""

    folder: Path
    files: tuple[RecordedFile, ...]
    """Files that decide what the forecaster says, the policy's last where there is one."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """The forecaster by its name and contents, wherever it lies."""
        hashes = {file.path.name: file.sha256 for file in self.files}
        return {"name": self.folder.resolve().name, "sha256": hashes}

    def load(self) -> tuple["KeptForecaster", "Policy"]:
        """Return the forecaster and its policy, loaded once a process.

        Raises:
            InputError: a file cannot be used, or was changed since the command began.
        """
        return _loaded(self)


def stopping_forecaster(place: str) -> StoppingForecaster:
    """Return the kept forecaster of a `--stop-with` value.

    Raises:
        WrongUsageError: it is not a folder of a kept forecaster.
        InputError: a file of it cannot be used.
    """
    folder = Path(place)
    missing = [name for name in _FORECASTER if not (folder / name).is_file()]
    if missing:
        raise WrongUsageError(
            f"--stop-with {place}: {missing[0]} is missing there; expected a folder that "
            "'bagen fit' wrote; one of the Hub is fetched with 'hf download ORG/NAME --local-dir "
            "DIR'"
        )
    names = [*_FORECASTER, *([POLICY] if (folder / POLICY).is_file() else [])]
    forecaster = StoppingForecaster(folder, tuple(recorded_file(folder / name) for name in names))
    forecaster.load()
    return forecaster


@lru_cache(2)
def _loaded(kept: StoppingForecaster) -> tuple["KeptForecaster", "Policy"]:
    from bagen_data.forecasters.kept import load_forecaster
    from bagen_data.live import ThresholdPolicy, load_policy

    with ExitStack() as unchanged:
        for file in kept.files:
            unchanged.enter_context(file.unchanged())
        forecaster = load_forecaster(str(kept.folder))
        has_policy = kept.files[-1].path.name == POLICY
        policy = load_policy(kept.folder / POLICY) if has_policy else ThresholdPolicy()
    return forecaster, policy


def check_fits(kept: StoppingForecaster, task: str, limits: Mapping[str, float]) -> None:
    """Refuse a forecaster that cannot judge the rollouts of a family.

    Raises:
        WrongUsageError: it is of another task, lacks a budget or a target, or does not know
            success.
    """
    forecaster, policy = kept.load()
    if forecaster.task != task:
        raise WrongUsageError(
            f"--stop-with {kept.folder}: forecasts {forecaster.task}; expected a forecaster of "
            f"{task}"
        )
    missing = [name for name in forecaster.resources if name not in limits]
    if missing:
        raise WrongUsageError(
            f"--stop-with {kept.folder}: forecasts {', '.join(forecaster.resources)}, and --budget "
            f"has no {', '.join(missing)}; give a limit of each"
        )
    if not forecaster.knows_success:
        raise WrongUsageError(
            f"--stop-with {kept.folder}: was fitted without outcomes and does not know success, so "
            "it cannot say which rollouts are lost; fit one with outcomes"
        )
    problems = BudgetTracker(limits, forecaster, policy, task=task).problems
    if problems:
        raise WrongUsageError(f"--stop-with {kept.folder}: {problems[0]}")
