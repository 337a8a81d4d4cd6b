"""Verdicts, counted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pytest_tfkernel.report.document import Verdict

WORST_FIRST = ("FAIL", "UNKNOWN", "PASS")
# Told apart without colours, and by those who can't see them.
SYMBOLS = {"PASS": "\u2713", "FAIL": "\u2717", "UNKNOWN": "?", "": "\u2013"}


@dataclass(frozen=True)
class VerdictCounts:
    """How many of each."""

    passed: int = 0
    failed: int = 0
    unknown: int = 0

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> VerdictCounts:
        """Count them."""
        states = [verdict.verdict for verdict in verdicts]
        return cls(states.count("PASS"), states.count("FAIL"), states.count("UNKNOWN"))

    @property
    def total(self) -> int:
        """All of them."""
        return self.passed + self.failed + self.unknown

    @property
    def state(self) -> str:
        """The worst; empty without verdicts."""
        counts = {"FAIL": self.failed, "UNKNOWN": self.unknown, "PASS": self.passed}
        return next((state for state in WORST_FIRST if counts[state]), "")

    @property
    def symbol(self) -> str:
        """One character for the worst."""
        return SYMBOLS[self.state]

    @property
    def words(self) -> str:
        """The worst, and how many: FAIL 1 of 7."""
        worst = {"FAIL": self.failed, "UNKNOWN": self.unknown, "PASS": self.passed, "": 0}[self.state]
        if not self.state:
            return "no verdict"
        return f"{self.state} {worst}" if worst == self.total else f"{self.state} {worst} of {self.total}"
