"""The runs of a history, a column each: when, with which versions, and what came out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from pytest_tfkernel.model.numbers import counted
from pytest_tfkernel.report.compare.pairs import labels
from pytest_tfkernel.report.document import Document


@dataclass(frozen=True)
class RunColumn:
    """One run, or what one of its kernels has of it where it had several.

    `name` is what its document is called, `day` and `time` when it began (UTC), `versions` those of its kernel, or
    beside which tests ran where there was none. `counts` says how many there were of each outcome; `shortfall` why the
    run isn't whole.
    """

    name: str
    day: str
    time: str
    versions: str
    counts: str
    shortfall: str = ""

    @property
    def title(self) -> str:
        """What it is called in a sentence."""
        return ", ".join(filter(None, (self.day, self.versions, self.shortfall)))


def columns_of(name: str, document: Document) -> Iterator[tuple[str | None, RunColumn]]:
    """Those of a run, with the label of the kernel that each is about; None where there are no trials."""
    declared = [kernel.label for kernel in document.environment.kernels]
    # A document edited by hand may have others.
    every: Sequence[str | None] = list(dict.fromkeys([*declared, *sorted(labels(document))]))
    day, time = _when(document.began)
    shortfall = _shortfall(document)
    for label in every or (None,):
        counts = _counted(document, label)
        yield label, RunColumn(name, day, time, _versions(document, label), counts, shortfall)


def instant(began: str) -> dt.datetime:
    """When that was; the beginning of all times where it isn't said."""
    try:
        found = dt.datetime.fromisoformat(began.strip().replace("Z", "+00:00"))
    except ValueError:
        return dt.datetime.min.replace(tzinfo=dt.timezone.utc)
    return found.replace(tzinfo=dt.timezone.utc) if found.tzinfo is None else found


def _when(began: str) -> tuple[str, str]:
    try:
        found = instant(began).astimezone(dt.timezone.utc)
    except OverflowError:
        return began[:10], ""
    return (began[:10], "") if found.year == dt.MINYEAR else (f"{found:%Y-%m-%d}", f"{found:%H:%M}")


def _versions(document: Document, label: str | None) -> str:
    kernel = next((one for one in document.environment.kernels if one.label == label), None)
    found = kernel or (document.environment.pytest if label is None else None)
    if found is None:
        return label or ""
    return f"{found.tensorflow or 'no TensorFlow'}, Python {found.python}"


def _shortfall(document: Document) -> str:
    if not document.complete or document.end is None:
        return "cut short"
    return f"{counted(len(document.end.unreported), 'item')} without a report" if document.end.unreported else ""


def _counted(document: Document, label: str | None) -> str:
    verdicts = _words(one.verdict for one in document.verdicts if one.setting.kernel in {label, None})
    tests = _words(one.outcome for one in document.tests)
    return "; ".join(filter(None, (verdicts, f"tests: {tests}" if tests else ""))) or "nothing ran"


def _words(found: Iterable[str]) -> str:
    words = list(found)
    return ", ".join(f"{words.count(word)} {word}" for word in dict.fromkeys(words))
