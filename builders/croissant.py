"""A dataset described in Croissant, a vocabulary that dataset searches and loaders read.

The description follows version 1.1 of https://docs.mlcommons.org/croissant, with the terms of its
extension for responsible AI. It names each data file by its hash, and has a record set for each
config.
"""

import glob
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

import pyarrow as pa

from bagen_data.dataset_configs import ROLLOUTS, holds_samples
from bagen_data.published import HUB_PAGE, PROJECT_PAGE
from bagen_data.tables import to_json
from builders.card_configs import config_descriptions, config_order, files_by_split
from builders.card_metadata import schema_of
from builders.column_meanings import meanings_of
from builders.provenance import Provenance, citation, provenance_of
from builders.responsible_use import responsible_use

_CROISSANT = "http://mlcommons.org/croissant/"
_CONFORMS_TO = [f"{_CROISSANT}1.1", f"{_CROISSANT}RAI/1.0"]
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": _CROISSANT,
    "dct": "http://purl.org/dc/terms/",
    "rai": f"{_CROISSANT}RAI/",
    "sc": "https://schema.org/",
    **{
        name: f"cr:{name}"
        for name in (
            "arrayShape",
            "citeAs",
            "column",
            "containedIn",
            "equivalentProperty",
            "extract",
            "field",
            "fileObject",
            "fileProperty",
            "fileSet",
            "format",
            "includes",
            "isArray",
            "isLiveDataset",
            "jsonPath",
            "key",
            "md5",
            "parentField",
            "path",
            "recordSet",
            "references",
            "regex",
            "repeated",
            "replace",
            "samplingRate",
            "separator",
            "source",
            "subField",
            "transform",
        )
    },
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
}
_TYPES = {
    pa.string(): "sc:Text",
    pa.bool_(): "sc:Boolean",
    pa.int32(): "sc:Integer",
    pa.float64(): "sc:Float",
}
_PARQUET = "application/x-parquet"
_KEYWORDS = ["agents", "budget awareness", "uncertainty", "forecasting", "benchmark"]
_REPOSITORY = "repository"
_NO_HASH = "https://github.com/mlcommons/croissant/issues/80"
"""Stand-in for the hash of a Git repository, which Croissant asks for and the Hub has not."""


def croissant_text(
    manifest: Sequence[Mapping[str, Any]],
    record: Mapping[str, Any],
    dataset_id: str | None = None,
) -> str:
    """Return `croissant.json`; the same arguments give the same text.

    Args:
        manifest: the lines of `manifest.jsonl`.
        record: `build.json`, with or without the hashes of the files beside it.
        dataset_id: the id on the Hub that the dataset is published under; None of a folder, whose
            files are named relative to it.
    """
    own = provenance_of(record)
    names = config_order(manifest)
    descriptions = config_descriptions(names, record["families"])
    described = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": _CONFORMS_TO,
        "name": own.name,
        "description": _description(record, descriptions[names[0]]),
        **({"url": _page(dataset_id)} if dataset_id else {}),
        "version": f"{record['benchmark_version']}.0+{record['revision'][:16]}",
        "inLanguage": "en",
        "keywords": _KEYWORDS,
        **(_papers(own, dataset_id) if own.authors else {}),
        **_responsible_ai(record),
        "distribution": list(_distribution(manifest, names, dataset_id)),
        "recordSet": [_record_set(name, manifest, descriptions[name], record) for name in names],
    }
    return to_json(described, indent=1) + "\n"


def _page(dataset_id: str) -> str:
    return f"{HUB_PAGE}/datasets/{dataset_id}"


def _description(record: Mapping[str, Any], first: str) -> str:
    return (
        "Recorded agent rollouts, replayed turn by turn: can the task still be finished within the "
        f"budget, and how much of each resource is still needed? {first}. Prompts are in the "
        f"{record['prompt']['variant']} variant; content revision {record['revision']}."
    )


def _papers(own: Provenance, dataset_id: str | None) -> dict[str, Any]:
    """Return what is said of the paper's data alone: nobody else's has its authors or licence."""
    return {
        **({} if dataset_id else {"url": PROJECT_PAGE}),
        "license": own.licence_page,
        "creator": [{"@type": "Person", "name": name} for name in own.authors],
        "citeAs": citation(),
    }


