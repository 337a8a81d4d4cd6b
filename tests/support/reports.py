"""Parts of a report that a test writes by hand, and a player who starts nothing."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_tfkernel.gpu_report.machine import Card, Setup
from pytest_tfkernel.gpu_report.outcomes import PartOutcome
from pytest_tfkernel.gpu_report.plan import ReportPart
from pytest_tfkernel.gpu_report.playing import INTERRUPTED, OVER, Ended
from pytest_tfkernel.model.processes import ExitStatus

CARD = Card(names=["NVIDIA H100"], driver="580.1")
MACHINE = Setup(
    card=CARD, linux="6.1", architecture="x86_64", cpus=2, python="3.12.1", version="0.1.0", tensorflow="2.21.0"
)


def part(name: str, *, refused: str = "", kept: float = 60.0, prints: bool = False) -> ReportPart:
    """One whose document is a number, its exit code."""
    return ReportPart(name, lambda path: ["write", str(path)], judge, kept, prints, refused)


def judge(path: Path) -> PartOutcome:
    try:
        return PartOutcome(json.loads(path.read_bytes()))
    except (OSError, ValueError):
        return PartOutcome(None, f"{path.name} isn't whole")


@dataclasses.dataclass
class Hand:
    """Plays by hand: `acts` are what each command does with its document, `seconds` what each takes on the clock.

    An act gives the exit code, or a word of why it was stopped. `given` are the seconds that each had, and `files`
    those to which it printed.
    """

    acts: list[Callable[[Path], object]]
    seconds: float = 1.0
    now: float = 0.0
    given: list[float] = dataclasses.field(default_factory=list)
    files: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def clock(self) -> float:
        return self.now

    def play(self, argv: Sequence[str], out: Path, err: Path, seconds: float) -> Ended:
        self.given.append(seconds)
        self.files.append((out.name, err.name))
        self.now += self.seconds
        said = self.acts.pop(0)(out if "incomplete" in out.name else Path(argv[-1]))
        if said in {INTERRUPTED, OVER}:
            return Ended(ExitStatus(signal=2), self.seconds, str(said))
        assert isinstance(said, int)
        return Ended(ExitStatus(signal=-said) if said < 0 else ExitStatus(code=said), self.seconds)


def writes(text: str, ends: object) -> Callable[[Path], object]:
    """An act: the document has this text, and the command ends so."""

    def act(path: Path) -> object:
        path.write_text(text, encoding="utf-8")
        return ends

    return act


def whole(path: Path) -> object:
    """An act: everything holds."""
    return writes("0", 0)(path)


def red(path: Path) -> object:
    """An act: something fails."""
    return writes("1", 1)(path)


def nothing(ends: object) -> Callable[[Path], object]:
    """An act: there is no document."""
    return lambda _: ends
