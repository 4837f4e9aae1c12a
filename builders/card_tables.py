"""The tables of a dataset's card."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from builders.data_files import INFEASIBLE


def content_rows(manifest: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table row for each split of each config."""
    sizes = _sums(manifest, "bytes")
    for (config, split), rows in _sums(manifest, "rows").items():
        yield f"| `{config}` | `{split}` | {rows:,} | {sizes[config, split] // 1000:,} |"


def family_row(family: Mapping[str, Any]) -> str:
    """Return the table row of a family."""
    counts, budget = family["counts"], family["budget"]
    cells = (
        _cell(family["family"]),
        family["role"],
        counts["rollouts"],
        f"{counts['turns']:,}",
        pairs_text(budget, " ") if isinstance(budget, Mapping) else budget or "none",
        f"{counts['samples']:,}",
        f"{counts['feasible']:,}",
        counts["refused"],
        counts["duplicates"],
        counts["left_out_in_benchmark"],
    )
    return f"| {' | '.join(map(str, cells))} |"


def label_rows(families: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a table row for each benchmark family: the shares of its samples by their label."""
    for family in families:
        counts = family["counts"]
        if family["role"] == "benchmark" and counts["samples"]:
            shares = [
                f"{counts[name] / counts['samples']:.1%}" for name in ("feasible", *INFEASIBLE)
            ]
            cells = (_cell(family["family"]), f"{counts['samples']:,}", *shares)
            yield f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    r"""Return a text as a cell of a Markdown table has it.

    >>> print(_cell("a|b"))
    a\|b
    """
    return text.replace("|", r"\|")


def pairs_text(values: Mapping[str, Any], between: str) -> str:
    """Return names and values as one text, by name.

    >>> pairs_text({"b": 2, "a": 1}, "=")
    'a=1, b=2'
    """
    return ", ".join(f"{name}{between}{values[name]}" for name in sorted(values))


def _sums(manifest: Sequence[Mapping[str, Any]], name: str) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for file in manifest:
        key = (file["config"], file["split"])
        sums[key] = sums.get(key, 0) + file[name]
    return sums
