"""Results of a folder of submissions: scored, ranked, kept apart, or refused."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bagen_data.errors import BagenError, InputError
from bagen_data.scoring.ranking import LEVEL as RANK_LEVEL
from bagen_data.scoring.ranking import RANKED
from bagen_data.scoring.resampling import LEVEL, Resampling
from bagen_data.scoring.score import ALPHA
from bagen_data.submission_folder import SubmissionFolder, check_name, read_submission_folder
from bagen_data.submissions import Metadata
from bagen_data.versions import BENCHMARK_VERSION, __version__
from leaderboard import paper
from leaderboard.benchmark_samples import Benchmark, with_other_names
from leaderboard.cache import Cache
from leaderboard.look_alikes import ShownName, look_alikes
from leaderboard.ranks import add_ranks
from leaderboard.reasons import reasons_of, visible
from leaderboard.results import FORMAT
from leaderboard.scoring_processes import MEMORY, SECONDS, ScoringProcesses
from leaderboard.stored_arrays import ArrayFile
from leaderboard.submission_scores import SubmissionScores, score_submission
from leaderboard.verified import add_verified, hidden_summary, score_hidden

_EARLIER_KEYS = ("folder", "metadata", "benchmark_version", "dataset_revision")
_LEVELS = ("overall", "tasks", "families")


@dataclass(frozen=True)
class CheckedSubmission:
    """A submission, scored or refused."""

    name: str
    """The name of the submission's folder, which may be a bad one."""
    folder: SubmissionFolder | None
    """The submission's folder; None if it is refused before its predictions are read."""
    scores: SubmissionScores | None
    """The submission's scores; None if it is refused, or apart and its predictions do not fit this
    dataset."""
    reasons: tuple[str, ...]
    """The reasons why the submission is not scored; empty if it is."""
    verified: SubmissionScores | None = None
    """Scores on the hidden split; None without a split, or without answers to it."""


def with_declared_names(
    benchmark: Benchmark,
    checked: Sequence[CheckedSubmission],
    earlier: Iterable[Mapping[str, Any]] = (),
) -> Benchmark:
    """Return a benchmark that knows the commits and tags which submissions name it by.

    Args:
        benchmark: the samples.
        checked: submissions that answered them.
        earlier: results of other builds; those of older code name commits.

    Raises:
        InputError, StoreError: as `with_other_names`.
    """
    folders = [each.folder for each in checked if each.folder is not None]
    names = [folder.metadata.dataset_revision for folder in folders]
    for results in earlier:
        dataset = results["dataset"]
        revision = dataset.get("revision") if isinstance(dataset, dict) else None
        names += [revision] if isinstance(revision, str) else []
    return with_other_names(benchmark, names)


def check_submissions(
    folders: Sequence[Path],
    benchmark: Benchmark,
    resampling: Resampling,
    cache: Cache,
    workers: int,
) -> Iterator[CheckedSubmission]:
    """Check and score submissions in worker processes, and yield each as it is done.

    Args:
        folders: a path for each submission.
        benchmark: the samples that the submissions answer.
        resampling: how intervals are computed.
        cache: the scores of earlier builds.
        workers: the number of processes.
    """
    set_up = (benchmark.bare(), resampling, cache)
    arrays = ArrayFile()
    with ScoringProcesses(workers, _set_up_worker, set_up) as processes:
        for number, checked in processes.run_each(_check_in_worker, folders):
            died = (
                f"could not be scored: it needs more than {MEMORY:,} bytes of memory or {SECONDS} "
                "seconds, or its process died of it"
            )
            if checked is None:
                yield CheckedSubmission(folders[number].name, None, None, (died,))
            elif checked.scores is None:
                yield checked
            else:  # of thousands, the resampled values would fill the memory
                scores, verified = (
                    _kept(each, arrays) for each in (checked.scores, checked.verified)
                )
                yield replace(checked, scores=scores, verified=verified)


def _kept(scores: SubmissionScores | None, arrays: ArrayFile) -> SubmissionScores | None:
    """Return the same scores with their resampled values in a file."""
    if scores is None:
        return None
    return replace(scores, resampled=arrays.keep(scores.resampled))


_check_folder: partial[CheckedSubmission]
"""A worker's `_check`, given what is the same for all submissions."""


def _set_up_worker(benchmark: Benchmark, resampling: Resampling, cache: Cache) -> None:
    global _check_folder  # noqa: PLW0603  a worker's only state, set once
    _check_folder = partial(_check, benchmark=benchmark, resampling=resampling, cache=cache)


def _check_in_worker(path: Path) -> CheckedSubmission:
    return _check_folder(path)


def _check(
    path: Path, benchmark: Benchmark, resampling: Resampling, cache: Cache
) -> CheckedSubmission:
    folder = None
    try:
        folder = read_submission_folder(path, benchmark.configs)
        scores = score_submission(folder, benchmark, resampling, cache)
        hidden = benchmark.hidden
        verified = None if hidden is None else score_hidden(folder, hidden, resampling, cache)
        return CheckedSubmission(path.name, folder, scores, (), verified)
    except BagenError as error:
        reasons = tuple(reasons_of(str(error), path))
    except MemoryError:  # perhaps of what others have left in this process: it is done again alone
        raise
    except Exception as error:  # what a library raises of something strange, one must not stop all
        reasons = tuple(reasons_of(f"cannot be read: {type(error).__name__}: {error}", path))
    return CheckedSubmission(path.name, folder, None, reasons)


