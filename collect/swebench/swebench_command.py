"""SWE-bench as it is collected: on local repositories here, or prepared for real instances."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from bagen_data.console import STDERR, shown
from bagen_data.errors import OutputError, WrongUsageError
from collect.collect_options import CollectOptions, refuse_unused
from collect.family_run import COLLECTION, Play
from collect.journal import NAME as JOURNAL
from collect.recorded_file import recorded_file
from collect.scripted_agents import find_scripted_agents
from collect.swebench.instances import Instance, read_instances, take
from collect.swebench.local_rollout import Limits
from collect.swebench.minisweagent_import import load_mini_swe_agent
from collect.swebench.model_commands import CommandOptions
from collect.swebench.real_run import (
    RealRun,
    how_to_run,
    missing_tools,
    prepare,
    read_names,
    run_here,
)
from collect.swebench.swebench_defaults import STEPS, SUBSET, TOYS
from collect.swebench.trajectory_layout import Trajectories
from collect.task_command import Recording, check, record

if TYPE_CHECKING:
    from collect.model_agent import ModelAgent

TASK = "swebench"
NOT_RESTORED = (
    "a model's rollout of swebench cannot be played on: the files, processes and clocks of its "
    "container are not recorded, and its commands need not print the same again; scripted rollouts "
    "on toys can be, and those of sokoban, searchr1 and warehouse"
)
"""The reason why `--resume-from` is refused."""
NO_BUDGET = (
    "swebench is played by mini-swe-agent's own loop, which this command does not watch; budgets "
    "are of sokoban, searchr1 and warehouse, and docs/live.md shows a tracker in mini-swe-agent"
)
"""The reason why `--budget` is refused."""
NO_SHELLS = (
    "swebench runs shell commands, and ends them as a group of processes, which this system, "
    "Windows perhaps, does not have; run it in WSL"
)
"""The reason why nothing is played on Windows."""


@dataclass(frozen=True)
class SweBench:
    """A collection of SWE-bench: its instances, and where they are from."""

    local: str | None
    """A file of instances, or `toys`; None: the toys for scripted agents, else SWE-bench itself."""
    steps: int
    """Turns of a rollout, at most."""
    first: int
    """Place in the seed's order of toys where a family begins."""
    subset: str
    """Subset of SWE-bench that instances are of."""
    instances: Path | None
    """File with the ids of SWE-bench's instances; the ids are drawn if None."""
    cost_usd: float | None
    """US dollars at which an instance of SWE-bench is stopped."""
    commands: CommandOptions
    """The paths that commands of a model may see."""

    def __call__(self, options: CollectOptions) -> None:
        """Collect a family, or prepare it."""
        if options.budgeting.budget is not None:
            raise WrongUsageError(f"--budget {options.budgeting.budget}: {NO_BUDGET}")
        if options.resume_from is not None and not options.is_scripted:
            raise WrongUsageError(f"--resume-from {options.resume_from}: {NOT_RESTORED}")
        if options.is_scripted and self.local not in (None, TOYS):
            raise WrongUsageError(
                f"--local {self.local}: scripted agents know the toy repositories only; give a "
                "model, or leave it out"
            )
        if options.is_scripted or self.local:
            own = {"instances": self.instances, "cost_usd": self.cost_usd}
            refuse_unused(own | _changed(subset=(self.subset, SUBSET)), "local rollouts")
        if options.is_scripted or not self.local:
            refuse_unused(self.commands.given(), "commands that no model writes on this machine")
        if (options.is_scripted or self.local) and not hasattr(os, "killpg"):
            raise WrongUsageError(NO_SHELLS)
        if options.resume_from is not None:
            from collect.swebench.toy_continuations import record_toy_continuations

            record_toy_continuations(options, self._settings(self._toys))
        elif options.is_scripted or self.local == TOYS:
            self._on_toys(options)
        elif self.local:
            refuse_unused(_changed(first=(self.first, 0)), "instances of your own")
            file = recorded_file(Path(self.local))
            with file.unchanged() as path:
                instances = take(read_instances(path), options.number_of_rollouts)
            record(options, self._recording(file.settings, instances))
        else:
            self._on_the_benchmark(options)

    def _on_toys(self, options: CollectOptions) -> None:
        agents = find_scripted_agents(TASK)
        toys = agents.choose_toys(options.seed, options.number_of_rollouts, self.first)
        with TemporaryDirectory(prefix="bagen-toys-") as folder:
            instances = agents.make_repositories(toys, Path(folder))
            record(options, self._recording(self._toys, instances, toys))

    @property
    def _toys(self) -> Mapping[str, Any]:
        return {"toys": "all", "first": self.first}

    def _settings(self, local: Mapping[str, Any]) -> dict[str, Any]:
        return {"local": dict(local), "steps": self.steps}

    def _recording(
        self, local: Mapping[str, Any], instances: Sequence[Instance], toys: Sequence[Any] = ()
    ) -> Recording:
        load_mini_swe_agent()  # what is missing shows once, and before anything is played
        limits = Limits(steps=self.steps)

        def scripted(options: CollectOptions) -> Play:
            scripted_toys: Callable[..., Play] = find_scripted_agents(TASK).ScriptedToys
            return scripted_toys(toys, instances, options.seed, options.tokenizer, limits)

        def modelled(options: CollectOptions, model: "ModelAgent") -> Play:
            from collect.swebench.inspect_model import ModelledLocal

            isolation = self.commands.isolate(instances)
            return ModelledLocal(instances, options.agent, model, limits, isolation)

        settings = {"local": dict(local), "steps": self.steps}
        return Recording(TASK, len(instances), settings, Trajectories(), scripted, modelled)

    def _on_the_benchmark(self, options: CollectOptions) -> None:
        """Prepare the real tool's run; run it where that can be done."""
        check(options, TASK)
        given = options.model.given()
        refuse_unused(
            {name: given[name] for name in given if name not in ("connections", "retries")},
            "mini-swe-agent, which has them in the model's part of bagen.yaml",
        )
        here = _changed(steps=(self.steps, STEPS), first=(self.first, 0))
        refuse_unused(
            here | {"tokenizer": options.tokenizer},
            "SWE-bench itself, whose instances and turns are always the same",
        )
        if (options.out / COLLECTION).is_file() or (options.out / JOURNAL).is_file():
            raise OutputError(f"{options.out}: holds local rollouts; give another --out")
        names = read_names(self.instances) if self.instances else ()
        if options.seed:
            STDERR.print(
                "--seed is not used: mini-swe-agent draws instances with a seed of its own"
            )
        run = RealRun(
            options.agent,
            options.number_of_rollouts,
            self.subset,
            names,
            options.model.connections,
            self.cost_usd,
        )
        commands = prepare(run, options.out)
        missing = missing_tools()
        if missing:
            print(how_to_run(commands, missing))
            return
        STDERR.print(shown(f"running {commands}"))
        run_here(commands)


def _changed(**options: tuple[object, object]) -> dict[str, object]:
    """Return the options, each given as (value, default), whose value is not the default."""
    return {name: value for name, (value, otherwise) in options.items() if value != otherwise}
