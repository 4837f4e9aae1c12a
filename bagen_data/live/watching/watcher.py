"""Watch a log: look at its files, read it again where they changed, and say what is new."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bagen_data.errors import InputError, WrongUsageError
from bagen_data.live.tracker import BudgetTracker
from bagen_data.live.watching.following import FileFollower, FolderFollower, FollowedFile
from bagen_data.live.watching.read_log import LogRules, ReadLog, family_counting, read_log
from bagen_data.live.watching.run_states import RunStates, TurnState
from bagen_data.live.watching.watch_setup import WatchSetup
from bagen_data.reading.plain_rollouts import PlainRollout
from bagen_data.steady_files import FileMark


@dataclass(frozen=True)
class WatchState:
    """State of a watched log at a moment."""

    path: Path
    """The file that is followed; the log as it was given without such a file."""
    task: str = ""
    """The name of the task as which it is read; empty where it has none."""
    resources: tuple[str, ...] = ()
    """Names of what its turns spend, those with a budget first."""
    rollout: PlainRollout | None = None
    """The rollout; None where no turn could be read yet."""
    turns: tuple[TurnState, ...] = ()
    problem: str = ""
    """Why nothing can be read, where nothing was read before; empty otherwise."""
    notes: tuple[str, ...] = ()
    """Remarks, each one sentence."""
    first_new: int = 0
    """Number of turns that are as the last state had them."""


@dataclass
class _Run:
    """The rollout that is followed in a file."""

    rules: LogRules
    states: RunStates
    task: str
    resources: tuple[str, ...]
    ids: tuple[str, ...] = ()
    """The sources' own ids of the sessions in the file."""
    good: ReadLog = field(default_factory=ReadLog)
    """The last reading that gave a rollout."""


class Watcher:
    """Watches a log.

    Args:
        log: a file, or a folder of which the session that was written last is followed; it may not
            exist yet.
        setup: forecaster, policy and budgets that the log is compared with.
    """

    def __init__(self, log: Path, setup: WatchSetup) -> None:
        self.log = log
        self.setup = setup
        self._follower: FileFollower | FolderFollower | None = None
        self._path: Path | None = None
        """The followed file."""
        self._run: _Run | None = None
        self._marks: Mapping[str, FileMark] | None = None
        """The facts of the files when they were read."""
        self.state = WatchState(log)
        """The state as of the last look."""

    def look(self) -> bool:
        """Look at the log; return whether there is anything new.

        Raises:
            InputError: the first log's task is not the forecaster's, or cannot be counted.
        """
        before = self.state
        self.state = self._looked()
        return self.state != replace(before, first_new=self.state.first_new)

    def _looked(self) -> WatchState:
        ids = self._run.ids if self._run is not None else ()
        try:
            self._follow()
            file = None if self._follower is None else self._follower.look(ids)
        except OSError as error:
            return self._kept(f"{error.filename or self.log}: cannot be read: {error.strerror}")
        if file is None:
            return self._missing()
        said = ""
        is_first = self._path is None
        if file.path != self._path:
            said = self._introduction(file)
            self._path, self._run, self._marks = file.path, None, None
        if file.marks == self._marks:
            return replace(self.state, first_new=len(self.state.turns))
        self._marks = file.marks
        if self._run is None:
            try:
                self._run = self._begin(file)
            except InputError as error:
                if is_first:
                    raise
                return WatchState(file.path, problem=str(error), notes=self._notes(said))
        return self._read(file, self._run, said)

    def _follow(self) -> None:
        """Choose how to look at the log, which may have become a folder."""
        wanted = FolderFollower if self.log.is_dir() else FileFollower
        if not isinstance(self._follower, wanted):
            self._follower = wanted(self.log)

    def _begin(self, file: FollowedFile) -> _Run:
        setup = self.setup
        family = setup.family(file.choice.family)
        choice = replace(file.choice, family=family)
        task = setup.task(family)
        rules = LogRules(task, setup.options.counting, setup.options.rollout)
        rules = replace(rules, counting=family_counting(choice, rules))
        own = [resource.name for resource in task.resources]
        budgeted = [name for name in setup.budgets if name in task.turns.resources]
        resources = tuple(dict.fromkeys((*budgeted, *own)))

        def new_tracker() -> BudgetTracker:
            return BudgetTracker(
                setup.budgets, setup.forecaster, setup.policy, task=family.task or None
            )

        states = RunStates(resources, new_tracker if setup.budgets else None)
        return _Run(rules, states, family.task, resources)

    def _read(self, file: FollowedFile, run: _Run, said: str) -> WatchState:
        choice = replace(file.choice, family=self.setup.family(file.choice.family))
        state = WatchState(file.path, run.task, run.resources)
        try:
            read = read_log(choice, list(file.marks), run.rules)
        except WrongUsageError:
            if run.good.rollout is None:
                raise
            read = ReadLog(problem=f"{file.name}: the rollout is not in it now")
        except OSError as error:
            read = ReadLog(problem=f"{file.name}: cannot be read: {error.strerror}")
        if read.rollout is None:
            if run.good.rollout is not None:
                reason = read.problem or f"{file.name}: holds no completed turn now"
                return self._kept(reason)
            problem = "" if not file.bytes else read.problem
            return replace(state, problem=problem, notes=self._notes(said, *read.notes))
        before = len(run.states.states)
        is_other = run.good.rollout is not None and run.good.rollout.where != read.rollout.where
        run.good, run.ids = read, read.session_ids
        if run.rules.rollout:
            run.rules = replace(run.rules, rollout=read.rollout.where)
        same = run.states.take(read.rollout.rollout.turns)
        if is_other:
            said = said or f"another rollout is followed now, {read.rollout.where}"
        elif same < before - 1:
            said = said or "the log was replaced, and its turns begin anew"
        return replace(
            state,
            rollout=read.rollout,
            turns=tuple(run.states.states),
            notes=self._notes(said, *read.notes),
            first_new=same,
        )

    def _introduction(self, file: FollowedFile) -> str:
        """Return what is said of a file that is followed from now on."""
        if self._path is not None:
            return f"{file.path} is followed now: it was written last"
        if isinstance(self._follower, FolderFollower):
            return f"{file.path} is followed: of the logs in {self.log}, it was written last"
        return ""

    def _missing(self) -> WatchState:
        where = "holds no log yet" if self.log.exists() else "does not exist yet"
        self._marks = None
        if self._run is not None and self._run.good.rollout is not None:
            return self._kept(f"{self._path}: was removed")
        return WatchState(self.log, notes=(f"{self.log} {where}; it is waited for",))

    def _kept(self, reason: str) -> WatchState:
        """Return the last state, and why no newer state can be read."""
        note = f"{reason}; the state before is shown, and the log is read again once it changes"
        run = self._run
        if run is None or run.good.rollout is None:
            return WatchState(self._path or self.log, problem=reason)
        kept = self._notes(*run.good.notes, note)
        return replace(self.state, notes=kept, first_new=len(self.state.turns))

    def _notes(self, *notes: str) -> tuple[str, ...]:
        problems = self._run.states.problems if self._run is not None else ()
        return tuple(filter(None, (*self.setup.notes, *notes, *problems)))
