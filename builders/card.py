"""The dataset's README on the Hub, from `dataset_card.md`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bagen_data.errors import TemplateError
from bagen_data.prompts import fill
from bagen_data.schema import WAREHOUSE
from builders.card_answers import answer_lines
from builders.card_configs import card_configs, config_descriptions, example_lines
from builders.card_metadata import yaml_text
from builders.card_tables import content_rows, family_row, label_rows, pairs_text
from builders.logs.prices import LIBRARY

TEMPLATE = Path(__file__).parent.parent / "dataset_card.md"


_FOLDER = '"..."  # this folder'
"""The path that the card's examples load, of a dataset that is not published."""


def render_card(
    manifest: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
    dataset_id: str | None = None,
) -> str:
    """Fill the card's template.

    Args:
        manifest: the lines of `manifest.jsonl`.
        record: `build.json`, with or without the hashes of the files beside it.
        dataset_id: the id on the Hub that the dataset is published under; None of a folder.

    Raises:
        TemplateError: the template is missing, or its fields are other ones.
    """
    try:
        template = TEMPLATE.read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise TemplateError(f"{TEMPLATE}: cannot be read: {error.strerror}") from error
    names = {file["config"] for file in manifest}
    configs = card_configs(manifest, config_descriptions(sorted(names), record["families"]))
    fields = {
        **_licence(record),
        "configs": yaml_text(configs),
        "benchmark_version": record["benchmark_version"],
        "path": f'"{dataset_id}"' if dataset_id else _FOLDER,
        "examples": "\n".join(example_lines(configs)),
        "contents": "\n".join(content_rows(manifest)),
        "usage": record["usage"],
        "limit": f", at most {record['limit']} rollouts a family" if record["limit"] else "",
        "budgets": _budgets(record),
        "families": "\n".join(family_row(family) for family in record["families"]),
        "label_shares": "\n".join(label_rows(record["families"])),
        "tokenizers": _tokenizers(record["families"]) + _general(record),
        "variant": record["prompt"]["variant"],
        "answers": answer_lines(record["prompt"]["variant"], _several(record)),
    }
    return fill(template, fields, TEMPLATE.name)


def _licence(record: Mapping[str, Any]) -> dict[str, str]:
    """Return the licence of the benchmark's tasks; that of anybody's logs is theirs to say."""
    if record.get("general_task"):
        return {"license": "unknown", "licence_sentence": "The builder of this dataset says which."}
    return {"license": "mit", "licence_sentence": "MIT."}


def _tokenizers(families: Sequence[Mapping[str, Any]]) -> str:
    """Return a sentence for each tokenizer that counted a family's tokens."""
    names = dict.fromkeys(
        family["tokenizer"]["name"] for family in families if family.get("tokenizer")
    )
    return "".join(
        f"Logs without token counts were counted with the tokenizer `{name}`. " for name in names
    )


def _budgets(record: Mapping[str, Any]) -> str:
    """Say where the budgets come from."""
    overrides = record["budget_overrides"]
    tasks = {family["task"] for family in record["families"]} - overrides.keys()
    general = tasks & set(record.get("general_task", {}).get("tasks", ()))
    parts = []
    if tasks - general and not overrides:
        parts.append("the paper's budgets")
    if overrides:
        parts.append(f"budgets of the builder's choice: {pairs_text(overrides, '=')}")
    if general:
        parts.append(f"the family's medians as budgets of {', '.join(sorted(general))}")
    return ", and ".join(parts)


def _several(record: Mapping[str, Any]) -> Sequence[str]:
    """Return resources that an answer names together, for an example."""
    general: Sequence[str] = record.get("general_task", {}).get("resources", ())
    return general if len(general) > 1 else [resource.name for resource in WAREHOUSE]


def _general(record: Mapping[str, Any]) -> str:
    """Return sentences about tasks without a file of their own, and about outcomes and prices."""
    sentences = []
    if general := record.get("general_task"):
        sentences.append(
            f"Prompts of {', '.join(general['tasks'])} are the general ones, about "
            f"{', '.join(general['resources'])}."
        )
    if rule := record.get("success"):
        sentences.append(f"A rollout succeeded if its log has `{rule}`.")
    if library := record.get("prices", {}).get(LIBRARY):
        sentences.append(
            f"Costs that a log does not state are of {LIBRARY} {library['version']}, with the "
            f"prices of {library['date']}."
        )
    return "".join(f"{sentence} " for sentence in sentences)
