"""Review pull requests to the repository of submissions, and comment a verdict on each.

A pull request is the work of a stranger. Its listing is judged first; then its files are downloaded
to a temporary folder, and judged as any submission is, in processes with limits. Nothing in it is
run. The verdict is on one commit, even if the pull request changes meanwhile.
"""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from bagen_data.errors import BagenError, InputError
from bagen_data.redaction import redact
from bagen_data.repositories.hub_repository import named_refusals, quiet_client
from bagen_data.repositories.hub_requests import ask
from bagen_data.scoring.resampling import Resampling
from leaderboard.benchmark_samples import Benchmark
from leaderboard.build_results import (
    CheckedSubmission,
    apart_reasons,
    check_submissions,
    names_of_paper,
    shown_name,
    with_declared_names,
)
from leaderboard.cache import NO_CACHE, Cache
from leaderboard.handed_in.comments import comment_of, say
from leaderboard.handed_in.downloads import Downloads, OtherContentError
from leaderboard.handed_in.names import name_problem, names_of_main
from leaderboard.handed_in.proposals import (
    ATTRIBUTES,
    Proposal,
    RefusedProposalError,
    read_proposal,
)
from leaderboard.handed_in.trees import SubmissionsRepository, Tree
from leaderboard.sentences import sentences_of, standing_of


@dataclass(frozen=True)
class CommitVerdict:
    """The verdict on one commit of a pull request."""

    commit: str
    outcome: str
    """The outcome, in our words alone."""
    lines: tuple[str, ...]
    """The details, which may quote the pull request."""


@dataclass(frozen=True)
class Review:
    """A pull request that was reviewed, or could not be."""

    number: int
    verdict: CommitVerdict | None
    """The verdict; None if the pull request could not be judged."""
    problem: str | None = None
    """The reason why the pull request could not be judged, or the verdict not be commented."""


@dataclass(frozen=True)
class Reviewer:
    """Everything that pull requests are judged by."""

    repository: SubmissionsRepository
    benchmark: Benchmark
    cache: Cache = NO_CACHE
    """Names of metadata that were read before."""
    says: bool = True
    """True if verdicts are written in comments."""

    def review(self, numbers: Sequence[int] | None = None) -> Iterator[Review]:
        """Review pull requests, and yield each as it is done; none stops the others.

        Args:
            numbers: the numbers of pull requests; all open ones if None.

        Raises:
            InputError, StoreError: the repository cannot be read at all.
        """
        with named_refusals(self.repository.hub.id), quiet_client():
            chosen = self.open_numbers() if numbers is None else list(numbers)
            if self.says:
                self.repository.user  # noqa: B018  a refused token is reported once
            for number in chosen:
                yield self._reviewed(number)

    def open_numbers(self) -> list[int]:
        """Return the numbers of the open pull requests, the earliest first."""
        hub = self.repository.hub
        listed = ask(
            lambda: list(
                hub.api.get_repo_discussions(
                    hub.id,
                    repo_type=hub.kind,
                    discussion_type="pull_request",
                    discussion_status="open",
                )
            ),
            hub.id,
        )
        return sorted(each.num for each in listed if each.is_pull_request)

    def _reviewed(self, number: int) -> Review:
        verdict = None
        try:
            with named_refusals(f"{self.repository.hub.id} pull request {number}"):
                verdict = self._judged(number)
                if self.says:
                    revision = self.benchmark.revision
                    text = comment_of(verdict.outcome, verdict.commit, revision, verdict.lines)
                    say(self.repository, number, text)
        except BagenError as error:
            return Review(number, verdict, redact(str(error)))
        except Exception as error:  # what a library raises of something strange must not stop all
            return Review(number, verdict, redact(f"{type(error).__name__}: {error}"))
        return Review(number, verdict)

    def _judged(self, number: int) -> CommitVerdict:
        """Return the verdict on the commit that a pull request has now."""
        hub = self.repository.hub
        commit = hub.commit_of(f"refs/pr/{number}")
        base_commit = self.repository.merge_base(commit)
        if base_commit is None:
            return _refused(commit, ["it comes after no commit of the branch main"])
        base = self.repository.tree_of_main(base_commit)
        head = self.repository.tree_near(commit, base)
        with tempfile.TemporaryDirectory(prefix="bagen-review-") as own:
            cache = Path(own, "cache")
            downloads = Downloads(hub, commit, cache)
            attributes = partial(
                _attributes, Downloads(hub, base_commit, cache), base, downloads, head
            )
            try:
                proposal = read_proposal(base, head, self.benchmark.configs, attributes)
                folder = downloads.submission(proposal.name, proposal.files, Path(own, "files"))
            except (RefusedProposalError, OtherContentError) as error:
                return _refused(commit, str(error).splitlines())
            return self._verdict(commit, proposal, folder)

    def _verdict(self, commit: str, proposal: Proposal, folder: Path) -> CommitVerdict:
        (checked,) = check_submissions([folder], self.benchmark, Resampling(0), NO_CACHE, 1)
        benchmark = with_declared_names(self.benchmark, [checked])
        why = [] if checked.folder is None else apart_reasons(checked.folder, benchmark)
        reasons = [*checked.reasons, *(why if checked.scores is None else ())]
        reasons += self._name_problems(checked)
        if reasons:
            return _refused(commit, [f"submissions/{proposal.name}:", *reasons])
        lines = [f"submissions/{proposal.name}:", *sentences_of(checked)]
        if proposal.replaces:
            lines.append(
                "it changes a submission that is in the branch main: merge it only if it comes "
                "from the same people"
            )
        outcome = "The leaderboard would take it, apart" if why else "The leaderboard would take it"
        if proposal.replaces:
            outcome += "; it changes a submission that is there"
        return CommitVerdict(commit, outcome, (*lines, *standing_of(checked, why)))

    def _name_problems(self, checked: CheckedSubmission) -> list[str]:
        if checked.folder is None:
            return []
        main = self.repository.main()
        tree = self.repository.tree_of_main(main)
        others = names_of_main(tree, Downloads(self.repository.hub, main), self.cache)
        own = shown_name(checked.folder.name, checked.folder.metadata)
        problem = name_problem(own, others, names_of_paper(self.benchmark))
        return [] if problem is None else [problem]


def _refused(commit: str, reasons: Sequence[str]) -> CommitVerdict:
    return CommitVerdict(commit, "The leaderboard would refuse it", tuple(reasons))


def _attributes(
    base_downloads: Downloads, base: Tree, downloads: Downloads, head: Tree
) -> tuple[str, str]:
    """Return the texts of `.gitattributes` at the merge base and at the pull request's commit."""
    files = (
        base_downloads.file(ATTRIBUTES, base.files[ATTRIBUTES]),
        downloads.file(ATTRIBUTES, head.files[ATTRIBUTES]),
    )
    before, after = (file.read_text("utf-8", errors="replace") for file in files)
    return before, after


def unreviewed(reviews: Sequence[Review]) -> InputError | None:
    """Return the error that names the pull requests that could not be reviewed; None if none."""
    failed = [review for review in reviews if review.problem is not None]
    if not failed:
        return None
    lines = [f"pull request {review.number}: {review.problem}" for review in failed]
    return InputError("\n".join(["not all pull requests could be reviewed:", *lines]))
