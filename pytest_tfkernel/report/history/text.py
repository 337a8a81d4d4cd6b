"""A history as text, for a terminal or a log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pytest_tfkernel.model.resources import printable
from pytest_tfkernel.report.history.table import Counted, History, OutcomeCell, OutcomeRow
from pytest_tfkernel.report.history.trends import Trend
from pytest_tfkernel.report.matrix import INDENT

_NOT_THERE = "."
# Columns for runs, at the least, and characters for a name, at the most.
_FEWEST, _LONGEST_NAME = 20, 44
_LONGEST = 300
_MOST_ROWS = 100
_LEVELS = "0123456789"


def text(found: History, width: int = 100, *, everything: bool = False) -> str:
    """All lines; a table that is wider than `width` becomes several, and long lists are cut unless `everything`."""
    return "".join(f"{line}\n" for line in _lines(found, width, everything=everything))


def answer(found: History) -> str:
    """The first line."""
    days = [run.day for run in found.runs if run.day]
    span = f", {days[0]} to {days[-1]}" if days else ""
    runs = f"{len(found.runs)} run{'s' if len(found.runs) != 1 else ''}{span}"
    parts = [
        f"{one.changed or 'none'} of {one.total} {word}{'s' if one.total != 1 else ''}"
        for one, word in zip(found.counted, ("guarantee", "test"), strict=True)
        if one.total
    ]
    return f"{runs}: {' and '.join(parts)} changed" if parts else f"{runs}: nothing was checked"


def notes(found: History) -> Iterator[str]:
    """What limits the answer, a line each."""
    for one, word in zip(found.counted, ("guarantees", "tests"), strict=True):
        if one.elsewhere:
            yield _elsewhere(one, word)
    yield from (f"left out: {line}" for line in found.left_out)


def _elsewhere(one: Counted, word: str) -> str:
    return f"{one.elsewhere} of {one.total} {word} were not looked at in every run"


def change(row: OutcomeRow, found: History) -> str:
    """When it last changed, from what to what, and why it didn't hold."""
    before, now = row.last
    often = "changed once" if len(row.changes) == 1 else f"changed in {len(row.changes)} runs, last"
    at = row.changes[-1]
    title = found.runs[at].title
    became = f"{before} -> {now}" if str(before) != str(now) else str(now)
    reason = f": {' '.join(row.reason.split())}" if row.reason else ""
    more = f" and {row.total - len(row.trials)} more" if row.total > len(row.trials) else ""
    where = f" [{', '.join(row.trials)}{more}]" if row.trials else ""
    return f"{often} in run {at + 1} ({title}): {became}{reason}{where}"


def _lines(found: History, width: int, *, everything: bool) -> Iterator[str]:
    yield printable(answer(found))
    yield from map(_cut, notes(found))
    yield "Runs"
    digits = len(str(len(found.runs)))
    widest = max(len(run.versions) for run in found.runs)
    for number, run in enumerate(found.runs, 1):
        when = f"{run.day} {run.time}".strip()
        words = [when, run.versions.ljust(widest), run.counts, run.shortfall.upper(), run.name]
        yield _cut(f"{INDENT}{number:>{digits}}  {'  '.join(filter(None, words))}")
    shown = found.rows if everything else found.rows[:_MOST_ROWS]
    if shown:
        legend = ", ".join(f"{one.letter} {one.word}" for one in found.words)
        letters = {row.name: "".join(_letter(cell) for cell in row.cells) for row in shown}
        yield from _table(f"Outcomes that changed: {legend}; {_NOT_THERE} not in that run", letters, width)
        yield from (_cut(f"{INDENT}{row.name}: {change(row, found)}") for row in shown)
    if len(shown) < len(found.rows):
        yield f"{INDENT}and {len(found.rows) - len(shown)} more, which `history --all` shows"
    if found.trends:
        levels = {trend.title: _levels(trend) for trend in found.trends}
        yield from _table("Medians, from 0, the least of all runs, to 9, the most", levels, width)
        for trend in found.trends:
            first, last = (trend.words(trend.known[at]) for at in (0, -1))
            yield _cut(f"{INDENT}{trend.title}: {first} in the first run, {last} in the last")


def _table(title: str, rows: Mapping[str, str], width: int) -> Iterator[str]:
    """A character for each run, below the numbers of the runs; as many tables as it takes."""
    first = len(INDENT) + min(max(map(len, rows)), _LONGEST_NAME) + 1
    room = max(_FEWEST, width - first)
    runs = len(next(iter(rows.values())))
    for begin in range(0, runs, room):
        end = min(begin + room, runs)
        yield title if not begin else f"{title} (runs {begin + 1} to {end})"
        yield from _head(begin, end, first)
        for name, letters in rows.items():
            yield f"{_fit(name, first)}{letters[begin:end]}"


def _letter(cell: OutcomeCell | None) -> str:
    return _NOT_THERE if cell is None else cell.outcome.letter


def _head(begin: int, end: int, first: int) -> Iterator[str]:
    """The numbers of the runs, to be read from above to below."""
    numbers = [str(number + 1).rjust(len(str(end))) for number in range(begin, end)]
    for digit in range(len(str(end))):
        yield f"{' ' * first}{''.join(number[digit] for number in numbers)}".rstrip()


def _levels(trend: Trend) -> str:
    least, most = trend.ends
    return "".join(_level(one.median, least, most) if one is not None else _NOT_THERE for one in trend.spreads)


def _level(value: float, least: float, most: float) -> str:
    share = (value - least) / (most - least) if most > least else 0.0
    return _LEVELS[min(int(share * len(_LEVELS)), len(_LEVELS) - 1)]


def _fit(name: str, width: int) -> str:
    """A name in its column: of one that is too long, its end, which tells tests apart."""
    room = width - len(INDENT) - 1
    line = printable(name)
    return f"{INDENT}{line if len(line) <= room else f'..{line[2 - room :]}'}".ljust(width)


def _cut(line: str) -> str:
    shown = printable(line)
    return shown if len(shown) <= _LONGEST else f"{shown[:_LONGEST]}... ({len(line)} characters)"
