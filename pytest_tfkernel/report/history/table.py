"""The table of a history: a row for each guarantee and each test whose outcome was ever another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_tfkernel.report.compare.states import worse
from pytest_tfkernel.report.history.outcomes import OutcomeOf, Outcomes, SeenOutcome
from pytest_tfkernel.report.history.runs import RunColumn
from pytest_tfkernel.report.history.trends import Trend

_MOST_TRIALS = 3


@dataclass(frozen=True)
class OutcomeCell:
    """What a guarantee was in one run: the worst of its verdicts, and how many of all are it. A test has one."""

    outcome: SeenOutcome
    count: int = 1
    total: int = 1

    def __str__(self) -> str:
        if self.total == 1:
            return self.outcome.word
        few = f"{self.count} of {self.total}" if self.count < self.total else str(self.count)
        return f"{self.outcome.word} {few}"


@dataclass(frozen=True)
class OutcomeRow:
    """One guarantee or test; None in a run that doesn't have it.

    `changes` are the runs, by their places, in which an outcome was another than in the run before that had it.
    `trials` are some of those that changed, of `total` that did; `reason` is why it last was anything but a pass.
    """

    name: str
    cells: tuple[OutcomeCell | None, ...]
    changes: tuple[int, ...]
    trials: tuple[str, ...] = ()
    total: int = 0
    reason: str = ""

    @property
    def last(self) -> tuple[OutcomeCell, OutcomeCell]:
        """What it was before the last change, and what since."""
        at = self.changes[-1]
        now = self.cells[at]
        before = next(one for one in reversed(self.cells[:at]) if one is not None)
        return before, now if now is not None else before


@dataclass(frozen=True)
class Counted:
    """How many guarantees, or tests: all that any run has, those that changed, those that some run doesn't have."""

    total: int = 0
    changed: int = 0
    elsewhere: int = 0


@dataclass(frozen=True)
class History:
    """All of it. `left_out` are the documents that couldn't be read, a line each."""

    runs: tuple[RunColumn, ...]
    guarantees: tuple[OutcomeRow, ...]
    tests: tuple[OutcomeRow, ...]
    counted: tuple[Counted, Counted]
    trends: tuple[Trend, ...]
    left_out: tuple[str, ...] = ()

    @property
    def rows(self) -> tuple[OutcomeRow, ...]:
        """Guarantees first."""
        return (*self.guarantees, *self.tests)

    @property
    def words(self) -> tuple[SeenOutcome, ...]:
        """All outcomes that the rows have."""
        cells = (cell for row in self.rows for cell in row.cells if cell is not None)
        return tuple(dict.fromkeys(cell.outcome for cell in cells))


def rows(outcomes: Outcomes, columns: int) -> tuple[tuple[OutcomeRow, ...], tuple[OutcomeRow, ...]]:
    """Those of guarantees and those of tests that changed."""
    guarantees: dict[str, list[OutcomeOf]] = {}
    tests = []
    for subject in outcomes.subjects():
        if subject.place is not None:
            guarantees.setdefault(subject.name, []).append(subject)
        elif outcomes.is_changed(subject):
            tests.append(_row([subject], outcomes, columns))
    changed = [group for group in guarantees.values() if any(map(outcomes.is_changed, group))]
    return tuple(_row(group, outcomes, columns) for group in changed), tuple(tests)


def counted(outcomes: Outcomes, columns: int) -> tuple[Counted, Counted]:
    """How many guarantees there are, and how many tests."""
    names: tuple[set[str], set[str]] = (set(), set())
    changed: tuple[set[str], set[str]] = (set(), set())
    elsewhere: tuple[set[str], set[str]] = (set(), set())
    for subject in outcomes.subjects():
        kind = int(subject.place is None)
        names[kind].add(subject.name)
        if outcomes.is_changed(subject):
            changed[kind].add(subject.name)
        if not outcomes.is_in_all(subject, columns):
            elsewhere[kind].add(subject.name)
    first, second = (Counted(*map(len, found)) for found in zip(names, changed, elsewhere, strict=True))
    return first, second


def _row(group: Sequence[OutcomeOf], outcomes: Outcomes, columns: int) -> OutcomeRow:
    tracks = {subject: outcomes.track(subject, columns) for subject in group}
    cells = tuple(_cell([track[at] for track in tracks.values()]) for at in range(columns))
    changed = {subject: list(_changes(track)) for subject, track in tracks.items()}
    moved = [subject for subject, found in changed.items() if found]
    reasons = filter(None, map(outcomes.reason, moved))
    return OutcomeRow(
        name=group[0].name,
        cells=cells,
        changes=tuple(sorted({at for found in changed.values() for at in found})),
        trials=tuple(subject.trial for subject in moved if subject.trial)[:_MOST_TRIALS],
        total=sum(bool(subject.trial) for subject in moved),
        reason=next(reasons, ""),
    )


def _cell(found: Sequence[SeenOutcome | None]) -> OutcomeCell | None:
    known = [one for one in found if one is not None]
    if not known:
        return None
    worst = known[0]
    for one in known[1:]:
        worst = worse(worst, one, lambda word: word.state)
    return OutcomeCell(worst, known.count(worst), len(known))


def _changes(track: Sequence[SeenOutcome | None]) -> Iterator[int]:
    before: SeenOutcome | None = None
    for at, now in enumerate(track):
        if now is None:
            continue
        if before is not None and now != before:
            yield at
        before = now
