"""Write the probes of a hidden split as Parquet: what their prompts say, and nothing of the truth.

Rows are written in one order that the caller chooses, in plain columns without statistics of
nested ones, and no metadata but the schema's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from bagen_data.arrow_lists import list_array, pairs_array, table_of
from bagen_data.prompts import Prompt
from bagen_data.schema import QUESTIONS, Probe, Resource
from bagen_data.tables import ParquetFile

_GROUP_ROWS = 256
_LEVEL = 4
_DICTIONARIES = [
    "task",
    "prompt_variant",
    "prompt.list.element.role",
    "resources.list.element.resource",
    "resources.list.element.unit",
]


@dataclass(frozen=True)
class NamedProbe:
    """A probe under the name by which it is answered."""

    sample_id: str
    probe: Probe


def write_questions(
    path: Path, questions: Sequence[NamedProbe], prompt: Prompt, resources: Sequence[Resource]
) -> None:
    """Write probes in their order.

    Args:
        path: of the file.
        questions: the probes of one task.
        prompt: the task's.
        resources: the task's.
    """
    with ParquetFile(path, QUESTIONS, dictionary_columns=_DICTIONARIES, level=_LEVEL) as file:
        for start in range(0, len(questions), _GROUP_ROWS):
            group = questions[start : start + _GROUP_ROWS]
            file.write_row_group(_table(group, prompt, resources))


def _table(
    questions: Sequence[NamedProbe], prompt: Prompt, resources: Sequence[Resource]
) -> pa.Table:
    probes = [question.probe for question in questions]
    messages = [prompt.messages(probe) for probe in probes]
    flat = [message for each in messages for message in each]
    turns = [turn for probe in probes for turn in probe.turns]
    amounts = [
        (each.name, each.unit, probe.budget.limits[each.name], probe.used[each.name])
        for probe in probes
        for each in resources
    ]
    columns = {
        "sample_id": [question.sample_id for question in questions],
        "task": [probe.task for probe in probes],
        "completed_turns": [len(probe.turns) for probe in probes],
        "prompt_variant": [prompt.variant] * len(probes),
        "prompt": list_array(
            QUESTIONS.field("prompt").type,
            [len(each) for each in messages],
            ([message.role for message in flat], [message.content for message in flat]),
        ),
        "resources": list_array(
            QUESTIONS.field("resources").type,
            [len(resources)] * len(probes),
            zip(*amounts, strict=True),
        ),
        "conditions": pairs_array([probe.budget.conditions for probe in probes]),
        "turns": list_array(
            QUESTIONS.field("turns").type,
            [len(probe.turns) for probe in probes],
            (
                pairs_array([turn.usage for turn in turns]),
                pairs_array([turn.state for turn in turns]),
            ),
        ),
    }
    return table_of(columns, QUESTIONS)
