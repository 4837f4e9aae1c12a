"""The dataset's README on the Hub, from `dataset_card.md`."""

import glob
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from bagen_data.dataset_configs import DEFAULT, REFERENCE, ROLLOUTS, holds_samples, is_benchmark
from bagen_data.errors import TemplateError
from bagen_data.prompt_variants import Variant, question_of
from bagen_data.prompts import fill
from bagen_data.schema import WAREHOUSE, Question
from bagen_data.splits import PARTS
from builders.data_files import INFEASIBLE
from builders.logs.prices import LIBRARY

TEMPLATE = Path(__file__).parent.parent / "dataset_card.md"
_QUANTILES = "[q10, q25, q50, q75, q90]"
_CHANCES = "finish=p, success=p, "
_FORMS: dict[Question, tuple[str, ...]] = {
    "interval": ("[low, high]", "impossible"),
    "point": ("number", "impossible"),
    "forecast": (f"{_CHANCES}tokens={_QUANTILES}",),
}
"""The forms of an answer about one resource, and of one about none."""
_LABELLED: dict[Question, str] = {
    "interval": "{name}:[low, high]",
    "point": "{name}:number",
    "forecast": f"{{name}}={_QUANTILES}",
}
"""The part of an answer about one of several resources."""
_RULES: dict[Question, str] = {
    "interval": "with plain non-negative decimals, low <= high.",
    "point": "with a plain non-negative decimal for the amount still needed.",
    "forecast": "with plain non-negative decimals. `finish`, the probability of success within\n"
    "every budget, is at most `success`, that of success if no budget stopped the run. Quantiles\n"
    "are of what the run will still use if it succeeds, none smaller than the one before.",
}
_SPLIT_ORDER = ("test", *PARTS, "train")


def render_card(manifest: Sequence[Mapping[str, Any]], record: Mapping[str, Any]) -> str:
    """Fill the card's template.

    Args:
        manifest: the lines of `manifest.jsonl`.
        record: `build.json`, as far as it is known.
    """
    try:
        template = TEMPLATE.read_text(encoding="utf-8").removesuffix("\n")
    except OSError as error:
        raise TemplateError(f"{TEMPLATE}: cannot be read: {error.strerror}") from error
    configs = card_configs(manifest)
    fields = {
        **_licence(record),
        "configs": "\n".join(config_lines(configs)),
        "benchmark_version": record["benchmark_version"],
        "examples": "\n".join(example_lines(configs)),
        "contents": "\n".join(_content_rows(manifest)),
        "usage": record["usage"],
        "limit": f", at most {record['limit']} rollouts a family" if record["limit"] else "",
        "budgets": _budgets(record),
        "families": "\n".join(_family_row(family) for family in record["families"]),
        "label_shares": "\n".join(_label_rows(record["families"])),
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


def config_lines(configs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of the YAML list `configs:`."""
    for config in configs:
        yield f"- config_name: {config['config_name']}"
        yield f"  description: {config['description']}"
        if config["config_name"] == DEFAULT:
            yield "  default: true"
        yield "  data_files:"
        for files in config["data_files"]:
            yield f"  - split: {files['split']}"
            yield f"    path: {json.dumps(files['path'])}"


def example_lines(configs: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of Python that load each config."""
    for config in configs:
        name = config["config_name"]
        if name == DEFAULT:
            yield 'samples = load_dataset(path, split="test")  # every task'
            continue
        splits = ", ".join(files["split"] for files in config["data_files"])
        yield f'{name} = load_dataset(path, "{name}")  # {splits}'


def _content_rows(manifest: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table row for each split of each config."""
    sizes = _sums(manifest, "bytes")
    for (config, split), rows in _sums(manifest, "rows").items():
        yield f"| `{config}` | `{split}` | {rows:,} | {sizes[config, split] // 1000:,} |"


def _family_row(family: Mapping[str, Any]) -> str:
    counts, budget = family["counts"], family["budget"]
    cells = (
        family["family"],
        family["role"],
        counts["rollouts"],
        f"{counts['turns']:,}",
        _pairs(budget, " ") if isinstance(budget, Mapping) else budget or "none",
        f"{counts['samples']:,}",
        f"{counts['feasible']:,}",
        counts["refused"],
        counts["duplicates"],
        counts["left_out_in_benchmark"],
    )
    return f"| {' | '.join(map(str, cells))} |"


def answer_lines(variant: Variant, several: Sequence[str]) -> str:
    """Say what an answer is to the question of a prompt variant.

    Args:
        variant: of the prompts.
        several: resources that an answer names together, for an example.
    """
    question = question_of(variant)
    labelled = ", ".join(_LABELLED[question].format(name=name) for name in several)
    single, *others = _FORMS[question]
    forms = [single, f"{_CHANCES if question == 'forecast' else ''}{labelled}", *others]
    block = "\n".join(f"<answer>{form}</answer>" for form in forms)
    return f"```\n{block}\n```\n\n{_RULES[question]}"


def _label_rows(families: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table row for each benchmark family: the shares of its samples by their label."""
    for family in families:
        counts = family["counts"]
        if family["role"] == "benchmark" and counts["samples"]:
            shares = [
                f"{counts[name] / counts['samples']:.1%}" for name in ("feasible", *INFEASIBLE)
            ]
            yield f"| {' | '.join((family['family'], format(counts['samples'], ','), *shares))} |"


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
        parts.append(f"budgets of the builder's choice: {_pairs(overrides, '=')}")
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


def _pairs(values: Mapping[str, Any], between: str) -> str:
    return ", ".join(f"{name}{between}{values[name]}" for name in sorted(values))


def card_configs(manifest: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The `configs:` of the card: `default` (every task's benchmark), then each config there is.

    A config's description names its data by hash. `datasets` caches a local folder by its configs
    alone, so without it a folder that was built again would load as it was before.
    """
    by_config: dict[str, list[Mapping[str, Any]]] = {}
    for file in manifest:
        by_config.setdefault(file["config"], []).append(file)
    tests = [
        file
        for name in sorted(by_config)
        for file in by_config[name]
        if is_benchmark(name) and file["split"] == "test"
    ]
    last = (REFERENCE, ROLLOUTS)
    order = sorted(set(by_config) - set(last)) + [name for name in last if name in by_config]
    configs = [_config(name, by_config[name]) for name in order]
    return [_config(DEFAULT, tests), *configs] if tests else configs


def _config(name: str, files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    by_split: dict[str, list[str]] = {}
    for file in files:
        patterns = by_split.setdefault(file["split"], [])
        if _pattern(file) not in patterns:
            patterns.append(_pattern(file))
    splits = sorted(by_split, key=_SPLIT_ORDER.index)
    data = hashlib.sha256("".join(file["sha256"] for file in files).encode()).hexdigest()
    return {
        "config_name": name,
        "description": f"data {data[:16]}",
        "data_files": [{"split": split, "path": by_split[split]} for split in splits],
    }


def _pattern(file: Mapping[str, Any]) -> str:
    """Return a glob of all files of the same config and split.

    Rollouts of all tasks share a folder, where no glob can tell a split from a model's name: each
    file is named then, with the characters of its name that mean something in a glob escaped. So
    are files of the reference, which are named for the configs that they are about.
    """
    if not holds_samples(file["config"]):
        return glob.escape(str(file["path"]))
    return f"{file['path'].rpartition('/')[0]}/{file['split']}-*.parquet"


def _sums(manifest: Sequence[Mapping[str, Any]], name: str) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for file in manifest:
        key = (file["config"], file["split"])
        sums[key] = sums.get(key, 0) + file[name]
    return sums
