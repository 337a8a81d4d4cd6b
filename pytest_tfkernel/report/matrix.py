"""The verdicts of a run as one table: fault x example, one block a provisioner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from pytest_tfkernel.model.trials import NO_FAULT, Record, Setting, State

# Pieces of a line: text, and the name of a colour or nothing.
Line = tuple[tuple[str, str], ...]

COLOURS = {State.PASS: "green", State.FAIL: "red", State.KNOWN: "purple", State.UNKNOWN: "yellow"}
INDENT = "  "

_WORST_FIRST = (State.FAIL, State.KNOWN, State.UNKNOWN, State.PASS)
_IDLE = "idle"
WIDTH = 100


def matrix(
    records: Sequence[Record], columns: Sequence[str], kernels: Sequence[str] = (), width: int = WIDTH
) -> Iterator[Line]:
    """A cell counts verdicts and names the worst of them.

    Rows are the faults that struck an idle kernel in the examples of `columns`; what has no place in them, other
    phases and scenarios, follows in lines of its own. In a run with several `kernels` each has a column, and rows are
    whole settings. A table that is wider than `width` goes on below itself.
    """
    cells: dict[Setting, list[State]] = {}
    for record in records:
        cells.setdefault(record.setting, []).append(record.verdict.state)
    if kernels:
        places = {one: (_row(one, columns), one.kernel) for one in cells if one.kernel is not None}
        heads = [label for label in kernels if any(column == label for _, column in places.values())]
        yield from _blocks(cells, places, heads, columns, width)
    else:
        places = {one: (one.fault, one.example) for one in cells if one.phase == _IDLE and one.example in columns}
        examples = [name for name in columns if any(column == name for _, column in places.values())]
        yield from _blocks(cells, places, examples, columns, width)


def _blocks(
    cells: Mapping[Setting, Sequence[State]],
    places: Mapping[Setting, tuple[str, str]],
    heads: Sequence[str],
    columns: Sequence[str],
    width: int,
) -> Iterator[Line]:
    """One block a provisioner: a table of the settings that have places, row and column; then the others."""
    table = {one: _cell(cells[one]) for one in places}
    first = (
        max([len(one.provisioner) for one in cells] + [len(INDENT + row) for row, _ in places.values()], default=0) + 2
    )
    widths = {
        head: max([len(head)] + [len(table[one][0]) for one, (_, column) in places.items() if column == head]) + 2
        for head in heads
    }
    for provisioner in unique(setting.provisioner for setting in cells):
        own = {places[one]: table[one] for one in places if one.provisioner == provisioner}
        for shown in _fitting(heads if own else (), widths, width - first):
            titles = "".join(head.ljust(widths[head]) for head in shown)
            yield ((f"{provisioner.ljust(first)}{titles}".rstrip(), "bold"),)
            for row in unique(row for row, head in own if head in shown):
                cells_of_row = [own.get((row, head), ("", "")) for head in shown]
                pieces = [
                    (text.ljust(widths[head]), colour) for head, (text, colour) in zip(shown, cells_of_row, strict=True)
                ]
                yield _stripped([((INDENT + row).ljust(first), ""), *pieces])
        others = [one for one in cells if one.provisioner == provisioner and one not in places]
        yield from _flow([(_label(one, columns), *_cell(cells[one])) for one in others], width)


def _fitting(heads: Sequence[str], widths: Mapping[str, int], width: int) -> Iterator[list[str]]:
    """As many heads at once as fit beside each other, and at least one; nothing but one empty list for none."""
    shown: list[str] = []
    for head in heads:
        # Behind the last one nothing is written.
        if shown and sum(widths[one] for one in [*shown, head]) - 2 > width:
            yield shown
            shown = []
        shown.append(head)
    yield shown


def _row(setting: Setting, columns: Sequence[str]) -> str:
    label = _label(setting, columns)
    return f"{setting.example} {label}".rstrip() if setting.example in columns else label


def unique(names: Iterable[str]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(names))


def _label(setting: Setting, columns: Sequence[str]) -> str:
    """What a setting outside of the table is called there."""
    words = [] if setting.example in columns else [setting.example]
    words += [] if setting.fault == NO_FAULT else [setting.fault]
    words += [] if setting.phase == _IDLE else ["in", setting.phase]
    return " ".join(words)


def _flow(entries: Sequence[tuple[str, str, str]], most: int) -> Iterator[Line]:
    """As many entries (label, cell, colour) on a line as fit."""
    line: list[tuple[str, str]] = []
    used = 0
    for label, text, colour in entries:
        width = len(f"{INDENT}{label} {text}")
        if line and used + width > most:
            yield tuple(line)
            line, used = [], 0
        line += [(f"{INDENT}{label} ", ""), (text, colour)]
        used += width
    if line:
        yield tuple(line)


def _stripped(pieces: list[tuple[str, str]]) -> Line:
    while len(pieces) > 1 and not pieces[-1][0].strip():
        pieces.pop()
    text, colour = pieces[-1]
    return (*pieces[:-1], (text.rstrip(), colour))


def _cell(states: Sequence[State]) -> tuple[str, str]:
    worst = next(state for state in _WORST_FIRST if state in states)
    count = states.count(worst)
    text = f"{worst.value} {count}" if count == len(states) else f"{worst.value} {count} of {len(states)}"
    return text, COLOURS[worst]
