"""Figures of several small panels with the same axes, as SVG that takes its colours from the page.

Each panel is a picture of its own, so that a narrow page has them below each other.

Each submission's page has such figures, and a board has thousands of those pages: a general plotter
takes a sixth of a second for one, and this takes a thousandth of that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

Place = tuple[float, float]
"""A place in a panel, from 0 to 1 along both axes."""

INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
SERIES = ("var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)")
"""Colours that differ from each other for every reader."""
WIDTH, HEIGHT = 250, 160
"""A panel within its axes."""
DASHED, DOTTED = "5 4", "3 6"
"""Lengths of the strokes and gaps of a line; without any it is solid."""
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 24, 18, 44
"""Space around a panel, for its name and its axes' words."""
_LEGEND = 24
_NEAR_EDGE = 0.1
_DOT = 3.5
_KEY = 22
"""Width of the mark of an entry of the legend."""
_CHARACTER = 7.4
"""The usual width of a character of the legend."""
_SMALL_CHARACTER = 5.6
"""The usual width of a character beside a point."""


@dataclass(frozen=True)
class Axis:
    """An axis of all panels."""

    ticks: Sequence[tuple[float, str]]
    """Place, from 0 to 1 along the axis, and text of each tick."""
    title: str = ""


@dataclass(frozen=True)
class Key:
    """The mark of one entry of a legend: a dot, a line, or a line with dots."""

    colour: str
    dashes: str | None = None
    """Strokes and gaps of the line, empty for a solid one; None without a line."""
    is_dot: bool = True


@dataclass(frozen=True)
class Panel:
    """The marks of one panel; places are from 0 to 1 along both axes."""

    name: str
    marks: list[str] = field(default_factory=list)
    """SVG elements."""

    def dot(self, x: float, y: float, colour: str) -> None:
        """Draw a point."""
        self.marks.append(f'<circle cx="{_x(x)}" cy="{_y(y)}" r="{_DOT}" fill="{colour}"/>')

    def bar(self, x: float, low: float, high: float, colour: str) -> None:
        """Draw an upright error bar."""
        path = f"M{_x(x)} {_y(low)}V{_y(high)}"
        self.marks.append(f'<path d="{path}" stroke="{colour}" opacity="0.5"/>')

    def line(self, points: Sequence[Place], colour: str, dashes: str = "") -> None:
        """Draw a line from point to point, solid without `dashes`."""
        if not points:
            return
        path = "L".join(f"{_x(x)} {_y(y)}" for x, y in points)
        broken = f' stroke-dasharray="{dashes}"' if dashes else ""
        self.marks.append(
            f'<path d="M{path}" stroke="{colour}" stroke-width="2" fill="none"{broken}/>'
        )

    def text(
        self, x: float, y: float, words: str, side: Literal["above", "below"] = "above"
    ) -> None:
        """Write words beside a point, never outside the panel, on a ground of the page's colour.

        Marks that are drawn later cover the words.
        """
        is_above = y < _NEAR_EDGE or (side == "above" and y <= 1 - _NEAR_EDGE)
        half = len(words) * _SMALL_CHARACTER / 2
        anchor = "middle"
        if x * WIDTH < half:
            anchor = "start"
        elif x * WIDTH > WIDTH - half:
            anchor = "end"
        self.marks.append(
            _text(
                float(_x(x)),
                float(_y(y)) + (-7 if is_above else 14),
                words,
                fill=MUTED,
                font_size=10,
                text_anchor=anchor,
                stroke="var(--bg)",
                stroke_width=3,
                paint_order="stroke",
            )
        )


def panels_svg(
    about: str,
    panels: Sequence[Panel],
    x_axis: Axis,
    y_axis: Axis,
    legend: Mapping[str, Key],
) -> str:
    """Return HTML with a picture for each panel, as many in a row as there is room for.

    Args:
        about: the figure in words, for readers who cannot see it.
        panels: at least one.
        x_axis: the axis along the bottom of each panel.
        y_axis: the axis up the left of each panel.
        legend: the mark of each name; empty where the figure needs none.
    """
    axes = "".join((*_x_axis(x_axis), *_y_axis(y_axis)))
    size = (_LEFT + WIDTH + _RIGHT, _TOP + HEIGHT + _BOTTOM)
    drawn = [f'<div class="panels" role="img" aria-label="{escape(about)}">']
    if legend:
        drawn += ['<div class="legend">', *_legend(legend), "</div>"]
    for panel in panels:
        name = _text(WIDTH / 2, -9, panel.name, fill=INK, font_size=12, font_weight="bold")
        marks = "".join(panel.marks)
        group = f'<g transform="translate({_LEFT},{_TOP})">{axes}{name}{marks}</g>'
        drawn.append(_svg(*size, group))
    return "".join((*drawn, "</div>"))


def _svg(width: int, height: int, content: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}">{content}</svg>'
    )


def _x_axis(axis: Axis) -> Iterator[str]:
    for place, words in axis.ticks:
        yield f'<path d="M{_x(place)} 0V{HEIGHT}" stroke="{LINE}"/>'
        yield _text(float(_x(place)), HEIGHT + 14, words, fill=MUTED, font_size=10)
    if axis.title:
        yield _text(WIDTH / 2, HEIGHT + 31, axis.title, fill=INK, font_size=12)


def _y_axis(axis: Axis) -> Iterator[str]:
    for place, words in axis.ticks:
        yield f'<path d="M0 {_y(place)}H{WIDTH}" stroke="{LINE}"/>'
        yield _text(-6, float(_y(place)) + 3.5, words, fill=MUTED, font_size=10, text_anchor="end")
    if axis.title:
        turned = f"rotate(-90,-34,{HEIGHT / 2:g})"
        yield _text(-34, HEIGHT / 2, axis.title, fill=INK, font_size=12, transform=turned)


def _legend(keys: Mapping[str, Key]) -> Iterator[str]:
    """Yield an entry for each name, so that a narrow page can put them below each other."""
    for name, key in keys.items():
        words = _text(_KEY + 8, 16, name, fill=INK, font_size=13, text_anchor="start")
        width = _KEY + 22 + round(_CHARACTER * len(name))
        yield _svg(width, _LEGEND, "".join((*_key(key), words)))


def _key(key: Key) -> Iterator[str]:
    if key.dashes is not None:
        broken = f' stroke-dasharray="{key.dashes}"' if key.dashes else ""
        yield f'<path d="M0 12H{_KEY}" stroke="{key.colour}" stroke-width="2"{broken}/>'
    if key.is_dot:
        yield f'<circle cx="{_KEY / 2:g}" cy="12" r="{_DOT}" fill="{key.colour}"/>'


def _text(x: float, y: float, words: str, **attributes: object) -> str:
    """Write words, centred unless `text_anchor` says otherwise."""
    given = {"text_anchor": "middle", **attributes}
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in given.items())
    return f'<text x="{x:g}" y="{y:g}"{more}>{escape(words)}</text>'


def _x(place: float) -> str:
    return f"{WIDTH * place:.1f}"


def _y(place: float) -> str:
    return f"{HEIGHT * (1 - place):.1f}"
