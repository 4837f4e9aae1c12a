"""Build the dataset: families in, a folder that `datasets` loads out."""

from collections.abc import Callable, Mapping, Sequence

from bagen_data.errors import InputError
from bagen_data.executors import open_executor
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.origin import Family
from bagen_data.reading.workplace import Workplace
from bagen_data.tasks import BudgetRule
from bagen_data.tokenizer import HubTokenizer
from builders.build_families import read_families
from builders.build_output import (
    previous_files,
    refuse_out_in_family,
    replaced_output,
    shared_spool_folder,
    spool_folder,
)
from builders.build_plan import budget_rule, make_plans
from builders.build_record import BuildOptions, BuiltFamily
from builders.dataset_writer import write_families, write_metadata


def build(
    options: BuildOptions, on_progress: Callable[[Family], None] = lambda _: None
) -> list[BuiltFamily]:
    """Build `options.origin` into `options.out`, whole or not at all.

    Args:
        options: what to build, and how.
        on_progress: called with each family that was read, and again when it was written.

    Returns:
        One entry a family, ordered by name.

    Raises:
        InputError: there is nothing to build, a family has no rollout that can be used, a flag's
            value does not fit, or, with `strict`, something was refused.
        OutputError: `out` cannot be written, or holds files that no build wrote.
        WorkerDiedError: the executor gave up a job.
        StoreError: a store of `origin` or `out` does not answer.
    """
    options = options.seen_by_workers()
    families = options.families()
    rules = _budget_rules(options.budgets, families)
    refuse_out_in_family(options.out, families)
    counting = counting_of(options)
    new_spools = shared_spool_folder if options.executor.is_remote else spool_folder
    with (
        replaced_output(options.out, previous_files(options.out)) as staging,
        new_spools(staging) as spools,
        open_executor(options.executor, ("builders",)) as executor,
    ):
        workplace = Workplace(executor, spools)
        indexes = read_families(options, families, counting, workplace, on_progress)
        planned = list(zip(indexes, make_plans(indexes, rules), strict=True))
        built, references = write_families(planned, options, executor, staging, on_progress)
        write_metadata(staging, references, built, options, counting)
    return built


def counting_of(options: BuildOptions) -> Counting:
    """Return how the options say that tokens are counted."""
    tokenizer = HubTokenizer(options.tokenizer) if options.tokenizer else None
    return Counting(options.usage, tokenizer)


def _budget_rules(budgets: Mapping[str, str], families: Sequence[Family]) -> dict[str, BudgetRule]:
    tasks = {family.task: family.definition() for family in families}
    for task in budgets:
        if task not in tasks:
            names = ", ".join(sorted(tasks))
            raise InputError(f"--budget {task}=...: no family of {task}; found {names}")
    return {task: budget_rule(task, tasks[task], text) for task, text in budgets.items()}
