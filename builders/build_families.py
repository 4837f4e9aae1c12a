"""Read the families of a build, and refuse what it must not go on with."""

from collections.abc import Callable, Iterable, Sequence

from bagen_data.errors import InputError
from bagen_data.logs.key_patterns import load_patterns
from bagen_data.logs.prices import OVERRIDE, PriceTable
from bagen_data.logs.turn_readers import Counting
from bagen_data.reading.family_index import FamilyIndex
from bagen_data.reading.family_reading import read_in_shards
from bagen_data.reading.lost_entries import lost_entries
from bagen_data.reading.origin import Family
from bagen_data.reading.reading_options import ReadingOptions
from bagen_data.reading.refusal_lines import refusal_lines
from bagen_data.reading.workplace import Workplace
from builders.build_record import BuildOptions
from builders.lost_families import refuse_lost_families


def read_families(
    options: BuildOptions,
    families: Sequence[Family],
    counting: Counting,
    workplace: Workplace,
    on_progress: Callable[[Family], None],
) -> list[FamilyIndex]:
    """Read families in their order.

    Args:
        options: how they are read.
        families: the families.
        counting: how tokens are counted.
        workplace: where they are read.
        on_progress: called with each family that was read.

    Raises:
        InputError: with `strict`, something was refused; a family has no rollout that can be
            used, and `allow_empty_families` is false; or a price is of no use.
        MissingExtraError: texts are to be scrubbed, and detect-secrets is not installed.
    """
    if options.strict:
        _refuse(
            (str(options.origin / entry.path), entry.reason)
            for entry in lost_entries(options.origin, families, options.tasks)
        )
    if options.scrub:
        load_patterns()
    reading = ReadingOptions(
        counting, options.limit, options.success, options.scrub, options.shard_sizes
    )
    indexes = read_in_shards(families, workplace, reading, on_progress)
    if options.strict:
        _refuse(
            (f"{index.family.name}/{where}", reason)
            for index in indexes
            for where, reason in index.unused()
        )
    refuse_lost_families(indexes, is_allowed=options.allow_empty_families)
    if options.limit is None:
        _refuse_unused_prices(indexes, options.general.prices)
    return indexes


def _refuse(unused: Iterable[tuple[str, str]]) -> None:
    """Refuse to build, with `--strict`, if there are places that are not used, with the reason."""
    refused = list(unused)
    if refused:
        raise InputError(
            f"{len(refused)} not used, so --strict wrote nothing:\n  "
            + "\n  ".join(refusal_lines(refused, verb="not used", shown=None))
        )


def _refuse_unused_prices(indexes: Sequence[FamilyIndex], prices: PriceTable) -> None:
    """Refuse a price that nothing was priced with: its model is misspelt, or costs are stated."""
    sources = [source for index in indexes for source in index.usage_sources]
    for model in prices.given if sources else ():
        if not any(f"{model} by {OVERRIDE}" in source for source in sources):
            raise InputError(
                f"{OVERRIDE} {model}=...: no request of this model was priced; spell it as the "
                f"logs do, or leave it out; costs are: {'; '.join(sorted(set(sources)))}"
            )
