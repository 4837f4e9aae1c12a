"""Check predictions of a hidden split, by whoever has its questions and not its labels."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from bagen_data.answer_columns import INVALID
from bagen_data.answer_parsing import parse_column
from bagen_data.schema import Question
from bagen_data.scoring.match_predictions import PredictionReader
from bagen_data.scoring.sample_positions import positions_of


def check_predictions(
    questions: pa.Table, predictions: PredictionReader, name: str, question: Question = "interval"
) -> int:
    """Check that each question is answered once, and count the answers that are invalid.

    Args:
        questions: in the columns of `schema.QUESTIONS`, or with a sample's `sample_id`, `task` and
            `resources` at least.
        predictions: reads the predictions.
        name: what an error calls them.
        question: what the predictions answer.

    Returns:
        The number of answers that count as wrong because they cannot be read.

    Raises:
        InputError: questions without a prediction, predictions of no question, or several of one.
    """
    known = questions["sample_id"].combine_chunks().cast(pa.string())
    batches = list(predictions())
    ids = pa.chunked_array([batch["sample_id"].cast(pa.string()) for batch in batches], pa.string())
    positions = positions_of(known, ids, name)
    responses = pa.chunked_array(
        [batch["response"].cast(pa.large_string()) for batch in batches], pa.large_string()
    ).combine_chunks()
    tasks = questions["task"].cast(pa.string()).take(pa.array(positions))
    invalid = 0
    for task in pc.unique(tasks).to_pylist():
        rows = pc.indices_nonzero(pc.equal(tasks, task))
        first = questions["resources"][int(positions[rows[0].as_py()])].as_py()
        resources = [part["resource"] for part in first]
        answers = parse_column(responses.take(rows), resources, question)
        invalid += int((answers.verdict == INVALID).sum())
    return invalid


def of_tasks(questions: pa.Table, tasks: Any) -> pa.Table:
    """Return the questions of some tasks."""
    return questions.filter(pc.is_in(questions["task"].cast(pa.string()), pa.array(sorted(tasks))))
