"""What must differ for two runs to count as different: `--on`."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pytest_tfkernel.report.compare.comparison import compare
from pytest_tfkernel.report.compare.differences import Change
from pytest_tfkernel.report.compare.pairs import Side
from pytest_tfkernel.report.compare.thresholds import Thresholds
from pytest_tfkernel.report.document import Document, Test, Trial, Verdict
from pytest_tfkernel.upgrade.bisect.bisection import CandidateLook
from pytest_tfkernel.upgrade.errors import UpgradeError

OUTCOME = "outcome"
_SLOWER, _MEMORY = "slower", "memory"
# Beside the outcome, what of a comparison counts.
_CHANGES: dict[str, frozenset[Change]] = {
    OUTCOME: frozenset(),
    "error": frozenset({Change.ERROR}),
    "exit": frozenset({Change.EXIT}),
    "message": frozenset({Change.ERROR, Change.MESSAGE, Change.FACT, Change.RESULT}),
}
CHOICES = "outcome, error, exit, message, slower:50% or memory:20%"
# A time is the median of so many runs.
_REPEATS = 5
_UNSEEN = {"skipped"}
_MIB = 1 << 20


@dataclass(frozen=True)
class Criterion:
    """By which runs are told apart. With a `limit`, in percent, it is about time or memory."""

    word: str
    limit: float | None = None

    @classmethod
    def of(cls, text: str | None) -> Criterion:
        """That of the option. Raises UpgradeError or CompareError."""
        word = text or OUTCOME
        name = word.partition(":")[0]
        if name in {_SLOWER, _MEMORY}:
            ((_, limit),) = Thresholds.of([word], "--on").limits
            return cls(name, limit)
        if word not in _CHANGES:
            raise UpgradeError(f"usage error: --on={word}: unknown; choose from {CHOICES}")
        return cls(word)

    @property
    def repeats(self) -> int:
        """How often a candidate is run."""
        return 1 if self.limit is None else _REPEATS

    def look(self, ref: Sequence[Document], changed: Sequence[Document], found: Sequence[Document]) -> CandidateLook:
        """What the runs of a candidate look like. Raises CompareError or UpgradeError."""
        if self.limit is not None:
            return CandidateLook.AS_CHANGED if self._is_more(ref, found) else CandidateLook.AS_REF
        if not self._differ(ref[0], found[0]):
            return CandidateLook.AS_REF
        return CandidateLook.OTHER if self._differ(changed[0], found[0]) else CandidateLook.AS_CHANGED

    def words(self, documents: Sequence[Document]) -> list[str]:
        """What was observed, a line each."""
        if self.limit is not None:
            value = self._value(documents)
            return [f"{value:.3f} s" if self.word == _SLOWER else f"{value / _MIB:.1f} MiB"]
        return [*_observed(documents[0])]

    def _differ(self, one: Document, other: Document) -> bool:
        if self.word != "exit" and _outcomes(one) != _outcomes(other):
            return True
        if self.word == "exit" and _ends(one) != _ends(other):
            return True
        wanted = _CHANGES[self.word]
        found = compare(Side("ref", one), Side("this", other)) if wanted else None
        return found is not None and any(difference.change in wanted for difference in found.differences)

    def _is_more(self, ref: Sequence[Document], found: Sequence[Document]) -> bool:
        limit = 1 + (self.limit or 0.0) / 100
        return self._value(found) > self._value(ref) * limit

    def _value(self, documents: Sequence[Document]) -> float:
        values = [one for one in map(self._measured, documents) if not math.isnan(one)]
        if not values:
            raise UpgradeError(
                "memory was not measured: it is that of a process, so have your tests run in their own: add"
                " --tfkernel-isolate=test behind the id"
            )
        return statistics.median(values)

    def _measured(self, document: Document) -> float:
        parts: list[Trial | Test] = [*document.trials, *document.tests]
        if self.word == _SLOWER:
            return sum(one.seconds for one in parts)
        return max((one for part in parts for one in _memory(part)), default=math.nan)


def unknown(document: Document) -> str:
    """Why nothing can be told of a run; empty where something can."""
    verdicts = [one for one in document.verdicts if one.verdict != "UNKNOWN"]
    tests = [one for one in document.tests if one.outcome not in _UNSEEN]
    if verdicts or tests:
        return ""
    for verdict in document.verdicts:
        return f"UNKNOWN: {verdict.said}"
    return "skipped" if document.tests else "nothing was run"


def only(document: Document, guarantee: str) -> Document:
    """Without the verdicts on other guarantees; with all of them where none is named."""
    import msgspec

    if not guarantee:
        return document
    kept = [one for one in document.verdicts if one.guarantee == guarantee]
    settings = {one.setting for one in kept}
    trials = [one for one in document.trials if one.setting in settings]
    return msgspec.structs.replace(document, verdicts=kept, trials=trials)


def _outcomes(document: Document) -> dict[str, str]:
    found = {f"{one.guarantee}[{one.setting}]": one.verdict for one in document.verdicts}
    return found | {one.item: str(one.outcome) for one in document.tests}


def _ends(document: Document) -> dict[str, tuple[int | None, str | None]]:
    """How the processes of isolated tests ended."""
    return {one.item: (one.process.code, one.process.signal) for one in document.tests if one.process is not None}


def _memory(part: Trial | Test) -> Iterator[float]:
    if isinstance(part, Test):
        if part.process is not None and part.process.peak_memory is not None:
            yield part.process.peak_memory
    else:
        if part.death is not None and part.death.peak_memory is not None:
            yield part.death.peak_memory
        yield from (moment.memory for moment in part.timeline if moment.memory is not None)


def _observed(document: Document) -> Iterator[str]:
    for verdict in document.verdicts:
        yield _said(verdict, many=len(document.verdicts) > 1)
    for test in document.tests:
        error = ": ".join(filter(None, (test.error_type, test.error_message)))
        name = f"{test.item}: " if len(document.tests) > 1 else ""
        ended = f" ({test.process.signal})" if test.process is not None and test.process.signal else ""
        yield f"{name}{test.outcome}{ended}{f': {error}' if error else ''}"
    for trial in document.trials:
        if trial.error_type:
            yield f"{trial.setting}: {trial.error_type}: {trial.error_message}"


def _said(verdict: Verdict, *, many: bool) -> str:
    name = f"{verdict.setting}: " if many else ""
    return f"{name}{verdict.verdict}{f': {verdict.reason}' if verdict.reason else ''}"
