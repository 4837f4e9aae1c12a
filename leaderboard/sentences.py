"""The sentences that say what the leaderboard would do with a checked submission."""

from collections.abc import Iterator, Sequence

from bagen_data.wording import numbered
from leaderboard import kinds
from leaderboard.build_results import CheckedSubmission


def sentences_of(checked: CheckedSubmission) -> Iterator[str]:
    """Yield sentences on the content of a submission that is not refused."""
    if checked.scores is None or checked.folder is None:
        return
    record = checked.scores.record
    predictions = numbered(sum(record["rows"]), "prediction")
    name = checked.folder.metadata.estimator
    yield f"{predictions} of {name}: answers to {', '.join(record['answered'])}"
    invalid = sum(sum(counts.values()) for counts in record["invalid"].values())
    if invalid:
        yield f"invalid answers, which count as wrong: {invalid:,}"
    if record["label_matches"]["noted"]:
        yield "its intervals lie on the public labels, and its page will say so"


def standing_of(checked: CheckedSubmission, why_apart: Sequence[str]) -> Iterator[str]:
    """Yield sentences on the place of a submission that is not refused on the board."""
    if checked.scores is None or checked.folder is None:
        return
    record = checked.scores.record
    standing = kinds.standing_of(checked.folder.metadata.model_dump())
    if why_apart:
        yield "it would be shown apart and not ranked:"
        yield from (f"  {reason}" for reason in why_apart)
    elif standing == "baseline":
        yield "it would be shown as a baseline and not ranked: no model made its predictions"
    elif standing == "learned":
        yield "it would be shown and not ranked: it learned from the benchmark"
    elif record["complete"]:
        yield "it would be ranked"
    else:
        yield f"it would be ranked on {', '.join(record['answered'])}, and not overall"
