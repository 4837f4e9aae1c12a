"""Validate submissions, and build the leaderboard of them.

\b
    python -m leaderboard validate SUBMISSION_DIR --dataset DATASET
    python -m leaderboard build --submissions DIR --dataset DATASET --out SITE
    python -m leaderboard baselines --dataset DATASET --out DIR
    python -m leaderboard serve SITE
    python -m leaderboard export SITE --format hub --out DIR
    python -m leaderboard review --repo ORG/NAME --dataset DIR_OR_HUB_ID
    python -m leaderboard update --repo ORG/NAME --dataset DIR_OR_HUB_ID \\
        --to ORG/SPACE
    python -m leaderboard publish SITE --to ORG/SPACE --dry-run

DATASET is a folder that was built, or ORG/NAME or ORG/NAME@REV on the Hub.

Exit codes: 0 done, 1 bad input, 2 wrong usage, 130 stopped by Ctrl-C.
"""  # noqa: D301  \b keeps the lines as they are

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bagen_data.command_line import new_app, run
from bagen_data.console import STDERR, shown
from bagen_data.errors import InputError, OutputError, WrongUsageError
from bagen_data.option_groups import spread_options
from bagen_data.published import HUB_ID, LEADERBOARD_ID, SUBMISSIONS_ID
from bagen_data.repositories.publish_options import CreatePr, DryRun, Private, Tag, To
from bagen_data.wording import numbered
from leaderboard.board_options import BoardOptions
from leaderboard.reasons import visible

if TYPE_CHECKING:
    from leaderboard.boards import BuiltBoard

