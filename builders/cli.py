"""Look at logs, build the dataset from them, and verify it.

\b
    python -m builders inspect sample/origin/sokoban-origin-scripted
    python -m builders build --origin sample/origin --out out/sample
    python -m builders build --origin PRIVATE --out out/hidden --hidden 64 \\
        --apart-from out/sample
    python -m builders verify out/sample
    python -m builders publish out/sample --to ORG/NAME --dry-run
    python -m builders publish out/sample --to ORG/NAME --tag v2.0 --all \\
        --site SITE

Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 stopped by Ctrl-C.
"""  # noqa: D301  \b keeps the lines as they are

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bagen_data.command_line import new_app, parse_variant, run
from bagen_data.console import STDERR, shown
from bagen_data.errors import WrongUsageError
from bagen_data.locations import parse_location
from bagen_data.logs.log_options import (
    BareCounts,
    LogTokenizer,
    ModelPrices,
    PriceDay,
    SuccessField,
)
from bagen_data.prompt_variants import VARIANTS, Variant
from bagen_data.repositories.publish_options import CreatePr, DryRun, Private, Tag, To

if TYPE_CHECKING:
    from bagen_data.executors import ExecutorChoice
    from bagen_data.locations import Location as Place
    from bagen_data.reading.family_index import FamilyIndex
    from builders.build_record import BuildOptions, BuiltFamily
else:
    Place = str  # Typer knows no unions; the option's parser makes a place of the text

app = new_app(__doc__)
_SUMMARY = {
    "rollouts": "rollouts",
    "refused": "refused",
    "unusable_labels": "unusable labels",
    "duplicates": "duplicates",
    "without_turns": "without turns",
    "without_samples": "without samples",
    "dropped_turns": "dropped turns",
    "clipped_turns": "clipped turns",
    "left_out_in_benchmark": "left out",
    "samples": "samples",
    "feasible": "feasible",
}
"""Counts of a family by their headings."""
_ALWAYS = ("rollouts", "refused", "samples", "feasible")
"""Counts that are shown where they are 0, too."""
_REASONS = 10
"""Reasons that are shown of each family."""


