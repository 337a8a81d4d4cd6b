"""What a document says of its part: whether it is whole, and whether something in it fails."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.gpu_report import figures
from pytest_tfkernel.gpu_report.writing import ReportError
from pytest_tfkernel.model.numbers import counted
from pytest_tfkernel.report.store import DocumentError, load

# Codes of pytest: all held, or something failed. Any other one means that not all was run.
_PLAYED = (0, 1)


@dataclass(frozen=True)
class PartOutcome:
    """`exit` is 0 or 1 where the document is whole; otherwise None, and `why` says what is missing."""

    exit: int | None
    why: str = ""


def of_run(path: Path) -> PartOutcome:
    """That of a run document: every item that was collected has its report."""
    try:
        run = load(path)
    except DocumentError as error:
        return PartOutcome(None, str(error))
    if run.end is None:
        return PartOutcome(None, f"{path.name} is incomplete")
    if run.end.exit_code not in _PLAYED or run.end.unreported or not run.trials:
        return PartOutcome(
            None, f"pytest ended with exit code {run.end.exit_code}, {counted(len(run.trials), 'trial')} played"
        )
    return PartOutcome(run.end.exit_code)


def of_figures(path: Path) -> PartOutcome:
    """That of the figures without TensorFlow."""
    try:
        found = figures.load(path)
    except ReportError as error:
        return PartOutcome(None, str(error))
    if not found.complete:
        return PartOutcome(None, f"{path.name} is incomplete")
    states = {one.state for one in found.checks}
    return PartOutcome(int("FAIL" in states or "PASS" not in states))


def of_doctor(path: Path) -> PartOutcome:
    """That of a doctor, who finds what there is to find."""
    try:
        said = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return PartOutcome(None, f"{path.name} is missing or incomplete")
    return (
        PartOutcome(0)
        if isinstance(said, dict) and "schema" in said
        else PartOutcome(None, f"{path.name} is not a document of doctor's")
    )
