"""The run in the terminal: a matrix that one look reads, then each FAIL and UNKNOWN with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from pytest_tfkernel.model.kernels import Interpreter
from pytest_tfkernel.model.trials import Capability, Record, Setting, State

# Pieces of a line: text, and the name of a colour or nothing.
Line = tuple[tuple[str, str], ...]

_COLOURS = {State.PASS: "green", State.FAIL: "red", State.UNKNOWN: "yellow"}
_WORST_FIRST = (State.FAIL, State.UNKNOWN, State.PASS)
_INDENT = "  "


def header(interpreter: Interpreter, capabilities: Sequence[Capability]) -> list[str]:
    """What is checked, what can be, and what can't with the reason."""
    can = ", ".join(one.summary for one in capabilities if one.available) or "nothing"
    lines = [f"tfkernel: kernels are {interpreter}", f"tfkernel: can check: {can}"]
    return lines + [f"tfkernel: can't check {one.summary}: {one.reason}" for one in capabilities if not one.available]


def summary(
    records: Sequence[Record], order: Sequence[Setting], capabilities: Sequence[Capability], command: str
) -> Iterator[Line]:
    """All lines after the last test.

    `order` lists the settings as they are to be shown; `command` is what to type in front of an id.
    """
    places = {setting: place for place, setting in enumerate(order)}
    records = sorted(records, key=lambda record: places.get(record.setting, len(places)))
    yield from _matrix(records, _unique(setting.example for setting in order))
    yield from _listed(records, State.FAIL, command)
    yield from _listed(records, State.UNKNOWN, command)
    for one in capabilities:
        if one.name == "gpu" and not one.available:
            yield (("nothing about GPUs was checked: ", "yellow"), (one.reason, ""))
    if records and not any(record.verdict.state is State.PASS for record in records):
        yield (("nothing passed, so nothing was shown: this run is an error", "red"),)


def _matrix(records: Sequence[Record], columns: Sequence[str]) -> Iterator[Line]:
    """Fault x example, one block a provisioner; a cell counts verdicts and names the worst."""
    played = _unique(record.setting.example for record in records)
    examples = [name for name in _unique([*columns, *played]) if name in played]
    cells: dict[tuple[str, str, str], list[State]] = {}
    for record in records:
        setting = record.setting
        cells.setdefault((setting.provisioner, setting.fault, setting.example), []).append(record.verdict.state)
    texts = {key: _cell(states) for key, states in cells.items()}
    first = max((max(len(provisioner), len(_INDENT + fault)) for provisioner, fault, _ in cells), default=0) + 2
    widths = {
        example: max(len(example), *(len(text) for key, (text, _) in texts.items() if key[2] == example)) + 2
        for example in examples
    }
    for provisioner in _unique(record.setting.provisioner for record in records):
        titles = "".join(example.ljust(widths[example]) for example in examples)
        yield ((f"{provisioner.ljust(first)}{titles}".rstrip(), "bold"),)
        for fault in _unique(record.setting.fault for record in records if record.setting.provisioner == provisioner):
            pieces: list[tuple[str, str]] = [((_INDENT + fault).ljust(first), "")]
            for example in examples:
                text, colour = texts.get((provisioner, fault, example), ("", ""))
                pieces.append((text.ljust(widths[example]), colour))
            yield _stripped(pieces)
    states = [record.verdict.state for record in records]
    counts = ", ".join(f"{states.count(state)} {state.value}" for state in (State.PASS, State.FAIL, State.UNKNOWN))
    trials = len({record.setting for record in records})
    yield ((f"{trials} trials, {len(records)} verdicts: {counts}", "bold"),)


def _stripped(pieces: list[tuple[str, str]]) -> Line:
    while len(pieces) > 1 and not pieces[-1][0].strip():
        pieces.pop()
    text, colour = pieces[-1]
    return (*pieces[:-1], (text.rstrip(), colour))


def _cell(states: Sequence[State]) -> tuple[str, str]:
    worst = next(state for state in _WORST_FIRST if state in states)
    count = states.count(worst)
    text = f"{worst.value} {count}" if count == len(states) else f"{worst.value} {count} of {len(states)}"
    return text, _COLOURS[worst]


def _listed(records: Sequence[Record], state: State, command: str) -> Iterator[Line]:
    """Each record of this state: verdict, id, reason, and how to run just that one."""
    for record in records:
        if record.verdict.state is state:
            yield ((state.value, _COLOURS[state]), (f" {record.guarantee} [{record.setting}]", "bold"))
            yield ((f"{_INDENT}{' '.join(record.verdict.reason.split())}", ""),)
            yield ((f'{_INDENT}{command} "{record.item}"', ""),)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
