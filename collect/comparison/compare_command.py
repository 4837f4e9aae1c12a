"""`python -m collect compare`: families side by side, in a terminal and as a picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bagen_data.console import STDERR
from bagen_data.logs.prices import PriceTable, parse_prices, price_date
from bagen_data.logs.unified_cost import parse_tool_prices
from bagen_data.pictures import check_picture_file, save_picture
from bagen_data.scoring.resampling import Resampling
from bagen_data.terminal_tables import print_table
from bagen_data.wording import differences
from collect.comparison.comparison_table import comparison_tables
from collect.comparison.paired_comparison import compare, shown_names
from collect.comparison.priced_family import PricedFamily, Prices, read_priced

_MAY_DIFFER = ("agent", "budget", "generation", "model_args", "strategy", "usage")
"""Settings of families that are compared, which may differ between them."""


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
    resampling: Resampling


def compare_families(folders: Sequence[Path], options: CompareOptions) -> None:
    """Print a comparison, and draw it if asked to.

    Raises:
        InputError: the families cannot be compared, or a price is not known.
        MissingExtraError: the library of prices is needed, or that of pictures, and not there.
    """
    if options.chart is not None:
        check_picture_file("--chart", options.chart)
    table = PriceTable(parse_prices(options.price), price_date(options.price_day))
    prices = Prices(table, parse_tool_prices(options.tool_price))
    families = [read_priced(folder, prices) for folder in folders]
    compared = compare(families, options.resampling)
    for each in comparison_tables(compared):
        print_table(each)
    _note_other_settings(families)
    if options.chart is not None:
        from collect.comparison.comparison_chart import comparison_chart

        save_picture(comparison_chart(compared), options.chart)


def _note_other_settings(families: Sequence[PricedFamily]) -> None:
    """Say where families differ in more than the agent and its budget."""
    first, *others = (
        {name: value for name, value in family.settings.items() if name not in _MAY_DIFFER}
        for family in families
    )
    names = shown_names(families)
    for name, settings in zip(names[1:], others, strict=True):
        changed = differences(settings, first)
        if changed:
            STDERR.print(
                f"note: {name} was recorded with {changed} as {names[0]} was; they differ in more "
                "than their agents and budgets",
                markup=False,
            )
