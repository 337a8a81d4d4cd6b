"""How long things took, by provisioner: one picture for each thing, on a logarithmic scale."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.axes import Axes

from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.latencies import LATENCIES, Latency, seconds_of
from pytest_tfkernel.report.page import svg
from pytest_tfkernel.report.page.matrices import kernels_of
from pytest_tfkernel.report.page.words import duration, line

_WIDTH = 348
_LEFT, _RIGHT = 8, 16
_ROW, _FOOT = 40, 20
# More ticks than this are a bar.
_MOST_TICKS = 400
_NAME = 60
# No clock and no wait of a run is finer.
_LEAST = 1e-5


@dataclass(frozen=True)
class LatencyGroup:
    """The seconds that one latency took, in the trials of one provisioner, and one kernel if there are several."""

    name: str
    seconds: tuple[float, ...]
    is_ref: bool = False

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    @property
    def quartiles(self) -> tuple[float, float]:
        """Where the middle half begins and ends."""
        if len(self.seconds) == 1:
            return self.seconds[0], self.seconds[0]
        first, _, third = statistics.quantiles(self.seconds, n=4, method="inclusive")
        return first, third

    @property
    def words(self) -> str:
        """For those who read it."""
        return f"{self.name}: median {duration(self.median)} of {len(self.seconds)}"


@dataclass(frozen=True)
class Plot:
    """One latency, its groups and its picture."""

    title: str
    groups: tuple[LatencyGroup, ...]
    picture: Markup


def plots(document: Document, ref: Document | None = None) -> list[Plot]:
    """Those of which there is something to see. Needs `svg.settings`."""
    found = []
    for latency in LATENCIES:
        groups = (*_groups(document, latency), *(_groups(ref, latency, is_ref=True) if ref is not None else ()))
        # The same order in all of them; and a provisioner and what it was in the ref, one below the other.
        groups = tuple(sorted(groups, key=lambda group: group.name))
        if groups:
            found.append(Plot(latency.title, groups, _draw(latency.title, groups)))
    return found


def _groups(document: Document, latency: Latency, *, is_ref: bool = False) -> tuple[LatencyGroup, ...]:
    several = len(kernels_of(document.trials)) > 1
    found: dict[str, list[float]] = {}
    for trial in document.trials:
        seconds = seconds_of(trial.timeline, latency)
        if seconds is not None:
            name = f"{trial.setting.provisioner}, {trial.setting.whose}" if several else trial.setting.provisioner
            found.setdefault(line(name, _NAME), []).append(seconds)
    return tuple(
        LatencyGroup(f"{name}, ref" if is_ref else name, tuple(sorted(times)), is_ref) for name, times in found.items()
    )


def _draw(title: str, groups: Sequence[LatencyGroup]) -> Markup:
    height, width = _ROW * len(groups), _WIDTH - _LEFT - _RIGHT
    figure = svg.sheet(_WIDTH, height + _FOOT)
    axes = svg.axes(figure, _LEFT, 0, width, height)
    every = [max(seconds, _LEAST) for group in groups for seconds in group.seconds]
    low, high = math.floor(math.log10(min(every))), math.ceil(math.log10(max(every)))
    high = max(high, low + 1)
    axes.set_xscale("log")
    axes.set_xlim(10.0**low, 10.0**high)
    axes.set_ylim(height, 0)
    words = []
    for decade in range(low, high + 1):
        axes.axvline(10.0**decade, gid=f"{svg.PREFIX}grid")
        place = _LEFT + width * (decade - low) / (high - low)
        anchor = "start" if decade == low else "end" if decade == high else "middle"
        words.append(svg.Words(place, height + 14, duration(10.0**decade), "tick", anchor))
    for number, group in enumerate(groups):
        _draw_group(axes, group, number * _ROW)
        words.append(svg.Words(_LEFT, number * _ROW + 14, group.words, "title"))
    return svg.draw(figure, words, f"{title}. {'; '.join(group.words for group in groups)}.")


def _draw_group(axes: Axes, group: LatencyGroup, top: float) -> None:
    """A tick for each trial, a box around the middle half, a bar for the median."""
    kind = "ref" if group.is_ref else "own"
    times = [max(seconds, _LEAST) for seconds in group.seconds]
    if len(times) > _MOST_TICKS:
        times = [times[number * (len(times) - 1) // (_MOST_TICKS - 1)] for number in range(_MOST_TICKS)]
    each_x = [x for seconds in times for x in (seconds, seconds, math.nan)]
    each_y = [y for _ in times for y in (top + 22, top + 34, math.nan)]
    first, third = (max(seconds, _LEAST) for seconds in group.quartiles)
    median = max(group.median, _LEAST)
    axes.plot(each_x, each_y, gid=f"{svg.PREFIX}each {kind}")
    axes.plot(
        [first, third, third, first, first],
        [top + 20, top + 20, top + 36, top + 36, top + 20],
        gid=f"{svg.PREFIX}half {kind}",
    )
    axes.plot([median, median], [top + 18, top + 38], gid=f"{svg.PREFIX}median {kind}")
