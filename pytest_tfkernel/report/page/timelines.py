"""The timeline of a trial: what its kernel held at each of its moments, as a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from pytest_tfkernel.report.document import Moment
from pytest_tfkernel.report.page import svg
from pytest_tfkernel.report.page.words import count, duration, size

_WIDTH = 348
_LEFT, _RIGHT = 6, 22
_LABELS, _TRACK, _GAP, _FOOT = 60, 30, 20, 16
# Slanted names that are closer than this run into each other, and the last one needs room to its right.
_STEP, _LAST = 16.0, 44
_NAMES = ("started", "cell", "fault", "death", "noticed", "settled", "restarted", "rebuilt")
_DOT = 1.6


@dataclass(frozen=True)
class _Track:
    """One line of the picture."""

    name: str
    of: Callable[[Moment], int | None]
    unit: Callable[[int | None], str]


_TRACKS = (
    _Track("memory", lambda moment: moment.memory, size),
    _Track("threads", lambda moment: moment.threads, count),
    _Track("handles", lambda moment: moment.handles, count),
    _Track("GPU memory", lambda moment: moment.gpu_memory, size),
)


@dataclass(frozen=True)
class _Lane:
    """The place of a track, and what is drawn there."""

    axes: Axes
    line: Line2D
    dots: Line2D
    top: float


@dataclass(frozen=True)
class _Sheet:
    """A figure that is drawn on again and again: to make one takes far longer."""

    figure: Figure
    moments: dict[str, Line2D]
    lanes: tuple[_Lane, ...]
    height: int


class Timelines:
    """Draws timelines, one after the other. Needs `svg.settings`."""

    def __init__(self) -> None:
        self._sheets: dict[int, _Sheet] = {}

    def draw(self, timeline: Sequence[Moment]) -> Markup:
        """The picture; empty without two moments."""
        moments = sorted(timeline, key=lambda moment: moment.seconds)
        if len(moments) < 2 or moments[-1].seconds <= 0:  # noqa: PLR2004 - no line without two points
            return Markup()
        tracks = [track for track in _TRACKS if any(track.of(moment) is not None for moment in moments)]
        if len(tracks) not in self._sheets:
            self._sheets[len(tracks)] = _sheet(len(tracks))
        sheet = self._sheets[len(tracks)]
        began, end = min(0.0, moments[0].seconds), moments[-1].seconds
        words = list(_draw_moments(sheet, moments, began, end))
        for lane, track in zip(sheet.lanes, tracks, strict=True):
            words.append(_draw_track(lane, track, moments, began, end))
        return svg.draw(sheet.figure, words, _label(moments, tracks))


def _sheet(tracks: int) -> _Sheet:
    height = _LABELS + tracks * (_TRACK + _GAP) + _FOOT
    figure = svg.sheet(_WIDTH, height)
    whole = svg.axes(figure, 0, 0, _WIDTH, height)
    whole.set_xlim(0, _WIDTH)
    whole.set_ylim(height, 0)
    moments = {name: whole.plot([], [], gid=f"{svg.PREFIX}moment {name}")[0] for name in _NAMES}
    return _Sheet(figure, moments, tuple(_lane(figure, number) for number in range(tracks)), height)


def _lane(figure: Figure, number: int) -> _Lane:
    top = _LABELS + number * (_TRACK + _GAP) + _GAP
    axes = svg.axes(figure, _LEFT, top, _WIDTH - _LEFT - _RIGHT, _TRACK)
    line, dots = (axes.plot([], [], gid=f"{svg.PREFIX}{kind}", clip_on=False)[0] for kind in ("track", "dots"))
    return _Lane(axes, line, dots, top)


def _draw_moments(sheet: _Sheet, moments: Sequence[Moment], began: float, end: float) -> Iterator[svg.Words]:
    """A line down and a name for the first moment of each name, and the ends of the time."""
    first = {moment.name: moment for moment in reversed(moments) if moment.name in _NAMES}
    shown = sorted(first.values(), key=lambda moment: (moment.seconds, _NAMES.index(moment.name)))
    scale = (_WIDTH - _LEFT - _RIGHT) / (end - began)
    places = [_LEFT + (moment.seconds - began) * scale for moment in shown]
    for line in sheet.moments.values():
        line.set_data([], [])
    for moment, place, label in zip(shown, places, spread(places, _STEP, _LEFT, _WIDTH - _LAST), strict=True):
        # Down from the name, aslant to where the moment is, down through the tracks.
        sheet.moments[moment.name].set_data([label, place, place], [_LABELS - 10, _LABELS + 4, sheet.height - _FOOT])
        yield svg.Words(label + 2, _LABELS - 12, moment.name, "name", slanted=True)
    yield svg.Words(_LEFT, sheet.height - 3, duration(began), "tick")
    yield svg.Words(_WIDTH - _RIGHT, sheet.height - 3, duration(end), "tick", "end")


def _draw_track(lane: _Lane, track: _Track, moments: Sequence[Moment], began: float, end: float) -> svg.Words:
    found = [(moment.seconds, track.of(moment)) for moment in moments]
    known = [(seconds, amount) for seconds, amount in found if amount is not None]
    low, high = (pick(amount for _, amount in known) for pick in (min, max))
    room = (high - low or max(high, 1)) * 0.08
    lane.axes.set_xlim(began, end)
    lane.axes.set_ylim(low - room, high + room)
    # Where nothing is known, there is no line.
    lane.line.set_data([seconds for seconds, _ in found], [math.nan if one is None else one for _, one in found])
    # A dot is a short line: a marker would be a symbol with an id, and ids are to be unique on a page.
    dot = _DOT * (end - began) / (_WIDTH - _LEFT - _RIGHT)
    lane.dots.set_data(
        [x for seconds, _ in known for x in (seconds - dot, seconds + dot, math.nan)],
        [y for _, amount in known for y in (amount, amount, math.nan)],
    )
    span = track.unit(high) if low == high else f"{track.unit(low)} to {track.unit(high)}"
    return svg.Words(_LEFT, lane.top - 5, f"{track.name}, {span}", "title")


def spread(places: Sequence[float], step: float, low: float, high: float) -> list[float]:
    """Sorted places, moved apart to be at least `step` from each other, and between `low` and `high` if they fit."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + step if moved else low))
    limit = high
    for number in range(len(moved) - 1, -1, -1):
        moved[number] = min(moved[number], limit)
        limit = moved[number] - step
    return moved


def _label(moments: Sequence[Moment], shown: Sequence[_Track]) -> str:
    tracks = ", ".join(track.name for track in shown) or "moments only"
    return f"Timeline of {duration(moments[-1].seconds)}: {tracks}. The table has its numbers."
