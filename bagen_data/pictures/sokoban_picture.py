"""The level before each turn, and what the agent then did."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import altair as alt

from bagen_data.answers import answer_in

_GRID = re.compile(r"^(?:[#_OXPS√]{3,}\n?)+", re.MULTILINE)
_CELL = 22
"""Pixels."""
_PANELS = 5
"""In a row."""
_COLOURS = {
    "wall": "#4a4e57",
    "floor": "#f1efe9",
    "target": "#c8553d",
    "box": "#b98a4e",
    "box on target": "#4f8f5b",
    "player": "#2f6db3",
}
_SHAPES = {
    "target": ("diamond", 130),
    "box": ("square", 260),
    "box on target": ("square", 260),
    "player": ("circle", 190),
}
"""By thing: its shape and its area in square pixels, in the order in which they are drawn."""
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
    """A panel a turn; those after the probe are pale. None where no message has a grid.

    Args:
        rollout: a row of the config `rollouts`.
        turn: the k of the probe: so many turns it shows.
    """
    turns = enumerate(rollout["turns"], 1)
    rows = [row for number, recorded in turns for row in _cells(number, recorded)]
    if not rows:
        return None
    for row in rows:
        row["shown"] = 1.0 if row["turn"] <= turn else 0.35
    columns, lines = (1 + max(row[side] for row in rows) for side in ("column", "row"))
    scale = alt.Scale(domain=list(_COLOURS), range=list(_COLOURS.values()))
    base = alt.Chart(alt.Data(values=rows)).encode(  # type: ignore[no-untyped-call]
        x=alt.X("column:O", axis=None, scale=alt.Scale(padding=0)),
        y=alt.Y("row:O", axis=None, scale=alt.Scale(padding=0)),
        color=alt.Color("what:N", scale=scale, legend=None),
        opacity=alt.Opacity("shown:Q", scale=None, legend=None),
    )
    layers = alt.layer(
        base.mark_rect().transform_filter(alt.FieldOneOfPredicate("what", ["wall", "floor"])),
        *(
            base.mark_point(filled=True, shape=shape, size=size).transform_filter(
                alt.FieldEqualPredicate(thing, "what")
            )
            for thing, (shape, size) in _SHAPES.items()
        ),
    )
    panel = layers.properties(width=_CELL * columns, height=_CELL * lines)
    titles = list(dict.fromkeys(row["title"] for row in rows))
    return panel.facet(
        facet=alt.Facet(
            "title:N", sort=titles, title=None, header=alt.Header(labelLimit=_CELL * columns)
        ),
        columns=_PANELS,
    ).properties(title=f"{rollout['rollout_model']}, {rollout['instance_id']}")


def _cells(number: int, turn: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A row a thing on a cell of the last grid of the turn's user message."""
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