@app.command("build")
def build_command(
    origin: Annotated[
        Place,
        typer.Option(
            parser=parse_location,
            metavar="FOLDER",
            help="A folder of family folders, or one family; with --task NAME any folder of logs. "
            "It may be the URL of a folder in a store, such as s3://bucket/logs.",
        ),
    ],
    out: Annotated[
        Place,
        typer.Option(
            parser=parse_location,
            metavar="FOLDER",
            help="The folder to write, or its URL in a store; an earlier build is replaced.",
        ),
    ],
    task: Annotated[
        list[str] | None,
        typer.Option(
            help="Only this task; repeatable. A name without a file in bagen_data/tasks/ is built "
            "with the general task, and one such name makes any folder of logs a family."
        ),
    ] = None,
    resources: Annotated[
        str | None,
        typer.Option(
            help="Resources that the general task counts: tokens, cost_usd, turns, tool_calls, "
            "search, seconds; several with commas between. [default: tokens]"
        ),
    ] = None,
    rollout_model: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Model of a folder that is not named TASK-origin-MODEL. [default: the one model "
            "that its logs name]",
        ),
    ] = "",
    success: SuccessField = None,
    price: ModelPrices = None,
    price_day: PriceDay = None,
    tokenizer: LogTokenizer = None,
    usage: BareCounts = "auto",
    budget: Annotated[
        list[str] | None,
        typer.Option(
            help="Budget of a task: TASK=NUMBER, TASK=median or TASK=1.2x (of what each "
            "rollout spent); repeatable. "
            "Several resources: support=tokens:median,cost_usd:1.5"
        ),
    ] = None,
    prompt: Annotated[
        Variant,
        typer.Option(
            parser=parse_variant,
            metavar="VARIANT",
            help="Question of the prompts, with a short <think> before the answer or without: "
            f"{', '.join(VARIANTS)}.",
        ),
    ] = "interval_think",
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes: short for --executor local:N. [default: 1]"),
    ] = None,
    executor: Annotated[
        str | None,
        typer.Option(
            metavar="local[:N] | ray[:ADDRESS] | dask:ADDRESS",
            help="Processes that read and write families: N of this machine, or a cluster "
            "that shares --origin and --out (docs/scale.md); the output is the same. "
            "[default: local:1]",
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Most rollouts of each family, the first in order of path."),
    ] = None,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Exit 1 and write nothing if anything is refused or ignored, labels included.",
        ),
    ] = False,
    allow_empty_families: Annotated[
        bool,
        typer.Option(
            "--allow-empty-families",
            help="Build on without a family that has no rollout which can be used, in place of "
            "exit 1.",
        ),
    ] = False,
    scrub: Annotated[
        bool,
        typer.Option("--scrub", help="Replace keys, e-mail addresses and user names in the texts."),
    ] = False,
    hidden: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Write a hidden split of N samples a task instead: a folder 'public' without "
            "labels, and their key (docs/hidden-split.md).",
        ),
    ] = None,
    apart_from: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DATASET",
            help="With --hidden: a built folder, or ORG/NAME or ORG/NAME@REV on the Hub, whose "
            "rollouts and instances are left out; repeatable.",
        ),
    ] = None,
) -> None:
    """Build origin rollouts into a dataset that `datasets.load_dataset` reads."""
    from bagen_data.logs.prices import PriceTable, parse_prices, price_date
    from bagen_data.progress_bar import progress_bar
    from bagen_data.reading.lost_entries import lost_entries
    from bagen_data.reading.origin import ignored_folders
    from bagen_data.reading.outcomes import success_rule
    from bagen_data.tasks.general import GeneralSettings, parse_resources
    from builders.build import build
    from builders.build_record import BuildOptions

    table = PriceTable(parse_prices(price or ()), price_date(price_day))
    options = BuildOptions(
        origin=origin,
        out=out,
        tasks=task or None,
        tokenizer=tokenizer,
        usage=usage,
        budgets=_budgets(budget or (), task or ()),
        general=GeneralSettings(parse_resources(resources or "tokens"), table),
        rollout_model=rollout_model,
        success=None if success is None else success_rule(success),
        prompt=prompt,
        limit=limit,
        executor=_executor(executor, workers),
        strict=strict,
        allow_empty_families=allow_empty_families,
        scrub=scrub,
    )
    if apart_from and hidden is None:
        raise WrongUsageError(f"--apart-from {apart_from[0]}: is for --hidden N; leave it out")
    families = options.families()
    if resources is not None and not any(family.general for family in families):
        raise WrongUsageError(
            f"--resources {resources}: is for a task without a file in bagen_data/tasks/; leave it "
            "out, or give --task NAME with a name of your own"
        )
    if price and "cost_usd" not in options.general.resources:
        raise WrongUsageError(
            f"--price {price[0]}: nothing is priced; give --resources with cost_usd among them"
        )
    for name in ignored_folders(origin, families):
        STDERR.print(
            shown(f"ignored {name}/: its name is not TASK-origin-MODEL or TASK-train-MODEL")
        )
    for entry in lost_entries(origin, families, options.tasks):
        STDERR.print(shown(f"ignored {entry.path}: {entry.reason}"))
    if hidden is not None:
        _build_hidden(options, hidden, apart_from or ())
        return
    with progress_bar() as bar:
        step = bar.add_task("steps of the build", total=2 * len(families))
        built = build(options, lambda _: bar.advance(step))
    _print_summary(built, out)


def _build_hidden(options: "BuildOptions", samples: int, apart_from: Sequence[str]) -> None:
    from rich.markup import escape

    from bagen_data.progress_bar import progress_bar
    from builders.hidden.hidden_build import HiddenOptions, build_hidden
    from builders.hidden.summary import print_hidden_summary

    for family in options.families():
        if family.role == "training":
            STDERR.print(f"ignored {escape(family.name)}/: a hidden split has no training families")
    with progress_bar() as bar:
        step = bar.add_task("families", total=len(options.families()))
        request = HiddenOptions(options, samples, tuple(apart_from))
        tasks = build_hidden(request, on_progress=lambda _: bar.advance(step))
    print_hidden_summary(tasks, request)


