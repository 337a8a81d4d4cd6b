"""Two runs compared: all differences, which of them make changed worse, and the exit code that says so."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.report.compare import figures as measured, observations, processes, scope, whose
from pytest_tfkernel.report.compare.answer import answer
from pytest_tfkernel.report.compare.differences import About, Change, Difference
from pytest_tfkernel.report.compare.expectations import Expectation, Expectations
from pytest_tfkernel.report.compare.figures import ComparedFigure
from pytest_tfkernel.report.compare.pairs import Side, pair
from pytest_tfkernel.report.compare.thresholds import Thresholds
from pytest_tfkernel.report.document import Document
from pytest_tfkernel.report.store import load

SAME_OR_BETTER, WORSE = range(2)

_ORDER = {change: place for place, change in enumerate(Change)}


@dataclass(frozen=True)
class Comparison:
    """What came out. `answer` is the first line; `shortfalls` are the lines that must stand beside it.

    `asked_for_other` says in which words the runs were asked for different things; `surroundings` what else differs;
    `advice` how your own tests could be compared too, where only the kernels had another TensorFlow.
    `unseen` are the expectations that no difference fits.
    """

    ref: Side
    changed: Side
    answer: str
    shortfalls: tuple[str, ...]
    asked_for_other: str
    surroundings: tuple[str, ...]
    differences: tuple[Difference, ...]
    figures: tuple[ComparedFigure, ...]
    unseen: tuple[Expectation, ...]
    advice: str = ""

    @property
    def exit_code(self) -> int:
        """0: same or better, 1: worse."""
        return WORSE if any(one.regression for one in self.differences) else SAME_OR_BETTER


@dataclass(frozen=True)
class Yardstick:
    """A run that others are compared with, and by which rules.

    All of it is read and checked before a run begins, so that a mistake costs no run.
    """

    ref: Side
    thresholds: Thresholds = dataclasses.field(default_factory=Thresholds)
    expectations: Expectations = dataclasses.field(default_factory=Expectations)

    @classmethod
    def load(
        cls, ref: Path, fail_on: Sequence[str] = (), expect: Path | None = None, *, prefix: str = "--"
    ) -> Yardstick:
        """Read the document, the thresholds and the known differences. Raises CompareError or DocumentError.

        `prefix` is how options begin, `--tfkernel-` under pytest.
        """
        thresholds = Thresholds.of(fail_on, f"{prefix}fail-on")
        expectations = Expectations() if expect is None else Expectations.load(expect)
        return cls(Side(str(ref), load(ref)), thresholds, expectations)

    def compare(self, changed: Document, name: str = "this run") -> Comparison:
        """Compare a document, as `load` gives it, with ref. Raises CompareError where nothing is in both."""
        return compare(self.ref, Side(name, changed), self.thresholds, self.expectations)


def compare(
    ref: Side, changed: Side, thresholds: Thresholds | None = None, expectations: Expectations | None = None
) -> Comparison:
    """All that differs between two runs. Raises CompareError where they have nothing in common."""
    thresholds, expectations = thresholds or Thresholds(), expectations or Expectations()
    pairs = pair(ref, changed)
    values = measured.figures(pairs)
    found = [*observations.differences(pairs), *processes.differences(pairs), *measured.differences(values)]
    reasons, unseen = expectations.reasons(found)
    other = scope.asked_for_other(ref, changed)
    must_be_there = not other or not scope.is_whole(changed)
    judged = [
        dataclasses.replace(
            one,
            expected=reason,
            regression=not reason and (thresholds.is_crossed(one) or (must_be_there and one.change is Change.MISSING)),
        )
        for one, reason in zip(found, reasons, strict=True)
    ]
    judged.sort(
        key=lambda one: (_ORDER[one.change], list(About).index(one.about), one.name, one.place, one.kernel or "")
    )
    shortfalls = tuple(scope.shortfalls(ref, changed))
    return Comparison(
        ref,
        changed,
        answer(
            whose.versions(pairs, ref, changed),
            pairs,
            judged,
            whole=scope.is_whole(changed),
            beside=whose.beside(pairs, ref, changed),
        ),
        shortfalls,
        other,
        tuple(scope.surroundings(pairs, ref, changed)),
        tuple(judged),
        tuple(values),
        tuple(unseen),
        whose.advice(pairs, ref, changed),
    )
