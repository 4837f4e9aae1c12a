"""From a folder of submissions to results: scored, ranked, kept apart, or refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bagen_data.errors import BagenError, InputError
from bagen_data.scoring.ranking import LEVEL as RANK_LEVEL
from bagen_data.scoring.ranking import RANKED
from bagen_data.scoring.resampling import LEVEL, Resampling
from bagen_data.scoring.score import ALPHA
from bagen_data.submissions import is_revision
from bagen_data.versions import BENCHMARK_VERSION, __version__
from leaderboard.benchmark_samples import Benchmark
from leaderboard.cache import Cache
from leaderboard.ranks import add_ranks
from leaderboard.results import FORMAT
from leaderboard.scoring_processes import MEMORY, SECONDS, run_each
from leaderboard.submission_folder import Entry, check_name, read_entry
from leaderboard.submission_scores import Scored, score_entry

_OF_EARLIER = ("folder", "metadata", "benchmark_version", "dataset_revision")
_LEVELS = ("overall", "tasks", "families")
_LONGEST = 2_000
"""Letters of a reason."""


@dataclass(frozen=True)
class Verdict:
    """What became of one submission."""

    folder: str
    """Its name, whatever it is."""
    entry: Entry | None
    """None if it is refused before its predictions are read."""
    scored: Scored | None
    """None if it is refused, or apart and its predictions do not fit this dataset."""
    reasons: tuple[str, ...]
    """Why it is not scored; none if it is."""


def judge(
    folders: Sequence[Path],
    benchmark: Benchmark,
    resampling: Resampling,
    cache: Cache,
    workers: int,
) -> Iterator[Verdict]:
    """Check and score submissions, each in a process of its own accord; as they are done.

    Args:
        folders: of the submissions.
        benchmark: what they answer.
        resampling: how intervals are found.
        cache: where what was scored before is.
        workers: processes.
    """
    set_up = (benchmark.samples, benchmark.id, benchmark.revision, resampling, cache)
    for number, found in run_each(_judge_one, folders, workers, _set_up_worker, set_up):
        died = (
            f"could not be scored: its process died, perhaps of more than {MEMORY:,} bytes of "
            f"memory or {SECONDS} seconds"
        )
        yield found or Verdict(folders[number].name, None, None, (died,))


_judged: partial[Verdict]
"""In a worker: `_judge` of what is the same for all submissions."""


def _set_up_worker(
    samples: Any, dataset: str | None, revision: str, resampling: Resampling, cache: Cache
) -> None:
    global _judged  # noqa: PLW0603  a worker's only state, set once
    benchmark = Benchmark(samples, dataset, revision)
    _judged = partial(_judge, benchmark=benchmark, resampling=resampling, cache=cache)


def _judge_one(folder: Path) -> Verdict:
    return _judged(folder)


def _judge(folder: Path, benchmark: Benchmark, resampling: Resampling, cache: Cache) -> Verdict:
    entry = None
    try:
        entry = read_entry(folder, benchmark.tasks)
        scored = score_entry(entry, benchmark, resampling, cache)
        return Verdict(folder.name, entry, scored, ())
    except BagenError as error:
        reasons = tuple(_reasons(str(error), folder))
    except MemoryError:
        reasons = (f"needs more than {MEMORY:,} bytes of memory",)
    except Exception as error:  # what a library raises of something strange, one must not stop all
        reasons = tuple(_reasons(f"cannot be read: {type(error).__name__}: {error}", folder))
    return Verdict(folder.name, entry, None, reasons)


def _reasons(text: str, folder: Path) -> Iterator[str]:
    """The lines of an error, with paths as the submitter knows them."""
    text = text.replace(f"{folder}/", "").replace(str(folder), folder.name)
    text = text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
    yield from map(_visible, text.splitlines())


def _visible(text: str) -> str:
    r"""With escapes for what turns text around, moves a terminal's cursor or is no Unicode.

    >>> print(_visible("Ünï \u202e"))
    Ünï \u202e
    """
    return "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def results_of(
    verdicts: Sequence[Verdict],
    benchmark: Benchmark,
    resampling: Resampling,
    earlier: Mapping[Path, Mapping[str, Any]] = MappingProxyType({}),
) -> dict[str, Any]:
    """The results of all submissions, as `results.json` has them.

    Args:
        verdicts: of the submissions, in any order.
        benchmark: what they answered.
        resampling: how intervals were found.
        earlier: by file, results of other builds, on other revisions or of other versions.

    Raises:
        InputError: earlier results are of this very version and revision, or not what a build
            wrote; the message names the file.
    """
    ordered = _without_doubles(sorted(verdicts, key=lambda verdict: verdict.folder))
    entries, apart, refused, resampled = [], [], [], []
    for verdict in ordered:
        why = [] if verdict.entry is None else apart_reasons(verdict.entry, benchmark)
        if verdict.entry is None or (verdict.scored is None and not why):
            refused.append({"folder": _visible(verdict.folder), "reasons": list(verdict.reasons)})
            continue
        record = _record(verdict.entry, verdict.scored, benchmark)
        if why:
            reasons = list(verdict.reasons)
            apart.append(record | {"why": why, "reasons": reasons, "earlier": False})
        elif verdict.scored is not None:
            entries.append(record)
            resampled.append(verdict.scored.resampled)
    add_ranks(entries, resampled, benchmark, resampling)
    for path, results in earlier.items():
        apart += _earlier(path, results, benchmark)
    return {
        "format": FORMAT,
        "benchmark_version": BENCHMARK_VERSION,
        "scorer": {"name": "bagen-data", "version": __version__},
        "dataset": benchmark.summary(),
        "resampling": {**asdict(resampling), "level": LEVEL, "alpha": ALPHA},
        "ranking": {"scores": list(RANKED), "level": RANK_LEVEL},
        "submissions": entries,
        "apart": apart,
        "refused": refused,
    }


def _without_doubles(verdicts: Sequence[Verdict]) -> Iterator[Verdict]:
    """Refuse a folder whose name differs from an earlier one's in case only: one page, one file."""
    first: dict[str, str] = {}
    for verdict in verdicts:
        if verdict.scored is None:  # it has neither page nor files
            yield verdict
            continue
        known = first.setdefault(verdict.folder.casefold(), verdict.folder)
        if known == verdict.folder:
            yield verdict
            continue
        reason = f"the folder {known} has the same name but for case; give it another one"
        yield Verdict(verdict.folder, None, None, (reason,))


