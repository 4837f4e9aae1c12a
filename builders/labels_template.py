"""A file of labels to fill in: a line for each rollout that nothing judges."""

import json
from collections.abc import Iterator
from pathlib import Path

from bagen_data.errors import InputError
from builders.inspection import Inspection


def write_labels_template(inspection: Inspection, path: Path) -> int:
    """Write a label without an answer for each rollout that a build would use, had it an outcome.

    A line is `{"rollout": "a.jsonl", "success": null, "about": "Fix the test."}`: the name that a
    label may use, what is to be filled in, and the beginning of what turn 1 heard.

    Args:
        inspection: logs, with turn 1 of each rollout.
        path: a file that does not exist yet, as one that does may hold labels.

    Returns:
        The number of lines.

    Raises:
        InputError: the file exists, or every rollout is judged or refused.
    """
    lines = list(_lines(inspection))
    if not lines:
        raise InputError(
            f"{inspection.name}: every rollout is judged or refused, so no label is missing"
        )
    try:
        with path.open("x", encoding="utf-8") as file:
            file.writelines(lines)
    except FileExistsError as error:
        raise InputError(
            f"--labels-template {path}: exists, and may hold labels; give a file that does not"
        ) from error
    return len(lines)


def _lines(inspection: Inspection) -> Iterator[str]:
    for rollout in inspection.rollouts:
        if rollout.is_unjudged:
            heard = next((turn.user for turn in rollout.turns), "")
            label = {"rollout": rollout.label_name, "success": None, "about": heard}
            yield json.dumps(label, ensure_ascii=False) + "\n"
