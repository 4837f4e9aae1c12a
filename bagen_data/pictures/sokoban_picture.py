"""The Sokoban level before each turn, and what the agent then did."""

import re
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

import altair as alt

from bagen_data.answers import answer_in

_GRID = re.compile(r"^(?:[#_OXPS√]{3,}\n?)+", re.MULTILINE)
_CELL = 22
"""Pixels of a cell's side."""
_PANELS = 5
"""Panels in a row."""
_COLOURS = {
    "wall": "#4a4e57",
    "floor": "#f1efe9",
    "target": "#c8553d",
    "box": "#b98a4e",
    "box on target": "#4f8f5b",
    "player": "#2f6db3",
}
_SHAPES = {
    "box": ("square", 260),
    "box on target": ("square", 260),
    "target": ("diamond", 240),
    "player": ("circle", 120),
}
"""Shape and area, in square pixels, of each thing, in the order of drawing: a target shows on its
box and around its player."""
_FRAME = "#d9480f"
_TITLE_CHARACTERS = 20
"""Most characters of a line above a panel."""
_MARKS = {
    "#": ("wall",),
    "_": ("floor",),
    "O": ("floor", "target"),
    "X": ("floor", "box"),
    "P": ("floor", "player"),
    "√": ("floor", "target", "box on target"),
    "S": ("floor", "target", "player"),
}


def rollout_chart(rollout: Mapping[str, Any], turn: int) -> Any:
    """Return a panel for each turn: the level before it; None where no message has a grid.

    The last turn before the question has a frame, and later turns, which the estimator does not
    see, are pale. A legend names the symbols.

    Args:
        rollout: a row of the config `rollouts`.
        turn: the k of the probe: so many turns are before the question.
    """
    turns = enumerate(rollout["turns"], 1)
    rows = [row for number, recorded in turns for row in _cells(number, recorded)]
    if not rows:
        return None
    asked = f"asked after turn {turn}" if turn else "asked before turn 1"
    framed = max(turn, 1)
    for row in rows:
        row["shown"] = 1.0 if row["turn"] <= turn else 0.35
        row["is_framed"] = row["turn"] == framed and row["row"] == row["column"] == 0
        row["heading"] = _heading(row["title"], asked if row["turn"] == framed else "")
    columns, lines = (1 + max(row[side] for row in rows) for side in ("column", "row"))
    width, height = _CELL * columns, _CELL * lines
    headings = list(dict.fromkeys(row["heading"] for row in rows))
    labels = alt.Header(labelExpr="split(datum.value, '\\n')", labelLimit=2 * width, labelPadding=4)
    subtitle = [
        f"The question is {asked}, in the frame. Each panel is the level before its turn,",
        "under what the agent then did. Pale turns come after the question.",
    ]
    name = f"{rollout['rollout_model']}, {rollout['instance_id']}"
    return (
        alt.layer(*_layers(rows, width, height))
        .properties(width=width, height=height)
        .facet(
            facet=alt.Facet("heading:N", sort=headings, title=None, header=labels), columns=_PANELS
        )
        .properties(
            title=alt.TitleParams(name, subtitle=subtitle, anchor="start", offset=14),
            description=f"Sokoban, {name}: the level before each turn; {asked}",
        )
    )


def _layers(rows: Sequence[Mapping[str, Any]], width: int, height: int) -> list[Any]:
    """Return the cells, the things on them, and the frame of the panel before the question."""
    things = list(_COLOURS)
    marks = [_SHAPES.get(thing, ("square", 0))[0] for thing in things]
    legend = alt.Legend(
        title=None,
        orient="bottom",
        symbolSize=150,
        symbolOpacity=1,
        symbolStrokeColor="#8a8d93",
        symbolStrokeWidth=1,
        columns=len(things),
    )
    colour_scale = alt.Scale(domain=things, range=list(_COLOURS.values()))
    data = alt.Data(values=list(rows))  # type: ignore[no-untyped-call]
    base = alt.Chart(data).encode(
        x=alt.X("column:O", axis=None, scale=alt.Scale(padding=0)),
        y=alt.Y("row:O", axis=None, scale=alt.Scale(padding=0)),
        color=alt.Color("what:N", scale=colour_scale, legend=legend),
        opacity=alt.Opacity("shown:Q", scale=None, legend=None),
    )
    shape = alt.Shape("what:N", scale=alt.Scale(domain=things, range=marks), legend=legend)
    frame = alt.Chart(data).encode(
        x=alt.value(0), x2=alt.value(width), y=alt.value(0), y2=alt.value(height)
    )
    return [
        base.mark_rect().transform_filter(alt.FieldOneOfPredicate("what", ["wall", "floor"])),
        *(
            base.mark_point(filled=True, size=size)
            .encode(shape=shape)
            .transform_filter(alt.FieldEqualPredicate(thing, "what"))
            for thing, (_, size) in _SHAPES.items()
        ),
        frame.mark_rect(filled=False, stroke=_FRAME, strokeWidth=4).transform_filter(
            alt.FieldEqualPredicate(True, "is_framed")
        ),
    ]


def _heading(title: str, asked: str) -> str:
    """Return the lines above a panel, the last of which says that the question is asked there."""
    return "\n".join([*wrap(title, _TITLE_CHARACTERS), *([asked] if asked else [])])


def _cells(number: int, turn: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a row for each thing on a cell of the last grid of the turn's user message."""
    grids = _GRID.findall(turn["user"])
    if not grids:
        return
    answer = answer_in(turn["assistant"])
    actions = "no answer" if answer is None else " ".join(answer.replace("||", " ").split())
    for row, line in enumerate(grids[-1].split()):
        for column, mark in enumerate(line):
            for thing in _MARKS[mark]:
                yield {
                    "turn": number,
                    "title": f"{number}: {actions}",
                    "row": row,
                    "column": column,
                    "what": thing,
                }
