"""Figures of several small panels with the same axes, as SVG that takes its colours from the page.

Each submission's page has such figures, and a board has thousands of those pages: a general plotter
takes a sixth of a second for one, and this takes a thousandth of that.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

Place = tuple[float, float]
"""A place in a panel, from 0 to 1 along both axes."""

INK, MUTED, LINE = "var(--ink)", "var(--muted)", "var(--line)"
SERIES = ("var(--s1)", "var(--s2)", "var(--s3)", "var(--s4)")
"""Colours that are told apart."""
WIDTH, HEIGHT = 250, 160
"""A panel within its axes."""
_COLUMNS = 3
_LEFT, _TOP, _RIGHT, _BOTTOM = 48, 24, 18, 44
"""Space around a panel, for its name and its axes' words."""
_LEGEND = 26
_NEAR_TOP = 0.9
_DOT = 3.5
_CHARACTER = 6.2
"""The usual width of a letter of the legend."""


@dataclass(frozen=True)
class Axis:
    """An axis of all panels."""

    ticks: Sequence[tuple[float, str]]
    """Place, from 0 to 1 along the axis, and text of each tick."""
    title: str = ""


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

    def line(self, points: Sequence[Place], colour: str, *, is_dashed: bool = False) -> None:
        """Draw a line from point to point."""
        if not points:
            return
        path = "L".join(f"{_x(x)} {_y(y)}" for x, y in points)
        dashes = ' stroke-dasharray="5 4"' if is_dashed else ""
        self.marks.append(
            f'<path d="M{path}" stroke="{colour}" stroke-width="2" fill="none"{dashes}/>'
        )

    def text(self, x: float, y: float, words: str) -> None:
        """Write above a point, or below one at the top, where the panel's name is."""
        shift = -7 if y < _NEAR_TOP else 14
        self.marks.append(
            _text(float(_x(x)), float(_y(y)) + shift, words, fill=MUTED, font_size=10)
        )


def panels_svg(
    about: str,
    panels: Sequence[Panel],
    x_axis: Axis,
    y_axis: Axis,
    legend: Mapping[str, str] | None = None,
) -> str:
    """Draw panels, three in a row.

    Args:
        about: the figure in words, for who cannot see it.
        panels: at least one.
        x_axis: along the bottom of each panel.
        y_axis: up the left of each panel.
        legend: the colour of each name.
    """
    across, down = _LEFT + WIDTH + _RIGHT, _TOP + HEIGHT + _BOTTOM
    columns = min(len(panels), _COLUMNS)
    above = _LEGEND if legend else 0
    size = (columns * across, above + -(-len(panels) // _COLUMNS) * down)
    axes = "".join((*_x_axis(x_axis), *_y_axis(y_axis)))
    drawn = [
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(about)}" '
        f'width="{size[0]}" height="{size[1]}" viewBox="0 0 {size[0]} {size[1]}">',
        *_legend(legend or {}),
    ]
    for number, panel in enumerate(panels):
        x, y = number % _COLUMNS * across + _LEFT, above + number // _COLUMNS * down + _TOP
        name = _text(WIDTH / 2, -9, panel.name, fill=INK, font_size=12, font_weight="bold")
        marks = "".join(panel.marks)
        drawn.append(f'<g transform="translate({x},{y})">{axes}{name}{marks}</g>')
    return "".join((*drawn, "</svg>"))


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


def _legend(colours: Mapping[str, str]) -> Iterator[str]:
    x = 8.0
    for name, colour in colours.items():
        yield f'<circle cx="{x:g}" cy="12" r="5" fill="{colour}"/>'
        yield _text(x + 10, 16, name, fill=INK, font_size=11, text_anchor="start")
        x += 30 + _CHARACTER * len(name)


def _text(x: float, y: float, words: str, **attributes: object) -> str:
    """Write words, centred unless `text_anchor` says otherwise."""
    given = {"text_anchor": "middle", **attributes}
    more = "".join(f' {name.replace("_", "-")}="{value}"' for name, value in given.items())
    return f'<text x="{x:g}" y="{y:g}"{more}>{escape(words)}</text>'


def _x(place: float) -> str:
    return f"{WIDTH * place:.1f}"


def _y(place: float) -> str:
    return f"{HEIGHT * (1 - place):.1f}"
