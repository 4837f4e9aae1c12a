"""Decide what becomes of each rollout: benchmark, a training part, or left out; and its budget."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bagen_data.budgets import Allowance, allowed_or_median, family_median
from bagen_data.errors import InputError, WrongUsageError
from bagen_data.reading.family_index import FamilyIndex, IndexedRollout
from bagen_data.replay import start_prefixes, training_prefixes
from bagen_data.schema import TARGET_PREFIX, Budget
from bagen_data.splits import split_instances
from bagen_data.tasks import BudgetRule, Task

TEST = "test"


@dataclass(frozen=True, slots=True)
class RolloutPlan:
    """The plan for one rollout."""

    part: str
    """`test`, or a training part; empty if the rollout is left out."""
    budget: Budget | None
    """The budget; None if the rollout is left out, or is too short to take part in its task."""
    prefixes: Sequence[int]
    """The k of the rollout's samples."""
    start_prefixes: Sequence[int] = ()
    """The k of the rollout's start probe: 0 if it has probes of the benchmark, else none."""


_MEDIAN = "median"
_MOST = 1e15
"""Largest amount of a budget: whole numbers up to here are exact in the floats of tables."""
_LEFT_OUT = RolloutPlan("", None, ())


def make_plans(
    indexes: Sequence[FamilyIndex], rules: Mapping[str, BudgetRule]
) -> list[list[RolloutPlan]]:
    """A plan for each entry of each family.

    A training rollout whose instance is in a benchmark family of the same task is left out. The
    instances of all training families of a task are cut into parts together.

    Args:
        indexes: the families of one build.
        rules: by task, in place of the tasks' own.
    """
    tested = {
        (index.family.task, entry.instance_id)
        for index in indexes
        if index.family.role == "benchmark"
        for entry in index.entries
    }
    trained: dict[str, set[str]] = {}
    for index in indexes:
        if index.family.role == "training":
            ids = {entry.instance_id for entry in index.entries}
            free = {name for name in ids if (index.family.task, name) not in tested}
            trained.setdefault(index.family.task, set()).update(free)
    parts = {task: split_instances(ids) for task, ids in trained.items()}
    plans = []
    for index in indexes:
        task = index.family.definition()
        rule = rules.get(index.family.task, task.budgets)
        if index.family.role == "benchmark":
            make = partial(_benchmark_plans, index.entries)
        else:
            make = partial(_training_plans, index.entries, parts[index.family.task])
        try:
            plans.append(make(task, rule))
        except InputError as error:
            raise InputError(f"{index.family.name}: {error}") from error
    return plans


def _benchmark_plans(
    entries: Sequence[IndexedRollout], task: Task, rule: BudgetRule
) -> list[RolloutPlan]:
    budgets = _budgets(entries, task, rule)
    prefixes = task.prefixes([entry.total_turns for entry in entries])
    return [
        RolloutPlan(TEST, None, ())
        if budget is None
        else RolloutPlan(TEST, budget, tuple(ks), start_prefixes(entry.total_turns))
        for entry, budget, ks in zip(entries, budgets, prefixes, strict=True)
    ]


def _training_plans(
    entries: Sequence[IndexedRollout], parts: Mapping[str, str], task: Task, rule: BudgetRule
) -> list[RolloutPlan]:
    """Budgets are those of the rollouts that are used."""
    used = [entry for entry in entries if entry.instance_id in parts]
    budgets = iter(_budgets(used, task, rule))
    plans = []
    for entry in entries:
        if entry.instance_id not in parts:
            plans.append(_LEFT_OUT)
            continue
        part, budget = parts[entry.instance_id], next(budgets)
        prefixes = training_prefixes(entry.total_turns) if budget else ()
        plans.append(RolloutPlan(part, budget, prefixes))
    return plans


def _budgets(
    entries: Sequence[IndexedRollout], task: Task, rule: BudgetRule
) -> list[Budget | None]:
    """Return the budget of each rollout; None of one with too few turns to take part.

    Raises:
        InputError: a budget limits other resources than the task's.
    """
    taking_part = [entry for entry in entries if entry.total_turns >= task.least_turns]
    budgets = rule([entry.realised for entry in taking_part])
    _check_resources(taking_part, budgets, task)
    own = iter(budgets)
    return [next(own) if entry.total_turns >= task.least_turns else None for entry in entries]


def _check_resources(
    entries: Sequence[IndexedRollout], budgets: Sequence[Budget], task: Task
) -> None:
    names = {resource.name for resource in task.resources}
    for entry, budget in zip(entries, budgets, strict=True):
        if budget.limits.keys() != names:
            raise InputError(
                f"the budget of rollout {entry.rollout_id} limits "
                f"{', '.join(sorted(budget.limits))}; expected the task's resources: "
                f"{', '.join(sorted(names))}; change the task's budgets"
            )


def budget_rule(name: str, task: Task, text: str) -> BudgetRule:
    """The rule that a `--budget` value names.

    `median` is the family's; `2500` is fixed; `1.2x` is a ratio of what the rollout itself spent.
    A task of several resources takes `RESOURCE:VALUE,...` with one of these for each, and
    `target_<state>:NUMBER`, or one ratio or `median` for all.

    Raises:
        WrongUsageError: the value is none of these, or does not fit the task's resources.
    """
    names = [resource.name for resource in task.resources]
    if text == _MEDIAN and len(names) == 1:
        return partial(family_median, resource=names[0])
    if ":" not in text and (len(names) == 1 or text.endswith("x") or text == _MEDIAN):
        stated = dict.fromkeys(names, text)
    else:
        stated = dict(part.rpartition(":")[::2] for part in text.split(","))
    if len(stated) < text.count(",") + 1:
        raise _unknown_budget(name, names, text)
    extra = [key for key in stated if key not in names and not key.startswith(TARGET_PREFIX)]
    if extra or not stated.keys() >= set(names):
        raise _unknown_budget(name, names, text, [key for key in names if key not in stated])
    medians = [key for key, value in stated.items() if value == _MEDIAN and key in names]
    try:
        allowances = {key: _allowance(value) for key, value in stated.items() if key not in medians}
    except ValueError as error:
        raise _unknown_budget(name, names, text) from error
    return partial(allowed_or_median, allowances, medians)


def _allowance(text: str) -> Allowance:
    number = float(text.removesuffix("x"))
    if not 0 <= number <= _MOST:
        raise ValueError(f"{text} is not an amount")
    return Allowance(int(number) if number == int(number) else number, text.endswith("x"))


def _unknown_budget(
    name: str, names: Sequence[str], text: str, missing: Sequence[str] = ()
) -> WrongUsageError:
    single = "a number, a ratio such as 1.2x, or median"
    several = (
        f"median or a ratio such as 1.2x for all, or {','.join(f'{n}:VALUE' for n in names)} "
        "with a number, a ratio or median for each, and a target_<state>:VALUE if you like"
    )
    expected = single if len(names) == 1 else several
    problem = f"{', '.join(missing)} missing; " if missing and ":" in text else ""
    return WrongUsageError(f"--budget {name}={text}: {problem}expected {expected}")
