"""A sample, and the answers along its rollout, as a person reads them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.table import Table

from bagen_data.answers import parse
from bagen_data.console import shown
from bagen_data.dataset_configs import start_config, training_config
from bagen_data.hub import load_rollouts, load_samples, splits
from bagen_data.number_texts import plain, readable
from bagen_data.schema import Estimate, Interval, Question
from bagen_data.scoring.match_predictions import PredictionReader
from bagen_data.splits import PARTS
from bagen_data.verdict_words import verdict_words

Row = Mapping[str, Any]
"""A row of the dataset."""
_ID = re.compile(r"[^/]+/[^/]+/.+/[0-9]+")
"""The form of a sample's id."""
_ALSO = ("prompt", "prompt_variant", "conditions", "instance_id")
_WIDTH = 40
"""Characters of a drawing."""
_WHOLE_FROM = 100
"""Amount from which on tables show no decimals of an answer."""
_LEGEND = "drawn: = answer, o what the run went on to use, | budget left"


@dataclass(frozen=True)
class RolloutView:
    """A sample, and all samples of its rollout, short prefix first."""

    sample: Row
    """The sample, with its prompt."""
    rollout: Sequence[Row]
    """The samples of the same rollout, without prompts."""
    config: str
    split: str


def find_sample(path: str, sample_id: str) -> RolloutView | None:
    """Look a sample up by its id; None if the dataset has no such sample.

    Args:
        path: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        sample_id: `task/rollout_model/rollout_id/k`.

    Raises:
        InputError: the dataset cannot be loaded.
    """
    if not _ID.fullmatch(sample_id):
        return None
    task = sample_id.partition("/")[0]
    places = [
        (task, "test"),
        (start_config(task), "test"),
        *((training_config(task), name) for name in PARTS),
    ]
    for config, split in places:
        if split not in splits(path, config):
            continue
        table = load_samples(path, config, split, also=_ALSO).table
        place = pc.index(table["sample_id"], sample_id).as_py()
        if place >= 0:
            (sample,) = table.slice(place, 1).to_pylist()
            return RolloutView(sample, _rollout(table, sample_id), config, split)
    return None


def find_rollout(path: str, view: RolloutView) -> Row:
    """Return the whole rollout of a sample: a row of the config `rollouts`.

    Args:
        path: the dataset that the sample is of.
        view: what `find_sample` returned.
    """
    table = load_rollouts(path, "test" if view.split == "test" else "train")
    task, model, rollout_id = view.sample["sample_id"].rsplit("/", 1)[0].split("/", 2)
    is_it = pc.and_(
        pc.and_(pc.equal(table["task"], task), pc.equal(table["rollout_model"], model)),
        pc.equal(table["rollout_id"], rollout_id),
    )
    (row,) = table.filter(is_it).to_pylist()
    return dict(row)


def _rollout(table: pa.Table, sample_id: str) -> list[Row]:
    """Return the samples of the same rollout, by turn."""
    rows = table.drop_columns(["prompt"])
    stems = pc.replace_substring_regex(rows["sample_id"], "/[0-9]+$", "")
    own = rows.filter(pc.equal(stems, sample_id.rpartition("/")[0])).to_pylist()
    return sorted(own, key=lambda row: int(row["completed_turns"]))


def responses_of(reader: PredictionReader, rows: Sequence[Row]) -> dict[str, str]:
    """Return the responses to these samples, by id; samples without one are left out."""
    wanted = pa.array([row["sample_id"] for row in rows])
    responses: dict[str, str] = {}
    for batch in reader():
        own = batch.filter(pc.is_in(batch["sample_id"].cast(wanted.type), wanted))
        responses |= dict(
            zip(own["sample_id"].to_pylist(), own["response"].to_pylist(), strict=True)
        )
    return responses


def answers_tables(
    name: str, rows: Sequence[Row], responses: Mapping[str, str], question: Question = "interval"
) -> list[Table]:
    """Return a table for each resource: a row a turn, with the amounts, the answer and its worth.

    Args:
        name: the estimator's name.
        rows: the samples of a rollout.
        responses: responses by sample id; the others are said to have no answer.
        question: the question that the responses answer.
    """
    names = [part["resource"] for part in rows[0]["resources"]]
    estimates = [_estimate(responses.get(row["sample_id"]), names, question) for row in rows]
    return [
        _answers_table(name if len(names) == 1 else f"{name}: {resource}", rows, estimates, place)
        for place, resource in enumerate(names)
    ]


def _estimate(response: str | None, names: Sequence[str], question: Question) -> Estimate | None:
    return None if response is None else parse(response, names, question)


def _answers_table(
    title: str, rows: Sequence[Row], estimates: Sequence[Estimate | None], place: int
) -> Table:
    """Return the table of the resource that has this place among the resources of a sample."""
    table = Table(title=shown(title), caption=_LEGEND)
    for heading in ("turn", "used", "budget\nleft", "went on\nto use", "answer"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    table.add_column("0 to the largest amount", no_wrap=True)
    parts = [row["resources"][place] for row in rows]
    most = max(1.0, *(max(part["remaining"], _left(part)) for part in parts))
    for row, part, estimate in zip(rows, parts, estimates, strict=True):
        amounts = map(readable, (part["used"], _left(part), part["remaining"]))
        interval = estimate.intervals.get(part["resource"]) if estimate else None
        cells = (
            str(row["completed_turns"]),
            *amounts,
            _answer_text(estimate, interval),
            verdict_words(row, estimate, part),
            _drawing(interval, part, most),
        )
        table.add_row(*map(shown, cells))
    return table


def _left(part: Row) -> float:
    return float(part["budget"] - part["used"])


def _answer_text(estimate: Estimate | None, interval: Interval | None) -> str:
    if estimate is None:
        return "-"
    if estimate.verdict == "invalid":
        return f"invalid ({estimate.reason})"
    text = _interval_text(interval) if interval else "impossible"
    return f"finish {estimate.forecast.finish:.2f}: {text}" if estimate.forecast else text


def _interval_text(interval: Interval) -> str:
    low, high = _rounded(interval.low), _rounded(interval.high)
    return low if interval.low == interval.high else f"[{low}, {high}]"


def _rounded(amount: float) -> str:
    """Return an amount with three digits or more: whole from 100 on."""
    digits = 0 if abs(amount) >= _WHOLE_FROM else 3
    return plain(round(amount, digits))


def _drawing(interval: Interval | None, part: Row, most: float) -> str:
    """Draw an answer, the truth and what is left of the budget on a line from 0 to `most`."""

    def place(amount: float) -> int:
        return round(min(max(amount / most, 0.0), 1.0) * (_WIDTH - 1))

    marks = [" "] * _WIDTH
    if interval:
        for position in range(place(interval.low), place(interval.high) + 1):
            marks[position] = "="
    if _left(part) >= 0:
        marks[place(_left(part))] = "|"
    marks[place(part["remaining"])] = "o"
    return "".join(marks).rstrip()