def _responsible_ai(record: Mapping[str, Any]) -> dict[str, Any]:
    known = responsible_use(record)
    return {
        "rai:dataCollection": known.collection,
        "rai:dataCollectionType": list(known.collection_types),
        "rai:dataPreprocessingProtocol": [known.preparation],
        "rai:dataAnnotationProtocol": [known.annotation],
        "rai:dataLimitations": list(known.limits),
        "rai:dataBiases": list(known.biases),
        "rai:personalSensitiveInformation": [known.personal_data],
        "rai:dataUseCases": [*known.uses, *known.misuses],
        "rai:dataSocialImpact": known.impact,
        "rai:dataReleaseMaintenancePlan": known.maintenance,
    }


def _distribution(
    manifest: Sequence[Mapping[str, Any]], configs: Sequence[str], dataset_id: str | None
) -> Iterator[dict[str, Any]]:
    """Yield each data file, and the set of files of each config."""
    if dataset_id:
        yield {
            "@type": "cr:FileObject",
            "@id": _REPOSITORY,
            "name": dataset_id,
            "description": "The repository of the dataset.",
            "contentUrl": _page(dataset_id),
            "encodingFormat": "git+https",
            "sha256": _NO_HASH,
        }
    for file in manifest:
        path = str(file["path"])
        yield {
            "@type": "cr:FileObject",
            "@id": quote(path),
            "name": path,
            "contentUrl": f"{_page(dataset_id)}/resolve/main/{quote(path)}" if dataset_id else path,
            "contentSize": f"{file['bytes']} B",
            "encodingFormat": _PARQUET,
            "sha256": file["sha256"],
        }
    for config in configs:
        files = files_by_split(config, manifest)
        yield {
            "@type": "cr:FileSet",
            "@id": _files_of(config),
            "name": f"files of {config}",
            **({"containedIn": {"@id": _REPOSITORY}} if dataset_id else {}),
            "encodingFormat": _PARQUET,
            "includes": [glob.escape(str(file["path"])) for own in files.values() for file in own],
        }


def _files_of(config: str) -> str:
    return f"files-of-{quote(config)}"


def _record_set(
    config: str,
    manifest: Sequence[Mapping[str, Any]],
    description: str,
    record: Mapping[str, Any],
) -> dict[str, Any]:
    name = quote(config)
    schema = schema_of(config)
    meanings = meanings_of(config)
    key = {"key": {"@id": f"{name}/sample_id"}} if "sample_id" in schema.names else {}
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": config,
        "description": f"{description}.",
        **key,
        "field": [
            _split_field(config, list(files_by_split(config, manifest)), record),
            *(_field(config, field, meanings[field.name]) for field in schema),
        ],
    }


def _split_field(config: str, splits: Sequence[str], record: Mapping[str, Any]) -> dict[str, Any]:
    """Return the field of a row's split: the only one, or what its file is named for."""
    field: dict[str, Any] = {
        "@type": "cr:Field",
        "@id": f"{quote(config)}/split",
        "name": "split",
        "description": f"Split of the config: {', '.join(splits)}.",
        "dataType": "sc:Text",
    }
    if len(splits) == 1:
        return field | {"value": splits[0]}
    before = f"data/{re.escape(config)}/"
    if not holds_samples(config):
        tasks = sorted({family["task"] for family in record["families"]})
        tasks.sort(key=len, reverse=True)
        before = f"data/{ROLLOUTS}/(?:{'|'.join(map(re.escape, tasks))})-"
    return field | {
        "source": {
            "fileSet": {"@id": _files_of(config)},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": f"^{before}({'|'.join(splits)})-.*$"},
        }
    }


def _field(config: str, field: pa.Field, meaning: str) -> dict[str, Any]:
    name = f"{quote(config)}/{field.name}"
    described = {
        "@type": "cr:Field",
        "@id": name,
        "name": field.name,
        "description": f"{meaning}.",
    }
    source = {"fileSet": {"@id": _files_of(config)}, "extract": {"column": field.name}}
    if not pa.types.is_list(field.type):
        return described | {"dataType": _TYPES[field.type], "source": source}
    parts = [part for part in field.type.value_type if not _holds_records(part.type)]
    return described | {
        **_ARRAY,
        "subField": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{part.name}",
                "name": part.name,
                **_type_of(part.type),
                "source": source | {"transform": {"jsonPath": part.name}},
            }
            for part in parts
        ],
    }


_ARRAY = {"isArray": True, "arrayShape": "-1"}


def _holds_records(kind: pa.DataType) -> bool:
    """Return whether a part of a list is a list of records itself, which Croissant cannot read."""
    return bool(pa.types.is_list(kind) and pa.types.is_struct(kind.value_type))


def _type_of(kind: pa.DataType) -> dict[str, Any]:
    if pa.types.is_list(kind):
        return {"dataType": _TYPES[kind.value_type], **_ARRAY}
    return {"dataType": _TYPES[kind]}
