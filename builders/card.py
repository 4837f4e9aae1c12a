"""The dataset's README on the Hub, from `dataset_card.md`."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bagen_data.errors import TemplateError
from bagen_data.logs.prices import LIBRARY
from bagen_data.prompts import fill
from bagen_data.schema import WAREHOUSE
from builders.card_answers import answer_lines
from builders.card_configs import (
    card_configs,
    config_descriptions,
    config_order,
    example_lines,
)
from builders.card_metadata import dataset_info, size_category, yaml_text
from builders.card_tables import content_rows, family_row, label_rows, pairs_text
from builders.column_meanings import (
    REFERENCE_COLUMNS,
    ROLLOUT_COLUMNS,
    SAMPLE_COLUMNS,
    column_rows,
)
from builders.provenance import citation, provenance_of
from builders.responsible_use import responsible_use

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
    names = config_order(manifest)
    configs = card_configs(manifest, config_descriptions(names, record["families"]))
    fields = {
        **_provenance_fields(record),
        **_use_fields(record),
        "size": size_category(sum(file["rows"] for file in manifest)),
        "configs": yaml_text(configs),
        "dataset_info": yaml_text(dataset_info(names, manifest)),
        "benchmark_version": record["benchmark_version"],
        "revision": record["revision"],
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
        "example": _example(record),
        "sample_columns": "\n".join(column_rows(SAMPLE_COLUMNS)),
        "rollout_columns": "\n".join(column_rows(ROLLOUT_COLUMNS)),
        "reference_columns": "\n".join(column_rows(REFERENCE_COLUMNS)),
    }
    return fill(template, fields, TEMPLATE.name)


def _provenance_fields(record: Mapping[str, Any]) -> dict[str, str]:
    own = provenance_of(record)
    return {
        "name": own.name,
        "headline": own.headline,
        "licence": own.licence,
        "licence_sentence": own.licence_sentence,
        "links": own.links,
        "sources": own.sources,
        "citation_sentence": own.citation_sentence,
        "citation": citation(),
        "contact": own.contact,
    }


def _use_fields(record: Mapping[str, Any]) -> dict[str, str]:
    known = responsible_use(record)
    return {
        "collection": known.collection,
        "preparation": known.preparation,
        "annotation": known.annotation,
        "limits": _bullets((*known.limits, *known.biases)),
        "personal_data": known.personal_data,
        "uses": _bullets(known.uses),
        "misuses": _bullets(known.misuses),
        "impact": known.impact,
        "maintenance": known.maintenance,
    }


def _bullets(paragraphs: Sequence[str]) -> str:
    return "\n".join(f"- {paragraph}" for paragraph in paragraphs)


def _example(record: Mapping[str, Any]) -> str:
    """Return a section with a sample of the dataset; empty where it has no benchmark."""
    if not record.get("example"):
        return ""
    row = json.dumps(record["example"], indent=1, ensure_ascii=False)
    return f"### Example\n\nOne sample, its prompt shortened:\n\n```json\n{row}\n```\n\n"


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
