"""The page of a history: its table and its plots, in one file that loads nothing."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from markupsafe import Markup

from pytest_tfkernel.report.history.table import History, OutcomeCell, OutcomeRow
from pytest_tfkernel.report.history.text import answer, change, notes
from pytest_tfkernel.report.page.render import fill, resource
from pytest_tfkernel.report.page.words import line

# Of the table, so that a page of many runs and many tests stays one that a browser opens.
_MOST_CELLS = 40_000
_MOST_NOTES = 100
_NAME = 120
_NOTHING = Markup('<span class="none">\u00b7</span>')


@dataclass(frozen=True)
class PageRow:
    """A row of it, and when it last changed."""

    name: str
    cells: tuple[Markup, ...]
    change: str


def render(found: History) -> str:
    """The HTML; all of it can be encoded in UTF-8."""
    with warnings.catch_warnings():
        # As for the page of a run: what plotting libraries warn of is nothing to whoever runs this.
        warnings.simplefilter("ignore")
        from pytest_tfkernel.report.history.plots import plots
        from pytest_tfkernel.report.page import svg

        most = max(1, _MOST_CELLS // len(found.runs))
        shown = found.rows[:most]
        cells = _Cells(found)
        with svg.settings():
            drawn = list(plots(found.trends, found.runs))
        return fill(
            "history.html.j2",
            resource("page.css") + resource("history.css"),
            answer=answer(found),
            # A date is one word.
            heading=re.sub(r"(?<=\d)-(?=\d)", "\u2011", answer(found)),
            notes=list(notes(found))[:_MOST_NOTES],
            more_notes=max(0, sum(1 for _ in notes(found)) - _MOST_NOTES),
            runs=found.runs,
            rows=[PageRow(row.name, cells.of(row), change(row, found)) for row in shown],
            more=len(found.rows) - len(shown),
            words=found.words,
            plots=drawn,
            trends=found.trends,
            numbers=list(_numbers(found)),
        )


class _Cells:
    """The markup of cells: most of a table is the same few, over and over."""

    def __init__(self, found: History) -> None:
        self._titles = [line(run.title, _NAME) for run in found.runs]
        self._made: dict[tuple[int, OutcomeCell], Markup] = {}

    def of(self, row: OutcomeRow) -> tuple[Markup, ...]:
        return tuple(_NOTHING if cell is None else self._one(at, cell) for at, cell in enumerate(row.cells))

    def _one(self, at: int, cell: OutcomeCell) -> Markup:
        if (at, cell) not in self._made:
            outcome, words = cell.outcome, f"{self._titles[at]}: {cell}"
            made = Markup('<span class="{}" title="{}">{}</span>').format(outcome.state.value, words, outcome.letter)
            self._made[at, cell] = made
        return self._made[at, cell]


def _numbers(found: History) -> Iterator[tuple[str, list[str]]]:
    """For each run what was measured, in words."""
    for at, run in enumerate(found.runs):
        spreads = [(trend, trend.spreads[at]) for trend in found.trends]
        yield run.title, ["" if one is None else trend.words(one) for trend, one in spreads]
