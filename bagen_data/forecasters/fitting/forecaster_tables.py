"""The tables of a forecaster's card, in Markdown."""

import re
from collections.abc import Mapping, Sequence

from bagen_data.forecasters.fitting.unseen_scores import UnseenScores

_MEANINGS = {
    "brier": "mean of (`finish` - whether it did)², of probes within the budget so far; lower is "
    "better",
    "brier_skill": "1 - `brier` / climatology's",
    "log_score": "mean of -ln of the probability given to what happened; lower is better",
    "wis": "weighted interval score of the quantiles of log(1 + amount); lower is better",
    "wis_skill": "1 - `wis` / climatology's",
    "coverage_80": "share of amounts within the 10% to 90% quantiles; 0.8 is right",
    "coverage_50": "share of amounts within the 25% to 75% quantiles; 0.5 is right",
}
_WITHOUT_OUTCOMES = {
    "brier": "mean of (probability to stay in budget - whether it did)²; lower is better",
}


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; cells are Markdown and hold no line break."""
    lines = [head, ["---"] * len(head), *rows]
    escaped = ([cell.replace("|", r"\|") for cell in cells] for cells in lines)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in escaped)


def code(text: str) -> str:
    r"""Return a text of others as code, whatever it holds; `table` escapes its `|`.

    >>> print(code("a|b`c"), code("`<b>"))
    ``a|b`c`` `` `<b> ``
    """
    line = " ".join(text.split())
    fence = "`" * (1 + max(map(len, re.findall("`+", line)), default=0))
    # Markdown takes away one space at each end, and a backtick there would lengthen the fence
    space = " " if line[:1] in {"", "`"} or line[-1:] == "`" else ""
    return f"{fence}{space}{line}{space}{fence}"


def scores_table(scored: UnseenScores, knows_success: bool) -> str:
    """Return a row for each score: its value, interval, n, and what it means."""
    meanings = _MEANINGS | ({} if knows_success else _WITHOUT_OUTCOMES)
    rows = [
        (
            code(name),
            number(score.value),
            f"{number(score.low)} to {number(score.high)}" if score.low is not None else "",
            f"{score.n:,}",
            meanings[name],
        )
        for name, score in scored.scores.items()
    ]
    return table(("score", "value", "95% interval", "probes", "meaning"), rows)


def bins_table(bins: Sequence[Mapping[str, float | int | None]]) -> str:
    """Return a row for each tenth of the probability that was said of a probe."""
    rows = [
        (
            f"{each['low']:.1f} to {each['high']:.1f}",
            number(each["said"]),
            number(each["happened"]),
            f"{each['n']:,}",
        )
        for each in bins
        if each["n"]
    ]
    return table(("said", "mean said", "happened", "probes"), rows)


def quantiles_table(levels: Sequence[Mapping[str, float | int | None]]) -> str:
    """Return a row for each level of a quantile."""
    rows = [(f"{each['level']:.0%}", number(each["below"]), f"{each['n']:,}") for each in levels]
    return table(("quantile", "share at or below", "amounts"), rows)


def number(value: float | None) -> str:
    """Return a number in three decimals; a dash for none.

    >>> number(0.19898), number(None)
    ('0.199', '-')
    """
    return "-" if value is None else f"{value:.3f}"
