"""The document of what was measured on a card without TensorFlow: figures, and checks with their verdicts."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import Literal

import msgspec

from pytest_tfkernel.gpu_report.machine import Card
from pytest_tfkernel.gpu_report.writing import read, write
from pytest_tfkernel.model.trials import Verdict
from pytest_tfkernel.report.document import StateWord

FORMAT = "pytest-tfkernel gpu figures"
# Goes up when a reader of the last one would misread a new document.
SCHEMA = 1

UnitWord = Literal["s", "bytes"]


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that was measured, in seconds or bytes. `below`: median and largest are upper bounds.

    `values` are the single tries; of what was written down without them, there are none.
    """

    name: str
    unit: UnitWord
    tries: int
    median: float
    largest: float
    below: bool = False
    values: list[float] = []


class CheckResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that must hold, and what was seen."""

    name: str
    state: StateWord
    reason: str
    given: str = ""


class Figures(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The document. `began` is a time of day, as ISO 8601 in UTC; `source` says where else than in a run it is from."""

    format: str
    schema: int
    complete: bool
    card: Card
    linux: str
    python: str
    began: str = ""
    source: str = ""
    figures: list[Figure] = []
    checks: list[CheckResult] = []


class Notebook:
    """Writes a document anew with each check, so that one which is killed loses no check that was made."""

    def __init__(self, path: Path, document: Figures) -> None:
        self._path = path
        self._values: dict[tuple[str, UnitWord], list[float]] = {}
        self._checks: list[CheckResult] = []
        self._document = document
        self._write()

    def measured(self, name: str, unit: UnitWord, value: float) -> None:
        """One try of a figure; on disk with the check that it is of."""
        self._values.setdefault((name, unit), []).append(value)

    def checked(self, name: str, verdict: Verdict) -> None:
        """A check that was made. Raises ReportError where it can't be written."""
        self._checks.append(
            CheckResult(name=name, state=verdict.state.value, reason=verdict.reason, given=verdict.given)
        )
        self._write()

    def finish(self) -> None:
        """Say that it is whole. Raises ReportError where it can't be written."""
        self._write(complete=True)

    def _write(self, *, complete: bool = False) -> None:
        figures = [
            Figure(
                name=name,
                unit=unit,
                tries=len(values),
                median=statistics.median(values),
                largest=max(values),
                values=values,
            )
            for (name, unit), values in self._values.items()
        ]
        write(
            self._path,
            msgspec.structs.replace(self._document, complete=complete, figures=figures, checks=self._checks),
        )


def load(path: Path) -> Figures:
    """Read one, also one that isn't whole. Raises ReportError."""
    return read(path, Figures, form=FORMAT, schema=SCHEMA)
