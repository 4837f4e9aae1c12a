"""Tables of how logs are understood, for people to read in a terminal."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from rich.table import Table

from bagen_data.console import shown, stdout_console
from bagen_data.reading.labels import LABELS
from bagen_data.reading.refusal_lines import NOT_A_LABEL, refusal_lines
from bagen_data.table_printing import print_table
from bagen_data.usage import BRANCH, Request
from bagen_data.wording import numbered
from builders.inspection import NO_TURNS, InspectedRollout, InspectedTurn, Inspection

MAIN = "main"
"""Shown for the first context, which has no name."""
_TOKEN_NAMES = ("input_tokens", "output_tokens", "tokens")


def _not_replayed(request: Request) -> int:
    return request.output_tokens - request.visible_tokens


class _Column(NamedTuple):
    heading: str
    text: Callable[[Request], str]


_STATED = (
    _Column("input", lambda request: f"{request.input_tokens:,}"),
    _Column("cached", lambda request: _number(request.cached_tokens)),
    _Column("written to cache", lambda request: _number(request.cache_write_tokens)),
    _Column("output", lambda request: f"{request.output_tokens:,}"),
    _Column(
        "not replayed", lambda request: _number(request.output_tokens - request.visible_tokens)
    ),
    _Column("cost", lambda request: _cost(request.cost_usd)),
)
"""Columns of what a log states of a request; a column is left out where it is empty."""
_ALWAYS = ("input", "output")


def print_inspection(inspection: Inspection) -> None:
    """Print an inspection to stdout; wide tables go on below."""
    console = stdout_console(soft_wrap=True)
    for part in inspection_tables(inspection):
        if isinstance(part, Table):
            print_table(part)
        else:
            console.print(shown(part))


def inspection_tables(inspection: Inspection) -> Iterator[Table | str]:
    """Yield the tables and lines of an inspection.

    One rollout alone has a table of its turns; several have a line each.
    """
    if len(inspection.rollouts) == 1:
        yield from rollout_tables(inspection.rollouts[0])
    elif inspection.rollouts:
        yield _overview(inspection)
    labels = ((each.where, each.reason) for each in inspection.unusable_labels)
    yield from refusal_lines(labels, verb=NOT_A_LABEL)
    alone = {each.where for each in inspection.rollouts if len(inspection.rollouts) == 1}
    yield from refusal_lines(
        (inspection.name if each.where == "." else each.where, each.reason)
        for each in inspection.refused
        if each.where not in alone
    )
    ignored = ((each.where, each.reason) for each in inspection.ignored)
    yield from refusal_lines(ignored, verb="ignored")
    unjudged = sum(each.is_unjudged for each in inspection.rollouts)
    if unjudged and len(inspection.rollouts) > 1:  # one alone has the reason in its facts
        yield _unjudged_line(inspection, unjudged)
    stopped = sum(bool(each.stopped) and each.is_unjudged for each in inspection.rollouts)
    if stopped and stopped < len(inspection.rollouts):
        yield (
            f"{stopped} of them were stopped by a budget or a forecaster: a build refuses the "
            "whole family, as those that were not stopped are no fair draw"
        )
    if inspection.duplicates:
        yield f"{numbered(inspection.duplicates, 'duplicate')}: the first of each is used"
    if inspection.bare_counts:
        yield f"bare counts: {inspection.bare_counts}"


def _unjudged_line(inspection: Inspection, unjudged: int) -> str:
    """Say what gives rollouts the outcomes that they lack."""
    first = next(each for each in inspection.rollouts if each.is_unjudged)
    label = json.dumps({"rollout": first.label_name, "success": True}, ensure_ascii=False)
    rule = ""
    scores = [each.scores.values() for each in inspection.rollouts if each.is_unjudged]
    if any(value is not None for values in scores for value in values):
        rule = ", or name a score that decides it with --success"
    return (
        f"{unjudged} not judged: a build needs each rollout's outcome; write lines such as {label} "
        f"into {LABELS} in the folder that is built (--labels-template FILE writes them to be "
        f"filled in){rule}; 'bagen fit' and 'bagen watch' need none"
    )


def rollout_tables(rollout: InspectedRollout) -> Iterator[Table | str]:
    """Yield what is known of one rollout: a table of its turns, with lines around it."""
    yield rollout.where
    facts = {
        "format": rollout.format,
        "written by": rollout.source,
        "model": rollout.model,
        "rollout": rollout.rollout_id,
        "instance": rollout.instance_id,
        "session": rollout.source_id,
        "outcome": ": ".join(filter(None, (rollout.outcome, rollout.unjudged))),
        "scores": _listed(rollout.scores),
    }
    yield from (f"  {name}: {value}" for name, value in facts.items() if value)
    if rollout.refusal:
        yield f"  refused: {rollout.refusal}"
    if rollout.turns:
        yield _turn_table(rollout)
    if rollout.skipped:
        yield f"  skipped, as no part of a turn: {_listed(rollout.skipped)}"
    if rollout.usage_source:
        counted_by = _SOURCES.get(rollout.usage_source, rollout.usage_source)
        turns = numbered(rollout.total_turns, "turn")
        text = f"  T = {turns}, {_amounts(rollout.totals)}, by {counted_by}"
        if rollout.clipped_turns:
            text += (
                f"; {rollout.clipped_turns} clipped: an input shorter than the history before it"
            )
        yield text


_SOURCES = {
    "request": "what each request states (request)",
    "turn": "what each turn states (turn)",
    "tokenizer": "the tokenizer",
}


def _turn_table(rollout: InspectedRollout) -> Table:
    requests = [request for turn in rollout.turns for request in turn.requests or ()]
    stated = [
        column for column in _STATED if column.heading in _ALWAYS or any(map(column.text, requests))
    ]
    counted = _counted_names(rollout)
    has_history = any(turn.replayed for turn in rollout.turns)
    has_contexts = len({request.context for request in requests}) > 1
    has_calls = any(turn.tool_calls for turn in rollout.turns)
    has_notes = any(map(_note, rollout.turns))
    has_seconds = any(turn.seconds for turn in rollout.turns)
    table = Table(
        title="as stated, a row a request | as counted, a turn",
        caption=_caption([column.heading for column in stated], has_history),
        title_justify="left",
        caption_justify="left",
    )
    table.add_column("turn", justify="right", no_wrap=True)
    if has_contexts:
        table.add_column("context", no_wrap=True)
    for column in stated:
        table.add_column(column.heading, justify="right", no_wrap=True)
    table.add_column("shape", no_wrap=True)
    if has_history:
        table.add_column("replayed", justify="right", no_wrap=True)
    for name in counted:
        table.add_column(shown(_HEADINGS.get(name, name)), justify="right", no_wrap=True)
    if has_calls:
        table.add_column("calls", justify="right", no_wrap=True)
    if has_seconds:
        table.add_column("seconds", justify="right", no_wrap=True)
    table.add_column("response", max_width=40, no_wrap=True, overflow="ellipsis")
    if has_notes:
        table.add_column("note")
    for turn in rollout.turns:
        own = [_amount((turn.usage or {}).get(name)) for name in counted]
        own += [_number(turn.tool_calls)] if has_calls else []
        own += [f"{turn.seconds:,.1f}" if turn.seconds else ""] if has_seconds else []
        own += [turn.assistant, *([_note(turn)] if has_notes else [])]
        rows = [*(turn.requests or (None,))]
        for place, request in enumerate(rows):
            cells = [str(turn.number) if place == len(rows) - 1 else ""]
            if has_contexts:
                cells.append(_context(request) if request else "")
            cells += [column.text(request) if request else "" for column in stated]
            cells.append(request.shape if request else "")
            if has_history:
                cells.append(f"{turn.replayed[place]:,}" if place < len(turn.replayed) else "")
            last = own if place == len(rows) - 1 else [""] * len(own)
            table.add_row(*map(shown, (*cells, *last)))
    table.add_section()
    cells = ["sum", *([""] if has_contexts else [])]
    cells += [_sum_of(column.heading, requests) for column in stated]
    cells += [""] * (1 + has_history)
    usages = [turn.usage for turn in rollout.turns if turn.usage is not None]
    cells += [_amount(sum(usage[name] for usage in usages)) if usages else "" for name in counted]
    table.add_row(*cells)
    return table


def _context(request: Request) -> str:
    is_main = not request.context or request.context.startswith(BRANCH)
    return f"{MAIN}{request.context}" if is_main else request.context


def _caption(headings: Sequence[str], has_history: bool) -> str | None:
    lines = []
    if has_history:
        lines.append("replayed: the context's history in the input; fresh input is the rest")
    if "not replayed" in headings:
        lines.append("not replayed: reasoning, and responses that later requests leave out")
    return "\n".join(lines) or None


_HEADINGS = {"input_tokens": "fresh input", "output_tokens": "fresh output", "tokens": "fresh"}


def _counted_names(rollout: InspectedRollout) -> list[str]:
    names = [*_TOKEN_NAMES, *rollout.totals] if not rollout.totals else [*rollout.totals]
    return list(dict.fromkeys(names))


def _note(turn: InspectedTurn) -> str:
    return ", ".join(filter(None, ("clipped" if turn.is_clipped else "", turn.note)))


def _sum_of(heading: str, requests: Sequence[Request]) -> str:
    sums: Mapping[str, float | None] = {
        "input": sum(request.input_tokens for request in requests),
        "cached": sum(request.cached_tokens for request in requests),
        "written to cache": sum(request.cache_write_tokens for request in requests),
        "output": sum(request.output_tokens for request in requests),
        "not replayed": sum(map(_not_replayed, requests)),
    }
    if heading == "cost":
        return _cost(sum(request.cost_usd or 0 for request in requests))
    return _amount(sums[heading])


def _overview(inspection: Inspection) -> Table:
    table = Table(title=shown(inspection.name), title_justify="left")
    table.add_column("rollout", overflow="fold", no_wrap=True)
    for heading in ("turns", "spent"):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("outcome", "counted by", "written by"):
        table.add_column(heading, no_wrap=True)
    for each in inspection.rollouts:
        table.add_row(
            shown(each.where),
            f"{each.total_turns:,}" if each.usage_source else "",
            shown(_amounts(each.totals)),
            shown(_state(each)),
            shown(each.usage_source),
            shown(each.source or each.format),
        )
    table.add_section()
    used = [each for each in inspection.rollouts if each.is_used]
    unjudged = [each for each in inspection.rollouts if each.is_unjudged]
    if used or not unjudged:
        _add_sum(table, used, "that can be used")
    if unjudged:
        _add_sum(table, unjudged, "not judged")
    return table


def _add_sum(table: Table, rollouts: Sequence[InspectedRollout], which: str) -> None:
    """Add a row with the turns and amounts of some rollouts together."""
    totals: dict[str, float] = {}
    for each in rollouts:
        for name, amount in each.totals.items():
            totals[name] = totals.get(name, 0) + amount
    turns = sum(each.total_turns for each in rollouts)
    table.add_row(f"sum of the {len(rollouts):,} {which}", f"{turns:,}", shown(_amounts(totals)))


def _state(rollout: InspectedRollout) -> str:
    if not rollout.refusal:
        return rollout.outcome
    if rollout.refusal == NO_TURNS:
        return "no turns"
    return "duplicate" if rollout.is_duplicate else "refused"


def _amounts(amounts: Mapping[str, float]) -> str:
    """Return totals with their names, fresh tokens as one number."""
    named = {
        "fresh tokens" if name == "tokens" else name: amount
        for name, amount in amounts.items()
        if name == "tokens" or name not in _TOKEN_NAMES
    }
    return ", ".join(f"{_amount(amount)} {name}" for name, amount in named.items())


def _listed(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _amount(amount: float | None) -> str:
    if amount is None:
        return ""
    return f"{amount:,.4f}".rstrip("0").rstrip(".") if amount != int(amount) else f"{amount:,.0f}"


def _number(number: int | None) -> str:
    return f"{number:,}" if number else ""


def _cost(cost: float | None) -> str:
    return "" if cost is None else f"${cost:.4f}"
