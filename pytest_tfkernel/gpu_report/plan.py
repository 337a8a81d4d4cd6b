"""The parts of a report: what each of them runs, in which order, and how much time is kept back for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_tfkernel.gpu_report import outcomes
from pytest_tfkernel.gpu_report.outcomes import PartOutcome
from pytest_tfkernel.suite.scenarios.gpu import NAME as RELEASED
from pytest_tfkernel.suite.settings import HARMFUL

SMOKE, STANDARD, DRIVER, DOCTOR = "smoke", "standard", "driver", "doctor"
# As they are played.
NAMES = (SMOKE, STANDARD, *HARMFUL, DRIVER, DOCTOR)
# Seconds that those before leave to each; what is left of them goes to the part that comes next.
_KEPT = {SMOKE: 60.0, STANDARD: 240.0, DRIVER: 120.0, DOCTOR: 30.0}
_KEPT_FOR_A_FAULT = 60.0
# With less, nothing would come of a part.
LEAST = 10.0
_WITHOUT_TENSORFLOW = (DRIVER, DOCTOR)


@dataclass(frozen=True)
class Wishes:
    """What was asked for. `python` is the interpreter of the kernels; with `workers`, pytest-xdist plays the suite."""

    python: str
    allow: tuple[str, ...] = ()
    parts: tuple[str, ...] = NAMES
    workers: int = 0

    @property
    def need_tensorflow(self) -> bool:
        """Whether one of the parts can't be had without it."""
        return any(name not in _WITHOUT_TENSORFLOW for name in self.parts)


@dataclass(frozen=True)
class ReportPart:
    """One document of a report.

    `command` is for a document at this path, `judge` says what is in it. `prints`: the document is what the command
    writes to stdout. `refused` says why it isn't played; empty where it may be.
    """

    name: str
    command: Callable[[Path], Sequence[str]]
    judge: Callable[[Path], PartOutcome]
    kept: float
    prints: bool = False
    refused: str = ""


def parts(wishes: Wishes, folder: Path) -> tuple[ReportPart, ...]:
    """Those that are asked for, in their order; `folder` is an empty one, for what needs to be somewhere."""
    return tuple(_part(name, wishes, folder) for name in NAMES if name in wishes.parts)


def allot(left: float, part: ReportPart, later: Sequence[ReportPart]) -> float:
    """The seconds for a part: what is left but for those that come later, and at least what was kept for itself."""
    others = sum(one.kept for one in later if not one.refused)
    return min(left, max(part.kept, left - others))


def _part(name: str, wishes: Wishes, folder: Path) -> ReportPart:
    if name == DOCTOR:
        command = _ours("pytest_tfkernel", "doctor", "--json", f"--python={wishes.python}")
        return ReportPart(name, lambda _: command, outcomes.of_doctor, _KEPT[name], prints=True)
    if name == DRIVER:
        driver = _ours("pytest_tfkernel.gpu_report.driver")
        return ReportPart(name, lambda path: [*driver, str(path), *wishes.allow], outcomes.of_figures, _KEPT[name])
    if name in HARMFUL:
        refused = "" if name in wishes.allow else f"it may harm other users of the GPU: add --allow={name}"
        one = _pytest(wishes, folder, f"--tfkernel-allow={name}", "-k", f"{RELEASED}-{name}")
        return ReportPart(name, one, outcomes.of_run, _KEPT_FOR_A_FAULT, refused=refused)
    return ReportPart(name, _pytest(wishes, folder, f"--tfkernel-size={name}"), outcomes.of_run, _KEPT[name])


def _pytest(wishes: Wishes, folder: Path, *arguments: str) -> Callable[[Path], Sequence[str]]:
    """The suite, whatever lies around: no ini file, no conftest, no cache."""
    alone = ["-c", os.devnull, f"--rootdir={folder}", "--noconftest", "-p", "no:cacheprovider"]
    suite = ["--tfkernel", "--tfkernel-require=gpu", f"--tfkernel-python={wishes.python}", *arguments]
    workers = ["-n", str(wishes.workers)] if wishes.workers else []
    return lambda path: [*_ours("pytest"), *alone, *suite, *workers, f"--tfkernel-report={path}"]


def _ours(module: str, *arguments: str) -> list[str]:
    """A module in an interpreter that begins as this one has."""
    return [sys.executable, *(["-I"] if sys.flags.isolated else []), "-m", module, *arguments]
