"""`python -m collect compare`: families side by side, in a terminal and as a picture."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bagen_data.console import STDERR
from bagen_data.errors import OutputError, WrongUsageError
from bagen_data.logs.prices import PriceTable, parse_prices, price_date
from bagen_data.logs.unified_cost import FLAG, parse_tool_prices
from bagen_data.pictures import check_picture_file, save_picture
from bagen_data.replaced_file import write_file
from bagen_data.scoring.resampling import Resampling
from bagen_data.table_printing import print_table
from bagen_data.tables import to_json
from bagen_data.wording import differences
from collect.comparison.comparison_record import comparison_record
from collect.comparison.comparison_table import comparison_tables
from collect.comparison.paired_comparison import compare, shown_names
from collect.comparison.priced_family import PricedFamily, Prices, read_priced

_MAY_DIFFER = ("first", "attempts", "prompts")
"""Options that decide which instances a family has, or how its agent works."""


@dataclass(frozen=True)
class CompareOptions:
    """The options of a comparison."""

    price: Sequence[str]
    """`--price` values."""
    price_day: str | None
    """The day whose prices the library gives; today's if None."""
    tool_price: Sequence[str]
    """`--tool-price` values."""
    chart: Path | None
    """The file of the picture; none is drawn if None."""
    json: Path | None
    """The file of every number; none is written if None."""
    resampling: Resampling


def compare_families(folders: Sequence[Path], options: CompareOptions) -> None:
    """Print a comparison, and draw it if asked to.

    Raises:
        InputError: the families cannot be compared, or a price is not known.
        WrongUsageError: a price is of a tool that no family has.
        OutputError: a file cannot be written.
        MissingExtraError: the library of prices is needed, or that of pictures, and not there.
    """
    if options.chart is not None:
        check_picture_file("--chart", options.chart)
    table = PriceTable(parse_prices(options.price), price_date(options.price_day))
    prices = Prices(table, parse_tool_prices(options.tool_price))
    families = [read_priced(folder, prices) for folder in folders]
    compared = compare(families, options.resampling)
    _check_tools(families, prices.tools)
    for each in comparison_tables(compared):
        print_table(each)
    _note_other_settings(families)
    if options.chart is not None:
        from collect.comparison.comparison_chart import comparison_chart

        save_picture(comparison_chart(compared), options.chart)
    if options.json is not None:
        text = to_json(comparison_record(compared, families, prices), indent=1)
        try:
            write_file(options.json, f"{text}\n")
        except OSError as error:
            raise OutputError(
                f"{options.json}: cannot be written: {error.strerror or error}"
            ) from error


def _check_tools(families: Sequence[PricedFamily], priced: Iterable[str]) -> None:
    known = sorted({tool for family in families for tool in family.tools})
    for tool in priced:
        if tool not in known:
            task = families[0].task
            expected = f"expected {', '.join(known)}" if known else "expected no tool price"
            raise WrongUsageError(
                f"{FLAG} {tool}: {task} has no tool of that name; {expected}, so correct the name "
                "or leave the price out"
            )


def _note_other_settings(families: Sequence[PricedFamily]) -> None:
    """Say where families were not played and counted alike.

    Options that one family alone has are its agent's, and agents are what is compared.
    """
    first, *others = map(_alike, families)
    names = shown_names(families)
    for name, settings in zip(names[1:], others, strict=True):
        both = settings.keys() & first.keys()
        changed = differences({key: settings[key] for key in both}, {k: first[k] for k in both})
        if changed:
            STDERR.print(
                f"note: {name} was recorded with {changed}, as {names[0]} was: they differ in more "
                "than their agents and budgets",
                markup=False,
            )


def _alike(family: PricedFamily) -> dict[str, Any]:
    """Return what is to be the same in families that are compared, by name."""
    counted = family.settings.get("tokens") or {}
    options = family.settings.get("options") or {}
    return {
        "tokens counted with": counted.get("counted with"),
        **{name: value for name, value in options.items() if name not in _MAY_DIFFER},
    }
