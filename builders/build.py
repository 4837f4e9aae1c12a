"""Build the dataset: families in, a folder that `datasets` loads out."""

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bagen_data.errors import InputError, OutputError
from bagen_data.executors import open_executor
from bagen_data.replaced_folder import replaced_folder
from bagen_data.tables import (
    BUILD_RECORD,
    CARD,
    MANIFEST,
    is_sealed,
    read_jsonl,
    sha256_of,
)
from bagen_data.tokenizer import HubTokenizer
from bagen_data.unique_keys import parse_json
from bagen_data.wording import numbered
from builders.build_plan import budget_rule, make_plans
from builders.build_record import BuildOptions, BuiltFamily
from builders.dataset_writer import write_families, write_metadata
from builders.logs.turn_readers import Counting
from builders.reading.families import read_families
from builders.reading.origin import Family
from builders.reading.refusal_lines import refusal_lines
from builders.tasks import BudgetRule
from builders.workplace import Workplace

_SHOWN_REASONS = 10
"""Reasons that a message lists."""


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
        InputError: there is nothing to build, a flag's value does not fit, or, with `strict`,
            something was refused.
        OutputError: `out` cannot be written, or holds files that no build wrote.
        WorkerDiedError: the executor gave up a job.
    """
    options = options.seen_by_workers()
    families = options.families()
    rules = _budget_rules(options.budgets, families)
    refuse_out_in_family(options.out, families)
    counting = counting_of(options)
    with (
        replaced_folder(options.out, previous_files(options.out)) as staging,
        open_executor(options.executor, ("builders",)) as executor,
    ):
        spools = staging / "spools"
        spools.mkdir()
        indexes = read_families(
            options, families, counting, Workplace(executor, spools), on_progress
        )
        planned = list(zip(indexes, make_plans(indexes, rules), strict=True))
        built, references = write_families(planned, options, executor, staging, on_progress)
        shutil.rmtree(spools)
        _refuse_empty(built)
        write_metadata(staging, references, built, options, counting)
    return built


def previous_files(out: Path) -> set[str]:
    """The files of an earlier build in `out`, which a new one may replace; else nothing.

    Only a build is believed: its record must bear its seal, and the manifest be the one it names.
    """
    try:
        record = parse_json((out / BUILD_RECORD).read_bytes())
        if not is_sealed(record) or record["files"][MANIFEST] != sha256_of(out / MANIFEST):
            return set()
        if "hidden" in record:  # its other part would fit it no more
            return set()
        rows = read_jsonl(out / MANIFEST)
    except (OSError, ValueError, AttributeError, KeyError, TypeError, InputError):
        return set()
    return {CARD, MANIFEST, BUILD_RECORD, *(str(row.get("path")) for row in rows)}


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


def refuse_out_in_family(out: Path, families: Sequence[Family]) -> None:
    """Refuse an output folder that lies where rollouts are read."""
    for family in families:
        if out.resolve().is_relative_to(family.folder.resolve()):
            raise OutputError(
                f"{out}: lies in {family.folder.name}, whose files are read; give another --out"
            )


def _refuse_empty(built: Sequence[BuiltFamily]) -> None:
    if not any(family.files for family in built):
        refused = [
            (f"{family.index.family.name}/{refusal.where}", refusal.reason)
            for family in built
            for refusal in family.index.refused
        ]
        lines = refusal_lines(refused)[:_SHOWN_REASONS]
        if without_turns := sum(family.index.without_turns for family in built):
            logs = numbered(without_turns, "log")
            lines.append(f"{logs} without a turn that can be used: nothing was answered in them")
        lines = lines or ["no file holds one"]
        raise InputError("no rollout could be used:\n  " + "\n  ".join(lines))
