"""The medians of a figure in run after run, as a line with a band for their spread."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from pytest_tfkernel.report.history.runs import RunColumn
from pytest_tfkernel.report.history.trends import Trend, amount
from pytest_tfkernel.report.page import svg

_WIDTH, _HEIGHT = 520, 190
_LEFT, _RIGHT, _TOP, _FOOT = 66, 10, 22, 22
_DOT = 1.6
# Names of versions that are closer than this run into each other.
_STEP = 62
_LONGEST = 12


@dataclass(frozen=True)
class TrendPlot:
    """One figure, and its picture."""

    trend: Trend
    picture: Markup


def plots(trends: Sequence[Trend], runs: Sequence[RunColumn]) -> Iterator[TrendPlot]:
    """Those of which there is a line to see. Needs `svg.settings`."""
    for trend in trends:
        if len(trend.known) > 1:
            yield TrendPlot(trend, _draw(trend, runs))


def _draw(trend: Trend, runs: Sequence[RunColumn]) -> Markup:
    width, height = _WIDTH - _LEFT - _RIGHT, _HEIGHT - _TOP - _FOOT
    low, high = _ends(trend)
    figure = svg.sheet(_WIDTH, _HEIGHT)
    axes = svg.axes(figure, _LEFT, _TOP, width, height)
    end = max(len(runs) - 1, 1)
    axes.set_xlim(0, end)
    axes.set_ylim(low, high)
    words = []
    for level in _levels(low, high):
        axes.axhline(level, gid=f"{svg.PREFIX}grid")
        place = _TOP + height * (1 - (level - low) / (high - low))
        words.append(svg.Words(_LEFT - 6, place + 4, amount(level, trend.unit), "tick", "end"))
    words += _draw_versions(axes, runs, width / end)
    words += [
        svg.Words(_LEFT, _HEIGHT - 5, runs[0].day, "tick"),
        svg.Words(_WIDTH - _RIGHT, _HEIGHT - 5, runs[-1].day, "tick", "end"),
    ]
    _draw_band(axes, trend)
    medians = [math.nan if one is None else one.median for one in trend.spreads]
    axes.plot(range(len(medians)), medians, gid=f"{svg.PREFIX}track", clip_on=False)
    # A dot is a short line: a marker would be a symbol with an id, and ids are to be unique on a page.
    dot = _DOT * end / width
    each = [(at, one.median) for at, one in enumerate(trend.spreads) if one is not None]
    axes.plot(
        [x for at, _ in each for x in (at - dot, at + dot, math.nan)],
        [y for _, median in each for y in (median, median, math.nan)],
        gid=f"{svg.PREFIX}dots",
        clip_on=False,
    )
    return svg.draw(
        figure, words, f"{trend.title}: {trend.words(trend.known[0])}, then {trend.words(trend.known[-1])}."
    )


def _ends(trend: Trend) -> tuple[float, float]:
    low = min(one.median - one.deviation for one in trend.known)
    high = max(one.median + one.deviation for one in trend.known)
    room = (high - low or abs(high) or 1.0) * 0.08
    # What is measured is never less than nothing.
    return max(low - room, 0.0) if low >= 0 else low - room, high + room


def _levels(low: float, high: float) -> Iterator[float]:
    """Four heights with names, from the lowest to the highest."""
    for part in range(4):
        yield low + (high - low) * part / 3


def _draw_versions(axes: Axes, runs: Sequence[RunColumn], scale: float) -> Iterator[svg.Words]:
    """A line down where the versions are others than before, and their name where there is room for it."""
    free = 0.0
    for at, run in enumerate(runs):
        if at and run.versions == runs[at - 1].versions:
            continue
        place = _LEFT + at * scale
        if at:
            axes.axvline(at, gid=f"{svg.PREFIX}moment")
        if place >= free and place + _STEP <= _WIDTH:
            yield svg.Words(place + 2, _TOP - 8, run.versions.partition(",")[0][:_LONGEST], "name")
            free = place + _STEP


def _draw_band(axes: Axes, trend: Trend) -> None:
    """From the median less its deviation to the median with it, wherever runs that have measured it are neighbours."""
    x: list[float] = []
    y: list[float] = []
    for places in _neighbours(trend):
        spreads = [one for one in (trend.spreads[at] for at in places) if one is not None]
        above = [one.median + one.deviation for one in spreads]
        below = [one.median - one.deviation for one in spreads]
        x += [*places, *reversed(places), places[0], math.nan]
        y += [*above, *reversed(below), above[0], math.nan]
    axes.plot(x, y, gid=f"{svg.PREFIX}half band", clip_on=False)


def _neighbours(trend: Trend) -> Iterator[list[int]]:
    places: list[int] = []
    for at, one in enumerate((*trend.spreads, None)):
        if one is not None:
            places.append(at)
        elif places:
            yield places
            places = []
