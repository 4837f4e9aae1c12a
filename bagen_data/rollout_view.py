"""One sample, and the answers along its rollout, as a person reads them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from rich.table import Table

from bagen_data.answers import parse
from bagen_data.console import shown
from bagen_data.dataset_configs import start_config, training_config
from bagen_data.errors import InputError
from bagen_data.hub import load_rollouts, load_samples, splits
from bagen_data.number_texts import plain, readable
from bagen_data.schema import Estimate, Interval, Question
from bagen_data.scoring.match_predictions import PredictionReader
from bagen_data.splits import PARTS

Row = Mapping[str, Any]
"""A row of the dataset."""
_ALSO = ("prompt", "prompt_variant", "conditions", "instance_id")
_WIDTH = 40
"""Characters of a picture."""


@dataclass(frozen=True)
class RolloutView:
    """A sample, and all samples of its rollout, short prefix first."""

    sample: Row
    """With its prompt."""
    rollout: Sequence[Row]
    """Without."""
    config: str
    split: str


def find_sample(path: str, sample_id: str) -> RolloutView:
    """Look a sample up by its id.

    Args:
        path: a folder that `python -m builders build` wrote, or ORG/NAME or ORG/NAME@REV.
        sample_id: `task/rollout_model/rollout_id/k`.

    Raises:
        InputError: there is no such sample, or no such dataset.
    """
    task = sample_id.partition("/")[0]
    places = [
        (task, "test"),
        (start_config(task), "test"),
        *((training_config(task), name) for name in PARTS),
    ]
    known = [place for place in places if place[1] in splits(path, place[0])]
    if not known:
        raise InputError(
            f"{path}: has no task {task!r}, with which {sample_id!r} begins; expected "
            "task/model/rollout/k, a sample_id of the dataset"
        )
    turns: list[int] = []
    example = ""
    for config, split in known:
        table = load_samples(path, config, split, also=_ALSO).table
        place = pc.index(table["sample_id"], sample_id).as_py()
        if place >= 0:
            (sample,) = table.slice(place, 1).to_pylist()
            return RolloutView(sample, _rollout(table, sample_id), config, split)
        example = example or (table["sample_id"][0].as_py() if len(table) else "")
        turns += [row["completed_turns"] for row in _rollout(table, sample_id)]
    if turns:
        listed = ", ".join(map(str, sorted(turns)))
        raise InputError(f"{path}: has no sample {sample_id!r}; of its rollout it has k = {listed}")
    raise InputError(
        f"{path}: has no sample {sample_id!r}; expected task/model/rollout/k, such as {example}"
    )


def find_rollout(path: str, view: RolloutView) -> Row:
    """The whole rollout of a sample: a row of the config `rollouts`.

    Args:
        path: of the dataset that the sample was found in.
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
    """The samples of the same rollout, whether the id ends in a turn or not."""
    rows = table.drop_columns(["prompt"])
    stems = pc.replace_substring_regex(rows["sample_id"], "/[0-9]+$", "")
    wanted = pa.array([sample_id, sample_id.rpartition("/")[0]], stems.type)
    own = rows.filter(pc.is_in(stems, wanted)).to_pylist()
    return sorted(own, key=lambda row: int(row["completed_turns"]))


def responses_of(reader: PredictionReader, rows: Sequence[Row]) -> dict[str, str]:
    """The responses to these samples, by id; those that are not there are left out."""
    wanted = pa.array([row["sample_id"] for row in rows])
    responses: dict[str, str] = {}
    for batch in reader():
        own = batch.filter(pc.is_in(batch["sample_id"].cast(wanted.type), wanted))
        responses |= dict(
            zip(own["sample_id"].to_pylist(), own["response"].to_pylist(), strict=True)
        )
    return responses


def answers_table(
    name: str, rows: Sequence[Row], responses: Mapping[str, str], question: Question = "interval"
) -> Table:
    """A row a prefix: what was spent, what was to come, what was answered, and what that is worth.

    Args:
        name: of the estimator.
        rows: the samples of a rollout.
        responses: by sample id; prefixes without one are said to have none.
        question: what the responses answer.
    """
    names = [part["resource"] for part in rows[0]["resources"]]
    table = Table(title=shown(name), title_justify="left")
    table.add_column("turn", justify="right")
    table.add_column("resource", no_wrap=True)
    for title in ("used", "budget left", "remaining", "answer"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("= answer, o remaining, | budget left", no_wrap=True)
    for row in rows:
        response = responses.get(row["sample_id"])
        estimate = None if response is None else parse(response, names, question)
        for part in row["resources"]:
            turn = str(row["completed_turns"]) if part["resource"] == names[0] else ""
            cells = _cells(row, part, estimate, rows)
            table.add_row(turn, shown(part["resource"]), *map(shown, cells))
    return table


def _cells(row: Row, part: Row, estimate: Estimate | None, rows: Sequence[Row]) -> tuple[str, ...]:
    left, remaining = part["budget"] - part["used"], part["remaining"]
    amounts = (readable(part["used"]), readable(left), readable(remaining))
    interval = estimate.intervals.get(part["resource"]) if estimate else None
    if estimate is None:
        answer, worth = "-", "no answer"
    elif interval:
        answer = f"{_probability(estimate)}{_interval_text(interval)}"
        worth = _worth(interval, remaining) if row["feasible"] else "wrong: infeasible"
    elif estimate.verdict == "invalid":
        answer, worth = "invalid", f"wrong: {estimate.reason}"
    else:
        answer = f"{_probability(estimate)}impossible"
        worth = "wrong: feasible" if row["feasible"] else "right"
    return (*amounts, answer, worth, _picture(interval, left, remaining, _most(rows, part)))


def _probability(estimate: Estimate) -> str:
    """Return the probability to finish, before the answer that a forecast is taken for."""
    return f"finish {estimate.forecast.finish:.2f}: " if estimate.forecast else ""


def _interval_text(interval: Interval) -> str:
    if interval.low == interval.high:
        return plain(interval.low)
    return f"[{plain(interval.low)}, {plain(interval.high)}]"


def _worth(interval: Interval, remaining: float) -> str:
    if interval.high < remaining:
        return "too low"
    return "too high" if interval.low > remaining else "covers"


def _most(rows: Sequence[Row], part: Row) -> float:
    """The largest amount of a resource that is left or remaining anywhere along the rollout."""
    everywhere = [each for row in rows for each in row["resources"]]
    own = [each for each in everywhere if each["resource"] == part["resource"]]
    amounts = [max(each["remaining"], each["budget"] - each["used"]) for each in own]
    return float(max(1.0, *amounts))


def _picture(interval: Interval | None, left: float, remaining: float, most: float) -> str:
    """From 0 to `most`."""

    def place(amount: float) -> int:
        return round(min(max(amount / most, 0.0), 1.0) * (_WIDTH - 1))

    letters = [" "] * _WIDTH
    if interval:
        for position in range(place(interval.low), place(interval.high) + 1):
            letters[position] = "="
    if left >= 0:
        letters[place(left)] = "|"
    letters[place(remaining)] = "o"
    return "".join(letters).rstrip()
