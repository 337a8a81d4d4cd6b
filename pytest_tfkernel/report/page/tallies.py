"""Verdicts, counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_tfkernel.report.document import Verdict

WORST_FIRST = ("FAIL", "KNOWN", "UNKNOWN", "PASS")
# Told apart without colours, and by those who can't see them.
SYMBOLS = {"PASS": "\u2713", "FAIL": "\u2717", "KNOWN": "!", "UNKNOWN": "?", "": "\u2013"}


@dataclass(frozen=True)
class VerdictCounts:
    """How many of each."""

    passed: int = 0
    failed: int = 0
    unknown: int = 0
    known: int = 0

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> VerdictCounts:
        """Count them."""
        states = [verdict.verdict for verdict in verdicts]
        return cls(states.count("PASS"), states.count("FAIL"), states.count("UNKNOWN"), states.count("KNOWN"))

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())

    @property
    def counts(self) -> dict[str, int]:
        """Each by its state, in the order in which people read them."""
        return {"PASS": self.passed, "FAIL": self.failed, "KNOWN": self.known, "UNKNOWN": self.unknown}

    @property
    def state(self) -> str:
        """The worst; empty without verdicts."""
        return next((state for state in WORST_FIRST if self.counts[state]), "")

    @property
    def symbol(self) -> str:
        """One character for the worst."""
        return SYMBOLS[self.state]

    @property
    def words(self) -> str:
        """The worst, and how many: FAIL 1 of 7."""
        if not self.state:
            return "no verdict"
        worst = self.counts[self.state]
        return f"{self.state} {worst}" if worst == self.total else f"{self.state} {worst} of {self.total}"