@app.command("inspect")
def inspect_command(
    path: Annotated[Path, typer.Argument(help="A log file, or a folder of logs as one family.")],
    tokenizer: LogTokenizer = None,
    usage: BareCounts = "auto",
    success: SuccessField = None,
    rollout: Annotated[
        str, typer.Option(help="Only the rollout of this id, instance, session or place.")
    ] = "",
    turns: Annotated[
        str | None, typer.Option(help="Only these turns, A:B with both ends included.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the same as JSON.")] = False,
    labels_template: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="New file for a label of each rollout that nothing judges, to be filled in.",
        ),
    ] = None,
) -> None:
    """Show how logs are understood: counts as stated, and what a build makes of them."""
    import json

    from bagen_data.logs.turn_readers import Counting
    from bagen_data.reading.outcomes import success_rule
    from bagen_data.tokenizer import HubTokenizer
    from bagen_data.wording import numbered
    from builders.inspection import check_holds_log, choose, inspect_logs, parse_turns
    from builders.inspection_table import print_inspection
    from builders.labels_template import write_labels_template

    numbers = None if turns is None else parse_turns(turns)
    counting = Counting(usage, HubTokenizer(tokenizer) if tokenizer else None)
    rule = None if success is None else success_rule(success)
    inspected = inspect_logs(path, counting, rule)
    chosen = choose(inspected, rollout, None)
    inspection = choose(chosen, "", numbers)
    if as_json:
        print(json.dumps(inspection.to_json(), indent=2))
    else:
        print_inspection(inspection)
    check_holds_log(inspected, path)
    if labels_template is not None:
        written = write_labels_template(chosen, labels_template)
        STDERR.print(
            shown(
                f"{numbered(written, 'label')} to be filled in with true or false: "
                f"{labels_template}; a build reads labels.jsonl in the folder that it builds"
            )
        )


@app.command("verify")
def verify_command(
    dataset: Annotated[
        str,
        typer.Argument(
            metavar="DATASET",
            help="A folder that `build` wrote or that was downloaded from the Hub, its URL, or a "
            "dataset on the Hub: ORG/NAME, or ORG/NAME@REV as with --revision.",
        ),
    ],
    revision: Annotated[
        str | None,
        typer.Option(
            metavar="REV",
            help="Revision of the Hub's dataset: a branch, tag or commit, `revision` of its "
            "build.json, or the first 7 characters or more of these two [default: main].",
        ),
    ] = None,
) -> None:
    """Compare a built dataset with its manifest, and check its tables."""
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.repositories.dataset_places import locate
    from builders.verify import verify

    place = locate(at_revision(dataset, revision))
    files = verify(place)
    print(f"{place}: {files} data files are as they were built")


@app.command("publish")
def publish_command(
    folder: Annotated[
        Place,
        typer.Argument(
            parser=parse_location, metavar="OUT", help="A folder that `build` wrote, or its URL."
        ),
    ],
    to: To,
    tag: Tag = None,
    private: Private = False,
    create_pr: CreatePr = False,
    dry_run: DryRun = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Publish the metric and the leaderboard of the same organisation too, and open "
            "its repository of submissions.",
        ),
    ] = False,
    site: Annotated[
        Path | None,
        typer.Option(
            help="With --all: the site that `python -m leaderboard build` wrote. [default: the "
            "leaderboard is left out]"
        ),
    ] = None,
) -> None:
    """Publish a built dataset on the Hub: exactly its files, by one commit."""
    from builders.publish_all import publish_all, publish_one
    from builders.publish_dataset import DatasetPublication

    wanted = DatasetPublication(folder, to, tag, private, create_pr, dry_run)
    if site is not None and not everything:
        raise WrongUsageError(f"--site {site}: is for --all; leave it out")
    if everything and create_pr:
        raise WrongUsageError("--create-pr: is for one repository, and --all is several; give one")
    if everything:
        publish_all(wanted, site)
    else:
        publish_one(wanted)


