"""The verdicts as tables: guarantees by kernel, and a block of faults by example for each provisioner and kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pytest_tfkernel.report.document import Setting, Trial, Verdict
from pytest_tfkernel.report.matrix import unique
from pytest_tfkernel.report.page.tallies import WORST_FIRST, VerdictCounts

_IDLE = "idle"
# A scenario, whose name stands where an example's does, has a guarantee of its own, seldom two; and few faults.
_FEW = 2
_SHARE = 4


class Position(NamedTuple):
    """Where a trial stands on the page."""

    number: int
    anchor: str


Positions = Callable[[Setting], Position]


@dataclass(frozen=True)
class Cell:
    """A tally, and where to read on: the first of the worst. `trials` are the numbers of all that it counts."""

    label: str
    tally: VerdictCounts
    anchor: str
    trials: tuple[int, ...]


@dataclass(frozen=True)
class Row:
    """A name, and a cell or a hole for each column."""

    name: str
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Matrix:
    """`corner` says what the rows are and what the columns are."""

    title: str
    corner: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Block:
    """All trials of one provisioner and one kernel: in tables, and beside them those that have no place there."""

    provisioner: str
    kernel: str
    tally: VerdictCounts
    tables: tuple[Matrix, ...]
    others: tuple[Cell, ...]


def by_guarantee(verdicts: Sequence[Verdict], places: Positions) -> Matrix:
    """Guarantees by kernel if there are several, else by provisioner: what holds where."""
    several = len(kernels_of(verdicts)) > 1

    def column(one: Verdict) -> str:
        return one.setting.whose if several else one.setting.provisioner

    names = unique(map(column, verdicts))
    return _table("", "guarantee", names, _grouped(verdicts, lambda one: one.guarantee, column), places)


def blocks(verdicts: Sequence[Verdict], places: Positions) -> list[Block]:
    """In the order of the kernels, then of the provisioners, as they come."""
    examples = columns(verdicts)
    kernels = kernels_of(verdicts)
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for one in verdicts:
        kernel = one.setting.whose if len(kernels) != 1 else kernels[0]
        groups.setdefault((kernel, one.setting.provisioner), []).append(one)
    order = {kernel: number for number, kernel in enumerate(unique(kernel for kernel, _ in groups))}
    return [
        _block(provisioner, kernel, group, examples, places)
        for (kernel, provisioner), group in sorted(groups.items(), key=lambda item: order[item[0][0]])
    ]


def kernels_of(parts: Iterable[Trial | Verdict]) -> list[str]:
    """The labels, in the order in which they come."""
    return unique(part.setting.kernel for part in parts if part.setting.kernel is not None)


def columns(verdicts: Iterable[Verdict]) -> list[str]:
    """The examples: what many guarantees are asked of, or, where nothing is, what many faults have struck."""
    guarantees: dict[str, set[str]] = {}
    faults: dict[str, set[str]] = {}
    for one in verdicts:
        guarantees.setdefault(one.setting.example, set()).add(one.guarantee)
        faults.setdefault(one.setting.example, set()).add(one.setting.fault)
    examples = [example for example, asked in guarantees.items() if len(asked) > _FEW]
    if examples:
        return examples
    most = max(map(len, faults.values()), default=0)
    return [example for example, struck in faults.items() if len(struck) >= min(most, max(2, most / _SHARE))]


def _block(
    provisioner: str, kernel: str, verdicts: Sequence[Verdict], examples: Sequence[str], places: Positions
) -> Block:
    here = [example for example in examples if any(one.setting.example == example for one in verdicts)]
    idle = [one for one in verdicts if one.setting.example in here and one.setting.phase == _IDLE]
    tables = []
    if idle:
        present = [example for example in here if any(one.setting.example == example for one in idle)]
        groups = _grouped(idle, lambda one: one.setting.fault, lambda one: one.setting.example)
        tables.append(_table("", "fault", present, groups, places))
    for example in here:
        struck = [one for one in verdicts if one.setting.example == example and one.setting.phase != _IDLE]
        if struck:
            phases = unique(one.setting.phase for one in struck)
            groups = _grouped(struck, lambda one: one.setting.fault, lambda one: one.setting.phase)
            tables.append(_table(f"{example}, struck while", "fault", phases, groups, places))
    others: dict[str, list[Verdict]] = {}
    for one in verdicts:
        if one.setting.example not in here:
            others.setdefault(_label(one.setting), []).append(one)
    return Block(
        provisioner,
        kernel,
        VerdictCounts.of(verdicts),
        tuple(tables),
        tuple(_cell(label, group, places) for label, group in others.items()),
    )


def _label(setting: Setting) -> str:
    words = [setting.example]
    words += [] if setting.fault == "none" else [setting.fault]
    words += [] if setting.phase == _IDLE else [f"while {setting.phase}"]
    return ", ".join(words)


def _grouped(
    verdicts: Iterable[Verdict], row: Callable[[Verdict], str], column: Callable[[Verdict], str]
) -> dict[str, dict[str, list[Verdict]]]:
    groups: dict[str, dict[str, list[Verdict]]] = {}
    for one in verdicts:
        groups.setdefault(row(one), {}).setdefault(column(one), []).append(one)
    return groups


def _table(
    title: str, corner: str, names: Sequence[str], groups: dict[str, dict[str, list[Verdict]]], places: Positions
) -> Matrix:
    rows = []
    for first, found in groups.items():
        cells = (_cell(f"{first}, {name}", found[name], places) if name in found else None for name in names)
        rows.append(Row(first, tuple(cells)))
    return Matrix(title, corner, tuple(names), tuple(rows))


def _cell(label: str, verdicts: Sequence[Verdict], places: Positions) -> Cell:
    worst = min(verdicts, key=lambda one: WORST_FIRST.index(one.verdict))
    trials = tuple(sorted({places(one.setting).number for one in verdicts}))
    return Cell(label, VerdictCounts.of(verdicts), places(worst.setting).anchor, trials)
