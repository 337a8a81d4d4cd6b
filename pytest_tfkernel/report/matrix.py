"""The verdicts of a run as one table: fault x example, one block a provisioner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_tfkernel.model.trials import Record, Setting, State

# Pieces of a line: text, and the name of a colour or nothing.
Line = tuple[tuple[str, str], ...]

COLOURS = {State.PASS: "green", State.FAIL: "red", State.UNKNOWN: "yellow"}
INDENT = "  "

_WORST_FIRST = (State.FAIL, State.UNKNOWN, State.PASS)
_IDLE, _NO_FAULT = "idle", "none"
_WIDTH = 100


def matrix(records: Sequence[Record], columns: Sequence[str]) -> Iterator[Line]:
    """A cell counts verdicts and names the worst of them.

    Rows are the faults that struck an idle kernel in the examples of `columns`; what has no place in
    them, other phases and scenarios, follows in lines of its own.
    """
    cells: dict[Setting, list[State]] = {}
    for record in records:
        cells.setdefault(record.setting, []).append(record.verdict.state)
    table = {setting: _cell(states) for setting, states in cells.items() if _in_table(setting, columns)}
    examples = [name for name in columns if any(setting.example == name for setting in table)]
    first = max([len(one.provisioner) for one in cells] + [len(INDENT + one.fault) for one in table], default=0) + 2
    widths = {
        name: max([len(name)] + [len(text) for one, (text, _) in table.items() if one.example == name]) + 2
        for name in examples
    }
    for provisioner in unique(setting.provisioner for setting in cells):
        has_rows = any(setting.provisioner == provisioner for setting in table)
        titles = "".join(name.ljust(widths[name]) for name in examples if has_rows)
        yield ((f"{provisioner.ljust(first)}{titles}".rstrip(), "bold"),)
        for fault in unique(setting.fault for setting in table if setting.provisioner == provisioner):
            pieces: list[tuple[str, str]] = [((INDENT + fault).ljust(first), "")]
            for name in examples:
                text, colour = table.get(Setting(provisioner, name, fault), ("", ""))
                pieces.append((text.ljust(widths[name]), colour))
            yield _stripped(pieces)
        others = [one for one in cells if one.provisioner == provisioner and one not in table]
        yield from _flow([(_label(one, columns), *_cell(cells[one])) for one in others])


def unique(names: Iterable[str]) -> list[str]:
    """Each once, in order."""
    return list(dict.fromkeys(names))


def _in_table(setting: Setting, columns: Sequence[str]) -> bool:
    return setting.phase == _IDLE and setting.example in columns


def _label(setting: Setting, columns: Sequence[str]) -> str:
    """What a setting outside of the table is called there."""
    words = [] if setting.example in columns else [setting.example]
    words += [] if setting.fault == _NO_FAULT else [setting.fault]
    words += [] if setting.phase == _IDLE else ["in", setting.phase]
    return " ".join(words)


def _flow(entries: Sequence[tuple[str, str, str]]) -> Iterator[Line]:
    """As many entries (label, cell, colour) on a line as fit."""
    line: list[tuple[str, str]] = []
    used = 0
    for label, text, colour in entries:
        width = len(f"{INDENT}{label} {text}")
        if line and used + width > _WIDTH:
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
