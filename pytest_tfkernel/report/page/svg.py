"""A figure of matplotlib as markup for a page: small, and without any look of its own.

Only lines that have a gid are drawn, and the gid becomes their class: colours are those of the page's style sheet, in
light and in dark. So a figure has no style attributes, which the page's content security policy would refuse. Words
are put on it afterwards, in the page's own fonts: to lay them out would take longer than all the rest.
"""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

import matplotlib as mpl
from markupsafe import Markup, escape
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from pytest_tfkernel.report.page.words import clean

PREFIX = "k-"
# So that a figure's units are the pixels of the page.
_DPI = 72
_PATH = "{http://www.w3.org/2000/svg}path"
_POINT = re.compile(r"([ML]) (\S+) (\S+)")


@dataclass(frozen=True)
class Words:
    """A text and its place, in pixels from the upper left corner; `anchor` is start, middle or end."""

    x: float
    y: float
    text: str
    kind: str
    anchor: str = "start"
    slanted: bool = False


@contextlib.contextmanager
def settings() -> Iterator[None]:
    """Draw as matplotlib does by default, whatever its user has set; `draw` needs it."""
    with mpl.rc_context():
        mpl.rcdefaults()
        # The same run gives the same page, with all its points.
        mpl.rcParams.update({"svg.hashsalt": "tfkernel", "path.simplify": False})
        yield


def sheet(width: int, height: int) -> Figure:
    """An empty figure, in pixels."""
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, frameon=False)
    FigureCanvasSVG(figure)
    return figure


def axes(figure: Figure, left: float, top: float, width: float, height: float) -> Axes:
    """A place in a figure, in pixels from its upper left corner, without frame and ticks."""
    whole_width, whole_height = figure.get_size_inches() * _DPI
    bottom = whole_height - top - height
    place = figure.add_axes((left / whole_width, bottom / whole_height, width / whole_width, height / whole_height))
    place.set_axis_off()
    return place


def draw(figure: Figure, words: Sequence[Words], label: str) -> Markup:
    """The markup; `label` is for those who can't see it."""
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", metadata={"Date": None})
    width, height = (round(inches * _DPI) for inches in figure.get_size_inches())
    tree = ET.fromstring(drawn.getvalue())  # noqa: S314 - made a moment ago, here
    body = "".join([*_paths(tree, ""), *map(_text, words)])
    return Markup('<svg viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">{}</svg>').format(
        width,
        height,
        width,
        height,
        clean(label),
        Markup(body),  # noqa: S704 - its pieces are escaped
    )


def _paths(element: ET.Element, gid: str) -> Iterator[str]:
    own = element.get("id", "")
    gid = own.removeprefix(PREFIX) if own.startswith(PREFIX) else gid
    if gid and element.tag == _PATH:
        points = _points(element.get("d", ""))
        if points:
            yield f'<path class="{escape(gid)}" d="{points}"/>'
    for child in element:
        yield from _paths(child, gid)


def _points(path: str) -> str:
    """The same path, to a tenth of a pixel: less can't be seen."""
    found = []
    before = ""
    for command, x, y in _POINT.findall(path):
        # A line goes on after M and L without saying so.
        found.append(f"{'M' if command == 'M' else ' ' if before else 'L'}{_short(float(x))} {_short(float(y))}")
        before = command
    return "".join(found)


def _text(words: Words) -> str:
    x, y = _short(words.x), _short(words.y)
    turn = f' transform="rotate(-45 {x} {y})"' if words.slanted else ""
    anchor = "" if words.anchor == "start" else f' text-anchor="{words.anchor}"'
    return f'<text class="{words.kind}" x="{x}" y="{y}"{turn}{anchor}>{escape(clean(words.text))}</text>'


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
