"""One difference between two runs: what changed, of what, from what to what."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class CompareError(Exception):
    """Two runs can't be compared, or not as was asked; the text says why, in one line."""


class Change(enum.Enum):
    """What became of something. The value is its word in options, in files of expectations and in JSON."""

    LOST = "lost"  # passed in ref, fails now
    FAILING = "failing"  # fails now, and wasn't looked at in ref, or wasn't there, or was a known defect
    MISSING = "missing"  # was run in ref, and not now
    UNKNOWN = "unknown"  # was looked at in ref, and is not any more
    KNOWN = "known"  # passed in ref, and is a known defect now
    EXIT = "exit"
    ERROR = "error"
    MESSAGE = "message"
    RESULT = "result"
    FACT = "fact"
    LEAK = "leak"
    OUTCOME = "outcome"  # another word of pytest's for the same
    SLOWER = "slower"
    MEMORY = "memory"
    FIXED = "fixed"  # fails in ref, or is a known defect there, and passes now
    LISTED = "listed"  # failed in ref, or wasn't looked at, and is a known defect now
    CHECKED = "checked"  # wasn't looked at in ref, passes now
    NEW = "new"
    LEAK_GONE = "leak-gone"
    FASTER = "faster"
    LESS_MEMORY = "less-memory"


# Neither better nor worse by themselves: what the first line calls a changed behaviour.
BEHAVIOURS = frozenset(
    {Change.KNOWN, Change.EXIT, Change.ERROR, Change.MESSAGE, Change.RESULT, Change.FACT, Change.LEAK, Change.OUTCOME}
)


class About(enum.Enum):
    """What a difference is about."""

    GUARANTEE = "guarantee"
    TRIAL = "trial"
    TEST = "test"
    FIGURE = "figure"


@dataclass(frozen=True)
class Difference:
    """One difference.

    `name` is the id of a guarantee or of a test, or what was measured; empty for a trial. `place` is the trial, where
    there is one, and `kernel` its label; None where no label tells trials apart. `before` and `after` are in words;
    `percent` is how much a median rose. `alike` is what it has in common with the same one elsewhere, where its words
    don't tell. `expected` is the reason why this one was foreseen; `regression`: because of it, changed is worse.
    """

    change: Change
    about: About
    name: str
    place: str = ""
    kernel: str | None = None
    before: str = ""
    after: str = ""
    percent: float | None = None
    alike: tuple[str, ...] = ()
    expected: str = ""
    regression: bool = False

    @property
    def where(self) -> str:
        """What a person would look for: a trial or the id of a test."""
        named = self.place or self.name
        return f"{named} on {self.kernel}" if self.kernel is not None else named