def results_of(
    checked: Sequence[CheckedSubmission],
    benchmark: Benchmark,
    resampling: Resampling,
    earlier: Mapping[Path, Mapping[str, Any]] = MappingProxyType({}),
    ceiling: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Return the results of all submissions, as `results.json` has them.

    Args:
        checked: the submissions, in any order.
        benchmark: the samples that they answered.
        resampling: how intervals were computed.
        earlier: by file, results of other builds, on other revisions or of other versions.
        ceiling: the noise ceiling, as `read_ceiling` gives it; None if it is not known.

    Raises:
        InputError: earlier results are of this very version and revision, or not what a build
            wrote; the message names the file.
    """
    ranked, apart, refused, resampled, verified = [], [], [], [], []
    by_name = sorted(checked, key=lambda each: each.name)
    for submission in _without_look_alikes(by_name, benchmark):
        folder, scores = submission.folder, submission.scores
        why = [] if folder is None else apart_reasons(folder, benchmark)
        reasons = list(submission.reasons)
        if folder is None or (scores is None and not why):
            refused.append({"folder": visible(submission.name), "reasons": reasons})
            continue
        record = _record(folder, scores, benchmark)
        if why:
            apart.append(record | {"why": why, "reasons": reasons, "earlier": False})
        elif scores is not None:
            ranked.append(record)
            resampled.append(scores.resampled)
            verified.append(submission.verified)
    kinds = add_ranks(ranked, resampled, benchmark, resampling)
    add_verified(ranked, verified, benchmark.hidden, resampling)
    for path, results in earlier.items():
        apart += _earlier(path, results, benchmark)
    return {
        "format": FORMAT,
        "benchmark_version": BENCHMARK_VERSION,
        "scorer": {"name": "bagen-data", "version": __version__},
        "dataset": benchmark.summary(),
        "hidden": hidden_summary(benchmark.hidden),
        "ceiling": ceiling,
        "resampling": {**asdict(resampling), "level": LEVEL, "alpha": ALPHA},
        "ranking": {"scores": list(RANKED), "level": RANK_LEVEL, "kinds": kinds},
        "submissions": ranked,
        "apart": apart,
        "refused": refused,
    }


def _without_look_alikes(
    submissions: Sequence[CheckedSubmission], benchmark: Benchmark
) -> Iterator[CheckedSubmission]:
    """Refuse what would be shown under a name that looks like another's, or differs in case only.

    A submission that is refused already has neither page nor files, and its name is free.
    """
    shown = [
        shown_name(folder.name, folder.metadata)
        for submission in submissions
        if (folder := submission.folder) is not None
        and (submission.scores is not None or apart_reasons(folder, benchmark))
    ]
    reasons = look_alikes(shown, names_of_paper(benchmark))
    for submission in submissions:
        if submission.folder is not None and submission.name in reasons:
            yield CheckedSubmission(submission.name, None, None, (reasons[submission.name],))
        else:
            yield submission


def shown_name(name: str, metadata: Metadata) -> ShownName:
    """Return the names that the row of a submission shows."""
    return ShownName(name, metadata.estimator, str(metadata.date))


def names_of_paper(benchmark: Benchmark) -> list[str]:
    """Return the names of the paper's rows, which no submission can displace."""
    return sorted({row.model for task in benchmark.tasks for row in paper.table1(task, [])})


def apart_reasons(folder: SubmissionFolder, benchmark: Benchmark) -> list[str]:
    """Return why a submission is shown apart and not ranked; an empty list if it is ranked."""
    why = []
    version, revision = folder.metadata.benchmark_version, folder.metadata.dataset_revision
    if version not in (None, BENCHMARK_VERSION):
        why.append(f"made for BAGEN {version}; this is {BENCHMARK_VERSION}")
    if not benchmark.is_named(revision):
        why.append(f"made of dataset revision {revision}; this is {benchmark.revision}")
    return why


def _record(
    folder: SubmissionFolder, scores: SubmissionScores | None, benchmark: Benchmark
) -> dict[str, Any]:
    scored = {} if scores is None else dict(scores.record)
    rows = scored.pop("rows", [None] * len(folder.files))
    files = [
        {"name": file.path.name, "bytes": file.bytes, "sha256": file.sha256, "predictions": number}
        for file, number in zip(folder.files, rows, strict=True)
    ]
    metadata = folder.metadata
    is_exact = benchmark.is_named(metadata.dataset_revision)
    return {
        "folder": folder.name,
        "metadata": metadata.model_dump(mode="json"),
        "benchmark_version": metadata.benchmark_version or BENCHMARK_VERSION,
        "dataset_revision": benchmark.revision if is_exact else metadata.dataset_revision,
        "files": files,
        "scores": None,
        **scored,
    }


def _earlier(path: Path, results: Mapping[str, Any], benchmark: Benchmark) -> list[dict[str, Any]]:
    try:
        version, revision = results["benchmark_version"], results["dataset"]["revision"]
        scorer_version = results["scorer"]["version"]
        why = [f"scored by BAGEN {version} on dataset revision {revision}"]
        records = [
            {
                **{name: submission[name] for name in _EARLIER_KEYS},
                "scorer_version": scorer_version,
                "files": [{"sha256": file["sha256"]} for file in submission["files"]],
                "scores": {level: submission["scores"][level] for level in _LEVELS},
                "why": why,
                "reasons": [],
                "earlier": True,
            }
            for submission in results["submissions"]
        ]
        for record in records:
            check_name(record["folder"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}: earlier results are not what a build wrote: {error!r}; build them anew"
        ) from error
    if version == BENCHMARK_VERSION and benchmark.is_named(str(revision)):
        raise InputError(
            f"{path}: earlier results are of BAGEN {version} and revision {revision}, as these "
            "are; leave them out"
        )
    return records
