"""The README of a hidden split's public part, from `hidden_split_card.md`, and that of its key."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bagen_data.dataset_configs import DEFAULT
from bagen_data.errors import TemplateError
from bagen_data.number_texts import plain
from bagen_data.prompts import fill
from bagen_data.wording import numbered
from builders.card_answers import answer_lines
from builders.card_configs import card_configs, example_lines, task_title
from builders.card_metadata import yaml_text

TEMPLATE = Path(__file__).parents[2] / "hidden_split_card.md"
KEY_TEXT = """\
# The key of a hidden split: do not publish

This folder holds the answers to the questions in the folder `public` beside it. Whoever has it can
score predictions, and whoever gets it can forge a score. Keep it out of repositories, datasets,
images and backups that others read. `docs/hidden-split.md` of BAGEN says how a split is run, and
when it is retired.
"""


def render_hidden_card(
    manifest: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
    resources: Mapping[str, Sequence[str]],
) -> str:
    """Fill the card's template.

    Args:
        manifest: the lines of the public part's `manifest.jsonl`.
        record: its `build.json`, as far as it is known.
        resources: the names of each task's resources, in the order of answers.

    Raises:
        TemplateError: the template is missing, or its fields are other ones.
    """
    try:
        template = TEMPLATE.read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise TemplateError(f"{TEMPLATE}: cannot be read: {error.strerror}") from error
    configs = card_configs(manifest, _descriptions(record["hidden"]["samples"]))
    several = max(resources.values(), key=len)
    names = several if len(several) > 1 else ("time_weeks", "cost_usd")
    fields = {
        "configs": yaml_text(configs),
        "benchmark_version": record["benchmark_version"],
        "examples": "\n".join(example_lines(configs)),
        "answers": answer_lines(record["prompt"]["variant"], names),
        "budgets": "\n".join(_budget_rows(record["hidden"])),
        "variant": record["prompt"]["variant"],
        "key_sha256": record["key_sha256"],
    }
    return fill(template, fields, TEMPLATE.name)


def _descriptions(samples: Mapping[str, int]) -> dict[str, str]:
    """Return what each config holds, in a few words.

    Args:
        samples: the number of each task's questions.
    """
    every = f"All tasks: {numbered(sum(samples.values()), 'question')} without their answers"
    return {DEFAULT: every} | {
        task: f"{task_title(task)}: {numbered(number, 'question')} without their answers"
        for task, number in samples.items()
    }


def _budget_rows(hidden: Mapping[str, Any]) -> Iterator[str]:
    for task, ranges in hidden["budgets"].items():
        for name, (low, high) in ranges.items():
            rows = hidden["samples"][task]
            yield f"| `{task}` | {rows:,} | `{name}` | {plain(low)} | {plain(high)} |"