@app.command(
    "collect",
    hidden=True,
    add_help_option=False,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def collect_command() -> None:
    """Name the command that records rollouts now."""
    raise WrongUsageError(
        "python -m builders collect: rollouts are recorded by 'python -m collect TASK ...' now, "
        "with the same options"
    )


def _executor(text: str | None, workers: int | None) -> "ExecutorChoice":
    from bagen_data.executors import ExecutorChoice, parse_executor

    if text is None:
        return ExecutorChoice("local", workers or 1)
    if workers is not None:
        raise WrongUsageError(
            f"--workers {workers}: is short for --executor local:{workers}, and --executor {text} "
            "is given; leave one of them out"
        )
    return parse_executor(text)


def _budgets(texts: Sequence[str], tasks: Sequence[str]) -> dict[str, str]:
    from bagen_data.tasks import known_tasks

    names = {*known_tasks(), *tasks}
    budgets: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value or name not in names:
            known = ", ".join(sorted(names))
            raise WrongUsageError(
                f"--budget {text}: expected TASK=NUMBER, TASK=median or TASK=1.2x; "
                f"known tasks: {known}"
            )
        if name in budgets:
            raise WrongUsageError(f"--budget {text}: {name} has a budget already; give one a task")
        budgets[name] = value
    return budgets


def _print_summary(built: "Sequence[BuiltFamily]", out: Place) -> None:
    from rich.table import Table

    from bagen_data.table_printing import print_table

    table = Table(title=shown(str(out)), title_justify="left")
    table.add_column("family", no_wrap=True)
    counts = [family.counts() for family in built]
    names = [name for name in _SUMMARY if name in _ALWAYS or any(each.get(name) for each in counts)]
    for heading in (*map(_SUMMARY.__getitem__, names), "KB"):
        table.add_column(heading, justify="right", no_wrap=True)
    rows = [
        [*(each.get(name, 0) for name in names), family.bytes // 1000]
        for family, each in zip(built, counts, strict=True)
    ]
    for family, row in zip(built, rows, strict=True):
        table.add_row(shown(family.index.family.name), *(f"{count:,}" for count in row))
    table.add_section()
    table.add_row("all", *(f"{sum(column):,}" for column in zip(*rows, strict=True)))
    print_table(table)
    if not any(family.counts()["samples"] for family in built):
        STDERR.print("no samples: no rollout has two turns or more, or a training family's one")
    for family, each in zip(built, counts, strict=True):
        if each["samples"] and not each["feasible"]:
            STDERR.print(
                shown(
                    f"no sample of {family.index.family.name} is feasible: each of its rollouts "
                    "failed, or spent more than a budget; --budget sets another one"
                )
            )
    for family in built:
        _print_unused(family.index)


def _print_unused(index: "FamilyIndex") -> None:
    """Print a line for each reason why something of a family was not used."""
    from bagen_data.reading.refusal_lines import NOT_A_LABEL, refusal_lines

    name = index.family.name
    if not index.entries:
        STDERR.print(shown(f"{name}: has no rollout that can be used; built without it"))
    for verb, unused in (
        (NOT_A_LABEL, index.unusable_labels),
        ("refused", index.refused),
        ("ignored", index.ignored),
    ):
        lines = refusal_lines(((each.where, each.reason) for each in unused), name, verb=verb)
        for line in lines[:_REASONS]:
            STDERR.print(shown(line))
        if len(lines) > _REASONS:
            more = len(lines) - _REASONS
            STDERR.print(shown(f"{name}: {verb} for {more:,} more reasons: see build.json"))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run a command and exit.

    Args:
        arguments: of the command line; those of the process if None.
    """
    run(app, arguments)