def apart_reasons(entry: Entry, benchmark: Benchmark) -> list[str]:
    """Why a submission is shown apart and not ranked; none if it is ranked."""
    why = []
    version, revision = entry.metadata.benchmark_version, entry.metadata.dataset_revision
    if version not in (None, BENCHMARK_VERSION):
        why.append(f"made for BAGEN {version}; this is {BENCHMARK_VERSION}")
    if not is_revision(revision, benchmark.revision):
        why.append(f"made of dataset revision {revision}; this is {benchmark.revision}")
    return why


def _record(entry: Entry, scored: Scored | None, benchmark: Benchmark) -> dict[str, Any]:
    found = {} if scored is None else dict(scored.record)
    rows = found.pop("rows", [None] * len(entry.files))
    files = [
        {"name": file.path.name, "bytes": file.bytes, "sha256": file.sha256, "predictions": number}
        for file, number in zip(entry.files, rows, strict=True)
    ]
    metadata = entry.metadata
    is_exact = is_revision(metadata.dataset_revision, benchmark.revision)
    return {
        "folder": entry.folder,
        "metadata": metadata.model_dump(mode="json"),
        "benchmark_version": metadata.benchmark_version or BENCHMARK_VERSION,
        "dataset_revision": benchmark.revision if is_exact else metadata.dataset_revision,
        "files": files,
        "scores": None,
        **found,
    }


def _earlier(path: Path, results: Mapping[str, Any], benchmark: Benchmark) -> list[dict[str, Any]]:
    try:
        version, revision = results["benchmark_version"], results["dataset"]["revision"]
        scorer_version = results["scorer"]["version"]
        why = [f"scored by BAGEN {version} on dataset revision {revision}"]
        records = [
            {
                **{name: entry[name] for name in _OF_EARLIER},
                "scorer_version": scorer_version,
                "files": [{"sha256": file["sha256"]} for file in entry["files"]],
                "scores": {level: entry["scores"][level] for level in _LEVELS},
                "why": why,
                "reasons": [],
                "earlier": True,
            }
            for entry in results["submissions"]
        ]
        for record in records:
            check_name(record["folder"])
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
    except (KeyError, TypeError) as error:
        raise InputError(
            f"{path}: earlier results are not what a build wrote: {error!r}; build them anew"
        ) from error
    if (version, revision) == (BENCHMARK_VERSION, benchmark.revision):
        raise InputError(
            f"{path}: earlier results are of BAGEN {version} and revision {revision}, as these "
            "are; leave them out"
        )
    return records
