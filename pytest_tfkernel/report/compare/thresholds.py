"""`--fail-on`: what makes changed worse, beside what always does."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pytest_tfkernel.report.compare.differences import BEHAVIOURS, Change, CompareError, Difference

# What always does. `missing` is decided by what the runs were asked for (see `scope`).
ALWAYS = frozenset({Change.LOST, Change.FAILING})

_WORDS: dict[str, frozenset[Change]] = {
    "changed": BEHAVIOURS,
    "leak": frozenset({Change.LEAK}),
    "missing": frozenset({Change.MISSING}),
    "unknown": frozenset({Change.UNKNOWN}),
}
_PERCENTAGES = {"slower": Change.SLOWER, "memory": Change.MEMORY}
CHOICES = "slower:50%, memory:20%, changed, leak, missing or unknown"


@dataclass(frozen=True)
class Thresholds:
    """`changes` make a regression, and so do those of `limits` with more percent than that."""

    changes: frozenset[Change] = ALWAYS
    limits: tuple[tuple[Change, float], ...] = ()

    @classmethod
    def of(cls, words: Sequence[str], option: str = "--fail-on") -> Thresholds:
        """Those of the option, which may be repeated, and have several with commas. Raises CompareError."""
        changes, limits = ALWAYS, {}
        for word in (part.strip() for text in words for part in text.split(",")):
            name, _, amount = word.partition(":")
            if word in _WORDS:
                changes |= _WORDS[word]
            elif name in _PERCENTAGES:
                limits[_PERCENTAGES[name]] = _percent(word, amount, option)
            elif name in _WORDS:
                raise CompareError(f"{option}={word}: {name} has no amount; write {option}={name}")
            else:
                raise CompareError(f"{option}={word}: unknown; choose from {CHOICES}")
        return cls(changes, tuple(limits.items()))

    def is_crossed(self, difference: Difference) -> bool:
        """Whether this makes changed worse."""
        if difference.change in self.changes:
            return True
        # A rise from nothing has no percentage, and is beyond any.
        percent = math.inf if difference.percent is None else difference.percent
        return any(difference.change is change and percent > limit for change, limit in self.limits)


def _percent(word: str, amount: str, option: str) -> float:
    try:
        percent = float(amount.removesuffix("%")) if amount.endswith("%") else math.nan
    except ValueError:
        percent = math.nan
    if not 0 <= percent < math.inf:
        name = word.partition(":")[0]
        raise CompareError(f"{option}={word}: how many percent? Write {option}={name}:50%")
    return percent
