"""What became of each verdict and each test, run after run, in one byte each: runs may be many, and so may tests."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from pytest_tfkernel.model.trials import State
from pytest_tfkernel.report.compare.states import of_test, of_verdict, worse
from pytest_tfkernel.report.document import Document, Setting, Verdict

# As in pytest's own `-r`: one letter for each word of pytest's. Those of verdicts are their first ones.
_LETTERS = {"passed": "p", "failed": "f", "error": "E", "skipped": "s", "xfailed": "x", "xpassed": "X"}
# Of a reason that is kept.
_LONGEST = 300


class OutcomeOf(NamedTuple):
    """What an outcome is of: a guarantee in one trial, `place`, or one of the user's tests, which has none."""

    name: str
    place: tuple[str, str, str, str] | None

    @property
    def trial(self) -> str:
        """The trial as ids have it; empty for a test."""
        return "" if self.place is None else "-".join(self.place)


@dataclass(frozen=True)
class SeenOutcome:
    """A verdict, or pytest's word for a test, and the state that it means."""

    word: str
    state: State

    @property
    def letter(self) -> str:
        """One that stands for it in a table."""
        return _LETTERS.get(self.word, self.word[:1])


class Outcomes:
    """All of them. Runs are added in their order; a run that doesn't have something says nothing of it."""

    def __init__(self) -> None:
        self._words: list[SeenOutcome] = []
        self._numbers: dict[SeenOutcome, int] = {}
        self._tracks: dict[OutcomeOf, bytearray] = {}
        self._reasons: dict[OutcomeOf, str] = {}

    def add(self, document: Document, columns: dict[str | None, int]) -> None:
        """Note those of a run; `columns` has the place of each of its kernels, by label, None for tests alone."""
        every = sorted(set(columns.values()))
        for verdict in document.verdicts:
            word = SeenOutcome(verdict.verdict, of_verdict(verdict))
            of = [columns[verdict.setting.kernel]] if verdict.setting.kernel in columns else every
            self._note(_subject(verdict), word, of, verdict.reason)
        for test in document.tests:
            said = ": ".join(filter(None, (test.error_type, test.error_message)))
            self._note(OutcomeOf(test.item, None), SeenOutcome(test.outcome, of_test(test)), every, said)

    def subjects(self) -> Iterator[OutcomeOf]:
        """All that any run has looked at, in the order in which they came."""
        return iter(self._tracks)

    def track(self, subject: OutcomeOf, columns: int) -> list[SeenOutcome | None]:
        """What it was in each run; None where it wasn't there."""
        track = self._tracks[subject]
        return [self._words[number - 1] if number else None for number in track.ljust(columns, b"\0")]

    def is_changed(self, subject: OutcomeOf) -> bool:
        """Whether it was ever anything else; not being there is no outcome."""
        return len(set(self._tracks[subject]) - {0}) > 1

    def is_in_all(self, subject: OutcomeOf, columns: int) -> bool:
        """Whether each run has it."""
        track = self._tracks[subject]
        return len(track) == columns and 0 not in track

    def reason(self, subject: OutcomeOf) -> str:
        """Why it last was anything but a pass; empty where it never was."""
        return self._reasons.get(subject, "")

    def _note(self, subject: OutcomeOf, word: SeenOutcome, columns: list[int], reason: str) -> None:
        track = self._tracks.setdefault(subject, bytearray())
        for column in columns:
            if len(track) <= column:
                track.extend(bytes(column + 1 - len(track)))
            before = track[column]
            # Twice in one run: by hand, or by a plugin that repeats tests.
            kept = worse(word, self._words[before - 1], lambda one: one.state) if before else word
            track[column] = self._number(kept)
        if word.state is not State.PASS:
            self._reasons[subject] = reason[:_LONGEST]

    def _number(self, word: SeenOutcome) -> int:
        if word not in self._numbers:
            self._words.append(word)
            self._numbers[word] = len(self._words)
        return self._numbers[word]


def _subject(verdict: Verdict) -> OutcomeOf:
    return OutcomeOf(verdict.guarantee, _place(verdict.setting))


def _place(setting: Setting) -> tuple[str, str, str, str]:
    """Without the kernel: its column says which."""
    return setting.provisioner, setting.example, setting.fault, setting.phase