app = new_app(__doc__)
Dataset = Annotated[
    str,
    typer.Option(
        help="A folder that 'python -m builders build' wrote, or a dataset on the Hub: ORG/NAME, "
        "or ORG/NAME@REV as with --revision."
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(
        metavar="REV",
        help="Revision of the Hub's dataset: a branch, tag or commit, 'revision' of its "
        "build.json, or the first 7 characters or more of these two [default: main].",
    ),
]
DatasetId = Annotated[
    str | None,
    typer.Option(
        metavar="ORG/NAME",
        help="Id on the Hub of the dataset that a folder is a copy of; submissions may name its "
        "commits and tags.",
    ),
]
Repo = Annotated[
    str, typer.Option(metavar="ORG/NAME", help="Dataset repository of submissions on the Hub.")
]
_BOARD = BoardOptions()
"""The defaults of the options of a board."""
_ALLOW_EMPTY = "or pass --allow-empty for a board without any"
_EXPORTED = "exported.txt"
"""The list of files that an export wrote, a path a line: the next export replaces only these."""


@app.command("validate")
def validate_command(
    submission: Annotated[Path, typer.Argument(help="The folder of one submission.")],
    dataset: Dataset,
    revision: Revision = None,
    dataset_id: DatasetId = None,
    hidden: Annotated[
        str | None,
        typer.Option(
            help="The public part of a hidden split, a folder, ORG/NAME or ORG/NAME@REV, to check "
            "hidden.jsonl."
        ),
    ] = None,
) -> None:
    """Check whether the leaderboard would take a submission, and print the reasons if not."""
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.scoring.resampling import Resampling
    from leaderboard.benchmark_samples import load_benchmark
    from leaderboard.build_results import apart_reasons, check_submissions, with_declared_names
    from leaderboard.cache import NO_CACHE
    from leaderboard.sentences import sentences_of, standing_of

    _check_dataset_id(dataset_id)
    benchmark = load_benchmark(at_revision(dataset, revision), dataset_id)
    path = Path(os.path.abspath(submission))
    (checked,) = check_submissions([path], benchmark, Resampling(0), NO_CACHE, 1)
    benchmark = with_declared_names(benchmark, [checked])
    why = [] if checked.folder is None else apart_reasons(checked.folder, benchmark)
    if checked.scores is None or checked.folder is None:
        raise InputError(f"{submission}: refused\n{_indented((*checked.reasons, *why))}")
    first, *rest = sentences_of(checked)
    print("\n".join([f"{submission}: {first}", *rest]))
    if hidden is not None:
        from leaderboard.verified import check_hidden_answers

        print(check_hidden_answers(checked.folder, hidden))
    print("\n".join(standing_of(checked, why)))


@app.command("build")
@spread_options
def build_command(
    submissions: Annotated[Path, typer.Option(help="A folder of submissions.")],
    dataset: Dataset,
    out: Annotated[Path, typer.Option(help="The site; one built earlier is replaced.")],
    revision: Revision = None,
    dataset_id: DatasetId = None,
    files_url: Annotated[
        str | None,
        typer.Option(help="Address of the submissions' files; without it the site has copies."),
    ] = None,
    board: BoardOptions = _BOARD,
) -> None:
    """Score all submissions, and write results and the site.

    Exit code 1 if no submission is scored and ranked; a site on which some are is then kept.
    """
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.submission_folder import find_folders
    from bagen_data.submissions import METADATA
    from leaderboard.benchmark_samples import load_benchmark
    from leaderboard.boards import Submissions, build_board

    if files_url is not None and not re.fullmatch(r"https://[^\s/\\?#@]+(/[^\s\\]*)?", files_url):
        raise WrongUsageError(
            "--files-url: expected an address with https:// and no user's name, as pages show it"
        )
    _check_dataset_id(dataset_id)
    within = Path(os.path.abspath(submissions))
    folders = find_folders(within)
    if not folders and not board.allow_empty:
        raise InputError(
            f"{submissions}: holds no submission; expected a folder of folders, each with "
            f"{METADATA} and predictions; {_ALLOW_EMPTY}"
        )
    if within in Path(os.path.abspath(out)).parents:
        raise WrongUsageError(
            f"--out {out}: lies in the folder of submissions, where the next build would take it "
            "for one; give a folder elsewhere"
        )
    benchmark = load_benchmark(at_revision(dataset, revision), dataset_id)
    handed_in = Submissions(submissions, folders, files_url=files_url)
    built = build_board(handed_in, benchmark, board, out)
    _print_built(built, out)
    _check_ranked(built, board, out)


@app.command("update")
@spread_options
def update_command(
    repo: Repo = SUBMISSIONS_ID,
    dataset: Dataset = HUB_ID,
    revision: Revision = None,
    dataset_id: DatasetId = None,
    out: Annotated[Path, typer.Option(help="The site; one built earlier is replaced.")] = Path(
        "site"
    ),
    to: Annotated[
        str, typer.Option(metavar="ORG/NAME", help="Space of the leaderboard, made if absent.")
    ] = LEADERBOARD_ID,
    publish: Annotated[
        bool, typer.Option("--publish/--no-publish", help="Publish the site to the Space.")
    ] = True,
    dry_run: DryRun = False,
    board: BoardOptions = _BOARD,
) -> None:
    """Build the board of the merged submissions, and publish it if anything changed.

    Exit code 1, and nothing is published, if no submission is scored and ranked.
    """
    import tempfile

    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.repositories.handing_in import SUBMISSIONS
    from bagen_data.repositories.hub_repository import (
        HubRepository,
        check_repository_id,
        find_token,
        named_refusals,
        quiet_client,
    )
    from bagen_data.repositories.publish_command import print_published, publish_with_progress
    from bagen_data.submissions import METADATA
    from leaderboard.benchmark_samples import load_benchmark
    from leaderboard.boards import Submissions, build_board
    from leaderboard.handed_in.merged import download_merged
    from leaderboard.handed_in.trees import SubmissionsRepository
    from leaderboard.site_space import site_publication

    check_repository_id("--repo", repo)
    check_repository_id("--to", to)
    _check_dataset_id(dataset_id)
    token = find_token()
    if publish and token is None and not dry_run:
        raise InputError(
            f"{to}: publishing needs a token; log in with 'hf auth login', set HF_TOKEN to a token "
            "that may write there, or pass --no-publish"
        )
    benchmark = load_benchmark(at_revision(dataset, revision), dataset_id)
    with tempfile.TemporaryDirectory(prefix="bagen-merged-") as copies:
        within = Path(copies)
        with named_refusals(repo), quiet_client():
            repository = SubmissionsRepository(HubRepository(repo, "dataset", token))
            merged = download_merged(repository, benchmark.configs, within)
        handed_in = Submissions(within, merged.folders, merged.refused, merged.files_url)
        if not (merged.folders or merged.refused or board.allow_empty):
            raise InputError(
                f"{repo}: holds no submission; expected a folder {SUBMISSIONS}/NAME for each, with "
                f"{METADATA} and predictions; {_ALLOW_EMPTY}"
            )
        built = build_board(handed_in, benchmark, board, out)
    print(f"{repo}: commit {merged.commit}")
    _print_built(built, out)
    _check_ranked(built, board, out)
    if publish:
        publication = replace(site_publication(out, to), dry_run=dry_run)
        print_published(publication, publish_with_progress(publication))


def _print_built(built: "BuiltBoard", out: Path) -> None:
    """Print what became of the submissions, and where the site is."""
    from leaderboard.verified import is_worn

    for name in built.withheld:
        STDERR.print(
            f"{name}: was changed or removed after it was scored; the site does not offer it",
            style="yellow",
        )
    if is_worn(built.results):
        STDERR.print(
            "more submissions were scored on the hidden split than a twentieth of its samples: "
            "their scores reveal its labels; build a new one (docs/hidden-split.md)"
        )
    _print_summary(built, out)


def _check_ranked(built: "BuiltBoard", board: BoardOptions, out: Path) -> None:
    """Raise where no submission is ranked and the options do not allow such a board."""
    results = built.results
    if results["submissions"] or board.allow_empty:
        return
    site = f"{out} shows them" if built.is_written else f"{out} keeps the board that it had"
    raise InputError(
        f"no submission is ranked: {len(results['refused']):,} refused and "
        f"{len(results['apart']):,} apart, for the reasons above; {site}; correct the submissions, "
        f"check each with 'python -m leaderboard validate' and build again, {_ALLOW_EMPTY}"
    )


def _check_dataset_id(dataset_id: str | None) -> None:
    """Refuse what is not the id of a dataset on the Hub."""
    from leaderboard.exports.hub_files import is_repository

    if dataset_id is not None and not is_repository(dataset_id):
        raise WrongUsageError(f"--dataset-id {dataset_id!r}: expected ORG/NAME, e.g. MLL-Lab/BAGEN")


def _indented(reasons: Sequence[str]) -> str:
    return "\n".join(f"  {reason}" for reason in reasons)


def _print_summary(built: "BuiltBoard", out: Path) -> None:
    results = built.results
    for submission in results["refused"]:
        message = f"{submission['folder']!a}: refused\n{_indented(submission['reasons'])}"
        STDERR.print(shown(message), style="yellow")
    for submission in results["apart"]:
        STDERR.print(shown(f"{submission['folder']}: apart: {'; '.join(submission['why'])}"))
    counts = {name: len(results[name]) for name in ("submissions", "apart", "refused")}
    print(
        f"{numbered(counts['submissions'], 'submission')} scored, {counts['apart']:,} apart, "
        f"{counts['refused']:,} refused"
    )
    if built.is_written:
        print(f"open {out / 'index.html'}")


@app.command("review")
def review_command(
    repo: Repo = SUBMISSIONS_ID,
    dataset: Dataset = HUB_ID,
    revision: Revision = None,
    dataset_id: DatasetId = None,
    pr: Annotated[
        list[int] | None,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of a pull request; may be given several times; all open ones if left out.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the verdicts, and comment nothing.")
    ] = False,
) -> None:
    """Judge pull requests with submissions, and write each verdict in a comment.

    A verdict is commented once and edited when it changes. The token needs only the right to
    comment: nothing is merged, closed or labelled. Exit code 1 if a pull request could not be
    reviewed; the verdicts do not change it.
    """
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.repositories.hub_repository import (
        HubRepository,
        check_repository_id,
        find_token,
    )
    from leaderboard.benchmark_samples import load_benchmark
    from leaderboard.cache import Cache, default_folder
    from leaderboard.handed_in.reviewing import Reviewer, unreviewed
    from leaderboard.handed_in.trees import SubmissionsRepository

    check_repository_id("--repo", repo)
    _check_dataset_id(dataset_id)
    token = find_token()
    if token is None and not dry_run:
        raise InputError(
            f"{repo}: commenting needs a token; log in with 'hf auth login', set HF_TOKEN to a "
            "token that may comment there, or pass --dry-run"
        )
    submissions = SubmissionsRepository(HubRepository(repo, "dataset", token))
    benchmark = load_benchmark(at_revision(dataset, revision), dataset_id)
    reviewer = Reviewer(submissions, benchmark, Cache(default_folder()), says=not dry_run)
    reviews = []
    for review in reviewer.review(None if pr is None else sorted(set(pr))):
        reviews.append(review)
        if review.verdict is not None:
            text = f"{review.verdict.outcome}; commit {review.verdict.commit}"
            print(f"pull request {review.number}: {text}", flush=True)
            STDERR.print(shown(_indented([visible(line) for line in review.verdict.lines])))
    problem = unreviewed(reviews)
    if problem is not None:
        raise problem
    print(f"{numbered(len(reviews), 'pull request')} reviewed")


@app.command("baselines")
def baselines_command(
    dataset: Dataset,
    out: Annotated[Path, typer.Option(help="A folder of submissions, which they are put into.")],
    revision: Revision = None,
    forecaster: Annotated[
        list[str] | None,
        typer.Option(help="Name of an estimator; may be given several times; all if left out."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes, one task each; all cores if left out.")
    ] = None,
) -> None:
    """Write a submission for each estimator that needs no model."""
    from bagen_data.repositories.dataset_names import at_revision
    from bagen_data.repositories.dataset_places import pinned
    from leaderboard.baseline_submissions import write_baselines
    from leaderboard.benchmark_samples import load_benchmark

    processes = workers or os.cpu_count() or 1
    names = list(dict.fromkeys(forecaster or ()))
    dataset = pinned(at_revision(dataset, revision))
    for folder in write_baselines(dataset, load_benchmark(dataset), out, names, processes):
        print(f"wrote {folder}")


@app.command("serve")
def serve_command(
    site: Annotated[Path, typer.Argument(help="Folder of a site that 'build' wrote.")],
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port to listen on; 0 takes a free one.")
    ] = 8000,
) -> None:
    """Show a site on this machine alone, until Ctrl-C."""
    from bagen_data.replaced_folder import bring_back
    from leaderboard.app import LOOPBACK, server
    from leaderboard.results import JSON

    bring_back(site)
    if not (site / JSON).is_file():
        raise InputError(
            f"{site}: is not a site; expected what 'python -m leaderboard build' wrote"
        )
    try:
        running = server(site, LOOPBACK, port)
    except OSError as error:
        raise OutputError(
            f"--port {port}: cannot be used: {error.strerror}; pass another port, or 0 for any "
            "free one"
        ) from error
    with running:
        print(f"http://{LOOPBACK}:{running.server_port}/ (Ctrl-C ends it)", flush=True)
        try:
            running.serve_forever()
        except KeyboardInterrupt:
            return


@app.command("export")
def export_command(
    site: Annotated[
        Path, typer.Argument(help="Folder of a site that 'build' wrote, or its results.json.")
    ],
    format: Annotated[  # noqa: A002  as users type it
        Literal["hub", "eee"],
        typer.Option(help="The Hub's own result files, or records of Every Eval Ever."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(help="The folder; SITE-hub or SITE-eee beside the site if left out."),
    ] = None,
    dataset_id: Annotated[
        str | None,
        typer.Option(help="Id of the dataset that a folder was built or taken from, for hub."),
    ] = None,
) -> None:
    """Write results in the form that other places take."""
    from leaderboard.exports.every_eval_ever import export_eee
    from leaderboard.exports.hub_files import REGISTRATION, export_hub, unregistered
    from leaderboard.manifest import replaced_ours
    from leaderboard.results import read_results

    results = read_results(site)
    folder = site.parent if site.is_file() else site
    target = out or folder.with_name(f"{folder.resolve().name}-{format}")
    if format == "eee" and dataset_id:
        raise WrongUsageError("--dataset-id: has no effect with --format eee; leave it out")
    _check_dataset_id(dataset_id)
    with replaced_ours(target, _EXPORTED) as staging:
        if format == "hub":
            written = export_hub(results, staging, dataset_id)
        else:
            written = export_eee(results, staging)
    print(f"wrote {numbered(len(written), 'file')} into {target}")
    if format == "hub" and (reason := unregistered(results["dataset"])):
        print(f"{REGISTRATION} is left out: {reason}")


@app.command("publish")
def publish_command(
    site: Annotated[Path, typer.Argument(help="Folder of a site that 'build' wrote.")],
    to: To,
    tag: Tag = None,
    private: Private = False,
    create_pr: CreatePr = False,
    dry_run: DryRun = False,
) -> None:
    """Publish a site as a static Space: exactly its files, by one commit."""
    from bagen_data.repositories.publish_command import print_published, publish_with_progress
    from bagen_data.repositories.publishing import check_target
    from leaderboard.site_space import site_publication

    check_target(to, tag, create_pr=create_pr)
    publication = replace(
        site_publication(site, to), tag=tag, private=private, create_pr=create_pr, dry_run=dry_run
    )
    print_published(publication, publish_with_progress(publication))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits with 0, 1 or 2."""
    run(app, arguments if arguments is not None else sys.argv[1:])
